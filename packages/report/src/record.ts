/**
 * What a run says: plain data, the same bit for bit for the same system. Times are virtual nanoseconds, sizes are bytes.
 * Whoever assembles a system fills it in; the rest of this package shows it. It is also the schema of the JSON report.
 */

/** Version of the records below, as they are written. */
export const RECORD_SCHEMA = 'partita-run/1';

/**
 * What a figure is worth. `counted`: instructions, events and bytes of what really ran. `modelled`: made of costs that a
 * profile gives to kernel operations. `mixed`: counted guest instructions and modelled kernel time together.
 */
export type Basis = 'counted' | 'modelled' | 'mixed';

/** Response times, from release to completion, in nanoseconds. */
export interface LatencySummary {
	/** How many were kept; less than the completed jobs where the guest's report area was full: then the first ones. */
	readonly samples: number;
	/** The least. */
	readonly min: number;
	/** Half are not above it (nearest rank). */
	readonly median: number;
	/** 99.9 % are not above it (nearest rank). */
	readonly p999: number;
	/** The largest. */
	readonly max: number;
}

/** A task of a guest, by what the guest wrote down. */
export interface TaskRecord {
	readonly name: string;
	/** Absent for a task that always has work. */
	readonly period?: number;
	/** From release. */
	readonly deadline?: number;
	/** Jobs released; absent without a period. */
	readonly released?: number;
	/** Jobs completed; rounds of work, without a period. */
	readonly completed: number;
	/** Completed after their deadline, or not completed although their deadline has passed when the run ends. */
	readonly missed: number;
	/** Absent where no response time was kept. */
	readonly latency?: LatencySummary;
}

/** Something that is scheduled: a virtual CPU, or a thread. */
export interface EntityRecord {
	readonly name: string;
	readonly kind: 'vcpu' | 'program' | 'component';
	readonly priority: number;
	readonly budget?: number;
	readonly period?: number;
	/** Processor time that it had, the kernel's work excluded. */
	readonly runNanos: number;
	/** Times that it was put on the hart. */
	readonly dispatches: number;
	/** Times that it was taken off while it could have gone on. */
	readonly preemptions: number;
	/** What it was doing when the run ended. */
	readonly status: string;
	/** The fault that stopped it. */
	readonly fault?: string;
}

/** A cell of the system. */
export interface CellRecord {
	readonly name: string;
	/** How it exists in this composition. */
	readonly placement: 'vm' | 'domains' | 'none';
	/** SPDX expression, where the description names one. */
	readonly licence?: string;
	readonly entities: readonly EntityRecord[];
	readonly tasks: readonly TaskRecord[];
	/** Exits of its virtual machine, by kind. */
	readonly exits?: Readonly<Record<string, number>>;
	readonly memory: {
		/** Given to it, stacks, buffers and page tables of its own included. */
		readonly reserved: number;
		/** Pages of that which are not all zeros at the end, in bytes. */
		readonly touched: number;
	};
	/** Bytes that it printed. */
	readonly consoleBytes: number;
	/** How it ended, where it did. */
	readonly ending?: string;
	/** Names of the linked groups that it must trust. */
	readonly trusts: readonly string[];
}

/** What the kernel did. */
export interface KernelRecord {
	/** Entries: system calls, exits, faults, interrupts, timer. */
	readonly entries: number;
	/** Those for the timer. */
	readonly timerEntries: number;
	/** Changes of who has the hart. */
	readonly contextSwitches: number;
	/** Time that its own work took. */
	readonly nanos: number;
	/** Time in which nothing was ready. */
	readonly idleNanos: number;
	/** Exits of virtual machines, by kind. */
	readonly exits: Readonly<Record<string, number>>;
	/** Messages, by kind; none in a kernel without IPC. */
	readonly ipc: Readonly<Record<string, number>>;
}

/** Code that the bundler linked for one trust relation. */
export interface LinkedGroup {
	/** What cells refer to. */
	readonly name: string;
	/** In which mode it runs: with the kernel's privileges, or as a protection domain without. */
	readonly runs: 'privileged' | 'domain';
	/** By size. */
	readonly packages: readonly {
		readonly name: string;
		/** Minified bytes in the bundle. */
		readonly bytes: number;
	}[];
}

/** A run of a system. */
export interface RunRecord {
	readonly schema: typeof RECORD_SCHEMA;
	readonly system: string;
	/** `hypervisor` or `microkernel`. */
	readonly composition: string;
	readonly policy: string;
	/** The cost profile. */
	readonly costs: { readonly name: string; readonly source: string };
	/** Virtual time. */
	readonly nanos: number;
	/** Digest of the trace: two runs with the same did the same. */
	readonly traceHash: string;
	readonly cells: readonly CellRecord[];
	readonly kernel: KernelRecord;
	/** What was linked, where it was measured. */
	readonly linked?: readonly LinkedGroup[];
	/** What each kind of figure is worth. */
	readonly basis: typeof BASIS;
}

/** Basis of each figure, by its name in the records. */
export const BASIS = {
	completed: 'counted',
	missed: 'mixed',
	latency: 'mixed',
	runNanos: 'counted',
	dispatches: 'counted',
	preemptions: 'counted',
	entries: 'counted',
	contextSwitches: 'counted',
	exits: 'counted',
	ipc: 'counted',
	'kernel.nanos': 'modelled',
	idleNanos: 'mixed',
	memory: 'counted',
	bytes: 'counted',
} as const satisfies Readonly<Record<string, Basis>>;

/** Runs of one system, side by side. */
export interface ComparisonRecord {
	readonly schema: 'partita-comparison/1';
	readonly system: string;
	readonly runs: readonly RunRecord[];
}

/** Puts runs side by side. @throws RangeError where they are not of one system */
export function compareRuns(runs: readonly RunRecord[]): ComparisonRecord {
	const system = runs[0]?.system;
	if (system === undefined) throw new RangeError('a comparison needs at least one run');
	for (const run of runs) {
		if (run.system !== system) throw new RangeError(`runs of ${system} and of ${run.system} cannot be compared`);
	}
	return { schema: 'partita-comparison/1', system, runs };
}

/** A record as JSON text: for the same record the same bytes. */
export function recordJson(record: RunRecord | ComparisonRecord): string {
	return `${JSON.stringify(record, undefined, '\t')}\n`;
}
