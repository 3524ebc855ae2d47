// One stage: Bare, and satp's Sv39, Sv48, Sv57. Two stages are in two-stage.test.ts.

import { describe, expect, test } from 'vitest';
import { SparseMemory } from '../test/sparse-memory.ts';
import type { Access } from './access.ts';
import { UPDATE_ATTEMPTS } from './stage.ts';
import { bareContext, type TranslationContext, translate } from './translate.ts';

const ACCESSES: readonly Access[] = ['fetch', 'load', 'store'];
const PAGE_FAULT = { fetch: 12, load: 13, store: 15 };
const ACCESS_FAULT = { fetch: 1, load: 5, store: 7 };

/**
 * Three levels by hand. Root 0x80000000, then 0x80001000, then 0x80002000; VPN fields of the address
 * 0x0000_0012_3456_7abc are 0x048, 0x1a2, 0x167.
 */
const VA = 0x12_3456_7abcn;
const ROOT = 0x8000_0000n;
const LEAF_AT = 0x8000_2000n + 0x167n * 8n;
const MIDDLE_AT = 0x8000_1000n + 0x1a2n * 8n;
const TOP_AT = ROOT + 0x48n * 8n;
const FRAME = 0x8765_4000n;
const leaf = (flags: bigint) => ((FRAME >> 12n) << 10n) | flags;

function tables(leafPte: bigint): SparseMemory {
	const memory = new SparseMemory();
	memory.writePte(TOP_AT, 0x2000_0401n);
	memory.writePte(MIDDLE_AT, 0x2000_0801n);
	memory.writePte(LEAF_AT, leafPte);
	return memory;
}

const SV39_CONTEXT: TranslationContext = { ...bareContext, privilege: 1, satp: 0x8000_0000_0008_0000n };

describe('Bare', () => {
	const bare = {
		ok: true,
		pageBits: 64,
		readable: true,
		writable: true,
		executable: true,
		global: false,
		memoryType: 0,
		guestPhysical: undefined,
		firstStageBits: 64,
		secondStageBits: 64,
		reads: { first: 0, second: 0 },
	};
	const top = (1n << 64n) - 1n;

	test('satp.MODE=0, and M-mode whatever satp holds', () => {
		const memory = new SparseMemory();
		for (const context of [
			{ ...bareContext, privilege: 0 },
			{ ...bareContext, privilege: 1 },
			{ ...SV39_CONTEXT, privilege: 3 },
			{ ...SV39_CONTEXT, privilege: 3, virtual: true, vsatp: SV39_CONTEXT.satp, hgatp: SV39_CONTEXT.satp },
		] as const) {
			expect(translate(memory.walked, context, VA, 'fetch')).toEqual({ ...bare, physical: VA });
			expect(translate(memory.walked, context, top, 'store')).toEqual({ ...bare, physical: top });
		}
	});

	test.each([1n, 7n, 11n, 15n])('a reserved MODE (%d) maps nothing', (mode) => {
		const context = { ...SV39_CONTEXT, satp: mode << 60n };
		const result = translate(new SparseMemory().walked, context, 0n, 'load');
		expect(result).toMatchObject({ ok: false, cause: 13 });
	});
});

