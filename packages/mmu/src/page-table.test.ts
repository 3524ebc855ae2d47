import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SparseMemory } from '../test/sparse-memory.ts';
import type { Access } from './access.ts';
import {
	buildPageTable,
	createPageTable,
	leafPte,
	type Mapping,
	mapRange,
	type PageTable,
	PageTableError,
	tablePte,
} from './page-table.ts';
import { type PagingFormat, SV39, SV39X4, SV48, SV48X4, SV57, SV57X4 } from './paging-mode.ts';
import { PTE_A, PTE_D, PTE_R, PTE_U, PTE_W, PTE_X } from './pte.ts';
import { bareContext, type TranslationContext, translate } from './translate.ts';

const FIRST = [SV39, SV48, SV57];
const SECOND = [SV39X4, SV48X4, SV57X4];
const ALL = PTE_R | PTE_W | PTE_X | PTE_U | PTE_A | PTE_D;

function atp(table: PageTable): bigint {
	return (BigInt(table.format.mode) << 60n) | (table.root >> 12n);
}

/** A user's context for one table: as satp, or as hgatp under a Bare vsatp. */
function contextOf(table: PageTable): TranslationContext {
	const context = { ...bareContext, privilege: 0 as const };
	return table.format.signed ? { ...context, satp: atp(table) } : { ...context, virtual: true, hgatp: atp(table) };
}

describe('entries', () => {
	test('a leaf and a pointer, bit by bit', () => {
		expect(leafPte(0x8765_4000n, 12, ALL)).toBe(0x21d9_50dfn);
		expect(leafPte(0x8765_0000n, 16, PTE_R)).toBe(0x8000_0000_21d9_6003n);
		expect(tablePte(0x8000_1000n)).toBe(0x2000_0401n);
	});
});

