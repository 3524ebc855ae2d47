/**
 * An assembled system: the machine with its kernel, run by virtual time, and what it has done. Each composition makes one; what
 * they have in common is here. Nothing here knows a kernel.
 */
import { readReportArea } from '@partita/guests';
import { type CostProfile, free, u54, u54h } from '@partita/kernel-costs';
import { type HostedKernelFactory, Machine, MachineError, type MachineState, TICK_NANOS } from '@partita/machine';
import {
	BASIS,
	type CellRecord,
	type KernelRecord,
	RECORD_SCHEMA,
	type RunRecord,
	summariseLatency,
	type TaskRecord,
} from '@partita/report';
import type { Plan } from './plan.ts';
import { SystemError } from './problems.ts';
import type { Policy } from './system.ts';

/** Who is told what the kernel does, as it happens; `Timeline` of `@partita/report` fits. It may change nothing. */
export interface SystemTrace {
	/** From `time` on, an entity has the hart; undefined: nobody. */
	running?(hart: number, entity: string | undefined, time: number): void;
	/** The kernel was entered at `time`, and worked for `nanos`. */
	entered?(hart: number, reason: string, entity: string | undefined, time: number, nanos: number): void;
	/** The entity's budget has run out. */
	exhausted?(hart: number, entity: string, time: number): void;
}

/** What a system is given from outside. */
export interface AssemblyOptions {
	readonly trace?: SystemTrace;
	/** Takes what the board's terminal shows. */
	readonly console?: (byte: number) => void;
}

/** Why {@link RunningSystem.runUntil} returned. */
export type RunEnd =
	/** The time has come. */
	| 'time'
	/** Everything in it has ended: no time passes any more. */
	| 'ended';

/** A system that can run. */
export interface RunningSystem {
	readonly plan: Plan;
	readonly machine: Machine;
	/** Runs up to a virtual time, in nanoseconds since its start. How a run is divided makes no difference. */
	runUntil(nanos: number): RunEnd;
	/** The whole state, for a snapshot: plain data. */
	save(): MachineState;
	/** Goes on from the state of a system of the same plan. Throws where it is another's. */
	restore(state: MachineState): void;
	/** What it has done so far. */
	record(): RunRecord;
}

/** What a composition says of its kernel. */
export interface KernelView {
	readonly kernel: KernelRecord;
	readonly cells: readonly Omit<CellRecord, 'tasks'>[];
	/** Name of the entity that has the hart; undefined: nobody. */
	readonly running: string | undefined;
	/** Reads the memory of a virtual machine or domain by the addresses that it uses. */
	read(owner: string, address: number, into: Uint8Array): boolean;
}

/** Cost profiles by the names that descriptions use. */
export const COSTS: Readonly<Record<Plan['system']['machine']['costs'], CostProfile>> = { free, u54, u54h };

/**
 * Makes the machine.
 * @param factory - its kernel
 * @param view - what the kernel has done
 * @throws SystemError where the board does not have what the plan needs
 */
export function startSystem(
	plan: Plan,
	factory: HostedKernelFactory,
	view: () => KernelView,
	options: AssemblyOptions,
): RunningSystem {
	const { system, composition } = plan;
	const machine = makeMachine(plan, factory, options);
	return {
		plan,
		machine,
		runUntil: (nanos) => runUntil(machine, nanos),
		save: () => machine.save(),
		restore: (state) => machine.restore(state),
		record() {
			const nanos = machine.now();
			const { kernel, cells, read } = upToDate(view(), nanos);
			const costs = COSTS[system.machine.costs];
			return {
				schema: RECORD_SCHEMA,
				system: system.name,
				composition,
				policy: system.scheduling.policy,
				costs: { name: costs.name, source: costs.source },
				nanos,
				traceHash: machine.traceHash!,
				cells: cells.map((cell) => ({ ...cell, tasks: tasksOf(plan, cell.name, nanos, read) })),
				kernel,
				basis: BASIS,
			};
		},
	};
}

