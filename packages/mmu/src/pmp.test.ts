import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Access, Privilege } from './access.ts';
import { createPmp, type PmpState, pmpCheck, pmpPageRights, pmpRange, pmpRights } from './pmp.ts';

const OFF = 0x00;
const TOR = 0x08;
const NA4 = 0x10;
const NAPOT = 0x18;
const L = 0x80;
const ACCESSES: readonly Access[] = ['fetch', 'load', 'store'];

/** 16 entries, of which the first ones are given as [cfg, pmpaddr]. */
function pmp(...entries: [cfg: number, addr: bigint][]): PmpState {
	const reset = createPmp();
	return {
		cfg: reset.cfg.map((cfg, entry) => entries[entry]?.[0] ?? cfg),
		addr: reset.addr.map((addr, entry) => entries[entry]?.[1] ?? addr),
	};
}

describe('"Address Matching"', () => {
	test.each([
		['OFF', [[OFF, 0x100n]], 0, undefined],
		['NA4', [[NA4, 0x100n]], 0, [0x400n, 0x404n]],
		['NA4 takes all bits', [[NA4, 0x107n]], 0, [0x41cn, 0x420n]],
		['NAPOT yyyy0: 8 bytes', [[NAPOT, 0x100n]], 0, [0x400n, 0x408n]],
		['NAPOT yyy01: 16 bytes', [[NAPOT, 0x101n]], 0, [0x400n, 0x410n]],
		['NAPOT yy011: 32 bytes', [[NAPOT, 0x103n]], 0, [0x400n, 0x420n]],
		['NAPOT, 4 KiB', [[NAPOT, 0x2000_01ffn]], 0, [0x8000_0000n, 0x8000_1000n]],
		['NAPOT, all ones', [[NAPOT, (1n << 54n) - 1n]], 0, [0n, 1n << 57n]],
		['NAPOT, the lower half of 2^57', [[NAPOT, (1n << 53n) - 1n]], 0, [0n, 1n << 56n]],
		['TOR of entry 0 starts at 0', [[TOR, 0x100n]], 0, [0n, 0x400n]],
		['TOR of entry 0 up to 0', [[TOR, 0n]], 0, undefined],
		[
			'TOR, whatever the mode before',
			[
				[NAPOT, 0x40n],
				[TOR, 0x100n],
			],
			1,
			[0x100n, 0x400n],
		],
		[
			'TOR, empty',
			[
				[OFF, 0x100n],
				[TOR, 0x100n],
			],
			1,
			undefined,
		],
		[
			'TOR, reversed',
			[
				[OFF, 0x200n],
				[TOR, 0x100n],
			],
			1,
			undefined,
		],
	] as [string, [number, bigint][], number, [bigint, bigint] | undefined][])('%s', (_name, entries, entry, range) => {
		const expected = range && { base: range[0], end: range[1] };
		expect(pmpRange(pmp(...entries), entry)).toEqual(expected);
	});
});

describe('"Priority and Matching Logic"', () => {
	test('no entry matches: M succeeds, S and U fail if at least one entry is implemented', () => {
		for (const access of ACCESSES) {
			for (const [privilege, implemented] of [
				[0, false],
				[1, false],
				[3, true],
			] as const) {
				expect(pmpCheck(createPmp(), 0x8000_0000n, 8, access, privilege)).toBe(implemented);
				expect(pmpCheck(createPmp(0), 0x8000_0000n, 8, access, privilege)).toBe(true);
			}
		}
	});

	test('an entry that matches 0xC to 0xF makes an 8-byte access to 0x8 to 0xF fail, in every mode', () => {
		const state = pmp([NA4 | 7, 0x3n], [NAPOT | 7, (1n << 54n) - 1n]);
		for (const privilege of [0, 1, 3] as const) {
			expect(pmpCheck(state, 0x8n, 8, 'load', privilege)).toBe(false);
			expect(pmpCheck(state, 0x8n, 4, 'load', privilege)).toBe(true);
			expect(pmpCheck(state, 0xcn, 4, 'load', privilege)).toBe(true);
			expect(pmpCheck(state, 0x10n, 8, 'load', privilege)).toBe(true);
		}
	});

	test('the lowest-numbered matching entry decides', () => {
		const all = (1n << 54n) - 1n;
		expect(pmpCheck(pmp([NAPOT | 1, all], [NAPOT | 7, all]), 0n, 8, 'store', 1)).toBe(false);
		expect(pmpCheck(pmp([NAPOT | 7, all], [NAPOT | 1, all]), 0n, 8, 'store', 1)).toBe(true);
		expect(pmpCheck(pmp([OFF | 1, all], [NAPOT | 7, all]), 0n, 8, 'store', 1)).toBe(true);
	});

	test.each([0, 1, 3, 4, 5, 7])('R, W, X = %d for S and U; for M only when locked', (rwx) => {
		const all = (1n << 54n) - 1n;
		const granted = { load: (rwx & 1) !== 0, store: (rwx & 2) !== 0, fetch: (rwx & 4) !== 0 };
		for (const access of ACCESSES) {
			for (const locked of [0, L]) {
				const state = pmp([NAPOT | locked | rwx, all]);
				expect(pmpCheck(state, 0x1234n, 4, access, 0)).toBe(granted[access]);
				expect(pmpCheck(state, 0x1234n, 4, access, 1)).toBe(granted[access]);
				expect(pmpCheck(state, 0x1234n, 4, access, 3)).toBe(locked ? granted[access] : true);
			}
		}
	});
});

