/** All 65536 halfwords: which are legal, what they expand to, how they print and assemble; GNU is the judge. */

import { describe, expect, test } from 'vitest';
import {
	assemble,
	compressedInstructions,
	createDecoded,
	decode,
	disassemble,
	expandCompressed,
} from '../src/index.ts';
import { type Dumped, gnuDisassembleBytes, hasBinutils } from './binutils.ts';

const halves = Array.from({ length: 65536 }, (_, half) => half).filter((half) => (half & 3) !== 3);

/** What objdump 2.40 prints otherwise, for encodings without effect or without meaning. */
function asWePrint(half: number, text: string): string {
	// c.addi with rd=x0 is c.nop in the manual, with or without an immediate.
	const nop = /^c\.addi\tzero,(.*)$/.exec(text);
	if (nop) return nop[1] === '0' ? 'c.nop' : `c.nop\t${nop[1]}`;
	// A shift by 0 is a HINT on RV64; c.slli64 and its kind are names of RV128.
	const shift = /^c\.(s[lr][la]i)64\t(.*)$/.exec(text);
	if (shift) return `c.${shift[1]}\t${shift[2]},0x0`;
	// c.addi16sp with a zero immediate is reserved.
	if (half === 0x6101) return '.2byte\t0x6101';
	// c.addi with a zero immediate is a HINT.
	const zero = /^add\t(\w+),\1,0$/.exec(text);
	if (zero && (half & 0xf003) === 1) return `c.addi\t${zero[1]},0`;
	// Immediate forms that objdump names after their register form.
	const immediate = /^(add|and|sll|srl|sra)(w?)\t(.*,-?[0-9][^,]*)$/.exec(text);
	return immediate ? `${immediate[1]}i${immediate[2]}\t${immediate[3]}` : text;
}

function withoutSymbol(text: string): string {
	return text.replace(/(\t|,)0x([0-9a-f]+)$/, '$1$2').replace(/ <.*>$/, '');
}

describe.skipIf(!hasBinutils)('against GNU objdump', () => {
	const bytes = new Uint8Array(Uint16Array.from(halves).buffer);
	const dumps = new Map<boolean, Dumped[]>();
	const dump = (noAliases: boolean): Dumped[] => {
		const known = dumps.get(noAliases) ?? gnuDisassembleBytes(bytes, noAliases);
		dumps.set(noAliases, known);
		return known;
	};

	test.each([true, false])('all halfwords print the same, noAliases %s', (noAliases) => {
		const dumped = dump(noAliases);
		expect(dumped.length).toBe(halves.length);
		const differences = dumped.flatMap(({ address, text }, index) => {
			const half = halves[index]!;
			const ours = withoutSymbol(disassemble(half, address, { noAliases }));
			const theirs = withoutSymbol(asWePrint(half, text));
			return ours === theirs ? [] : [`${half.toString(16)}: ${ours} | ${theirs}`];
		});
		expect(differences).toEqual([]);
	});

	test('an expansion is the instruction that objdump names for the halfword', () => {
		// Without aliases the expansion's text must follow from the halfword's: same registers, same immediate.
		const dumped = dump(false);
		let legal = 0;
		const differences = dumped.flatMap(({ address, text }, index) => {
			const half = halves[index]!;
			const word = expandCompressed(half);
			const theirs = withoutSymbol(asWePrint(half, text));
			if (word === 0)
				return theirs.startsWith('.2byte') || theirs === 'unimp' ? [] : [`${half.toString(16)}: ${theirs}`];
			legal++;
			const ours = withoutSymbol(disassemble(word, address));
			// c.mv expands to add, and prints as mv, an alias of addi.
			const expected =
				theirs.startsWith('mv\t') && ours.startsWith('add\t') ? theirs.replace(/mv\t(\w+),/, 'add\t$1,zero,') : theirs;
			return ours === expected || theirs.startsWith('c.') ? [] : [`${half.toString(16)}: ${ours} | ${theirs}`];
		});
		expect(differences).toEqual([]);
		expect(legal).toBe(halves.filter((half) => expandCompressed(half) !== 0).length);
	});
});

describe('expandCompressed', () => {
	test.each([
		['the defined illegal instruction', 0x0000],
		['c.addi4spn with a zero immediate', 0x0004],
		['c.addi16sp with a zero immediate', 0x6101],
		['c.lui with a zero immediate', 0x6281],
		['c.addiw with rd=x0', 0x2005],
		['c.lwsp with rd=x0', 0x4002],
		['c.ldsp with rd=x0', 0x6002],
		['c.jr with rs1=x0', 0x8002],
		['the reserved slot of quadrant 0', 0x8000],
		['the reserved c.subw slots', 0x9c41],
		['a 32-bit instruction', 0x0003],
	])('refuses %s', (_, half) => {
		expect(expandCompressed(half)).toBe(0);
	});

	// "C" Extension, HINT Instructions: all of these execute as no-ops.
	test.each([
		['c.nop 1', 0x0005, 'addi\tzero,zero,1'],
		['c.addi a0,0', 0x0501, 'addi\ta0,a0,0'],
		['c.li zero,3', 0x400d, 'addi\tzero,zero,3'],
		['c.lui zero,1', 0x6005, 'lui\tzero,0x1'],
		['c.mv zero,a0', 0x802a, 'add\tzero,zero,a0'],
		['c.add zero,a0', 0x902a, 'add\tzero,zero,a0'],
		['c.slli zero,1', 0x0006, 'slli\tzero,zero,0x1'],
		['c.slli a0,0', 0x0502, 'slli\ta0,a0,0x0'],
		['c.srli a0,0', 0x8101, 'srli\ta0,a0,0x0'],
	])('expands the HINT %s', (_, half, expected) => {
		expect(disassemble(expandCompressed(half), 0n, { noAliases: true })).toBe(expected);
	});

	test('decode takes halfwords as they are, and gives the length', () => {
		const decoded = createDecoded();
		expect(halves.filter((half) => decode(half, decoded) !== (expandCompressed(half) !== 0))).toEqual([]);
		expect(decode(0xffff_8082, decoded)).toBe(true);
		expect(decoded).toMatchObject({ rd: 0, rs1: 1, imm: 0, length: 2 });
	});

	test('every expansion is a 32-bit instruction', () => {
		const decoded = createDecoded();
		const words = halves.map(expandCompressed).filter((word) => word !== 0);
		expect(words.filter((word) => !decode(word, decoded) || decoded.length !== 4)).toEqual([]);
	});

	test('has a row for each instruction of RV64C with D', () => {
		expect(new Set(compressedInstructions.map((row) => row.name)).size).toBe(37);
	});
});

test('c.* text assembles to the halfword that it came from', () => {
	const lines = halves.map((half) => {
		if (expandCompressed(half) === 0) return half === 0 ? 'c.unimp' : `.half ${half}`;
		const text = disassemble(half, 0n, { noAliases: true });
		return /^c\.(j|b..z)\t/.test(text)
			? text.replace(/0x([0-9a-f]+)$/, (_, to) => `.+${BigInt.asIntN(64, BigInt(`0x${to}`))}`)
			: text;
	});
	const { bytes } = assemble(`.option rvc\n${lines.join('\n')}\n`);
	const view = new DataView(bytes.buffer);
	const differences = halves.flatMap((half, index) => {
		const ours = view.getUint16(2 * index, true);
		return ours === half ? [] : [`${half.toString(16)}: ${ours.toString(16)} ${lines[index]}`];
	});
	expect(differences).toEqual([]);
});
