/**
 * mcycle, minstret and mcountinhibit over the count of retired instructions: a cycle is an instruction.
 *
 * A counter's slot holds its value minus `Slot.retired` while it counts, and its value while mcountinhibit stops it. A
 * CSR write takes effect at the end of the instruction that makes it, so a value that is written is the value that the
 * next instruction reads (Zicsr), and the writing instruction itself counts under the old mcountinhibit.
 */

import { csrFields } from '@partita/riscv';
import { Slot } from '../state.ts';
import type { PrivilegedHart } from './hart.ts';

const { CY: CYCLE, IR: INSTRET } = csrFields.counterBits;
/** TM does not exist; the bits of hpmcounters are kept, though these are always 0. */
const INHIBIT_WRITABLE = 0xffff_fffdn;

/** mcycle (cycle). */
export function readCycle({ state }: PrivilegedHart): bigint {
	return readCounter(state, Slot.mcycleOffset, CYCLE);
}

/** minstret (instret). */
export function readInstret({ state }: PrivilegedHart): bigint {
	return readCounter(state, Slot.minstretOffset, INSTRET);
}

/** Write mcycle. */
export function writeCycle({ state }: PrivilegedHart, value: bigint): void {
	writeCounter(state, Slot.mcycleOffset, CYCLE, value);
}

/** Write minstret. */
export function writeInstret({ state }: PrivilegedHart, value: bigint): void {
	writeCounter(state, Slot.minstretOffset, INSTRET, value);
}

/** Write mcountinhibit. */
export function writeInhibit({ state }: PrivilegedHart, value: bigint): void {
	const before = state[Slot.mcountinhibit];
	const after = value & INHIBIT_WRITABLE;
	state[Slot.mcountinhibit] = after;
	const changed = before ^ after;
	const end = state[Slot.retired] + 1n;
	if ((changed & CYCLE) !== 0n) state[Slot.mcycleOffset] += (after & CYCLE) !== 0n ? end : -end;
	if ((changed & INSTRET) !== 0n) state[Slot.minstretOffset] += (after & INSTRET) !== 0n ? end : -end;
}

function readCounter(state: BigUint64Array, slot: number, bit: bigint): bigint {
	if ((state[Slot.mcountinhibit] & bit) !== 0n) return state[slot];
	return BigInt.asUintN(64, state[slot] + state[Slot.retired]);
}

function writeCounter(state: BigUint64Array, slot: number, bit: bigint, value: bigint): void {
	state[slot] = (state[Slot.mcountinhibit] & bit) !== 0n ? value : value - state[Slot.retired] - 1n;
}
