/**
 * Privileged software that runs in TypeScript, outside the machine: what the board asks of it, and what it is given. The
 * built-in SBI is one; hypervisors and microkernels are others.
 */
import type { Hart, HostedModes, TrapExit } from '@partita/cpu';
import type { AddressMap, PhysicalMemory } from '@partita/memory';

/** How a guest ended. */
export interface Ending {
	readonly reason: 'power-off' | 'reset';
	/** 0 for success; what the guest reported otherwise. */
	readonly code: number;
}

/** The board as a hosted kernel sees it. */
export interface KernelBoard {
	readonly harts: readonly Hart[];
	readonly memory: PhysicalMemory;
	/** Devices by physical address: accesses that a kernel makes itself go through here. */
	readonly bus: AddressMap;
	readonly console: {
		/** Prints bytes on the console. */
		write(bytes: Uint8Array): void;
		/** At most `max` bytes that have arrived. */
		read(max: number): Uint8Array;
	};
	/** Virtual nanoseconds since reset. */
	now(): number;
	/** Virtual time passes as if this many instructions had been executed: the price of what the kernel does. */
	charge(instructions: number): void;
	/** {@link HostedKernel.timer} is called at this virtual time; undefined: no call. It replaces the one before. */
	setTimer(nanos: number | undefined): void;
	/** The machine stops. */
	end(ending: Ending): void;
}

/** Privileged software. It runs to completion whenever it is called: no hart is running then. */
export interface HostedKernel {
	/** Plain state. */
	readonly state: unknown;
	/** Takes over a copy of a saved state. */
	restore(state: never): void;
	/** A hart trapped into a mode that the kernel hosts. */
	handleTrap(hart: number, trap: TrapExit): void;
	/** Whether the hart has anything to run: with nothing, time passes without it. */
	isRunning(hart: number): boolean;
	/** The time that was set has come. */
	timer?(): void;
	/** The PLIC's line to a hart's supervisor context has changed. Without it, the line is the hart's own. */
	external?(hart: number, level: boolean): void;
}

/** How a machine gets its hosted kernel. */
export interface HostedKernelFactory {
	readonly hosted: HostedModes;
	/**
	 * Called once, when memory and devices are there; it prepares the harts' states. `entry` and `deviceTree` are those of
	 * the machine's images, where it has any.
	 */
	create(board: KernelBoard, entry: bigint, deviceTree: bigint): HostedKernel;
}
