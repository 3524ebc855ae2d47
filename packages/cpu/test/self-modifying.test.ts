/**
 * Generator 3, second part: code that modifies itself, also across a page's end. With a FENCE.I after each store QEMU
 * judges. Without, the specification promises nothing, QEMU runs stale code until a translation block ends, and Partita
 * promises that a store is seen by the next fetch in every tier: a small interpreter over bytes judges.
 */

import { createDecoded, decode, instructions } from '@partita/riscv';
import { expect, test } from 'vitest';
import { Batch } from './support/batch.ts';
import { RAM } from './support/board.ts';
import { campaign } from './support/campaign.ts';
import { runOnEngine } from './support/differential.ts';
import { Random } from './support/random.ts';
import { EBREAK } from './support/straight-line.ts';

/** x31: where the code is. Slots are 4 bytes: an ADDI, or two C.ADDIs; every mixture of their halves is one of these. */
const SLOTS = 96;
const POINTER = 31;
const FENCE_I = 0x100f;
const NOP = 0x13;

/** ADDI whose upper half is a C.ADDI of x16 to x30 as well. */
function addi(random: Random): number {
	const imm = (random.below(2) << 8) | ((16 + random.below(14)) << 3) | random.below(8);
	const rs1 = random.pick([18, 19]);
	return ((imm << 20) | (rs1 << 15) | ((16 + random.below(14)) << 7) | 0x13) >>> 0;
}

const compressedAddi = (random: Random): number =>
	(random.below(2) << 12) | ((16 + random.below(14)) << 7) | (random.below(32) << 2) | 1;

/** What a slot may hold. */
function slot(random: Random, compressed = false): number {
	if (!compressed && random.oneIn(2)) return addi(random);
	return ((compressedAddi(random) << 16) | compressedAddi(random)) >>> 0;
}

const store = (funct3: number, rs2: number, offset: number): number =>
	(((offset >> 5) << 25) | (rs2 << 20) | (POINTER << 15) | (funct3 << 12) | ((offset & 31) << 7) | 0x23) >>> 0;

interface Program {
	readonly codeStart: number;
	readonly words: readonly number[];
	readonly runs: readonly (readonly bigint[])[];
}

/** Slots: 0 and 1 code that may be written, 2 a store, 3 a FENCE.I or NOP. */
function kindsOf(random: Random, fenced: boolean): number[] {
	const kinds: number[] = [];
	while (kinds.length < SLOTS - 2) {
		const kind = random.below(fenced ? 3 : 4);
		kinds.push(kind);
		if (fenced && kind === 2) kinds.push(3);
	}
	while (kinds.length < SLOTS) kinds.push(0);
	return kinds;
}

function programs(random: Random, batch: Batch, fenced: boolean, count = 200): Program[] {
	return Array.from({ length: count }, (_, number) => {
		const kinds = kindsOf(random, fenced);
		const open = kinds.flatMap((kind, i) => (kind < 2 ? [i] : []));
		const words = kinds.map((kind, here) => {
			if (kind < 2) return slot(random);
			if (kind === 3) return fenced || random.oneIn(4) ? FENCE_I : NOP;
			// Often close by: the next instruction.
			const near = open.filter((i) => Math.abs(i - here) < 4);
			const target = random.pick(near.length > 0 && random.oneIn(2) ? near : open);
			const rs2 = 5 + random.below(11);
			// Either half may be a C.ADDI, which is in the registers up to x9.
			if (random.oneIn(3)) return store(1, 5 + random.below(5), target * 4 + 2 * random.below(2));
			const pair = open.includes(target + 1) && random.oneIn(3);
			return store(pair ? 3 : 2, rs2, target * 4);
		});
		// Most of the code crosses a page's end, some of it in the middle of an instruction.
		const room = batch.reserve(0x2000, 0x1000);
		const codeStart = room + 0x1000 - random.pick([SLOTS * 2 - 2, SLOTS * 2, SLOTS * 4 + 4, 2]);
		for (const [i, word] of [...words, EBREAK].entries()) {
			batch.poke16(codeStart + 4 * i, word & 0xffff);
			batch.poke16(codeStart + 4 * i + 2, word >>> 16);
		}
		const end = codeStart + SLOTS * 4;
		const runs = Array.from({ length: 6 }, () => {
			const x = Array.from({ length: 32 }, (_, n) =>
				n >= 5 && n < 16
					? (BigInt(slot(random, n < 10)) << 32n) | BigInt(slot(random, n < 10))
					: BigInt(n === 0 ? 0 : random.below(9)),
			);
			x[POINTER] = BigInt(codeStart);
			return x;
		});
		for (const [run, x] of runs.entries()) {
			batch.add({
				name: `code ${number}, run ${run}`,
				start: codeStart,
				end,
				codeStart,
				codeEnd: end + 4,
				x,
				memory: [[room, 0x2000]],
			});
		}
		return { codeStart, words, runs };
	});
}

campaign({
	name: 'self-modifying code with FENCE.I',
	seeds: [1],
	generate: (random) => {
		const batch = new Batch();
		programs(random, batch, true);
		return batch;
	},
});

/** Runs a program one fetch at a time; the code as it is at the end. */
function interpret({ words, runs }: Program): Uint8Array {
	const code = new Uint8Array(4 * SLOTS);
	const view = new DataView(code.buffer);
	for (const [i, word] of words.entries()) view.setUint32(4 * i, word, true);
	const d = createDecoded();
	for (const start of runs) {
		const x = [...start];
		for (let pc = 0; pc < code.length; pc += d.length) {
			const low = view.getUint16(pc, true);
			decode(pc + 4 <= code.length ? view.getUint32(pc, true) : low, d);
			const { name } = instructions[d.index]!;
			if (name === 'addi') {
				if (d.rd !== 0) x[d.rd] = BigInt.asUintN(64, x[d.rs1]! + BigInt(d.imm));
			} else if (name.startsWith('s')) {
				// Offsets are from the code's start, which is what the pointer holds.
				const bytes = { sh: 2, sw: 4, sd: 8 }[name as 'sh' | 'sw' | 'sd'];
				for (let i = 0; i < bytes; i++) code[d.imm + i] = Number((x[d.rs2]! >> BigInt(8 * i)) & 0xffn);
			}
		}
		finals.push(x);
	}
	return code;
}

/** Registers at the end of each run of the last {@link interpret}s. */
const finals: bigint[][] = [];

test.each(['interpreter', 'translator', 'default'] as const)(
	'%s: without FENCE.I a store is seen by the next fetch',
	(engine) => {
		finals.length = 0;
		const batch = new Batch();
		const all = programs(new Random(7), batch, false, engine === 'translator' ? 30 : 200);
		const { outcome, ram } = runOnEngine(batch.finish(), engine);
		expect(outcome).toBe('finished');
		for (const [number, program] of all.entries()) {
			const from = program.codeStart - RAM;
			expect(ram.slice(from, from + 4 * SLOTS), `code ${number}`).toEqual(interpret(program));
		}
		for (const [index, x] of finals.entries()) {
			expect(batch.registersAtEnd(index, ram), batch.cases[index]!.input.name).toEqual(x);
		}
	},
);
