// V=1: VS-stage and G-stage together. "Two-Stage Address Translation" of the hypervisor extension.

import { describe, expect, test } from 'vitest';
import { SparseMemory } from '../test/sparse-memory.ts';
import type { Access } from './access.ts';
import { createPageTable, mapRange, type PageTable } from './page-table.ts';
import { encodeHgatp, SV39X4, SV48X4, SV57X4 } from './paging-mode.ts';
import { bareContext, pseudoinstruction, type TranslationContext, translate } from './translate.ts';

const ACCESSES: readonly Access[] = ['fetch', 'load', 'store'];
const PAGE_FAULT = { fetch: 12, load: 13, store: 15 };
const GUEST_PAGE_FAULT = { fetch: 20, load: 21, store: 23 };
const ACCESS_FAULT = { fetch: 1, load: 5, store: 7 };

/*
 * guest virtual 0x12_3456_7abc  --VS-stage, Sv39, tables at guest physical 0x8000_0000-->
 * guest physical 0x4765_4abc    --G-stage, Sv39x4-->
 * supervisor physical 0xb765_4abc; the VS-stage tables are at 0xa000_0000.
 */
const VA = 0x12_3456_7abcn;
const GPA = 0x4765_4abcn;
const HPA = 0xb765_4abcn;
const VS_TABLES = 0x8000_0000n;
const VS_LEAF_GPA = 0x8000_2000n + 0x167n * 8n;
const VS_LEAF_AT = 0xa000_2000n + 0x167n * 8n;
const vsLeaf = (flags: bigint) => ((GPA >> 12n) << 10n) | flags;

interface Flags {
	/** VS-stage leaf; default VRWXAD of a supervisor page. */
	vs?: bigint;
	/** G-stage leaf of the data page; default VRWXUAD. */
	data?: bigint;
	/** G-stage leaves of the VS-stage tables; default VRWUAD. */
	tables?: bigint;
}

class Guest {
	readonly memory: SparseMemory = new SparseMemory(0x9000_0000n);
	readonly gStage: PageTable;
	readonly context: TranslationContext;

	constructor({ vs = 0xcfn, data = 0xdfn, tables = 0xd7n }: Flags = {}) {
		const { memory } = this;
		this.gStage = createPageTable(memory, SV39X4);
		const page = (address: bigint, physical: bigint, size: bigint, flags: bigint) =>
			mapRange(memory, this.gStage, { address, physical, size, flags, maximumPageBits: 12 });
		page(VS_TABLES, 0xa000_0000n, 0x3000n, tables & ~1n);
		page(GPA & ~0xfffn, HPA & ~0xfffn, 0x1000n, data & ~1n);
		memory.writePte(0xa000_0000n + 0x48n * 8n, 0x2000_0401n);
		memory.writePte(0xa000_1000n + 0x1a2n * 8n, 0x2000_0801n);
		memory.writePte(VS_LEAF_AT, vsLeaf(vs));
		this.context = {
			...bareContext,
			privilege: 1,
			virtual: true,
			vsatp: 0x8000_0000_0008_0000n,
			hgatp: encodeHgatp({ mode: 8, vmid: 5, root: this.gStage.root }),
		};
	}

	/** Address of the G-stage leaf PTE of a guest physical page. */
	gLeafAt(guestPhysical: bigint): bigint {
		const table = (address: bigint) => ((this.memory.readPte(address) >> 10n) & ((1n << 44n) - 1n)) << 12n;
		const middle = table(this.gStage.root + (guestPhysical >> 30n) * 8n);
		return table(middle + ((guestPhysical >> 21n) & 511n) * 8n) + ((guestPhysical >> 12n) & 511n) * 8n;
	}

	gFlags(guestPhysical: bigint): bigint {
		return this.memory.readPte(this.gLeafAt(guestPhysical)) & 0x3ffn;
	}

	translate(access: Access, change: Partial<TranslationContext> = {}, address: bigint = VA) {
		return translate(this.memory.walked, { ...this.context, ...change }, address, access);
	}
}