describe('mapRange', () => {
	test('uses the largest pages that fit', () => {
		const memory = new SparseMemory();
		const table = buildPageTable(memory, SV39, [
			{ address: 0x3fff_f000n, physical: 0x7fff_f000n, size: 0x4020_3000n, flags: ALL },
		]);
		const bits = [0x3fff_f000n, 0x4000_0000n, 0x7fff_ffffn, 0x8000_0000n, 0x8020_0000n, 0x8020_1fffn].map((address) =>
			translate(memory.walked, contextOf(table), address, 'load'),
		);
		expect(bits.map((result) => result.ok && result.pageBits)).toEqual([12, 30, 30, 21, 12, 12]);
		expect(translate(memory.walked, contextOf(table), 0x8020_2000n, 'load')).toMatchObject({ cause: 13 });
		expect(translate(memory.walked, contextOf(table), 0x3fff_efffn, 'load')).toMatchObject({ cause: 13 });
	});

	test('NAPOT regions only when asked', () => {
		const mapping = { address: 0x1_f000n, physical: 0x8_f000n, size: 0x1_2000n, flags: ALL };
		for (const [napot, expected] of [
			[true, [12, 16, 16, 12]],
			[false, [12, 12, 12, 12]],
		] as const) {
			const memory = new SparseMemory();
			const table = buildPageTable(memory, SV48, [{ ...mapping, napot }]);
			const results = [0x1_f000n, 0x2_0000n, 0x2_f123n, 0x3_0000n].map((address) =>
				translate(memory.walked, contextOf(table), address, 'store'),
			);
			expect(results.map((result) => result.ok && result.pageBits)).toEqual(expected);
			expect(results.map((result) => result.ok && result.physical)).toEqual([
				0x8_f000n,
				0x9_0000n,
				0x9_f123n,
				0xa_0000n,
			]);
		}
	});

	const good: Mapping = { address: 0x1000n, physical: 0x1000n, size: 0x1000n, flags: ALL };
	const top = 1n << 64n;
	test.each<[string, Partial<Mapping>, PagingFormat, string]>([
		['address off a page', { address: 0x1001n }, SV39, 'unaligned'],
		['physical off a page', { physical: 0x1800n }, SV39, 'unaligned'],
		['size off a page', { size: 0x1001n }, SV39, 'unaligned'],
		['size 0', { size: 0n }, SV39, 'unaligned'],
		['negative size', { size: -0x1000n }, SV39, 'unaligned'],
		['a start in the hole', { address: 1n << 38n }, SV39, 'out-of-range'],
		['an end in the hole', { address: (1n << 38n) - 0x1000n, size: 0x2000n }, SV39, 'out-of-range'],
		['across the hole', { address: 0n, size: top }, SV39, 'out-of-range'],
		['past the end', { address: top - 0x1000n, size: 0x2000n }, SV39, 'out-of-range'],
		['negative address', { address: -0x1000n }, SV39, 'out-of-range'],
		['sign-extended in an x4 scheme', { address: top - 0x1000n }, SV39X4, 'out-of-range'],
		['beyond an x4 scheme', { address: 1n << 41n }, SV39X4, 'out-of-range'],
		['physical beyond 56 bits', { physical: (1n << 56n) - 0x1000n, size: 0x2000n }, SV39, 'out-of-range'],
		['negative physical', { physical: -0x1000n }, SV39, 'out-of-range'],
		['a pointer', { flags: PTE_A }, SV39, 'flags'],
		['W without R', { flags: PTE_W }, SV39, 'flags'],
		['PPN bits', { flags: PTE_R | (1n << 10n) }, SV39, 'flags'],
		['N', { flags: PTE_R | (1n << 63n) }, SV39, 'flags'],
		['reserved PBMT', { flags: PTE_R | (3n << 61n) }, SV39, 'flags'],
	])('refuses: %s', (_name, change, format, code) => {
		const memory = new SparseMemory();
		const table = createPageTable(memory, format);
		expect(refusal(() => mapRange(memory, table, { ...good, ...change }))).toBe(code);
		expect(memory.words.size).toBe(0);
	});

	test('refuses what overlaps, under a larger page, over tables, and page on page', () => {
		const memory = new SparseMemory();
		const table = buildPageTable(memory, SV39, [
			good,
			{ address: 0x20_0000n, physical: 0n, size: 0x20_0000n, flags: ALL },
		]);
		const mapAt = (address: bigint, size: bigint) => () =>
			mapRange(memory, table, { address, physical: 0n, size, flags: ALL });
		expect(refusal(mapAt(0x1000n, 0x1000n))).toBe('overlap');
		expect(refusal(mapAt(0x21_0000n, 0x1000n))).toBe('overlap');
		expect(refusal(mapAt(0n, 0x20_0000n))).toBe('overlap');
		expect(refusal(mapAt(0x2000n, 0x1000n))).toBeUndefined();
	});

	test('says when the store is empty', () => {
		const memory = new SparseMemory();
		const table = createPageTable(memory, SV39);
		const empty = {
			allocateTable: () => undefined,
			readPte: (address: bigint) => memory.readPte(address),
			writePte: (address: bigint, value: bigint) => memory.writePte(address, value),
		};
		expect(refusal(() => createPageTable(empty, SV39))).toBe('out-of-memory');
		expect(refusal(() => mapRange(empty, table, good))).toBe('out-of-memory');
	});
});

function refusal(action: () => void): string | undefined {
	try {
		action();
	} catch (error) {
		if (error instanceof PageTableError) return error.code;
		throw error;
	}
	return undefined;
}

/** A mapping of `pages` units of 2^bits bytes in a format's space, at random places. */
const mappingIn = (format: PagingFormat): fc.Arbitrary<Mapping> =>
	fc
		.record({
			bits: fc.constantFrom(12, 12, 16, 21, 30),
			pages: fc.integer({ min: 1, max: 4 }),
			skew: fc.constantFrom(0n, 0n, 1n, 15n),
			at: fc.bigInt(0n, (1n << BigInt(format.addressBits)) - 1n),
			physical: fc.bigInt(0n, (1n << 55n) - 1n),
			napot: fc.boolean(),
		})
		.map(({ bits, pages, skew, at, physical, napot }) => {
			const size = BigInt(pages) << BigInt(bits);
			const half = 1n << BigInt(format.addressBits - 1);
			const room = format.signed ? half : half * 2n;
			const start = ((at % (room - size - 0xf000n)) >> BigInt(bits)) << BigInt(bits);
			const upper = format.signed && at & 1n ? (1n << 64n) - half : 0n;
			return {
				address: upper + start + (bits < 21 ? skew * 0x1000n : 0n),
				physical: ((physical >> BigInt(bits)) << BigInt(bits)) + (bits < 21 ? skew * 0x1000n : 0n),
				size,
				flags: ALL,
				napot,
				maximumPageBits: bits,
			};
		});

