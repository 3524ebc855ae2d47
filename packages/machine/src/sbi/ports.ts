/**
 * What the built-in SBI needs of the machine it is the firmware of. The board gives it; `Hart` and `PhysicalMemory` fit.
 */
import type { GuestAccess } from '@partita/cpu';
import type { SbiPorts } from '@partita/sbi';

/** A hart as the firmware sees it: its state, and who is told when that changes. */
export interface FirmwareHart {
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

/** The machine around the firmware. */
export interface FirmwarePorts extends Pick<SbiPorts, 'memory' | 'console' | 'reset'> {
	/** All harts; their index is their hart id. */
	readonly harts: readonly FirmwareHart[];
}

/** A trap that would enter M-mode; `TrapExit` of `@partita/cpu` is one. */
export interface FirmwareTrap {
	readonly cause: number;
	readonly interrupt: boolean;
	readonly value: bigint;
	readonly guest: GuestAccess | undefined;
}
