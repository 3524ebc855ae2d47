/// <reference types="node" />
/**
 * Every row of the instruction table against GNU as and objdump: random words are disassembled by both, and the
 * text is assembled by both. Zicond, which binutils 2.40 does not know, is checked against its specification.
 */

import { describe, expect, test } from 'vitest';
import { assemble, createDecoded, decode, disassemble, instructions, type Row } from '../src/index.ts';
import { gnuAssemble, gnuDisassemble, hasBinutils, seededRandom } from './binutils.ts';

const PER_ROW = 40;

/** A random word of a row, often with x0 or equal registers and simple immediates, which aliases depend on. */
function randomWord(row: Row, random: () => number, round: number): number {
	let word = random();
	if (round % 3 === 1) word &= ~(31 << 15);
	if (round % 3 === 2) word &= ~(31 << 20);
	if (round % 4 === 3) word &= ~(31 << 7);
	if (round % 5 === 4) word &= ~(0xfff << 20);
	if (round % 7 === 6) word = (word & ~(31 << 20)) | (((word >>> 15) & 31) << 20);
	if (round % 7 === 5) word = (word & ~(31 << 7)) | (1 << 7);
	if (round % 11 === 10) word = (word & 0xf_ffff) | ([1, 255, 0xfff][round % 3]! << 20);
	if (row.name === 'fence') word = round % 9 === 8 ? 0x8330_000f : ((word >>> 20) & 0xff) << 20;
	if (row.name === 'fence' && ((word >>> 20) & 15) * ((word >>> 24) & 15) === 0) word = 0x0ff0_0000;
	if (row.name === 'fence.i') word = 0;
	// rm: dynamic half of the time, else a static mode; binutils knows only RNE for exact conversions.
	if (/rm$/.test(row.format)) word = (word & ~0x7000) | ((round % 2 ? 7 : round % 5) << 12);
	if (row.format.endsWith('rm0')) word &= ~0x7000;
	// A CSR that is named, and not only on RV32.
	if (row.format.includes('csr')) {
		const csr = [0xc00, 0xc01, 0xc02, 1, 2, 3, 0x300, 0x180, 0x105, 0x3a2, 0x3b0, 0x344, 0x600, 0x280, 0x7c0, 0xfff];
		word = (word & 0xf_ffff) | (csr[random() % csr.length]! << 20);
	}
	return ((word & ~row.mask) | row.match) >>> 0;
}

const judged = instructions.filter((row) => row.extension !== 'Zicond');
const words = (() => {
	const random = seededRandom(0x5eed);
	return judged.flatMap((row) => Array.from({ length: PER_ROW }, (_, round) => randomWord(row, random, round)));
})();

/** Binutils 2.40 names some immediate forms after their register form: `add a0,a0,1`, `csrw mie,3`. */
function withImmediateName(text: string): string {
	// It also prints the destination of these where it is x0, unlike that of fsflags and fsrm.
	if (/^(fsflagsi|fsrmi)\tzero,/.test(text)) return text.replace('zero,', '');
	const match = /^([a-z]+)\t(.*,)?-?(0x[0-9a-f]+|[0-9]+)$/.exec(text);
	if (!match) return text;
	const name = match[1]!;
	const rest = text.slice(name.length);
	if (/^(add|xor|or|and|slt|sll|srl|sra|ror|bclr|bext|binv|bset|csrr?[wsc])$/.test(name)) return `${name}i${rest}`;
	if (/^(add|sll|srl|sra|ror)w$/.test(name)) return `${name.slice(0, -1)}iw${rest}`;
	return name === 'sltu' ? `sltiu${rest}` : text;
}

/** Objdump names targets after the nearest label; here only the addresses are compared. */
function withoutSymbol(text: string): string {
	return text.replace(/(\t|,)0x([0-9a-f]+)$/, '$1$2').replace(/ <.*>$/, '');
}

describe.skipIf(!hasBinutils)('against GNU objdump', () => {
	const source = `.option norvc\n${words.map((word) => `.insn 4, 0x${word.toString(16)}`).join('\n')}\n`;

	test.each([true, false])('prints the same, noAliases %s', (noAliases) => {
		const dumped = gnuDisassemble(source, noAliases);
		expect(dumped.length).toBe(words.length);
		const differences = dumped.flatMap(({ address, text, word }) => {
			const ours = withoutSymbol(disassemble(word, address, { noAliases }));
			const theirs = withoutSymbol(noAliases ? text : withImmediateName(text));
			return ours === theirs ? [] : [`${word.toString(16)}: ${ours} | ${theirs}`];
		});
		expect(differences).toEqual([]);
	});
});

