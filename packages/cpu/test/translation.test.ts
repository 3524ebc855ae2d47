/**
 * Generators 4 and 8: loads, stores, atomics and fetches, misaligned and across pages, through random Sv39, Sv48 and Sv57
 * tables: all permission bits, A and D, superpages (misaligned ones too), NAPOT, pages with no memory behind them;
 * from S and U, and from M under MPRV; with SUM and MXR; with PMP entries; tables that change
 * before an SFENCE.VMA.
 *
 * Not judged, since QEMU 7.2 differs (README of @partita/mmu): reserved PTE bits, tables where no memory is; mtval's low
 * bits where an access is misaligned.
 */

import { assemble, findInstruction, type Mnemonic } from '@partita/riscv';
import { Batch } from './support/batch.ts';
import { NOWHERE, RAM, RAM_BYTES } from './support/board.ts';
import { campaign } from './support/campaign.ts';
import type { Random } from './support/random.ts';
import { CaseField } from './support/runtime.ts';
import { EBREAK } from './support/straight-line.ts';

const CASES = 700;
const PROBES = 24;
const DATA_PAGES = 4;
/** Of PTEs: bit numbers 0 to 7 are V R W X U G A D. */
const LEAF = 0xcfn;
const USER = 0x10n;
/** Where the random pages are; the program itself is mapped at its physical address. */
const WINDOW = 0x4000_0000n;
/** The page before the last one: every mode may write it, so that a store may begin there and fail on the next. */
const SAFE = 14;

/** x20: satp; x21 to x28: pmpaddr0 to 7; x29: pmpcfg0. */
const setup = assemble(
	[
		`ld t0, ${CaseField.x + 8 * 20}(s0)`,
		'csrw satp, t0',
		...Array.from({ length: 8 }, (_, i) => `ld t0, ${CaseField.x + 8 * (21 + i)}(s0)\ncsrw pmpaddr${i}, t0`),
		`ld t0, ${CaseField.x + 8 * 29}(s0)`,
		'csrw pmpcfg0, t0',
		'sfence.vma',
		'ret',
	].join('\n'),
).bytes;

const word = (name: Mnemonic, rd: number, rs1: number, rs2 = 0, imm = 0): number =>
	(findInstruction(name)!.match | (rd << 7) | (rs1 << 15) | (rs2 << 20) | (imm << 20)) >>> 0;

const loads = (['lb', 'lbu', 'lh', 'lhu', 'lw', 'lwu', 'ld', 'fld', 'flw'] as const).map(
	(name) => findInstruction(name)!,
);
const stores = (['sb', 'sh', 'sw', 'sd', 'fsw', 'fsd'] as const).map((name) => findInstruction(name)!);
const amos = (['amoswap.w', 'amominu.d', 'amomaxu.w', 'amoand.d'] as const).map((name) => findInstruction(name)!);

interface Space {
	readonly root: number;
	readonly table: number;
	readonly data: number;
	readonly scratch: number;
	/**
	 * There are access faults: PMP, or pages without memory. QEMU then reports those of AMOs as a load's, and makes the first
	 * part of a store that fails on the second page, so such cases have neither.
	 */
	readonly faults: boolean;
	/**
	 * Never a user page that may be executed: in S-mode with SUM. An access to one enters it in QEMU's TLB with the right to
	 * execute, and S-mode then fetches from it ("Irrespective of SUM, the supervisor may not execute code on pages with U=1").
	 */
	readonly dataOnly: boolean;
}

const pte = (physical: number, flags: bigint): bigint => ((BigInt(physical) >> 12n) << 10n) | flags;

const EXECUTE = 8n;
const SUM = 1n << 18n;

function flags(random: Random, user: boolean, dataOnly: boolean): bigint {
	let bits = BigInt(random.below(256)) | 1n;
	if (!random.oneIn(4)) bits |= 0xcen;
	if (!random.oneIn(5)) bits = (bits & ~USER) | (user ? USER : 0n);
	if (random.oneIn(24)) bits &= ~1n;
	if (random.oneIn(8)) bits |= BigInt(random.below(4)) << 8n;
	return dataOnly && (bits & USER) !== 0n ? bits & ~EXECUTE : bits;
}

/** A 4 KiB leaf. */
function smallLeaf(random: Random, { data, scratch, faults, dataOnly }: Space, user: boolean): bigint {
	const page = data + 4096 * random.below(DATA_PAGES);
	// A and D are on in such cases: QEMU sets them before PMP denies the access.
	const bits = flags(random, user, dataOnly) | (faults ? 0xc0n : 0n);
	if (faults && random.oneIn(16)) return pte(random.oneIn(2) ? NOWHERE : RAM + 2 * RAM_BYTES, bits);
	// NAPOT: 64 KiB, with its reserved sizes. A and D are on: QEMU sets them before it looks at the size.
	if (random.oneIn(24)) return (1n << 63n) | pte(scratch + (random.oneIn(4) ? 0x4000 : 0x8000), bits | 0xc0n);
	return pte(page, bits);
}