describe('both stages', () => {
	test('3 VS-stage PTEs, each through 3 G-stage PTEs, and 3 more for the page', () => {
		expect(new Guest().translate('store')).toEqual({
			ok: true,
			physical: HPA,
			pageBits: 12,
			readable: true,
			writable: true,
			executable: true,
			global: false,
			memoryType: 0,
			guestPhysical: GPA,
			firstStageBits: 12,
			secondStageBits: 12,
			reads: { first: 3, second: 12 },
		});
	});

	test('vsatp Bare leaves the G-stage alone', () => {
		const result = new Guest().translate('load', { vsatp: 0n }, GPA);
		expect(result).toMatchObject({
			physical: HPA,
			guestPhysical: GPA,
			pageBits: 12,
			firstStageBits: 64,
			secondStageBits: 12,
		});
		expect(result.reads).toEqual({ first: 0, second: 3 });
	});

	test('hgatp Bare leaves the VS-stage alone', () => {
		const guest = new Guest();
		const result = guest.translate('load', { hgatp: 0n, vsatp: 0x8000_0000_000a_0000n });
		// The pointers in the tables name guest physical pages, where nothing is now.
		expect(result).toMatchObject({ ok: false, cause: 5, guestPhysical: undefined });
		guest.memory.writePte(0xa000_0000n + 0x48n * 8n, 0x2800_0401n);
		guest.memory.writePte(0xa000_1000n + 0x1a2n * 8n, 0x2800_0801n);
		const found = guest.translate('load', { hgatp: 0n, vsatp: 0x8000_0000_000a_0000n });
		expect(found).toMatchObject({ physical: GPA, guestPhysical: GPA, firstStageBits: 12, secondStageBits: 64 });
		expect(found.reads).toEqual({ first: 3, second: 0 });
	});

	test('both Bare', () => {
		const result = new Guest().translate('load', { hgatp: 0n, vsatp: 0n });
		expect(result).toMatchObject({ physical: VA, guestPhysical: VA, pageBits: 64, writable: true });
	});

	test('the smaller page bounds the span; both are known for fences', () => {
		const guest = new Guest();
		// A 2 MiB leaf in the VS-stage (guest physical 0x4760_0000 on) over 4 KiB leaves in the G-stage.
		guest.memory.writePte(0xa000_1000n + 0x1a2n * 8n, (0x4760_0000n >> 2n) | 0xcfn);
		const flags = 0xden;
		const { memory, gStage } = guest;
		mapRange(memory, gStage, { address: 0x4776_7000n, physical: 0xc000_0000n, size: 0x1000n, flags });
		const result = guest.translate('load');
		expect(result).toMatchObject({ ok: true, physical: 0xc000_0abcn, pageBits: 12 });
		expect(result).toMatchObject({ firstStageBits: 21, secondStageBits: 12, guestPhysical: 0x4776_7abcn });
	});

	test('G is the VS-stage matter: the G-stage ignores it', () => {
		expect(new Guest({ vs: 0xefn }).translate('load')).toMatchObject({ global: true });
		expect(new Guest({ data: 0xffn, tables: 0xf7n }).translate('load')).toMatchObject({ ok: true, global: false });
	});
});