describe('the text assembles to the word that it came from', () => {
	const decoded = createDecoded();
	const lines = (noAliases: boolean) =>
		words.map((word) => {
			decode(word, decoded);
			const { format } = instructions[decoded.index]!;
			const text = disassemble(word, 0n, { noAliases });
			return /branch|jump/.test(format) ? text.replace(/0x[0-9a-f]+$/, `.+${decoded.imm}`) : text;
		});

	test.each([true, false])('by this assembler, noAliases %s', (noAliases) => {
		const { bytes } = assemble(lines(noAliases).join('\n'));
		const view = new DataView(bytes.buffer);
		const differences = words.flatMap((word, index) => {
			const ours = view.getUint32(4 * index, true);
			return ours === word ? [] : [`${word.toString(16)}: ${ours.toString(16)} ${lines(noAliases)[index]}`];
		});
		expect(differences).toEqual([]);
	});

	test.skipIf(!hasBinutils).each([true, false])('by GNU as, noAliases %s', (noAliases) => {
		const source = `.option norvc\n${lines(noAliases).join('\n')}\n`;
		const bytes = gnuAssemble(source);
		expect(Buffer.from(bytes).equals(Buffer.from(assemble(source).bytes))).toBe(true);
	});
});

describe('Zicond', () => {
	// Unprivileged ISA, "Zicond" Extension: funct7 0000111, opcode 0110011, funct3 101 and 111.
	test.each([
		['czero.eqz', 0x0ec5_d533],
		['czero.nez', 0x0ec5_f533],
	])('%s a0,a1,a2', (name, word) => {
		expect(disassemble(word, 0n)).toBe(`${name}\ta0,a1,a2`);
		expect(new DataView(assemble(`${name} a0, a1, a2`).bytes.buffer).getUint32(0, true)).toBe(word);
	});
});

describe('decode', () => {
	test('finds every row by its own match, and rejects what is no instruction', () => {
		const decoded = createDecoded();
		for (const row of instructions) {
			expect(decode(row.match, decoded)).toBe(true);
			expect(instructions[decoded.index]!.name).toBe(row.name);
		}
		for (const word of [0xffff_ffff, 0x0000_007f, 0x0000_001f, 0x0200_2033 | 0xfc00_0000, 0x7fff_ffff, 0x0000_0000]) {
			expect(decode(word, decoded), word.toString(16)).toBe(false);
		}
	});

	test('no word matches two rows, except the one that a larger mask decides', () => {
		const overlaps = instructions.flatMap((a, i) =>
			instructions
				.slice(i + 1)
				.filter((b) => ((a.match ^ b.match) & a.mask & b.mask) === 0)
				.map((b) => `${a.name} ${b.name}`),
		);
		expect(overlaps).toEqual(['fence pause']);
	});

	test('gives every operand field', () => {
		const decoded = createDecoded();
		const fields = (word: number) => {
			expect(decode(word, decoded)).toBe(true);
			const { aqrl, csr, imm, index, length, rd, rm, rs1, rs2, rs3 } = decoded;
			return { name: instructions[index]!.name, aqrl, csr, imm, length, rd, rm, rs1, rs2, rs3 };
		};
		// Encoded by hand from the formats' drawings in the manual.
		expect(fields(0x8000_02b7)).toMatchObject({ name: 'lui', rd: 5, imm: -0x8000_0000 });
		expect(fields(0xfff5_8513)).toMatchObject({ name: 'addi', rd: 10, rs1: 11, imm: -1 });
		expect(fields(0xfeb5_3c23)).toMatchObject({ name: 'sd', rs1: 10, rs2: 11, imm: -8 });
		expect(fields(0xfeb5_0ee3)).toMatchObject({ name: 'beq', rs1: 10, rs2: 11, imm: -4 });
		expect(fields(0x0080_00ef)).toMatchObject({ name: 'jal', rd: 1, imm: 8 });
		expect(fields(0x43f5_d513)).toMatchObject({ name: 'srai', rd: 10, rs1: 11, imm: 63 });
		expect(fields(0x3052_d573)).toMatchObject({ name: 'csrrwi', rd: 10, csr: 0x305, rs1: 5 });
		expect(fields(0x06b6_252f)).toMatchObject({ name: 'amoadd.w', rd: 10, rs1: 12, rs2: 11, aqrl: 3 });
		expect(fields(0x6ac5_9543)).toMatchObject({ name: 'fmadd.d', rd: 10, rs1: 11, rs2: 12, rs3: 13, rm: 1 });
		expect(fields(0x8330_000f)).toMatchObject({ name: 'fence', imm: 0x833 });
		expect(fields(0x1234_4501)).toMatchObject({ name: 'addi', rd: 10, rs1: 0, imm: 0, length: 2 });
	});
});