/** The specification said byte by byte: the entry of each byte, then the lowest of them, which must be all bytes'. */
function bytewise(state: PmpState, address: bigint, size: number, access: Access, privilege: Privilege): boolean {
	const matches = (entry: number, byte: bigint): boolean => {
		const cfg = state.cfg[entry];
		const word = byte >> 2n;
		const addr = state.addr[entry];
		if ((cfg & 0x18) === TOR) return word < addr && (entry === 0 || word >= state.addr[entry - 1]);
		if ((cfg & 0x18) === NA4) return word === addr;
		if ((cfg & 0x18) === NAPOT) {
			let size = 1n;
			while (addr & size) size <<= 1n;
			return word / (size * 2n) === addr / (size * 2n);
		}
		return false;
	};
	const bytes = Array.from({ length: size }, (_, index) => address + BigInt(index));
	const entry = state.cfg.findIndex((_, candidate) => bytes.some((byte) => matches(candidate, byte)));
	if (entry < 0) return privilege === 3 || state.cfg.length === 0;
	if (!bytes.every((byte) => matches(entry, byte))) return false;
	const cfg = state.cfg[entry];
	if (privilege === 3 && cfg < L) return true;
	return (cfg & { load: 1, store: 2, fetch: 4 }[access]) !== 0;
}

// Two pages, dense in boundaries: addresses around 0x8000_0000 and a few far ones.
const addr = fc.oneof(
	{ weight: 6, arbitrary: fc.bigInt(0x2000_0000n, 0x2000_0800n) },
	{
		weight: 3,
		arbitrary: fc
			.tuple(fc.bigInt(0x2000_0000n, 0x2000_07ffn), fc.integer({ min: 0, max: 12 }))
			.map(([base, ones]) => base | ((1n << BigInt(ones)) - 1n)),
	},
	{ weight: 1, arbitrary: fc.constantFrom(0n, (1n << 54n) - 1n, (1n << 53n) - 1n) },
);
const cfg = fc
	.tuple(fc.constantFrom(OFF, TOR, TOR, NA4, NAPOT, NAPOT), fc.constantFrom(0, L), fc.constantFrom(0, 1, 3, 4, 5, 7))
	.map(([mode, lock, rwx]) => mode | lock | rwx);
const state = fc.array(fc.tuple(cfg, addr), { maxLength: 6 }).map((entries): PmpState => pmp(...entries));
const privilege = fc.constantFrom<Privilege>(0, 1, 3);
const access = fc.constantFrom(...ACCESSES);
const size = fc.integer({ min: 1, max: 64 });
const address = fc.bigInt(0x8000_0000n - 32n, 0x8000_2020n);

describe('properties', () => {
	test('pmpCheck is the byte-by-byte model', () => {
		fc.assert(
			fc.property(state, address, size, access, privilege, (...args) => {
				expect(pmpCheck(...args)).toBe(bytewise(...args));
			}),
			{ numRuns: 5000 },
		);
	});

	test('rights of a page hold for every access in it', () => {
		let whole = 0;
		fc.assert(
			fc.property(state, fc.nat(1), fc.nat(4095), size, access, privilege, (pmp, page, offset, bytes, kind, mode) => {
				const base = 0x8000_0000n + BigInt(page) * 4096n;
				const start = Math.min(offset, 4096 - bytes);
				const rights = pmpPageRights(pmp, base + BigInt(offset), mode);
				if (rights === 'mixed') return;
				whole += 1;
				const granted = { load: rights.readable, store: rights.writable, fetch: rights.executable }[kind];
				expect(bytewise(pmp, base + BigInt(start), bytes, kind, mode)).toBe(granted);
			}),
			{ numRuns: 5000 },
		);
		expect(whole).toBeGreaterThan(100);
	});

	test('a mixed page has an access that fails', () => {
		fc.assert(
			fc.property(state, privilege, (pmp, mode) => {
				if (pmpPageRights(pmp, 0x8000_0000n, mode) !== 'mixed') return;
				for (const kind of ACCESSES) expect(bytewise(pmp, 0x8000_0000n, 4096, kind, mode)).toBe(false);
			}),
			{ numRuns: 1000 },
		);
	});

	test('pmpRights of any span is what pmpCheck says of it', () => {
		fc.assert(
			fc.property(state, address, size, privilege, (pmp, at, bytes, mode) => {
				const rights = pmpRights(pmp, at, BigInt(bytes), mode);
				const expected =
					rights === 'mixed' ? [false, false, false] : [rights.executable, rights.readable, rights.writable];
				expect(ACCESSES.map((kind) => bytewise(pmp, at, bytes, kind, mode))).toEqual(expected);
			}),
			{ numRuns: 1000 },
		);
	});
});
