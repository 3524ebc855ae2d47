/**
 * The shape in which the `csr-*.ts` tables define CSRs, and the definitions that several of them share.
 */

import type { PrivilegedHart } from './hart.ts';

/** What, apart from the privilege that a CSR's number encodes, decides who may access it; see `csr-access.ts`. */
export type CsrGate = 'none' | 'float' | 'counter' | 'satp' | 'hgatp' | 'stimecmp';

/** A CSR's behaviour, once access to it has been granted. Values are 64-bit unsigned; a written one is raw, as software gave it. */
export interface CsrDefinition {
	readonly gate: CsrGate;
	readonly read: (hart: PrivilegedHart) => bigint;
	/** Applies the WARL rules and tells the ports what changed. */
	readonly write: (hart: PrivilegedHart, value: bigint) => void;
	/** What CSRRS and CSRRC modify, where that is not what they read. */
	readonly readForModify?: (hart: PrivilegedHart) => bigint;
}

/** Definitions by CSR number. */
export type CsrTable = Record<number, CsrDefinition>;

/** All 64 bits. */
export const ALL = 0xffff_ffff_ffff_ffffn;

const ignoreWrite = (): void => {};

/** A CSR whose slot software cannot change, or whose number (bits 11:10 = 3) makes it read-only. */
export function readOnly(read: (hart: PrivilegedHart) => bigint, gate: CsrGate = 'none'): CsrDefinition {
	return { gate, read, write: ignoreWrite };
}

/** A CSR that reads as a constant. */
export function constant(value: bigint, gate: CsrGate = 'none'): CsrDefinition {
	return readOnly(() => value, gate);
}

/** A CSR that is nothing but a slot; bits outside `mask` are read-only zero. */
export function storage(slot: number, mask: bigint = ALL): CsrDefinition {
	return {
		gate: 'none',
		read: ({ state }) => state[slot],
		write: ({ state }, value) => {
			state[slot] = value & mask;
		},
	};
}

/** A tvec: direct and vectored modes; a write with a reserved MODE is ignored. */
export function trapVector(slot: number): CsrDefinition {
	return {
		gate: 'none',
		read: ({ state }) => state[slot],
		write: ({ state }, value) => {
			if ((value & 2n) === 0n) state[slot] = value;
		},
	};
}

/** A slot whose bits decide which interrupts are taken; bits outside `mask` are read-only, with the value `fixed`. */
export function interruptMask(slot: number, mask: bigint, fixed = 0n): CsrDefinition {
	return {
		gate: 'none',
		read: ({ state }) => state[slot],
		write: ({ state, ports }, value) => {
			state[slot] = (value & mask) | fixed;
			ports.interruptsChanged();
		},
	};
}
