/** Counters: plain data. Times are virtual nanoseconds. */
import type { FaultName, SystemCallName } from './profile.ts';
import type { ThreadKind, ThreadStatus } from './thread.ts';

/** What a kernel has done since it started. */
export interface KernelCounters {
	/** By name; `unknown` for numbers without one. Only what has occurred. */
	readonly systemCalls: Partial<Record<SystemCallName | 'unknown', number>>;
	/** Messages and signals that arrived. */
	readonly ipc: {
		/** Messages by Call, to endpoints. */
		calls: number;
		/** Messages by Send and NBSend, to endpoints. */
		sends: number;
		/** Answers through reply objects. */
		replies: number;
		/** Signals to notifications, those of interrupts not counted. */
		signals: number;
		/** Words of messages. */
		words: number;
		/** Invocations of kernel objects. */
		invocations: number;
	};
	/** Only what has occurred. */
	readonly faults: Partial<Record<FaultName, number>>;
	/** Faults that nobody handles. */
	unhandledFaults: number;
	/** Entries into the kernel: traps, interrupts, timer, system calls of components. */
	entries: number;
	/** Those for the timer. */
	timerEntries: number;
	/** Device interrupts that were delivered. */
	interrupts: number;
	/** Exits of guests. */
	exits: number;
	contextSwitches: number;
	addressSpaceSwitches: number;
	floatSwitches: number;
	/** Switches to or from a guest's registers. */
	worldSwitches: number;
	/** What the kernel's own work cost. */
	kernelNanos: number;
	/** Nothing was ready. */
	idleNanos: number;
}

/** All zero. */
export function newCounters(): KernelCounters {
	return {
		systemCalls: {},
		ipc: { calls: 0, sends: 0, replies: 0, signals: 0, words: 0, invocations: 0 },
		faults: {},
		unhandledFaults: 0,
		entries: 0,
		timerEntries: 0,
		interrupts: 0,
		exits: 0,
		contextSwitches: 0,
		addressSpaceSwitches: 0,
		floatSwitches: 0,
		worldSwitches: 0,
		kernelNanos: 0,
		idleNanos: 0,
	};
}

/** What a thread has done. */
export interface ThreadStatistics {
	readonly name: string;
	readonly kind: ThreadKind;
	readonly status: ThreadStatus;
	/** On a hart, the kernel's work excluded. */
	readonly runNanos: number;
	/** Times that it was put on a hart. */
	readonly dispatches: number;
	/** Times that it was taken off a hart while it could have gone on. */
	readonly preemptions: number;
	/** Times that its budget ran out. */
	readonly exhaustions: number;
	readonly systemCalls: number;
	/** Its fault, where it is stopped by one. */
	readonly fault: string | undefined;
}

/** What {@link Microkernel.statistics} gives: a copy. */
export interface KernelStatistics extends KernelCounters {
	/** Of those that exist, in the order of their making. */
	readonly threads: readonly ThreadStatistics[];
}
