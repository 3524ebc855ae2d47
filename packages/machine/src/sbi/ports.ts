/**
 * What the built-in SBI needs of the machine it is the firmware of. The board gives it; `Hart` and `PhysicalMemory` fit.
 */
import type { GuestAccess } from '@partita/cpu';

/** A hart as the SBI sees it: its state, and who is told when that changes. */
export interface SbiHart {
	/** Architectural state, indexed by `Slot` of `@partita/cpu`. */
	readonly state: BigUint64Array;
	readonly ports: {
		/** As `sfence.vma`, `hfence.vvma` or `hfence.gvma` on this hart; `undefined`: all addresses, all ids. */
		flush(kind: 'vma' | 'vvma' | 'gvma', address: bigint | undefined, id: bigint | undefined): void;
		interruptsChanged(): void;
		timerChanged(): void;
		protectionChanged(): void;
	};
	/** Anything in the state may have changed. */
	stateChanged(): void;
	/** Takes a trap as delegation says. */
	enterTrap(cause: number, interrupt: boolean, value: bigint, guest?: GuestAccess): void;
}

/** Kinds of system reset: SBI 2.0, "SRST System Reset Types". */
export type ResetType = 'shutdown' | 'cold-reboot' | 'warm-reboot';

/** The machine around the SBI. */
export interface SbiPorts {
	/** All harts; their index is their hart id. */
	readonly harts: readonly SbiHart[];
	/** Physical memory: false, with nothing copied, where part of the range is not memory (or not writable). */
	readonly memory: {
		read(address: number, into: Uint8Array): boolean;
		write(address: number, from: Uint8Array): boolean;
	};
	/** The debug console. */
	readonly console: {
		write(bytes: Uint8Array): void;
		/** At most `max` bytes that have arrived; none is an empty array. */
		read(max: number): Uint8Array;
	};
	/**
	 * The system is to be reset: no hart may be run any further until it has been. The calling hart stays at its ECALL.
	 * @param failure the supervisor gave "system failure" as its reason
	 */
	reset(type: ResetType, failure: boolean): void;
}

/** A trap that would enter M-mode; `TrapExit` of `@partita/cpu` is one. */
export interface SbiTrap {
	readonly cause: number;
	readonly interrupt: boolean;
	readonly value: bigint;
	readonly guest: GuestAccess | undefined;
}

/** What the SBI remembers of a hart. */
export interface SbiHartState {
	/** HSM state STOPPED. */
	readonly stopped: boolean;
	/**
	 * Instructions that the hart had retired when it last called `sbi_hart_suspend`: while it waits and this is still
	 * its count, it is SUSPENDED. -1: it has not.
	 */
	readonly suspendedAt: bigint;
}

/** Plain state of the SBI. All else that it does is in the harts' own state. */
export interface SbiState {
	readonly harts: readonly SbiHartState[];
}