/** The mapping's answer for an address in it. */
const physicalOf = ({ address, physical }: Mapping, at: bigint) => physical + (at - address);

describe('properties', () => {
	test.each([...FIRST, ...SECOND])('$name: what is built is what the walk finds', (format) => {
		fc.assert(
			fc.property(mappingIn(format), fc.nat(), fc.nat(), (mapping, position, step) => {
				const memory = new SparseMemory((1n << 55n) + (1n << 54n));
				const table = buildPageTable(memory, format, [mapping]);
				const context = contextOf(table);
				const at = mapping.address + ((BigInt(position) * 4099n) % mapping.size);
				const found = translate(memory.walked, context, at, 'store');
				expect(found).toMatchObject({ ok: true, physical: physicalOf(mapping, at), writable: true });

				// pageBits: any other address of the span has the same linear translation and rights.
				const bits = found.ok ? BigInt(found.pageBits) : 0n;
				const other = ((at >> bits) << bits) + ((BigInt(step) * 65_537n) % (1n << bits));
				expect(other >= mapping.address && other < mapping.address + mapping.size).toBe(true);
				const again = translate(memory.walked, context, other, 'fetch');
				expect(again).toEqual({
					...found,
					physical: physicalOf(mapping, other),
					guestPhysical: format.signed ? undefined : other,
				});

				const after = mapping.address + mapping.size;
				expect(translate(memory.walked, context, BigInt.asUintN(64, after), 'load').ok).toBe(false);
				expect(translate(memory.walked, context, BigInt.asUintN(64, mapping.address - 1n), 'load').ok).toBe(false);
			}),
			{ numRuns: 150 },
		);
	});

	const pairs = FIRST.flatMap((first) => SECOND.map((second) => [first, second] as const));
	test.each(pairs)('$0.name over $1.name: the stages compose', (first, second) => {
		const HOST = 1n << 54n;
		fc.assert(
			fc.property(mappingIn(first), fc.integer({ min: 0, max: 3 }), fc.nat(), (unbounded, choice, position) => {
				// Guest physical addresses must fit the second stage: the tables below 2^30, the pages in [2^30, 2^31).
				const spread = unbounded.size >= 1n << 30n ? 0n : unbounded.physical % (1n << 30n);
				const room = (1n << 30n) - (unbounded.size % (1n << 30n)) - 0xf000n;
				const unit = BigInt(unbounded.maximumPageBits ?? 12);
				const skew = BigInt.asUintN(Number(unit), unbounded.physical);
				const physical = (1n << 30n) + (((spread % room) >> unit) << unit) + (spread === 0n ? 0n : skew);
				const mapping = { ...unbounded, physical };

				const memory = new SparseMemory(HOST * 2n);
				const gStage = buildPageTable(memory, second, [
					{ address: 0n, physical: HOST, size: 1n << 30n, flags: ALL, maximumPageBits: 30 },
					{
						address: 1n << 30n,
						physical: HOST + (1n << 40n),
						size: 5n << 30n,
						flags: ALL,
						maximumPageBits: choice === 0 ? 21 : 30,
					},
				]);
				// The guest's own view of its memory, where physical addresses are guest physical ones.
				const guest = new SparseMemory(0x1000n);
				const vsStage = buildPageTable(guest, first, [mapping]);
				for (const [address, value] of guest.words) memory.writePte(HOST + address, value);
				for (const page of guest.pages) memory.pages.add(HOST + page);

				const at = mapping.address + ((BigInt(position) * 4099n) % mapping.size);
				const context = { ...contextOf(gStage), vsatp: atp(vsStage) };
				const guestPhysical = physicalOf(mapping, at);
				const result = translate(memory.walked, context, at, 'store');
				expect(result).toMatchObject({
					ok: true,
					guestPhysical,
					physical: HOST + (1n << 40n) + guestPhysical - (1n << 30n),
					writable: true,
				});
				if (!result.ok) return;
				expect(result.pageBits).toBe(Math.min(result.firstStageBits, result.secondStageBits));
				expect(result.reads.second).toBeGreaterThan(result.reads.first);
			}),
			{ numRuns: 40 },
		);
	});

	test('hostile tables: any walk ends, with the right cause, and changes A and D only', () => {
		const word = fc.oneof(
			fc.bigInt(0n, (1n << 64n) - 1n),
			// Pointers and leaves among the eight pages that exist.
			fc
				.record({ page: fc.bigInt(0n, 7n), flags: fc.bigInt(0n, 0x3ffn) })
				.map(({ page, flags }) => (page << 10n) | flags),
			fc.bigInt(0n, 7n).map((page) => (page << 10n) | 1n),
		);
		const causes: Record<Access, number[]> = { fetch: [1, 12, 20], load: [5, 13, 21], store: [7, 15, 23] };
		fc.assert(
			fc.property(
				fc.array(word, { minLength: 8, maxLength: 8 }),
				fc.bigInt(0n, (1n << 64n) - 1n),
				fc.boolean(),
				fc.constantFrom(8n, 9n, 10n),
				fc.constantFrom<Access>('fetch', 'load', 'store'),
				fc.integer({ min: 0, max: 0xff }),
				(words, address, canonical, mode, access, bits) => {
					// Each page repeats one word, so that every index finds it.
					const before = new Map<bigint, bigint>();
					const memory = {
						readPte: (at: bigint) => (at < 0x8000n ? (before.get(at) ?? words[Number(at >> 12n)]) : undefined),
						updatePte: (at: bigint, expected: bigint, desired: bigint) => {
							if ((expected | PTE_A | PTE_D) !== (desired | PTE_A | PTE_D) || (expected & desired) !== expected) {
								throw new Error('more than A and D changed');
							}
							if (memory.readPte(at) !== expected) return false;
							before.set(at, desired);
							return true;
						},
					};
					const on = (bit: number) => ((bits >> bit) & 1) === 1;
					const context: TranslationContext = {
						...bareContext,
						privilege: on(0) ? 1 : 0,
						virtual: on(1),
						satp: mode << 60n,
						vsatp: on(2) ? 0n : mode << 60n,
						hgatp: (mode << 60n) | 4n,
						sum: on(3),
						mxr: on(4),
						vsSum: on(5),
						adue: on(6),
						pbmte: on(7),
						vsPbmte: on(7),
					};
					const at = canonical ? BigInt.asUintN(38, address) : address;
					const result = translate(memory, context, at, access);
					expect(result.reads.first).toBeLessThanOrEqual(5 + 3);
					expect(result.reads.second).toBeLessThanOrEqual((result.reads.first * 2 + 1) * (5 + 3));
					if (!result.ok) {
						expect(causes[access]).toContain(result.cause);
						expect(result.tval).toBe(at);
						expect(result.guestPhysical !== undefined).toBe(result.cause >= 20);
						return;
					}
					const rights = { fetch: result.executable, load: result.readable, store: result.writable };
					expect(rights[access]).toBe(true);
					// A second walk finds A and D set: it changes nothing and agrees. It may see a D in a PTE that the first
					// walk read before it updated the same word for another stage.
					const changes = before.size;
					const again = translate(memory, context, at, access);
					const writable = result.writable || (again.ok && again.writable);
					expect({ ...again, reads: undefined }).toEqual({ ...result, writable, reads: undefined });
					expect(before.size).toBe(changes);
				},
			),
			{ numRuns: 5000 },
		);
	});
});