describe('Sv39', () => {
	test('a walk reads one PTE per level and joins PPN and offset', () => {
		const result = translate(tables(leaf(0xcfn)).walked, SV39_CONTEXT, VA, 'load');
		expect(result).toEqual({
			ok: true,
			physical: 0x8765_4abcn,
			pageBits: 12,
			readable: true,
			writable: true,
			executable: true,
			global: false,
			memoryType: 0,
			guestPhysical: undefined,
			firstStageBits: 12,
			secondStageBits: 64,
			reads: { first: 3, second: 0 },
		});
	});

	test.each([
		[MIDDLE_AT, 21, 0x8020_0000n, 0x8036_7abcn, 2],
		[TOP_AT, 30, 0xc000_0000n, 0xf456_7abcn, 1],
	])('a superpage leaf at %d', (at, pageBits, base, physical, first) => {
		const memory = tables(0n);
		memory.writePte(at, (base >> 2n) | 0xcfn);
		const result = translate(memory.walked, SV39_CONTEXT, VA, 'load');
		expect(result).toMatchObject({ physical, pageBits, firstStageBits: pageBits, reads: { first, second: 0 } });
	});

	test('a NAPOT leaf takes PPN[3:0] from the VPN', () => {
		// Region 0x87650000; VPN[0] ends in 7.
		const memory = tables((1n << 63n) | (0x87658n << 10n) | 0xcfn);
		expect(translate(memory.walked, SV39_CONTEXT, VA, 'load')).toMatchObject({ physical: 0x8765_7abcn, pageBits: 16 });
		const without = { ...SV39_CONTEXT, svnapot: false };
		expect(translate(memory.walked, without, VA, 'load')).toMatchObject({ ok: false, cause: 13 });
	});

	test.each(ACCESSES)('faults of a %s say the original access and the address', (access) => {
		const missing = translate(tables(0n).walked, SV39_CONTEXT, VA, access);
		expect(missing).toEqual({
			ok: false,
			cause: PAGE_FAULT[access],
			tval: VA,
			guestPhysical: undefined,
			implicit: undefined,
			reads: { first: 3, second: 0 },
		});
		const outside = 0x40_0000_0000n;
		const nonCanonical = translate(tables(leaf(0xcfn)).walked, SV39_CONTEXT, outside, access);
		expect(nonCanonical).toMatchObject({ ok: false, cause: PAGE_FAULT[access], tval: outside });
		expect(nonCanonical.reads).toEqual({ first: 0, second: 0 });
	});

	test.each(ACCESSES)('a PTE that cannot be read is an access fault of a %s (step 2)', (access) => {
		for (const page of [0x8000_0000n, 0x8000_1000n, 0x8000_2000n]) {
			const memory = tables(leaf(0xcfn));
			memory.unreadable.add(page);
			const result = translate(memory.walked, SV39_CONTEXT, VA, access);
			expect(result).toMatchObject({ ok: false, cause: ACCESS_FAULT[access], tval: VA, guestPhysical: undefined });
		}
		const nowhere = { ...SV39_CONTEXT, satp: 0x8fff_ffff_ffff_ffffn };
		expect(translate(tables(0n).walked, nowhere, VA, access)).toMatchObject({ cause: ACCESS_FAULT[access] });
	});

	test.each([
		['leaf', LEAF_AT],
		['middle', MIDDLE_AT],
		['top', TOP_AT],
	])('G in the %s PTE makes the mapping global', (_name, at) => {
		const memory = tables(leaf(0xcfn));
		memory.writePte(at, memory.readPte(at) | 0x20n);
		expect(translate(memory.walked, SV39_CONTEXT, VA, 'load')).toMatchObject({ ok: true, global: true });
	});

	test('Svpbmt only with PBMTE', () => {
		const memory = tables(leaf(0xcfn) | (2n << 61n));
		expect(translate(memory.walked, { ...SV39_CONTEXT, pbmte: true }, VA, 'load')).toMatchObject({ memoryType: 2 });
		expect(translate(memory.walked, { ...SV39_CONTEXT, vsPbmte: true }, VA, 'load')).toMatchObject({ cause: 13 });
	});
});

describe('U, SUM and MXR', () => {
	const S = { ...SV39_CONTEXT };
	const U = { ...SV39_CONTEXT, privilege: 0 as const };
	const user = 0xdfn;
	const supervisor = 0xcfn;
	test.each([
		['U uses a user page', U, user, 'fls'],
		['U and a supervisor page', U, supervisor, ''],
		['S uses a supervisor page', S, supervisor, 'fls'],
		['S and a user page', S, user, ''],
		['S and a user page, SUM', { ...S, sum: true }, user, 'ls'],
		['vsstatus does not matter', { ...S, vsSum: true, vsMxr: true }, user, ''],
		['read-only', S, 0xc3n, 'l'],
		['execute-only', S, 0xc9n, 'f'],
		['execute-only, MXR', { ...S, mxr: true }, 0xc9n, 'fl'],
		['execute-only, vsstatus.MXR', { ...S, vsMxr: true }, 0xc9n, 'f'],
		['user execute-only, MXR without SUM', { ...S, mxr: true }, 0xd9n, ''],
		['user execute-only, MXR and SUM', { ...S, mxr: true, sum: true }, 0xd9n, 'l'],
		['read-write', S, 0xc7n, 'ls'],
	])('%s', (_name, context, flags, allowed) => {
		for (const access of ACCESSES) {
			const result = translate(tables(leaf(flags)).walked, context, VA, access);
			expect([access, result.ok]).toEqual([access, allowed.includes(access[0])]);
			if (!result.ok) {
				expect(result.cause).toBe(PAGE_FAULT[access]);
				continue;
			}
			const rights = `${result.executable ? 'f' : ''}${result.readable ? 'l' : ''}${result.writable ? 's' : ''}`;
			expect(rights).toBe(allowed);
		}
	});
});

