/**
 * Generator 1: straight-line code of every row of the integer ISA, A and B that QEMU 7.2 implements.
 * Floating point has a generator of its own.
 */

import { type Extension, findInstruction, instructions, type Row } from '@partita/riscv';
import { Batch } from './support/batch.ts';
import { campaign } from './support/campaign.ts';
import { randomWord } from './support/operands.ts';
import type { Random } from './support/random.ts';
import { placeSequences, prefixes, randomRegisters, type Sequence } from './support/straight-line.ts';

/** x31 holds the address of the case's memory; x30 is an address in it, made anew before each atomic. */
const POINTER = 31;
const ADDRESS = 30;
const MEMORY = 4160;

const readable = Array.from({ length: 30 }, (_, n) => n);
const pool = { readable, writable: readable };

const extensions = new Set<Extension>(['I', 'M', 'A', 'Zba', 'Zbb', 'Zbc', 'Zbs', 'Zifencei', 'Zihintpause']);
const excluded = new Set(['jal', 'jalr', 'ecall', 'ebreak']);
const rows = instructions.filter(
	({ name, extension, format }) => extensions.has(extension) && !excluded.has(name) && !format.includes('branch'),
);
const branches = instructions.filter(({ format }) => format.includes('branch'));

const arithmetic = rows.filter(({ extension, format }) => extension !== 'A' && format === 'rd,rs1,rs2');
const load = new Map([
	[4, findInstruction('lr.w')!.match],
	[8, findInstruction('lr.d')!.match],
]);

const addi = (rd: number, rs1: number, imm: number): number => ((imm << 20) | (rs1 << 15) | (rd << 7) | 0x13) >>> 0;

/** Words that execute one random instruction of a row. */
function instruction(random: Random, row: Row): number[] {
	let word = randomWord(random, row, pool, 0);
	if (row.extension === 'A') {
		const size = row.name.endsWith('.d') ? 8 : 4;
		word = ((word & ~(31 << 15)) | (ADDRESS << 15)) >>> 0;
		const offset = (random.below(16) - 8) * 8 + (size === 4 && random.oneIn(2) ? 4 : 0);
		const point = addi(ADDRESS, POINTER, offset);
		if (!row.name.startsWith('sc')) return [point, word];
		// Sizes agree and nothing is stored in between, since there the two machines choose differently (both may).
		const reserve = (load.get(size)! | (random.pick(pool.writable) << 7) | (ADDRESS << 15)) >>> 0;
		const between = instruction(random, random.pick(arithmetic));
		switch (random.below(4)) {
			case 0:
				return [point, reserve, word, ...between, word];
			case 1:
				return [point, reserve, addi(ADDRESS, ADDRESS, random.pick([-64, -8, 8, 64, 1024])), word];
			default:
				return [point, reserve, ...between, word];
		}
	}
	if (row.name === 'ctzw') {
		// QEMU 7.2 counts into the upper half ("Zbb": CTZW counts "in the least-significant word").
		const source = (word >>> 15) & 31;
		return [((source << 15) | (ADDRESS << 7) | 0x1b) >>> 0, ((word & ~(31 << 15)) | (ADDRESS << 15)) >>> 0];
	}
	if (row.format.includes('imm(rs1)') && row.name !== 'jalr') {
		word = ((word & ~(31 << 15)) | (POINTER << 15)) >>> 0;
	}
	return [word];
}

/** A conditional branch over one instruction. */
function branch(random: Random): number[] {
	const skipped = instruction(random, random.pick(rows));
	const base = randomWord(random, random.pick(branches), pool, 0);
	const distance = 4 + 4 * skipped.length;
	const offset = ((distance & 0x1e) << 7) | ((distance & 0x7e0) << 20);
	return [((base & ~0xfe00_0f80) | offset) >>> 0, ...skipped];
}

function sequences(random: Random): Sequence[] {
	const result: Sequence[] = [];
	let queue: Row[] = [];
	for (let s = 0; s < 250; s++) {
		const words: number[] = [];
		while (words.length < 100) {
			if (queue.length === 0) queue = random.shuffled(rows);
			words.push(...(random.oneIn(12) ? branch(random) : instruction(random, queue.pop()!)));
		}
		const starts = Array.from({ length: 12 }, () => {
			const memory = new Uint8Array(MEMORY);
			for (let i = 0; i < 64; i++) memory[MEMORY / 2 - 64 + random.below(128)] = random.word();
			return { ...randomRegisters(random), memory: memory.subarray(), pointer: POINTER };
		});
		result.push({ words, starts });
	}
	return result;
}

campaign({
	name: 'integer instructions',
	generate: (random) => {
		const batch = new Batch();
		placeSequences(batch, sequences(random));
		return batch;
	},
	shrink: (random, failing) => prefixes(sequences(random), failing),
});
