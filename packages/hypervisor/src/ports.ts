/**
 * What the hypervisor needs: a board (that of `@partita/machine` fits), a scheduling policy (those of `@partita/sched` fit), a
 * console driver (that of `@partita/drivers` fits).
 */
import type { Hart } from '@partita/cpu';

/** The board. */
export interface HypervisorBoard {
	readonly harts: readonly Hart[];
	readonly memory: {
		/** Whether every byte of the range is memory. */
		contains(address: number, bytes: number): boolean;
		/** Copies from memory. */
		read(address: number, into: Uint8Array): boolean;
		/** Copies into memory. */
		write(address: number, from: Uint8Array): boolean;
	};
	/** Devices by physical address. */
	readonly bus: {
		/** The device that the whole range belongs to. */
		find(address: number, bytes: number): { readonly base: number; readonly device: MmioRegisters } | undefined;
	};
	readonly console: {
		/** Prints. */
		write(bytes: Uint8Array): void;
	};
	/** Virtual nanoseconds. */
	now(): number;
	/** Virtual time passes as if so many instructions had been executed. */
	charge(instructions: number): void;
	/** `timer` is called at this virtual time; undefined: no call. */
	setTimer(nanos: number | undefined): void;
	/** The machine stops. */
	end(ending: { readonly reason: 'power-off' | 'reset'; readonly code: number }): void;
}

/** Registers of a device. */
export interface MmioRegisters {
	/** Reads a register. */
	read(offset: number, size: 1 | 2 | 4): number;
	/** Writes one. */
	write(offset: number, size: 1 | 2 | 4, value: number): void;
}

/** Who runs, and until when it needs not be asked again. */
export interface SchedulingDecision {
	readonly entity: number | undefined;
	readonly until: number | undefined;
}

/** A scheduling policy over virtual CPUs. */
export interface VcpuPolicy<P> {
	readonly name: string;
	readonly state: unknown;
	/** Goes on from a saved state. */
	restore(state: never): void;
	/** Makes a virtual CPU known, which is not ready. */
	add(entity: number, parameters: P, now: number): void;
	/** Forgets it. */
	remove(entity: number): void;
	/** Gives it other parameters. */
	change(entity: number, parameters: P, now: number): void;
	/** It is ready. */
	wake(entity: number, now: number): void;
	/** It is not ready any more. */
	block(entity: number, now: number): void;
	/** Time used. @returns whether the entity's budget has run out */
	charge(entity: number, nanos: number, now: number): boolean;
	/** Who is to run. */
	pick(now: number): SchedulingDecision;
}

/** What a console driver is given: clients are numbered as the VMs are. */
export interface ConsoleEnvironment {
	/** The UART's registers; accesses take time. */
	readonly mmio: MmioRegisters;
	/** The driver has computed for so many nanoseconds. */
	work(nanos: number): void;
	/** Input for a client. @returns how many bytes it took, from the front: the rest is offered again on `resume` */
	deliver(client: number, bytes: Uint8Array): number;
}

/** A driver that shares one terminal among VMs. */
export interface ConsoleDriver {
	readonly state: unknown;
	/** Goes on from a saved state. */
	restore(state: never): void;
	/** Prepares the device. */
	init(): void;
	/** Its interrupt. */
	interrupt(): void;
	/** Makes room for a client. */
	addClient(client: number, name: string): void;
	/** Forgets one. */
	removeClient(client: number): void;
	/** A client prints. */
	write(client: number, bytes: Uint8Array): void;
	/** A client that has refused input takes some again. */
	resume(client: number): void;
}

/** Where the board's UART is, and its interrupt controller. */
export interface ConsoleConfig {
	/** Physical address of the UART; default 0x1000_0000. */
	readonly address?: number;
	/** Its source; default 10. */
	readonly interrupt?: number;
	/** Physical address of the PLIC; default 0xc00_0000. */
	readonly plic?: number;
	/** The PLIC's context of hart 0's supervisor; default 1. */
	readonly context?: number;
	/** Makes the driver, once. */
	readonly create: (environment: ConsoleEnvironment) => ConsoleDriver;
}

/** What a part that is linked into the kernel is given. */
export interface PartEnvironment {
	/** Virtual nanoseconds. */
	now(): number;
	/** The part has computed for so many nanoseconds, on behalf of whoever caused it. */
	work(nanos: number): void;
}

/** A part that is linked into the kernel, and whose state is the kernel's to save: a switch of `@partita/network` fits. */
export interface KernelPart {
	/** Unique. */
	readonly name: string;
	readonly state: unknown;
	/** Goes on from a saved state. */
	restore(state: never): void;
	/** Told, once, what it is linked into. */
	link(environment: PartEnvironment): void;
}
