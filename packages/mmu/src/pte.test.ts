import { describe, expect, test } from 'vitest';
import { decodePte } from './pte.ts';

const ALL = { svnapot: true, pbmte: true };
const NONE = { svnapot: false, pbmte: false };

// "Encoding of PTE R/W/X fields", in the table's order.
const ENCODINGS: readonly [x: bigint, w: bigint, r: bigint, meaning: 'table' | 'leaf' | 'invalid'][] = [
	[0n, 0n, 0n, 'table'],
	[0n, 0n, 1n, 'leaf'],
	[0n, 1n, 0n, 'invalid'],
	[0n, 1n, 1n, 'leaf'],
	[1n, 0n, 0n, 'leaf'],
	[1n, 0n, 1n, 'leaf'],
	[1n, 1n, 0n, 'invalid'],
	[1n, 1n, 1n, 'leaf'],
];

describe('Sv39, "Encoding of PTE R/W/X fields"', () => {
	test.each(ENCODINGS)('X=%d W=%d R=%d is a %s', (x, w, r, meaning) => {
		const pte = (x << 3n) | (w << 2n) | (r << 1n);
		for (const level of [1, 2, 3, 4]) {
			expect(decodePte(pte | 1n, level, NONE).kind).toBe(meaning);
			expect(decodePte(pte, level, ALL).kind).toBe('invalid');
		}
	});

	test('a pointer at level 0 leads nowhere (step 4)', () => {
		expect(decodePte(0x2000_0001n, 0, ALL).kind).toBe('invalid');
	});

	test('a pointer names the next table, whatever RSW and G hold', () => {
		// PPN 0x80000 in bits 53:10, RSW=3, G=1, V=1.
		expect(decodePte(0x2000_0321n, 1, NONE)).toEqual({ kind: 'table', table: 0x8000_0000n });
	});

	test('a leaf has a PPN of 44 bits', () => {
		const leaf = decodePte(0x003f_ffff_ffff_fc0fn, 0, NONE);
		expect(leaf).toEqual({ kind: 'leaf', base: 0x00ff_ffff_ffff_f000n, pageBits: 12, memoryType: 0 });
	});
});

describe('step 3, bits that are reserved for future standard use', () => {
	test.each([54n, 55n, 56n, 57n, 58n, 59n, 60n])('bit %d', (bit) => {
		expect(decodePte((1n << bit) | 0xcfn, 0, ALL).kind).toBe('invalid');
		expect(decodePte((1n << bit) | 0x01n, 1, ALL).kind).toBe('invalid');
	});

	test.each([
		['U', 4n],
		['A', 6n],
		['D', 7n],
		['PBMT low', 61n],
		['PBMT high', 62n],
		['N', 63n],
	])('%s in a pointer', (_name, bit) => {
		expect(decodePte((1n << bit) | 1n, 1, ALL).kind).toBe('invalid');
	});
});

describe('"Virtual Address Translation Process" step 5, superpages', () => {
	test.each([
		[1, 21, 0x20_0000n],
		[2, 30, 0x4000_0000n],
		[3, 39, 0x80_0000_0000n],
		[4, 48, 0x1_0000_0000_0000n],
	])('level %d maps 2^%d bytes', (level, pageBits, base) => {
		const aligned = (base >> 2n) | 0xcfn;
		expect(decodePte(aligned, level, NONE)).toEqual({ kind: 'leaf', base, pageBits, memoryType: 0 });
		for (let bit = 10n; bit < BigInt(pageBits) - 2n; bit++) {
			expect(decodePte(aligned | (1n << bit), level, NONE).kind).toBe('invalid');
		}
	});
});

describe('Svnapot, "Page table entry encodings when pte.N=1"', () => {
	const leaf = (ppn: bigint) => (1n << 63n) | (ppn << 10n) | 0xcfn;

	test('only xxxx1000 at level 0 is defined: 64 KiB', () => {
		for (let low = 0n; low < 32n; low++) {
			const expected = (low & 0xfn) === 8n;
			const decoded = decodePte(leaf(0x80000n + low), 0, ALL);
			expect(decoded.kind).toBe(expected ? 'leaf' : 'invalid');
		}
		expect(decodePte(leaf(0x80018n), 0, ALL)).toEqual({
			kind: 'leaf',
			base: 0x8001_0000n,
			pageBits: 16,
			memoryType: 0,
		});
	});

	test.each([1, 2, 3, 4])('reserved at level %d', (level) => {
		expect(decodePte(leaf(0n), level, ALL).kind).toBe('invalid');
		expect(decodePte(leaf(8n), level, ALL).kind).toBe('invalid');
	});

	test('without Svnapot, N faults', () => {
		expect(decodePte(leaf(8n), 0, { svnapot: false, pbmte: true }).kind).toBe('invalid');
	});
});

describe('Svpbmt, "Encodings for PBMT field"', () => {
	test.each([
		[0n, 0],
		[1n, 1],
		[2n, 2],
		[3n, 'invalid'],
	])('PBMT=%d', (pbmt, expected) => {
		const decoded = decodePte((pbmt << 61n) | 0xcfn, 0, ALL);
		expect(decoded.kind === 'leaf' ? decoded.memoryType : decoded.kind).toBe(expected);
		const without = decodePte((pbmt << 61n) | 0xcfn, 0, { svnapot: true, pbmte: false });
		expect(without.kind).toBe(pbmt === 0n ? 'leaf' : 'invalid');
	});
});
