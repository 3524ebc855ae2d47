/// <reference types="node" />
/** The assembler against GNU as, and, where the two differ or no tool is needed, against the manual. */

import { describe, expect, test } from 'vitest';
import { AssemblyError, asm, asmWith, assemble, disassemble, expandCompressed, type Program } from '../src/index.ts';
import { gnuAssemble, hasBinutils, seededRandom } from './binutils.ts';

const BASE = 0x1_0000n;

function text(program: Program, name = '.text'): Uint8Array {
	return program.sections.find((section) => section.name === name)!.bytes;
}

function words(program: Program): string[] {
	const bytes = text(program);
	const view = new DataView(bytes.buffer);
	const lines: string[] = [];
	for (let at = 0; at < bytes.length; at += (bytes[at]! & 3) === 3 ? 4 : 2) {
		const word = (bytes[at]! & 3) === 3 ? view.getUint32(at, true) : view.getUint16(at, true);
		lines.push(disassemble(word, BigInt(at), { noAliases: true }).replace('\t', ' '));
	}
	return lines;
}

function errorOf(source: string): AssemblyError {
	try {
		assemble(source);
	} catch (error) {
		if (error instanceof AssemblyError) return error;
		throw error;
	}
	throw new Error(`accepted: ${source}`);
}

const everything = `
	# a comment
	.option norvc
	.globl _start
	.equ N, 10
	.set M, N + 1
	K = M * 2
_start:	li a0, 0 # another
	li a1, -1; li a2, 0x7fffffff; li a3, 0x80000000 /* and
	one more */
	li a4, 0xffffffff80000000
	li t0, 2048; li t1, 4096; li t2, 0x12345000; li t0, K
1:	addi a0, a0, 1
	beqz a0, 1b; bnez a0, 1b; blez a0, 1b; bgez a0, 1b; bltz a0, 1b; bgtz a0, 1b
	bne a0, a1, 2f; bgt a0, a1, 1b; ble a0, a1, 1b; bgtu a0, a1, 1b; bleu a0, a1, 2f
	j 1b; jal 2f; jal t0, 2f
	jr t0; jr 4(t0); jalr t0; jalr 8(t0); jalr t1, 8(t0); jalr t1, t0, 8; jalr t1, t0
	call foo; tail foo
	la a0, foo; lla a1, bar
	lw a0, bar; sd a0, bar, t0; fld fa0, bar, t0; fsw fa0, bar, t0; lbu a1, bar + 1
2:	ret
1:	mv a0, a1; not a0, a1; neg a0, a1; negw a0, a1; seqz a0, a1; snez a0, a1; sltz a0, a1; sgtz a0, a1
	sext.w a0, a1; zext.w a0, a1; zext.b a0, a1; zext.h a0, a1; sext.b a0, a1; sgt a0, a1, a2; move a0, a1
	csrr a0, mstatus; csrw mtvec, a0; csrs mie, a0; csrc mie, a0
	csrwi mie, 3; csrsi mie, 2; csrci mie, 1; csrw mie, 4; csrr a0, 0x7c0; csrrw a0, menvcfg, 3
	rdcycle a0; rdtime a1; rdinstret a2; frcsr a0; fscsr a0; fscsr a0, a1; frrm a0; fsrm a0
	frflags a0; fsflags a0, a1; fsrmi 2; fsflagsi a0, 3
	fence; fence rw, w; fence.tso; fence.i; pause; fence iorw, i
	fmv.s fa0, fa1; fabs.d fa0, fa1; fneg.s fa0, fa1; fgt.s a0, fa0, fa1; fge.d a0, fa1, fa2
	fadd.s fa0, fa1, fa2; fadd.d fa0, fa1, fa2, rtz; fcvt.w.s a0, fa0; fcvt.l.d a0, fa0, rtz
	fcvt.d.w fa0, a0; fcvt.d.s fa0, fa1; fcvt.s.d fa0, fa1; fmadd.d fa0, fa1, fa2, fa3, rup
	sfence.vma; sfence.vma a0; sfence.vma a0, a1; hfence.gvma; hfence.vvma a0; sinval.vma a0, a1
	amoadd.w.aqrl a0, a1, (a2); lr.d.aq a0, (a1); sc.w.rl a0, a1, 0(a2)
	cbo.zero (a0); cbo.clean 0(a1); hlv.wu a0, (a1); hsv.d a0, (a1)
	add a0, a0, 5; and a0, a0, -1; sll a0, a0, 3; addw a0, a0, 7; slt a0, a0, 1; sltu a0, a1, 1; xor a0, a0, 'a'
	lui a0, %hi(bar); addi a0, a0, %lo(bar); lw a1, %lo(bar)(a0); sd a1, %lo(bar + 8)(a0)
3:	auipc a0, %pcrel_hi(bar); addi a0, a0, %pcrel_lo(3b); sw a1, %pcrel_lo(3b)(a0)
	addi a0, a0, N * 2 + 1 << 2; addi a0, a0, ~3 & 0xff; addi a0, a0, (1 | 2) ^ 4; addi a0, a0, 7 % 4; addi a0, a0, 010
	addi a0, a0, -0x10; addi a0, a0, 0b101; addi a0, a0, '\\n'; addi a0, a0, 100 / 7 - 3 * 2
	unimp; ebreak; ecall; mret; sret; wfi
	.align 4
	nop
foo:	.word 1, 2, -3, foo
	.dword foo, bar - foo, 0xffffffffffffffff
	.byte 1, 'a', -128, 255
	.half 0x1234, N; .2byte 1; .4byte 2; .8byte 3; .short 4; .long 5; .quad 6
	.ascii "hi\\n\\t\\"\\x41\\101;#"
	.asciz "a", "b"
	.string "c"
	.zero 3; .skip 2
	.fill 3, 2, 0x1234
	.space 5, 0xff
	.balign 8
	.p2align 3, 0xaa
	.byte 1
	.p2align 4, 0xaa
bar:	.quad ., . - foo
	.org 0x600
	.word 'x'
	.balign 16
`;

