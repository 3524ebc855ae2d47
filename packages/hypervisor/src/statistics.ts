/** Counters: plain data. Times are virtual nanoseconds. */
import type { VmEnding, VmExitCounts } from '@partita/vmm';

/** What the kernel has done since it started. */
export interface HypervisorCounters {
	/** Entries into the kernel: exits of guests, interrupts, timer. */
	entries: number;
	/** Those for the timer. */
	timerEntries: number;
	/** Device interrupts that were served. */
	interrupts: number;
	/** Changes of who has a hart. */
	contextSwitches: number;
	/** Those from one virtual CPU's registers to another's. */
	worldSwitches: number;
	/** What the kernel's own work cost. */
	kernelNanos: number;
	/** Nothing was ready. */
	idleNanos: number;
}

/** What a virtual CPU has done. */
export interface VcpuStatistics {
	readonly hart: number;
	/** Time in the guest. */
	readonly runNanos: number;
	/** Times that it was put on a hart. */
	readonly dispatches: number;
	/** Times that it was taken off while it could have gone on. */
	readonly preemptions: number;
	/** Times that its budget ran out. */
	readonly exhaustions: number;
}

/** What a virtual machine has done. */
export interface VmStatistics {
	readonly name: string;
	/** `ready`: at least one of its virtual CPUs can run. `clearing`: its memory is cleared, to start again or to be gone. */
	readonly status: 'ready' | 'waiting' | 'paused' | 'ended' | 'clearing';
	readonly ending: VmEnding | undefined;
	readonly exits: Readonly<VmExitCounts>;
	/** Time in the guest, of all its virtual CPUs. */
	readonly runNanos: number;
	/** The kernel's time for its exits, and for leaving the hart when it goes to sleep. */
	readonly kernelNanos: number;
	/** Bytes that it has printed. */
	readonly consoleBytes: number;
	/** Times that it rang another VM. */
	readonly signals: number;
	/** Times that it rang nobody: a bit without a peer, or a VM that is not there. */
	readonly signalsDenied: number;
	/** Bytes of its memory. */
	readonly memory: number;
	/** How often it was started again. */
	readonly restarts: number;
	readonly vcpus: readonly VcpuStatistics[];
}

/** What {@link Hypervisor.statistics} gives: a copy. */
export interface HypervisorStatistics extends HypervisorCounters {
	/** Of those that exist. */
	readonly vms: readonly VmStatistics[];
}

/** All zero. */
export function newCounters(): HypervisorCounters {
	return {
		entries: 0,
		timerEntries: 0,
		interrupts: 0,
		contextSwitches: 0,
		worldSwitches: 0,
		kernelNanos: 0,
		idleNanos: 0,
	};
}
