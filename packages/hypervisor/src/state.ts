/** What a snapshot of the kernel is made of: plain data. */
import type { VirtualMachineState, VmPlacement } from '@partita/vmm';
import type { FreeRun } from './frames.ts';
import type { HypervisorCounters } from './statistics.ts';

/** A virtual CPU as the kernel keeps it; its registers are in the VM's state. */
export interface VcpuRecordState {
	/** Its number in the policy. */
	readonly entity: number;
	/** Whether the policy has been told that it can run. */
	readonly ready: boolean;
	readonly runNanos: number;
	readonly dispatches: number;
	readonly preemptions: number;
	readonly exhaustions: number;
}

/** A VM as the kernel keeps it. */
export interface GuestState {
	/** Client number at the console. */
	readonly id: number;
	readonly name: string;
	readonly placement: VmPlacement;
	readonly machine: VirtualMachineState;
	readonly vcpus: readonly VcpuRecordState[];
	readonly kernelNanos: number;
	readonly consoleBytes: number;
	readonly signals: number;
	readonly signalsDenied: number;
}

/** State of a {@link Hypervisor}. */
export interface HypervisorState {
	readonly guests: readonly GuestState[];
	readonly nextEntity: number;
	readonly free: readonly FreeRun[];
	readonly policy: unknown;
	readonly console: unknown;
	/** By name. */
	readonly parts: Readonly<Record<string, unknown>>;
	readonly dispatcher: DispatcherState;
	/** Names of VMs that take console input again. */
	readonly reading: readonly string[];
}

/** State of the dispatcher. Virtual CPUs are named by their entities. */
export interface DispatcherState {
	readonly counters: HypervisorCounters;
	/** Who has the hart's time; -1: nobody. */
	readonly current: number;
	/** Whose registers the hart holds; -1: nobody's. */
	readonly attached: number;
	/** Whose it held last; -1: nobody's. */
	readonly loaded: number;
	/** Virtual time up to which the policy has been told of use. */
	readonly since: number;
	/** Virtual time at which the kernel was left. */
	readonly left: number;
	/** When the timer is set to. */
	readonly deadline: number | undefined;
	/** What has come from outside since, and waits for the next entry: nanoseconds of work, and what is to be done. */
	readonly cost: number;
	readonly asking: boolean;
	readonly rearming: boolean;
	readonly changed: readonly number[];
}
