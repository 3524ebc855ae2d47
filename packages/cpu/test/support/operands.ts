/** Random operands for rows of the instruction table: what a row leaves free, filled in by the meaning of its format. */

import type { Row } from '@partita/riscv';
import type { Random } from './random.ts';

/** Registers that random code leaves alone, since they hold addresses. */
export interface RegisterPool {
	/** Integer registers that may be written. */
	readonly writable: readonly number[];
	/** Integer registers that may be read. */
	readonly readable: readonly number[];
}

/** A word of a row: registers from the pool, `rm` as given, everything else random. */
export function randomWord(random: Random, row: Row, pool: RegisterPool, rm: number): number {
	const { format } = row;
	let word = random.word();
	const field = (value: number, shift: number, bits: number): void => {
		const mask = ((1 << bits) - 1) << shift;
		word = (word & ~mask) | ((value << shift) & mask);
	};
	if (/\brd\b/.test(format)) field(random.pick(pool.writable), 7, 5);
	if (/\brs1\b/.test(format)) field(random.pick(pool.readable), 15, 5);
	if (/\brs2\b/.test(format)) field(random.oneIn(4) ? (word >>> 15) & 31 : random.pick(pool.readable), 20, 5);
	if (/\brm0?\b/.test(format)) field(rm, 12, 3);
	// rd = rs1 now and then.
	if (/\brd,rs1\b/.test(format) && random.oneIn(4) && pool.writable.includes((word >>> 15) & 31)) {
		field((word >>> 15) & 31, 7, 5);
	}
	if (/\bfd,fs1/.test(format) && random.oneIn(4)) field((word >>> 15) & 31, 7, 5);
	return ((word & ~row.mask) | row.match) >>> 0;
}
