/**
 * Generator 2: floating point. Every row of F and D, every rounding mode, static and dynamic, with NaN payloads, broken
 * boxes, subnormals; flags accumulate and are read back. FS in all four states.
 */

import { csrNumbers, findInstruction, instructions, type Mnemonic, type Row } from '@partita/riscv';
import { Batch } from './support/batch.ts';
import { campaign } from './support/campaign.ts';
import { randomWord } from './support/operands.ts';
import type { Random } from './support/random.ts';
import {
	placeSequences,
	prefixes,
	randomRegisters,
	type Sequence,
	type SequenceStart,
} from './support/straight-line.ts';

/** x31 holds the address of the case's memory. */
const POINTER = 31;
/** All that an offset reaches. */
const MEMORY = 4160;
const registers = Array.from({ length: 31 }, (_, n) => n);
const pool = { readable: registers, writable: registers };

/** mstatus without FS and SD: which instructions that leave f registers and flags alone make it Dirty is a choice. */
const WITHOUT_FS = 0x7fff_ffff_ffff_9fffn;

const rows = instructions.filter(({ extension }) => extension === 'F' || extension === 'D');
const arithmetic = rows.filter(({ format }) => format.includes('rm') && !format.includes('rm0'));

const csr = (name: Mnemonic, number: number, rd: number, rs1: number): number =>
	(findInstruction(name)!.match | (number << 20) | (rs1 << 15) | (rd << 7)) >>> 0;

/** An access to fflags, frm or fcsr. */
function floatCsr(random: Random): number {
	const name = random.pick(['csrrw', 'csrrs', 'csrrc', 'csrrwi', 'csrrsi', 'csrrci'] as const);
	const number = random.pick([csrNumbers.fflags, csrNumbers.frm, csrNumbers.fcsr]);
	// A reserved frm makes most of what follows illegal: rarely.
	if (number !== csrNumbers.fflags && random.below(4) !== 0) return csr('csrrwi', csrNumbers.frm, 0, random.below(5));
	return csr(name, number, random.pick(registers), random.oneIn(3) ? 0 : random.pick(registers));
}

function instruction(random: Random, row: Row): number {
	// Mostly dynamic or legal; rm 5 and 6 are reserved.
	const rm = random.oneIn(3) ? 7 : random.oneIn(40) ? 5 + random.below(2) : random.below(5);
	const word = randomWord(random, row, pool, rm);
	if (row.format.includes('imm(rs1)')) return ((word & ~(31 << 15)) | (POINTER << 15)) >>> 0;
	return word;
}

function sequences(random: Random, fs: 'dirty' | 'any'): Sequence[] {
	const result: Sequence[] = [];
	let queue: Row[] = [];
	for (let s = 0; s < 220; s++) {
		const words: number[] = [];
		const length = fs === 'any' ? 12 : 60;
		while (words.length < length) {
			if (queue.length === 0) queue = random.shuffled([...rows, ...arithmetic]);
			words.push(random.oneIn(10) ? floatCsr(random) : instruction(random, queue.pop()!));
			// Results are soon NaN or infinity: bring fresh operands in.
			if (random.oneIn(3)) {
				const fresh = findInstruction(random.oneIn(2) ? 'fmv.d.x' : 'fmv.w.x')!.match;
				words.push((fresh | (random.below(31) << 15) | (random.below(32) << 7)) >>> 0);
			}
		}
		const starts = Array.from({ length: fs === 'any' ? 4 : 16 }, (): SequenceStart => {
			const { f, x } = randomRegisters(random);
			const state = fs === 'any' ? random.below(4) : 3;
			return {
				// Integer registers hold numbers to move as well.
				x: x.map((value, n) => (n !== 0 && random.oneIn(2) ? random.float() : value)),
				f,
				fcsr:
					(random.oneIn(24) ? 5 + random.below(3) : random.below(5)) * 32 + (random.oneIn(3) ? 0 : random.below(32)),
				mstatus: 0x1800n | (BigInt(state) << 13n),
				memory: random.oneIn(2) ? new Uint8Array(MEMORY) : floats(random),
				pointer: POINTER,
				logLimit: fs === 'any' ? 30 : 10,
				...(fs === 'any' ? { mstatusMask: WITHOUT_FS } : {}),
			};
		});
		result.push({ words, starts });
	}
	return result;
}

/** Memory full of numbers, as loads find them: every eighth byte a double, or two singles. */
function floats(random: Random): Uint8Array {
	const memory = new BigUint64Array(MEMORY / 8);
	for (let i = 0; i < memory.length; i += 1 + random.below(4)) memory[i] = random.float();
	return new Uint8Array(memory.buffer);
}

campaign({
	name: 'floating-point instructions',
	generate: (random) => {
		const batch = new Batch();
		placeSequences(batch, sequences(random, 'dirty'));
		return batch;
	},
	shrink: (random, failing) => prefixes(sequences(random, 'dirty'), failing),
});

campaign({
	name: 'floating-point instructions with FS in each state',
	seeds: [1],
	generate: (random) => {
		const batch = new Batch();
		placeSequences(batch, sequences(random, 'any'));
		return batch;
	},
	shrink: (random, failing) => prefixes(sequences(random, 'any'), failing),
});