/** Kernels count when they are entered: what has passed since falls to whoever has the hart. */
function upToDate({ running, ...view }: KernelView, nanos: number): Omit<KernelView, 'running'> {
	const { kernel, cells } = view;
	let since = nanos - kernel.nanos - kernel.idleNanos;
	for (const { entities } of cells) for (const { runNanos } of entities) since -= runNanos;
	if (running === undefined) return { ...view, kernel: { ...kernel, idleNanos: kernel.idleNanos + since } };
	return {
		...view,
		cells: cells.map((cell) => ({
			...cell,
			entities: cell.entities.map((entity) =>
				entity.name === running ? { ...entity, runNanos: entity.runNanos + since } : entity,
			),
		})),
	};
}

function makeMachine({ system }: Plan, factory: HostedKernelFactory, { console }: AssemblyOptions): Machine {
	try {
		return new Machine({
			memory: system.machine.memory,
			kernel: factory,
			traceHash: true,
			...(console ? { console } : {}),
		});
	} catch (error) {
		if (!(error instanceof MachineError)) throw error;
		throw new SystemError([
			{ place: 'machine', reason: error.message, advice: error.advice ?? 'change the description of the machine' },
		]);
	}
}

/**
 * A run is measured in instructions, and time asleep is in none of them. So it stops where the machine falls asleep, and goes
 * on, by one instruction, at what wakes it.
 */
function runUntil(machine: Machine, nanos: number): RunEnd {
	for (;;) {
		const left = nanos - machine.now();
		if (left <= 0) return 'time';
		const result = machine.run(left, { idleUntil: machine.now() });
		if (result.reason === 'ended') return 'ended';
		if (result.reason !== 'idle') continue;
		const next = Math.min(result.next ?? nanos, nanos);
		const woken = machine.run(1, { idleUntil: next });
		if (woken.reason === 'ended') return 'ended';
	}
}

function tasksOf(plan: Plan, cell: string, nanos: number, read: KernelView['read']): TaskRecord[] {
	const areas = [
		...plan.vms.filter((each) => each.cell.name === cell).map(({ reportArea }) => ({ owner: cell, reportArea })),
		...plan.domains
			.filter((each) => each.cell.name === cell)
			.map(({ domain, reportArea }) => ({ owner: domain.name, reportArea })),
	];
	return areas.flatMap(({ owner, reportArea }) => {
		if (reportArea === undefined) return [];
		// A guest that has overwritten its area has no tasks to show.
		const tasks = readReportArea((offset, into) => read(owner, reportArea + offset, into)) ?? [];
		return tasks.map((task): TaskRecord => {
			const { name, completed } = task;
			if (task.period === 0) return { name, completed, missed: 0 };
			const period = task.period * TICK_NANOS;
			const deadline = task.deadline * TICK_NANOS;
			const latency = summariseLatency(task.responses, TICK_NANOS);
			return {
				name,
				period,
				deadline,
				released: task.released,
				completed,
				missed: task.missed + overdue(period, deadline, completed, nanos),
				...(latency ? { latency } : {}),
			};
		});
	});
}

/**
 * Jobs whose deadline has surely passed and that are not complete: a guest that gets no time does not even note that it
 * misses. The first release is up to a period after the start of the system, and a start that is late by less is no miss.
 */
function overdue(period: number, deadline: number, completed: number, nanos: number): number {
	return Math.max(0, Math.floor((nanos - deadline) / period) - 1 - completed);
}

/** Bytes of the pages that are not all zeros in a range of memory. */
export function touchedBytes(read: (address: number, into: Uint8Array) => boolean, base: number, size: number): number {
	const page = new Uint8Array(4096);
	const words = new Uint32Array(page.buffer);
	let touched = 0;
	for (let at = 0; at < size; at += page.length) {
		if (read(base + at, page) && words.some((word) => word !== 0)) touched += page.length;
	}
	return touched;
}

/** Options of a policy of `@partita/sched`. */
export function policyOptions({ slice, minimumBudget }: Policy): { minimumBudget: number; slice?: number } {
	return { minimumBudget, ...(slice === undefined ? {} : { slice }) };
}

/** A part that the description asks for and the assembly was not given. */
export function missingPart(place: string, what: string): SystemError {
	return new SystemError([
		{ place, reason: `the part ${what} is not linked`, advice: 'give it to the assembly, or describe another' },
	]);
}