/** A superpage of 2 MiB or 1 GiB on the scratch area, now and then misaligned. */
function superpage(random: Random, { scratch, faults, dataOnly }: Space, user: boolean): bigint {
	const bits = flags(random, user, dataOnly) | (faults ? 0xc0n : 0n);
	return pte(scratch + (random.oneIn(4) ? 4096 * (1 + random.below(511)) : 0), bits);
}

/** Tables for a case; satp. */
function buildTables(random: Random, batch: Batch, space: Space, levels: number, user: boolean): bigint {
	const { root, table, data, dataOnly } = space;
	const program = pte(RAM, LEAF | (user ? USER : 0n));
	let at = root;
	for (let level = levels - 1; level > 2; level--) {
		const next = at + 4096;
		batch.poke(at, pte(next, 1n));
		at = next;
	}
	batch.poke(at + 16, program);
	const middle = at + 4096;
	batch.poke(at + 8, random.oneIn(40) ? pte(middle, flags(random, user, dataOnly)) : pte(middle, 1n));
	// 2 MiB each: the small pages, superpages, a table with flags that make it none.
	batch.poke(middle, pte(table, 1n));
	for (let i = 1; i < 4; i++) {
		batch.poke(
			middle + 8 * i,
			random.oneIn(4) ? pte(table, flags(random, user, dataOnly)) : superpage(random, space, user),
		);
	}
	for (let i = 0; i < 16; i++) batch.poke(table + 8 * i, smallLeaf(random, space, user));
	batch.poke(table + 8 * SAFE, pte(data, LEAF | (user ? USER : 0n)));
	return (BigInt(levels + 5) << 60n) | (BigInt(random.below(16)) << 44n) | BigInt(root >>> 12);
}

/** Not in the GiB where the program is, and memory ends within: see {@link Space.faults}. */
function outsideProgram(address: bigint): bigint {
	return ((address >> 30n) & 0x1ffn) === 2n ? address ^ (1n << 30n) : address;
}

/** A virtual address: where something is, mostly. */
function address(random: Random): bigint {
	const offset = BigInt(random.oneIn(4) ? 0xff0 + random.below(16) : random.below(4096));
	switch (random.below(10)) {
		case 0:
		case 1:
			return WINDOW + BigInt(1 + random.below(3)) * 0x20_0000n + BigInt(random.below(512)) * 4096n + offset;
		case 2:
			return outsideProgram(BigInt.asUintN(64, BigInt.asIntN(random.pick([39, 48, 57, 64]), random.double())));
		case 3:
			return (WINDOW + BigInt(random.below(16)) * 4096n + offset) | (1n << BigInt(38 + random.below(26)));
		default:
			return WINDOW + BigInt(random.below(16)) * 4096n + offset;
	}
}

/** Words that make one access to the address in x5. */
function probe(random: Random, size: { bytes: number }, crossing: boolean, faults: boolean): number[] {
	switch (random.below(8)) {
		case 0:
		case 1:
		case 2: {
			const row = random.pick(loads);
			size.bytes = 1;
			return [(row.match | (7 << 7) | (5 << 15)) >>> 0];
		}
		case 3:
		case 4: {
			const row = random.pick(stores);
			size.bytes = crossing ? 1 : 8;
			return [(row.match | (6 << 20) | (5 << 15)) >>> 0];
		}
		case 5: {
			if (faults) return probe(random, size, crossing, faults);
			const row = random.pick(amos);
			size.bytes = -8;
			return [(row.match | (7 << 7) | (5 << 15) | (6 << 20)) >>> 0];
		}
		case 6: {
			const wide = random.oneIn(2);
			size.bytes = -8;
			// No SC: without a reservation QEMU's makes no access, and Partita's does.
			return [word(wide ? 'lr.d' : 'lr.w', 7, 5)];
		}
		default:
			// QEMU checks PMP where a translation block begins, not for each fetch: pmp.test.ts.
			if (faults) return probe(random, size, crossing, faults);
			size.bytes = -2;
			return [word('jalr', 1, 5)];
	}
}

