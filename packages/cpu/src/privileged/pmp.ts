/**
 * WARL and lock rules of the PMP CSRs: 16 entries, 4-byte granularity, no Smepmp. Not here: the access checks.
 * RISC-V Privileged ISA, "Physical Memory Protection CSRs".
 */

import { csrFields } from '@partita/riscv';
import { Slot } from '../state.ts';
import type { PrivilegedHart } from './hart.ts';

/** PMP entries. */
export const PMP_ENTRIES = 16;

const { R, W, X, A, L } = csrFields.pmpcfg;
const WRITABLE = R | W | X | A | L;
/** A=1: the entry's range begins at the address of the entry below. */
const TOP_OF_RANGE = 0x08n;
/** Bits 55:2 of a physical address. */
const ADDRESS_MASK = (1n << 54n) - 1n;

/** Configuration byte of an entry. */
function configuration(state: BigUint64Array, entry: number): bigint {
	return (state[Slot.pmpcfg + (entry >> 3)] >> BigInt((entry & 7) * 8)) & 0xffn;
}

/**
 * Write pmpcfg0 or pmpcfg2. Bytes of locked entries keep their value; R=0 with W=1 is reserved and clears W.
 * @param index 0 for pmpcfg0, 1 for pmpcfg2
 */
export function writePmpConfiguration(hart: PrivilegedHart, index: number, value: bigint): void {
	const { state, ports } = hart;
	let word = 0n;
	for (let byte = 0; byte < 8; byte++) {
		let next = configuration(state, index * 8 + byte);
		if ((next & L) === 0n) {
			next = (value >> BigInt(byte * 8)) & WRITABLE;
			if ((next & R) === 0n) next &= ~W;
		}
		word |= next << BigInt(byte * 8);
	}
	state[Slot.pmpcfg + index] = word;
	ports.protectionChanged();
}

/** Write pmpaddr `entry`, unless the entry is locked, or is the bottom of a locked top-of-range entry. */
export function writePmpAddress(hart: PrivilegedHart, entry: number, value: bigint): void {
	const { state, ports } = hart;
	if ((configuration(state, entry) & L) !== 0n) return;
	if (entry + 1 < PMP_ENTRIES) {
		const above = configuration(state, entry + 1);
		if ((above & L) !== 0n && (above & A) === TOP_OF_RANGE) return;
	}
	state[Slot.pmpaddr + entry] = value & ADDRESS_MASK;
	ports.protectionChanged();
}