describe('"Guest-Page Faults"', () => {
	test.each(ACCESSES)('a %s of a page that the G-stage does not map', (access) => {
		const guest = new Guest();
		guest.memory.writePte(guest.gLeafAt(GPA), 0n);
		const fault = guest.translate(access);
		expect(fault).toMatchObject({ ok: false, cause: GUEST_PAGE_FAULT[access], tval: VA, guestPhysical: GPA });
		expect(fault).toMatchObject({ implicit: undefined });
		if (!fault.ok) expect(pseudoinstruction(fault)).toBeUndefined();
	});

	test.each(ACCESSES)('a VS-stage PTE that the G-stage does not map, for a %s', (access) => {
		const guest = new Guest();
		guest.memory.writePte(guest.gLeafAt(VS_LEAF_GPA), 0n);
		const fault = guest.translate(access);
		expect(fault).toMatchObject({ cause: GUEST_PAGE_FAULT[access], tval: VA, guestPhysical: VS_LEAF_GPA });
		expect(fault).toMatchObject({ implicit: 'read' });
		if (!fault.ok) expect(pseudoinstruction(fault)).toBe(0x3000n);
	});

	test.each(ACCESSES)('a VS-stage fault of a %s is a page fault of the guest', (access) => {
		expect(new Guest({ vs: 0n }).translate(access)).toMatchObject({
			cause: PAGE_FAULT[access],
			tval: VA,
			guestPhysical: undefined,
			implicit: undefined,
		});
		const wide = 0x8000_0000_0000_0000n;
		expect(new Guest().translate(access, {}, wide)).toMatchObject({ cause: PAGE_FAULT[access], tval: wide });
	});

	test.each(ACCESSES)('a table of either stage that is not there is an access fault of a %s', (access) => {
		const first = new Guest();
		first.memory.unreadable.add(0xa000_1000n);
		expect(first.translate(access)).toMatchObject({ cause: ACCESS_FAULT[access], tval: VA, guestPhysical: undefined });
		const second = new Guest();
		second.memory.unreadable.add(second.gStage.root);
		expect(second.translate(access)).toMatchObject({ cause: ACCESS_FAULT[access], tval: VA, implicit: undefined });
	});

	test.each([
		[SV39X4, 8n, 41n],
		[SV48X4, 9n, 50n],
		[SV57X4, 10n, 59n],
	] as const)('$name: guest physical addresses beyond its width', (format, mode, width) => {
		const memory = new SparseMemory();
		const table = createPageTable(memory, format);
		const last = (1n << width) - 0x1000n;
		mapRange(memory, table, { address: last, physical: 0x1000n, size: 0x1000n, flags: 0xden });
		const context = { ...new Guest().context, vsatp: 0n, hgatp: (mode << 60n) | (table.root >> 12n) };
		expect(translate(memory.walked, context, last, 'load')).toMatchObject({ ok: true, physical: 0x1000n });
		for (const address of [1n << width, (1n << 63n) | last, (1n << 64n) - 8n]) {
			const fault = translate(memory.walked, context, address, 'load');
			expect(fault).toMatchObject({ cause: 21, tval: address, guestPhysical: address, reads: { first: 0, second: 0 } });
		}
	});

	test('a VS-stage pointer beyond the width: its PTE address is reported', () => {
		const guest = new Guest();
		// PPN 2^29 is guest physical 2^41, one past Sv39x4.
		guest.memory.writePte(0xa000_0000n + 0x48n * 8n, (1n << 39n) | 1n);
		const at = (1n << 41n) + 0x1a2n * 8n;
		expect(guest.translate('fetch')).toMatchObject({ cause: 20, guestPhysical: at, implicit: 'read' });
	});

	test('a reserved MODE in hgatp or vsatp maps nothing', () => {
		expect(new Guest().translate('load', { hgatp: 1n << 60n })).toMatchObject({ cause: 21, implicit: 'read' });
		expect(new Guest().translate('load', { vsatp: 1n << 60n })).toMatchObject({ cause: 13 });
	});
});