describe('A and D (step 9)', () => {
	const bare = 0x0fn;
	const A = 0x40n;
	const D = 0x80n;

	test.each([
		['load', bare, A],
		['fetch', bare, A],
		['store', bare, A | D],
		['store', bare | A, A | D],
		['store', bare | D, A | D],
		['load', bare | D, A | D],
	] as const)('Svadu: a %s of a PTE with flags %d sets what it needs', (access, flags, set) => {
		const memory = tables(leaf(flags));
		const result = translate(memory.walked, SV39_CONTEXT, VA, access);
		expect(memory.readPte(LEAF_AT)).toBe(leaf(bare | set));
		expect(memory.readPte(MIDDLE_AT)).toBe(0x2000_0801n);
		expect(result).toMatchObject({ ok: true, readable: true, executable: true, writable: (set & D) !== 0n });
	});

	test.each([
		['load', bare, false],
		['load', bare | A, true],
		['store', bare | A, false],
		['store', bare | D, false],
		['store', bare | A | D, true],
	] as const)('Svade: a %s of a PTE with flags %d changes nothing; it passes: %s', (access, flags, ok) => {
		const memory = tables(leaf(flags));
		const result = translate(memory.walked, { ...SV39_CONTEXT, adue: false }, VA, access);
		expect(memory.readPte(LEAF_AT)).toBe(leaf(flags));
		expect(result.ok).toBe(ok);
		if (!result.ok) expect(result.cause).toBe(PAGE_FAULT[access]);
	});

	test('rights come first: a refused access sets nothing', () => {
		const memory = tables(leaf(0x03n));
		expect(translate(memory.walked, SV39_CONTEXT, VA, 'store')).toMatchObject({ cause: 15 });
		expect(memory.readPte(LEAF_AT)).toBe(leaf(0x03n));
	});

	test('a PTE that cannot be written is an access fault, unless nothing needs be set', () => {
		const memory = tables(leaf(bare));
		memory.readOnly.add(0x8000_2000n);
		expect(translate(memory.walked, SV39_CONTEXT, VA, 'load')).toMatchObject({ cause: 5, tval: VA });
		memory.writePte(LEAF_AT, leaf(bare | A));
		expect(translate(memory.walked, SV39_CONTEXT, VA, 'load')).toMatchObject({ ok: true, writable: false });
		expect(translate(memory.walked, SV39_CONTEXT, VA, 'store')).toMatchObject({ cause: 7 });
	});

	test('a PTE that changed meanwhile is read and judged again', () => {
		const memory = tables(leaf(bare));
		memory.beforeUpdate = (address) => {
			memory.beforeUpdate = undefined;
			memory.writePte(address, 0x2222_2000n | 0x03n);
		};
		const result = translate(memory.walked, SV39_CONTEXT, VA, 'load');
		expect(result).toMatchObject({ ok: true, physical: 0x8888_8abcn, executable: false, reads: { first: 4 } });
		expect(memory.readPte(LEAF_AT)).toBe(0x2222_2043n);

		const revoked = tables(leaf(bare));
		revoked.beforeUpdate = (address) => revoked.writePte(address, 0n);
		expect(translate(revoked.walked, SV39_CONTEXT, VA, 'load')).toMatchObject({ ok: false, cause: 13 });
		expect(revoked.readPte(LEAF_AT)).toBe(0n);
	});

	test('a PTE that never holds still ends the walk', () => {
		const memory = tables(leaf(bare));
		memory.beforeUpdate = (address) => memory.writePte(address, memory.readPte(address) ^ 0x100n);
		const result = translate(memory.walked, SV39_CONTEXT, VA, 'load');
		expect(result).toMatchObject({ ok: false, cause: 13, reads: { first: 2 + UPDATE_ATTEMPTS, second: 0 } });
	});
});

describe('Sv48 and Sv57', () => {
	test.each([
		['Sv48', 9n, 4, 0xffff_8000_0000_0000n],
		['Sv57', 10n, 5, 0xff00_0000_0000_0000n],
	])('%s walks all its levels, and a table that contains itself ends at level 0', (_name, mode, levels, address) => {
		// The root's entry 256 (the lowest of the upper half) points at the root; entry 0 is the leaf at the last level.
		const memory = new SparseMemory();
		memory.writePte(ROOT + 0x800n, 0x2000_0001n);
		const context = { ...SV39_CONTEXT, satp: (mode << 60n) | 0x80000n };
		memory.writePte(ROOT, 0x2000_0001n);
		const endless = translate(memory.walked, context, address, 'load');
		expect(endless).toMatchObject({ ok: false, cause: 13, reads: { first: levels, second: 0 } });

		memory.writePte(ROOT, 0x2000_00cfn);
		const result = translate(memory.walked, context, address | 0x123n, 'load');
		// The leaf is met one level below the root, where its PPN must be aligned to the superpage.
		expect(result).toMatchObject({ ok: levels === 4, reads: { first: 2, second: 0 } });
	});
});