describe.skipIf(!hasBinutils)('against GNU as', () => {
	test('every kind of statement gives the same bytes', () => {
		const gnu = gnuAssemble(everything, BASE);
		expect(Buffer.from(text(assemble(everything, { base: BASE }))).toString('hex')).toBe(
			Buffer.from(gnu).toString('hex'),
		);
	});

	test('expressions have the same values', () => {
		const expressions = [
			...['-1 >> 4', '-7 / 2', '-7 % 3', '1 << 63', '2 + 3 & 4', '6 | 1 + 2', '1 - 1 - 1', '2 * 3 << 1', '8 >> 1 * 2'],
			...['5 ^ 3 | 8 & 12', '2+3*4-1', '-2*3', '~1+1', '1<<2<<3', '100/7%3', '- 3 - -3', '7&3+1', '(0-8)/3', '+5'],
			...['0x8000000000000000 >> 63', '(1 + 2) * (3 + 4)', "'a' + 1", "'\\\\'", '0b11 | 010', '~0 & 0xff'],
		];
		const source = expressions.map((expression) => `.dword ${expression}\n`).join('');
		const values = ({ buffer }: Uint8Array) =>
			[...new BigInt64Array(buffer)].map((value, i) => `${expressions[i]} = ${value}`);
		expect(values(text(assemble(source)))).toEqual(values(gnuAssemble(source).slice()));
	});

	test('high addresses, and 64-bit patterns as immediates', () => {
		const high = 0xffff_ffff_8000_0000n;
		const source = `.option norvc
x:	la a0, y; lui a0, %hi(y); ld a1, %lo(y)(a0); j x; beqz a0, y; addi a0, a0, 0xfffffffffffff800
y:	.dword x, y - x
`;
		expect(Buffer.from(text(assemble(source, { base: high }))).toString('hex')).toBe(
			Buffer.from(gnuAssemble(source, high)).toString('hex'),
		);
	});

	test('li, for 2000 values', () => {
		const random = seededRandom(99);
		const values = Array.from({ length: 2000 }, (_, round) => {
			const wide = (BigInt(random()) << 32n) | BigInt(random());
			return (
				BigInt.asIntN(1 + (round % 64), wide >> BigInt(random() % 64)) << BigInt(round % 3 === 0 ? random() % 40 : 0)
			);
		}).map((value) => BigInt.asIntN(64, value));
		const source = `.option norvc\n${values.map((value) => `li a0, ${value}`).join('\n')}\n`;
		expect(Buffer.from(text(assemble(source))).equals(Buffer.from(gnuAssemble(source)))).toBe(true);
	});

	test('.option rvc shortens what GNU as shortens', () => {
		const random = seededRandom(3);
		const lines: string[] = [];
		while (lines.length < 2000) {
			const word = expandCompressed((random() & 0xfffc) | (random() % 3));
			for (const candidate of [word, word ^ (1 << (random() & 31))]) {
				const line = disassemble(candidate, 0n, { noAliases: random() % 2 === 0 });
				if (word === 0 || /^(c?\.|csr|fence|j\t|b|jal\t|h|cbo|amo|sc|lr)|unknown|0x[0-9a-f]{5}/.test(line)) continue;
				// GNU as leaves these two long, although c.jr, c.jalr and c.mv do the same.
				if (!/^jalr\t|^add\t(\w+),\1,zero/.test(line)) lines.push(line);
			}
		}
		lines.push(
			'nop',
			'unimp',
			'ebreak',
			'ret',
			'jr a0',
			'jalr a0',
			'addi sp, sp, 16',
			'addi sp, sp, -512',
			'li a0, 31',
		);
		lines.push('add a1, a0, a1', 'and a0, a1, a0', 'addi a0, a0, 0', 'lui a0, 0xfffff', 'lui a0, 31', 'slli a0, a0, 0');
		const source = `.option rvc\n${lines.join('\n')}\n.option norvc\n`;
		expect(Buffer.from(text(assemble(source))).toString('hex')).toBe(Buffer.from(gnuAssemble(source)).toString('hex'));
	});

	test('branches and jumps are as short as their distance allows', () => {
		const source = `.option rvc
start: beqz a0, far; j far; bnez a1, start; beq a0, a1, far
	.align 3
	nop
	.align 2
	c.nop
	.align 4
	.zero 200
	bnez a0, start; beqz a2, far
	.zero 100
far:	j start; jal start; bne zero, a0, far
	.zero 1800
	j start
	.option push; .option norvc; nop; .option pop; nop
	.align 4
`;
		expect(Buffer.from(text(assemble(source, { base: BASE }))).toString('hex')).toBe(
			Buffer.from(gnuAssemble(source, BASE)).toString('hex'),
		);
	});
});