describe('rights', () => {
	const code = { vs: 0xc9n, data: 0xd9n };
	test.each<[string, Flags, Partial<TranslationContext>, string]>([
		['the G-stage takes every access as a user: U must be set', { data: 0xcfn }, {}, ''],
		['VU needs U in the VS-stage', {}, { privilege: 0 }, ''],
		['VU and a user page', { vs: 0xdfn }, { privilege: 0 }, 'fls'],
		['VS and a user page', { vs: 0xdfn }, {}, ''],
		['VS and a user page: the HS-level SUM is ignored', { vs: 0xdfn }, { sum: true }, ''],
		['VS and a user page: vsstatus.SUM', { vs: 0xdfn }, { vsSum: true }, 'ls'],
		['read-only in the G-stage', { data: 0xd3n }, {}, 'l'],
		['read-only in the VS-stage', { vs: 0xc3n }, {}, 'l'],
		['execute-only in both', code, {}, 'f'],
		['execute-only in both, HS MXR', code, { mxr: true }, 'fl'],
		['execute-only in both, vsstatus.MXR is for the VS-stage', code, { vsMxr: true }, 'f'],
		['execute-only in the VS-stage, vsstatus.MXR', { vs: 0xc9n }, { vsMxr: true }, 'fl'],
		['execute-only in the VS-stage, HS MXR', { vs: 0xc9n }, { mxr: true }, 'fl'],
		['execute-only in the G-stage, HS MXR', { data: 0xd9n }, { mxr: true }, 'fl'],
		['HLVX of execute-only pages', code, { hlvx: true }, 'fl'],
		['HLVX needs X in the VS-stage', { vs: 0xc7n }, { hlvx: true }, 's'],
		['HLVX needs X in the G-stage', { data: 0xd7n }, { hlvx: true }, 's'],
		['HLVX and MXR: still X', { data: 0xd7n }, { hlvx: true, mxr: true, vsMxr: true }, 's'],
		['tables need no W or X in the G-stage while A and D are set', { tables: 0xd3n }, {}, 'fls'],
	])('%s', (_name, flags, change, allowed) => {
		for (const access of ACCESSES) {
			const result = new Guest(flags).translate(access, change);
			expect([access, result.ok]).toEqual([access, allowed.includes(access[0])]);
			if (!result.ok) continue;
			const rights = `${result.executable ? 'f' : ''}${result.readable ? 'l' : ''}${result.writable ? 's' : ''}`;
			expect(rights).toBe(allowed);
		}
	});

	test('VS-stage tables are read, never executed: MXR and HLVX are for explicit accesses', () => {
		for (const change of [{}, { mxr: true }, { vsMxr: true }, { hlvx: true }]) {
			const fault = new Guest({ tables: 0xd9n }).translate('load', change);
			expect(fault).toMatchObject({ ok: false, cause: 21, implicit: 'read', guestPhysical: VS_TABLES + 0x48n * 8n });
		}
		const readable = new Guest({ tables: 0xd3n, data: 0xd9n, vs: 0xc9n });
		expect(readable.translate('load', { hlvx: true })).toMatchObject({ ok: true });
	});
});

