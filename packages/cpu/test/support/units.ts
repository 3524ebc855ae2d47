/**
 * Code in units: each one instruction or a few, then C.EBREAKs, so that it traps wherever it goes; after the trap the
 * case goes on with the next unit. For encodings that may be illegal or jump.
 */

import type { Batch } from './batch.ts';

/** C.EBREAK. */
export const C_EBREAK = 0x9002;

/** Units of code for one case. */
export interface UnitCode {
	readonly codeStart: number;
	readonly codeEnd: number;
	readonly unit: number;
	readonly start: number;
	/** Nothing: a case of units ends behind its last one. */
	readonly end: number;
}

/** Bytes of breakpoints on either side of all units: as far as compressed jumps go. */
const GUARD = 4096;

/** Places the units of many cases next to each other; each unit is a list of halfwords. */
export function placeUnits(
	batch: Batch,
	cases: readonly (readonly (readonly number[])[])[],
	stride: number,
): UnitCode[] {
	const total = cases.reduce((sum, units) => sum + units.length, 0);
	const area = batch.reserve(total * stride + 2 * GUARD, 4096);
	for (let at = area; at < area + total * stride + 2 * GUARD; at += 2) batch.poke16(at, C_EBREAK);
	let at = area + GUARD;
	return cases.map((units) => {
		const codeStart = at;
		for (const halfwords of units) {
			if (halfwords.length * 2 + 2 > stride) throw new RangeError('unit: longer than its stride');
			for (const [i, half] of halfwords.entries()) batch.poke16(at + 2 * i, half);
			at += stride;
		}
		return { codeStart, codeEnd: at, unit: stride, start: codeStart, end: 0 };
	});
}

/** A 32-bit word as halfwords. */
export function halves(word: number): [number, number] {
	return [word & 0xffff, word >>> 16];
}