describe('pseudo-instructions that GNU as has otherwise or not at all', () => {
	// RISC-V Assembly Programmer's Manual: call rd, symbol is auipc rd and jalr rd, rd; jump symbol, rt.
	test('call rd and jump', () => {
		expect(words(assemble('call t0, .\njump ., t2'))).toEqual([
			...['auipc t0,0x0', 'jalr t0,0(t0)', 'auipc t2,0x0', 'jalr zero,0(t2)'],
		]);
	});
});

describe('the layout', () => {
	test('sections follow at multiples of 16: code, constants, data, then zeros', () => {
		const program = assemble(`
			.bss
buffer:		.zero 100
			.data
value:		.dword 1
			.text
			.globl _start
			nop
_start:		nop
			.section .rodata
message:	.asciz "hello"
			.text
			nop
		`);
		expect(
			program.sections.map(({ address, name, nobits, writable }) => ({ address, name, nobits, writable })),
		).toEqual([
			{ name: '.text', address: 0x8000_0000n, nobits: false, writable: false },
			{ name: '.rodata', address: 0x8000_0010n, nobits: false, writable: false },
			{ name: '.data', address: 0x8000_0020n, nobits: false, writable: true },
			{ name: '.bss', address: 0x8000_0030n, nobits: true, writable: true },
		]);
		expect(program).toMatchObject({ base: 0x8000_0000n, entry: 0x8000_0004n });
		expect(program.bytes.length).toBe(0x30 + 100);
		expect(program.symbols.get('value')).toBe(0x8000_0020n);
		expect(program.symbolTable.find(({ name }) => name === '_start')).toMatchObject({ global: true, section: '.text' });
	});

	test('sections go where they are put, with flags of their own', () => {
		const program = assemble('nop\n.section .vectors, "ax"\nv: j v\n.section .buf, "aw", @nobits\n.zero 8', {
			base: 0x1000n,
			sections: { '.vectors': 0x100n, '.buf': 0x2000n },
		});
		expect(
			program.sections.map(({ address, executable, name, nobits }) => [name, address, executable, nobits]),
		).toEqual([
			['.vectors', 0x100n, true, false],
			['.text', 0x1000n, true, false],
			['.buf', 0x2000n, false, true],
		]);
		expect(program.bytes.length).toBe(0x2008 - 0x100);
		expect(program.entry).toBe(0x1000n);
	});

	test('symbols may be used before they are set, and li takes labels', () => {
		const program = assemble('li a0, end - start\nli a1, end\nstart: .zero SIZE\nend:\n.equ SIZE, 0x1230', {
			base: 0x100n,
		});
		expect(program.symbols.get('SIZE')).toBe(0x1230n);
		expect(words(program).slice(0, 4)).toEqual(['lui a0,0x1', 'addiw a0,a0,560', 'lui a1,0x1', 'addiw a1,a1,832']);
		expect(program.symbols.get('end')).toBe(0x1340n);
	});

	test('comments are #, // and blocks; ; separates statements', () => {
		const program = assemble('nop // one\nnop # two; nop\n/* nop\n */ nop; nop');
		expect(program.bytes.length).toBe(16);
	});

	test('an empty program is empty', () => {
		expect(assemble('')).toMatchObject({
			base: 0x8000_0000n,
			entry: 0x8000_0000n,
			sections: [],
			bytes: new Uint8Array(0),
		});
	});

	test('%pcrel_lo takes the low part of the offset that its label holds', () => {
		const program = assemble('1: auipc a0, %pcrel_hi(x)\nnop\nld a1, %pcrel_lo(1b)(a0)\n.equ x, 0x80000ffc');
		expect(words(program)).toEqual(['auipc a0,0x1', 'addi zero,zero,0', 'ld a1,-4(a0)']);
	});
});