describe('A and D', () => {
	test('a load sets A in both stages; tables get A for their reads and D for their update', () => {
		const guest = new Guest({ vs: 0x0fn, data: 0x1fn, tables: 0x17n });
		expect(guest.translate('load')).toMatchObject({ ok: true, writable: false });
		expect(guest.memory.readPte(VS_LEAF_AT)).toBe(vsLeaf(0x4fn));
		expect(guest.gFlags(GPA)).toBe(0x5fn);
		expect(guest.gFlags(VS_TABLES)).toBe(0x57n);
		expect(guest.gFlags(VS_LEAF_GPA)).toBe(0xd7n);
	});

	test('a store sets A and D in both; from then on the page is writable', () => {
		const guest = new Guest({ vs: 0x0fn, data: 0x1fn, tables: 0x17n });
		expect(guest.translate('store')).toMatchObject({ ok: true, writable: true });
		expect(guest.memory.readPte(VS_LEAF_AT)).toBe(vsLeaf(0xcfn));
		expect(guest.gFlags(GPA)).toBe(0xdfn);
		expect(guest.translate('load')).toMatchObject({ ok: true, writable: true });
	});

	test.each([
		[0xcfn, 0x5fn],
		[0x4fn, 0xdfn],
	])('D in one stage only is not writable yet (VS %d, G %d)', (vs, data) => {
		expect(new Guest({ vs, data }).translate('load')).toMatchObject({ ok: true, writable: false });
	});

	test.each(ACCESSES)('the update of a VS-stage PTE is an implicit store: W in the G-stage, for a %s', (access) => {
		const guest = new Guest({ vs: 0x0fn, tables: 0xd3n });
		const fault = guest.translate(access);
		expect(fault).toMatchObject({ cause: GUEST_PAGE_FAULT[access], guestPhysical: VS_LEAF_GPA, implicit: 'write' });
		if (!fault.ok) expect(pseudoinstruction(fault)).toBe(0x3020n);
		expect(guest.memory.readPte(VS_LEAF_AT)).toBe(vsLeaf(0x0fn));
	});

	test('henvcfg.ADUE is for the VS-stage, menvcfg.ADUE for the G-stage', () => {
		const vs = { vs: 0x0fn };
		expect(new Guest(vs).translate('load', { vsAdue: false })).toMatchObject({ cause: 13 });
		expect(new Guest(vs).translate('load', { adue: false })).toMatchObject({ ok: true });
		const data = { data: 0x1fn };
		expect(new Guest(data).translate('load', { vsAdue: false })).toMatchObject({ ok: true });
		const fault = new Guest(data).translate('load', { adue: false });
		expect(fault).toMatchObject({ cause: 21, guestPhysical: GPA, implicit: undefined });
		const read = new Guest({ tables: 0x17n }).translate('store', { adue: false });
		expect(read).toMatchObject({ cause: 23, guestPhysical: VS_TABLES + 0x48n * 8n, implicit: 'read' });
		const write = new Guest({ vs: 0x0fn, tables: 0x57n }).translate('load', { adue: false });
		expect(write).toMatchObject({ cause: 21, guestPhysical: VS_LEAF_GPA, implicit: 'write' });
	});

	test('a VS-stage table that a PMP entry protects from writes is an access fault', () => {
		const guest = new Guest({ vs: 0x0fn });
		guest.memory.readOnly.add(0xa000_2000n);
		expect(guest.translate('load')).toMatchObject({ cause: 5, tval: VA, guestPhysical: undefined });
	});

	test('a G-stage leaf that is its own VS-stage PTE: the update sees what the walk itself changed', () => {
		// The guest's last-level table is the G-stage's table for the same pages: one word serves both stages.
		const guest = new Guest();
		const { memory } = guest;
		const gTable = guest.gLeafAt(VS_LEAF_GPA) & ~0xfffn;
		// Guest page 0x8000_2000 now is the G-stage table itself; its entry 0x002 maps itself, entry 0x167 the VS leaf.
		memory.writePte(gTable + 0x2n * 8n, ((gTable >> 12n) << 10n) | 0x17n);
		memory.writePte(gTable + 0x167n * 8n, vsLeaf(0x0fn));
		expect(guest.translate('store')).toMatchObject({ ok: true, physical: HPA });
		expect(memory.readPte(gTable + 0x2n * 8n) & 0xffn).toBe(0xd7n);
		expect(memory.readPte(gTable + 0x167n * 8n)).toBe(vsLeaf(0xcfn));

		// The VS leaf is that very self-mapping entry: VPN[0]=2. It needs U for the G-stage, so VU uses it.
		memory.writePte(gTable + 0x2n * 8n, ((gTable >> 12n) << 10n) | 0x17n);
		const selfMapped = guest.translate('store', { privilege: 0 }, (VA & ~0x1f_ffffn) | 0x2000n);
		expect(selfMapped).toMatchObject({ ok: false, cause: 23, implicit: undefined, guestPhysical: gTable });
		expect(memory.readPte(gTable + 0x2n * 8n) & 0xffn).toBe(0xd7n);
	});
});

describe('Svpbmt in two stages', () => {
	const enabled = { pbmte: true, vsPbmte: true };
	test.each([
		[0n, 0n, 0],
		[0n, 1n, 1],
		[1n, 0n, 1],
		[2n, 1n, 2],
		[1n, 2n, 1],
	])('VS-stage %d over G-stage %d', (vs, g, expected) => {
		const guest = new Guest({ vs: 0xcfn | (vs << 61n), data: 0xdfn | (g << 61n) });
		expect(guest.translate('load', enabled)).toMatchObject({ memoryType: expected });
	});

	test('henvcfg.PBMTE is for the VS-stage, menvcfg.PBMTE for the G-stage', () => {
		const vs = new Guest({ vs: 0xcfn | (1n << 61n) });
		expect(vs.translate('load', { pbmte: true })).toMatchObject({ cause: 13 });
		const g = new Guest({ data: 0xdfn | (1n << 61n) });
		expect(g.translate('load', { vsPbmte: true })).toMatchObject({ cause: 21, guestPhysical: GPA });
	});
});
