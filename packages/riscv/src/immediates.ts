/**
 * Where the immediates of 32-bit instructions are: the I, S, B, U and J types and the shift amounts, read and
 * written. Ranges are not checked here.
 *
 * Source: The RISC-V Instruction Set Manual, Volume I (20240411), Immediate Encoding Variants.
 */

import type { Format } from './instructions.ts';

/** No immediate. */
const NONE = 0;
/** Bits 31:20, signed. */
export const I_TYPE = 1;
/** Bits 31:25 and 11:7, signed. */
export const S_TYPE = 2;
/** A branch's offset: signed, even, 13 bits. */
export const B_TYPE = 3;
/** Bits 31:12 in their place. */
export const U_TYPE = 4;
/** A jump's offset: signed, even, 21 bits. */
const J_TYPE = 5;
/** Bits 24:20, unsigned. */
export const SHAMT5 = 6;
/** Bits 25:20, unsigned. */
export const SHAMT6 = 7;
/** A fence's fm, pred and succ: bits 31:20, unsigned. */
const FENCE = 8;

/** Which immediate a format has: one of the constants of this file. */
export function immediateKind(format: Format): number {
	if (format === 'pred,succ') return FENCE;
	if (format.endsWith('uimm20')) return U_TYPE;
	if (format.endsWith('shamt5')) return SHAMT5;
	if (format.endsWith('shamt6')) return SHAMT6;
	if (format.endsWith('branch')) return B_TYPE;
	if (format.endsWith('jump')) return J_TYPE;
	if (format.endsWith('s2,imm(rs1)')) return S_TYPE;
	return format.endsWith(',imm') || format.endsWith(',imm(rs1)') ? I_TYPE : NONE;
}

/** Reads an immediate of the given kind from an instruction word; signed 32 bits. */
export function extractImmediate(word: number, kind: number): number {
	switch (kind) {
		case I_TYPE:
			return word >> 20;
		case S_TYPE:
			return ((word >> 20) & ~31) | ((word >>> 7) & 31);
		case B_TYPE:
			return ((word >> 19) & ~0xfff) | ((word << 4) & 0x800) | ((word >>> 20) & 0x7e0) | ((word >>> 7) & 0x1e);
		case U_TYPE:
			return word & 0xffff_f000;
		case J_TYPE:
			return ((word >> 11) & ~0xf_ffff) | (word & 0xf_f000) | ((word >>> 9) & 0x800) | ((word >>> 20) & 0x7fe);
		case SHAMT5:
			return (word >>> 20) & 31;
		case SHAMT6:
			return (word >>> 20) & 63;
		case FENCE:
			return word >>> 20;
		default:
			return 0;
	}
}

/** The bits of an instruction word that hold an immediate of the given kind; bits that do not fit are lost. */
export function insertImmediate(value: number, kind: number): number {
	switch (kind) {
		case I_TYPE:
		case FENCE:
			return value << 20;
		case S_TYPE:
			return ((value & 0xfe0) << 20) | ((value & 31) << 7);
		case B_TYPE:
			return ((value & 0x1000) << 19) | ((value & 0x800) >> 4) | ((value & 0x7e0) << 20) | ((value & 0x1e) << 7);
		case U_TYPE:
			return value & 0xffff_f000;
		case J_TYPE:
			return ((value & 0x10_0000) << 11) | (value & 0xf_f000) | ((value & 0x800) << 9) | ((value & 0x7fe) << 20);
		case SHAMT5:
			return (value & 31) << 20;
		case SHAMT6:
			return (value & 63) << 20;
		default:
			return 0;
	}
}