describe('asm', () => {
	test('takes numbers, bigints and strings, also negative ones', () => {
		const program = asm`
			li a0, ${-5} + ${2}
			ld a1, ${-8}(sp)
			li a2, ${0x1234_5678_9abcn}
			${'mv'} a3, ${'a4'}
			.ascii "tab\t"
		`;
		expect(words(program).slice(0, 2)).toEqual(['addi a0,zero,-3', 'ld a1,-8(sp)']);
		expect(words(program)).toContain('addi a3,a4,0');
		expect([...program.bytes.slice(-4)]).toEqual([0x74, 0x61, 0x62, 9]);
		expect(asmWith({ base: 0x40n })`x: j ${'x'}`.symbols.get('x')).toBe(0x40n);
		expect(() => asm`li a0, ${1.5}`).toThrow(RangeError);
	});
});

describe('errors say where, what and why', () => {
	test.each([
		['frob a0', 1, 1, /frob: no such instruction/],
		['nop\n  addi a0, a1, 4096', 2, 16, /addi: the value 4096: it must be from -2048 to 2047/],
		['addi a0, a1', 1, 1, /addi: 2 operands cannot be right; it is written addi rd, rs1, imm/],
		['addi a0, fa1, 1', 1, 10, /an integer register is expected here/],
		['fadd.s fa0, fa1, a2', 1, 18, /a floating-point register is expected here/],
		['add a0, a1, a2, a3', 1, 17, /4 operands cannot be right/],
		['j nowhere', 1, 3, /nowhere: the symbol is not defined/],
		['x: nop\nx: nop', 2, 1, /x: the label is already defined/],
		['x: nop\n.equ x, 1', 2, 1, /x: it is already a label/],
		['beq a0, a1, . + 4096', 1, 13, /4096 bytes away, and the reach is 4096/],
		['beq a0, a1, . + 3', 1, 13, /not a multiple of 2/],
		['j . + 0x100000', 1, 3, /use call or tail/],
		['j 1f', 1, 3, /there is no label 1 after this/],
		['1: nop; j 2b', 1, 11, /there is no label 2 before this/],
		['slli a0, a0, 64', 1, 14, /from 0 to 63/],
		['slliw a0, a0, 32', 1, 15, /from 0 to 31/],
		['lui a0, 0x100000', 1, 9, /from 0 to 1048575/],
		['csrr a0, 4096', 1, 10, /from 0 to 4095/],
		['csrwi mie, 32', 1, 12, /from 0 to 31/],
		['lr.w a0, 4(a1)', 1, 10, /from 0 to 0/],
		['lw a0, 4(5)', 1, 10, /5 cannot be the base register/],
		['fence rw, q', 1, 11, /a set of accesses/],
		['fadd.s fa0, fa1, fa2, up', 1, 23, /a rounding mode is expected/],
		['.byte 256', 1, 1, /does not fit in 8 bits/],
		['.word 1 +', 1, 9, /a number, a symbol or \( is expected/],
		['.word (1', 1, 8, /"\)" is missing/],
		['.word 1 2', 1, 9, /an operator or the end/],
		['.word 1 / 0', 1, 9, /division by zero/],
		['.word 1 << 64', 1, 9, /a shift is by 0 to 63/],
		['.word 089', 1, 7, /octal/],
		['.word %foo(1)', 1, 7, /only %hi, %lo/],
		['lui a0, %hi(0x80000000)', 1, 9, /beyond lui: use la or li/],
		['addi a0, a0, %pcrel_lo(x)\nx: nop', 1, 14, /its label must be at an instruction with %pcrel_hi/],
		['la a0, 0x200000000', 1, 1, /over 2 GiB away: use li/],
		['li a0, 0x10000000000000000', 1, 1, /does not fit in 64 bits/],
		['li fa0, 1', 1, 4, /an integer register/],
		['la a0', 1, 1, /la rd, target/],
		['.zero -1', 1, 1, /negative/],
		['.zero 0x100000000', 1, 1, /at most/],
		['.fill 1, 9, 1', 1, 10, /from 0 to 8/],
		['.align 40', 1, 1, /a power of two/],
		['.balign 3', 1, 1, /a power of two/],
		['nop\n.org 2', 2, 1, /2 bytes behind/],
		['.frob', 1, 1, /no such directive/],
		['.ascii 5', 1, 8, /a string in double quotes/],
		['.asciz "a\\q"', 1, 8, /no such escape/],
		['.equ 5, 1', 1, 6, /a symbol is expected/],
		['.option fast', 1, 9, /the options are rvc/],
		['.option pop', 1, 1, /there was no .option push/],
		['.section .x, "q"', 1, 14, /flags are a string/],
		['.section .x, "a", @frob', 1, 19, /@progbits or @nobits/],
		['nop ?', 1, 5, /no token/],
		['"x"', 1, 1, /a label, an instruction or a directive/],
		['c.addi a0, 1', 1, 1, /need .option rvc/],
		['.option rvc; c.addi a0, 32', 1, 25, /the compressed encoding cannot hold it/],
		['.option rvc; c.sub a0, t0', 1, 24, /from number 8 to 15/],
		['.option rvc; c.lwsp zero, 0(sp)', 1, 14, /reserved/],
		['.option rvc; c.lui sp, 1', 1, 14, /reserved/],
		['.equ a, b; .equ b, a + 1; nop', 1, 1, /layout|not settle|still move/],
	])('%j', (source, line, column, message) => {
		const error = errorOf(source);
		expect(error.message).toMatch(message);
		expect({ line: error.line, column: error.column }).toEqual({ line, column });
		expect(error.message).toBe(`line ${line}, column ${column}: ${error.what}: ${error.why}`);
	});

	test('sections that overlap, or are too far apart for one image', () => {
		const source = 'nop\n.data\n.word 1';
		expect(() => assemble(source, { sections: { '.data': 0x8000_0002n } })).toThrow(/section .text: it ends at/);
		expect(() => assemble(source, { sections: { '.data': 0n } })).toThrow(/a flat image is at most/);
	});

	test('deeply nested and very long expressions are refused, not run out of stack', () => {
		expect(errorOf(`.word 1${' + 1'.repeat(100_000)}`).why).toMatch(/at most 1000 operators/);
		expect(errorOf(`.word ${'('.repeat(100_000)}1`).why).toMatch(/nested too deeply/);
		expect(errorOf(`.word ${'-'.repeat(100_000)}1`).why).toMatch(/nested too deeply/);
	});
});
