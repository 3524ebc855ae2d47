/**
 * Straight-line code: a sequence of words that runs from its first to its last one, several times, each time from other
 * registers. Differences are shrunk to the shortest prefix that shows them.
 */

import { Batch, type CaseInput } from './batch.ts';
import type { Random } from './random.ts';

/** EBREAK: ends a sequence. */
export const EBREAK = 0x0010_0073;

/** Registers and memory that a run of a sequence starts from. */
export interface SequenceStart {
	readonly x: readonly bigint[];
	readonly f: readonly bigint[];
	readonly fcsr?: number;
	readonly mstatus?: bigint;
	readonly mstatusMask?: bigint;
	readonly logLimit?: number;
	/** Contents of the run's own memory; its middle goes to the register `pointer`. */
	readonly memory?: Uint8Array;
	readonly pointer?: number;
}

/** A sequence and what it is run with. */
export interface Sequence {
	readonly words: readonly number[];
	readonly starts: readonly SequenceStart[];
}

/** Places sequences; the cases are numbered in order, sequence by sequence. */
export function placeSequences(batch: Batch, sequences: readonly Sequence[]): void {
	for (const [number, { words, starts }] of sequences.entries()) {
		const codeStart = batch.code([...words, EBREAK]);
		const end = codeStart + words.length * 4;
		for (const [run, start] of starts.entries()) {
			const { memory, pointer, ...registers } = start;
			const x = [...start.x];
			let at = 0;
			if (memory && pointer !== undefined) {
				at = batch.place(memory, 64);
				x[pointer] = BigInt(at + (memory.length >> 1));
			}
			const input: CaseInput = {
				...registers,
				name: `sequence ${number}, run ${run}`,
				start: codeStart,
				end,
				codeStart,
				codeEnd: end + 4,
				x,
			};
			batch.add(memory ? { ...input, memory: [[at, memory.length]] } : input);
		}
	}
}

/** Every prefix of the sequence that case `failing` runs, from that case's start. */
export function prefixes(sequences: readonly Sequence[], failing: number): Batch {
	const batch = new Batch();
	let first = 0;
	for (const { words, starts } of sequences) {
		const start = starts[failing - first];
		if (start) {
			const lengths = words.map((_, i) => i + 1);
			placeSequences(
				batch,
				lengths.map((length) => ({ words: words.slice(0, length), starts: [start] })),
			);
			break;
		}
		first += starts.length;
	}
	return batch;
}

/** A random register file; x0 stays 0. */
export function randomRegisters(random: Random): { x: bigint[]; f: bigint[] } {
	const x = Array.from({ length: 32 }, (_, n) => (n === 0 ? 0n : random.integer()));
	const f = Array.from({ length: 32 }, () => random.float());
	return { x, f };
}