function addCase(random: Random, batch: Batch, prepare: number, scratch: number, number: number): void {
	const mode = random.pick([0n, 1n, 1n, 3n]);
	const user = mode === 0n || (mode === 3n && random.oneIn(2));
	const levels = 3 + random.below(3);
	const tables = batch.reserve(5 * 4096, 4096);
	const data = batch.reserve(DATA_PAGES * 4096, 4096);
	// SUM and MXR.
	const status = BigInt(random.below(4)) << 18n;
	const space: Space = {
		root: tables,
		table: tables + 4 * 4096,
		data,
		scratch,
		faults: random.oneIn(2),
		dataOnly: mode === 1n && (status & SUM) !== 0n,
	};
	for (let page = 0; page < DATA_PAGES; page++) {
		// C.ADDI x16, page + 1; C.JR ra: what is fetched returns, and says where it was.
		const line = BigInt((0x8082 << 16) | 0x0801 | ((page + 1) << 2)) & 0xffff_ffffn;
		for (let at = data + 4096 * page; at < data + 4096 * (page + 1); at += 8) batch.poke(at, (line << 32n) | line);
	}
	const satp = buildTables(random, batch, space, levels, user);
	const list = batch.reserve(PROBES * 16);
	const words: number[] = [];
	for (let i = 0; i < PROBES; i++) {
		const size = { bytes: 1 };
		const cross = !space.faults && random.oneIn(8);
		const access = probe(random, size, cross, space.faults);
		let at = address(random);
		// QEMU asks PMP for the whole of an access that straddles two pages.
		if (space.faults) at &= ~7n;
		else if (size.bytes === 8 || size.bytes < 0) at &= ~BigInt(Math.abs(size.bytes) - 1);
		else if (cross) at = WINDOW + BigInt(SAFE) * 4096n + 0xff8n + BigInt(random.below(8));
		batch.poke(list + 16 * i, at);
		words.push(word('ld', 5, 30, 0, 16 * i));
		if (mode === 1n && random.oneIn(4)) {
			// A PTE of the window changes: x8 from the list, x10 the table.
			batch.poke(list + 16 * i + 8, smallLeaf(random, space, user));
			const entry = 8 * random.below(SAFE);
			words.push(word('ld', 8, 30, 0, 16 * i + 8));
			words.push((word('sd', 0, 10, 8) | ((entry & 31) << 7) | ((entry >> 5) << 25)) >>> 0);
			words.push(word('sfence.vma', 0, 0, 0));
		}
		if (mode === 3n) words.push(word('csrrs', 0, 31, 0, 0x300), ...access, word('csrrc', 0, 31, 0, 0x300));
		else words.push(...access);
	}
	words.push(EBREAK);
	const codeStart = batch.code(words);
	const end = codeStart + 4 * (words.length - 1);
	const x = Array.from({ length: 32 }, () => 0n);
	// Bytes that make no loop of the code that they are stored over: C.NOPs.
	x[6] = 0x0001_0001_0001_0001n;
	x[10] = BigInt(space.table);
	x[20] = satp;
	x[30] = BigInt(list);
	// MPRV, with MPP; in M-mode MPP is U after each return from a trap.
	x[31] = 0x2_0000n | (user ? 0n : 0x800n);
	if (space.faults && random.oneIn(2)) {
		// PMP entries in the data pages, and over the table now and then.
		let cfg = 0n;
		let napot = false;
		for (let i = 0; i < 8; i++) {
			// Whole pages: QEMU enters a page in its TLB by what one entry says of a part of it; pmp.test.ts.
			// Nor the tables: QEMU writes A and D where PMP denies it.
			const over = data + 4096 * random.below(DATA_PAGES);
			// TOR's bottom is the address below, which NAPOT does not leave at a page.
			const kind: bigint = i === 0 || napot ? random.pick([0n, 3n]) : random.pick([0n, 1n, 3n]);
			napot = kind === 3n;
			const ones = kind === 3n ? (1n << BigInt(10 + random.below(2))) - 1n : 0n;
			// W without R is reserved.
			const rights = random.pick([0n, 1n, 3n, 4n, 5n, 7n, 7n]);
			x[21 + i] = (BigInt(over >>> 2) & ~ones) | (ones >> 1n);
			cfg |= ((kind << 3n) | rights) << BigInt(8 * i);
		}
		x[29] = cfg;
	}
	batch.add({
		name: `tables ${number}: Sv${levels * 9 + 12}, mode ${mode}${user ? ' for U' : ''}${
			x[29]
				? `, PMP ${x[29].toString(16)} ${x
						.slice(21, 29)
						.map((a) => (a << 2n).toString(16))
						.join(' ')}`
				: ''
		}`,
		start: codeStart,
		end,
		codeStart,
		codeEnd: end + 4,
		setup: prepare,
		logLimit: PROBES * 2 + 2,
		faultMask: 0xffff_ffff_ffff_fff8n,
		mstatus: (mode << 11n) | 0x6000n | status,
		x,
		memory: [
			[tables, 5 * 4096],
			[data, DATA_PAGES * 4096],
		],
	});
}

campaign({
	name: 'address translation and protection',
	generate: (random) => {
		const batch = new Batch();
		const prepare = batch.place(setup);
		const scratch = batch.reserve(0x20_0000, 0x20_0000);
		for (let number = 0; number < CASES; number++) addCase(random, batch, prepare, scratch, number);
		return batch;
	},
});
