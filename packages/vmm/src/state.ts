/** What a virtual machine says of itself: plain data. */
import type { SbiState } from '@partita/sbi';
import type { GuestMemoryPlacement } from './guest-memory.ts';
import type { VcpuState } from './vcpu.ts';

/** How a virtual machine ended. */
export interface VmEnding {
	readonly reason: 'power-off' | 'reset' | 'fault' | 'stopped';
	/** 0 for success. */
	readonly code: number;
	/** For people: what it did. */
	readonly detail?: string;
}

/** What is to be done with a virtual CPU after an exit. */
export type VmAction =
	/** It can be run on. */
	| { readonly kind: 'resume' }
	/** It has nothing to do until {@link VmEnvironment.wake}. */
	| { readonly kind: 'wait' }
	/** It starts again: its memory is to be cleared first, see {@link VirtualMachine.clear}. */
	| { readonly kind: 'clear' }
	/** The machine has ended. */
	| { readonly kind: 'stopped'; readonly ending: VmEnding };

/** Exits by what they were. */
export interface VmExitCounts {
	/** Environment calls. */
	sbi: number;
	/** Loads and stores of devices. */
	mmioLoad: number;
	mmioStore: number;
	/** WFI. */
	wait: number;
	/** Other instructions that trapped; the guest finds them illegal. */
	instruction: number;
	/** Accesses where there is nothing. */
	invalidAccess: number;
}

/** Plain state of a virtual machine, its memory aside. */
export interface VirtualMachineState {
	readonly vcpus: readonly VcpuState[];
	readonly sbi: SbiState;
	/** By name. */
	readonly devices: Readonly<Record<string, unknown>>;
	/** By name of the device: virtual nanoseconds. */
	readonly deadlines: Readonly<Record<string, number>>;
	readonly paused: boolean;
	readonly ending: VmEnding | undefined;
	readonly exits: VmExitCounts;
	readonly restarts: number;
	/** Console input that waits for the guest's SBI. */
	readonly input: readonly number[];
	/** Some was refused since. */
	readonly inputRefused: boolean;
	/** Offset of the memory that is to be cleared next; undefined: none is. */
	readonly clearing: number | undefined;
	/** It is to be gone once it is cleared. */
	readonly disposed: boolean;
}

/** Where it is on its board: plain state, apart from {@link VirtualMachineState}, which goes on anywhere. */
export interface VmPlacement {
	readonly vmid: number;
	readonly memory: GuestMemoryPlacement;
}
