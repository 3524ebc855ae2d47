// Walks per second: each format alone, two stages together, and PMP. One operation is one translation of one of 64
// pages, A and D already set, tables in a Map.

import {
	bareContext,
	buildPageTable,
	createPmp,
	type PageTableMemory,
	type PageTableStore,
	type PagingFormat,
	PTE_A,
	PTE_D,
	PTE_R,
	PTE_U,
	PTE_W,
	pmpCheck,
	SV39,
	SV39X4,
	SV48,
	SV48X4,
	SV57,
	SV57X4,
	type TranslationContext,
	translate,
	writePmpaddr,
	writePmpcfg,
} from '@partita/mmu';
import { test } from 'vitest';

const PAGES = 64n;
const FLAGS = PTE_R | PTE_W | PTE_U | PTE_A | PTE_D;
const START = 0x4000_0000n;

function createMemory(first: bigint): PageTableMemory & PageTableStore {
	const words = new Map<bigint, bigint>();
	let free = first;
	return {
		allocateTable(bytes) {
			const size = BigInt(bytes);
			const table = (free + size - 1n) & -size;
			free = table + size;
			return table;
		},
		readPte: (address) => words.get(address) ?? 0n,
		writePte: (address, value) => void words.set(address, value),
		updatePte: () => 'fault',
	};
}

function build(memory: PageTableStore, format: PagingFormat, start: bigint, size: bigint): bigint {
	const mapping = { address: start, physical: start, size, flags: FLAGS, maximumPageBits: 12 };
	const { root } = buildPageTable(memory, format, [mapping]);
	return (BigInt(format.mode) << 60n) | (root >> 12n);
}

function run(memory: PageTableMemory, context: TranslationContext): () => void {
	let page = 0n;
	return () => {
		page = (page + 1n) % PAGES;
		const result = translate(memory, context, START + page * 4096n, 'load');
		if (!result.ok) throw new Error(`cause ${result.cause}`);
	};
}

for (const format of [SV39, SV48, SV57]) {
	test(format.name, async ({ bench }) => {
		const memory = createMemory(0x8000_0000n);
		const satp = build(memory, format, START, PAGES * 4096n);
		await bench(`walk ${format.name}`, run(memory, { ...bareContext, privilege: 0, satp })).run();
	});
}

for (const format of [SV39X4, SV48X4, SV57X4]) {
	test(format.name, async ({ bench }) => {
		const memory = createMemory(0x8000_0000n);
		const hgatp = build(memory, format, START, PAGES * 4096n);
		await bench(`walk ${format.name}`, run(memory, { ...bareContext, privilege: 0, virtual: true, hgatp })).run();
	});
}

for (const [first, second] of [
	[SV39, SV39X4],
	[SV48, SV48X4],
	[SV57, SV57X4],
] as const) {
	test(`${first.name} over ${second.name}`, async ({ bench }) => {
		const memory = createMemory(0x8000_0000n);
		const vsatp = build(memory, first, START, PAGES * 4096n);
		// The guest's memory, its tables included, is mapped one to one.
		const gStage = buildPageTable(memory, second, [
			{ address: START, physical: START, size: PAGES * 4096n, flags: FLAGS, maximumPageBits: 12 },
			{ address: 0x8000_0000n, physical: 0x8000_0000n, size: 0x10_0000n, flags: FLAGS, maximumPageBits: 12 },
		]);
		const hgatp = (BigInt(second.mode) << 60n) | (gStage.root >> 12n);
		const context: TranslationContext = { ...bareContext, privilege: 0, virtual: true, vsatp, hgatp };
		await bench(`walk ${first.name} over ${second.name}`, run(memory, context)).run();
	});
}

test('PMP', async ({ bench }) => {
	let pmp = createPmp();
	for (let entry = 0; entry < 16; entry++) pmp = writePmpaddr(pmp, entry, BigInt(entry + 1) << 20n);
	pmp = writePmpcfg(writePmpcfg(pmp, 0, 0x0f0f_0f0f_0f0f_0f0fn), 2, 0x0f0f_0f0f_0f0f_0f0fn);
	await bench('check against the 16th of 16 TOR entries', () => {
		if (!pmpCheck(pmp, 15n << 22n, 8, 'load', 1)) throw new Error('denied');
	}).run();
});
