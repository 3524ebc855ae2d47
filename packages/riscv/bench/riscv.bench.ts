// Decode, disassemble and assemble: one operation is 1000 instructions, a random mix of every row of the table.
import * as riscv from '@partita/riscv';
import { test } from 'vitest';

// Taken once: the test runner makes each access to an imported name a getter.
const { assemble, createDecoded, decode, disassemble, expandCompressed, instructions } = riscv;

let seed = 1;
const random = (): number => {
	seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
	return seed ^ (seed >>> 15);
};
const words = Int32Array.from({ length: 1000 }, (_, index) => {
	const { mask, match } = instructions[index % instructions.length]!;
	return (random() & ~mask) | match;
});
const halves: number[] = [];
while (halves.length < 1000) {
	const half = random() & 0xffff;
	if (expandCompressed(half) !== 0) halves.push(half);
}

test('decode', async ({ bench }) => {
	const decoded = createDecoded();
	let sum = 0;
	await bench('decode, 1000 words', () => {
		for (let i = 0; i < words.length; i++) if (decode(words[i]!, decoded)) sum += decoded.index;
	}).run();
	await bench('decode, 1000 compressed halfwords', () => {
		for (let i = 0; i < halves.length; i++) if (decode(halves[i]!, decoded)) sum += decoded.index;
	}).run();
	if (sum === 0) throw new Error('nothing was decoded');
});

test('text', async ({ bench }) => {
	await bench('disassemble, 1000 words', () => {
		for (const word of words) disassemble(word, 0x8000_0000n);
	}).run();
	const lines = Array.from(words, (word) => disassemble(word, 0n)).filter((line) => !/^(b|j|fence)|unknown/.test(line));
	while (lines.length < 1000) lines.push(lines[lines.length - 900]!);
	const source = lines.join('\n');
	await bench('assemble, 1000 lines', () => {
		assemble(source);
	}).run();
});
