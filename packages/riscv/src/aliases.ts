/**
 * Pseudo-instructions that stand for one instruction with some operands fixed. The assembler accepts all of
 * them; the disassembler prints those that GNU objdump prints. Pseudo-instructions that may take more than one
 * instruction (`li`, `la`, `call`, loads from a symbol) are the assembler's own.
 *
 * Source: RISC-V Assembly Programmer's Manual, "A listing of standard RISC-V pseudoinstructions".
 */

import { csrNumbers } from './csr.ts';
import { immediateKind, insertImmediate } from './immediates.ts';
import { findInstruction, type Mnemonic } from './instructions.ts';

/** An alias of an instruction. */
export interface Alias {
	/** The alias's name, which may be another instruction's. */
	readonly name: string;
	/** The instruction that it stands for. */
	readonly base: Mnemonic;
	/**
	 * Operands in the syntax of `Format`, in the alias's own order. `fs` is one register in the places of both
	 * fs1 and fs2.
	 */
	readonly format: string;
	/** Value of the bits that the alias fixes, as an unsigned 32-bit number. */
	readonly match: number;
	/** The bits that the alias fixes, as an unsigned 32-bit number. */
	readonly mask: number;
	/** The disassembler prints it. */
	readonly printed: boolean;
}

interface Fixed {
	readonly rd?: number;
	readonly rs1?: number;
	readonly rs2?: number;
	readonly imm?: number;
	readonly csr?: number;
}

function alias(name: string, base: Mnemonic, format: string, fixed: Fixed = {}, printed = true): Alias {
	const row = findInstruction(base)!;
	let { match, mask } = row;
	const fix = (value: number | undefined, shift: number, bits: number) => {
		if (value === undefined) return;
		match |= value << shift;
		mask |= bits << shift;
	};
	fix(fixed.rd, 7, 31);
	fix(fixed.rs1, 15, 31);
	fix(fixed.rs2, 20, 31);
	fix(fixed.csr, 20, 0xfff);
	if (fixed.imm !== undefined) {
		const kind = immediateKind(row.format);
		match |= insertImmediate(fixed.imm, kind);
		mask |= insertImmediate(-1, kind);
	}
	return { name, base, format, match: match >>> 0, mask: mask >>> 0, printed };
}

function accepted(name: string, base: Mnemonic, format: string, fixed: Fixed = {}): Alias {
	return alias(name, base, format, fixed, false);
}

function build(): Alias[] {
	const { cycle, time, instret, fflags, frm, fcsr } = csrNumbers;
	const aliases = [
		alias('unimp', 'csrrw', '', { rd: 0, rs1: 0, csr: cycle }),
		alias('nop', 'addi', '', { rd: 0, rs1: 0, imm: 0 }),
		alias('li', 'addi', 'rd,imm', { rs1: 0 }),
		alias('mv', 'addi', 'rd,rs1', { imm: 0 }),
		alias('not', 'xori', 'rd,rs1', { imm: -1 }),
		alias('zext.b', 'andi', 'rd,rs1', { imm: 255 }),
		alias('seqz', 'sltiu', 'rd,rs1', { imm: 1 }),
		alias('sext.w', 'addiw', 'rd,rs1', { imm: 0 }),
		alias('zext.w', 'add.uw', 'rd,rs1', { rs2: 0 }),
		alias('neg', 'sub', 'rd,rs2', { rs1: 0 }),
		alias('negw', 'subw', 'rd,rs2', { rs1: 0 }),
		alias('snez', 'sltu', 'rd,rs2', { rs1: 0 }),
		alias('sltz', 'slt', 'rd,rs1', { rs2: 0 }),
		alias('sgtz', 'slt', 'rd,rs2', { rs1: 0 }),
		accepted('move', 'addi', 'rd,rs1', { imm: 0 }),
		accepted('sgt', 'slt', 'rd,rs2,rs1'),
		accepted('sgtu', 'sltu', 'rd,rs2,rs1'),
		alias('beqz', 'beq', 'rs1,branch', { rs2: 0 }),
		alias('bnez', 'bne', 'rs1,branch', { rs2: 0 }),
		alias('blez', 'bge', 'rs2,branch', { rs1: 0 }),
		alias('bgez', 'bge', 'rs1,branch', { rs2: 0 }),
		alias('bltz', 'blt', 'rs1,branch', { rs2: 0 }),
		alias('bgtz', 'blt', 'rs2,branch', { rs1: 0 }),
		accepted('bgt', 'blt', 'rs2,rs1,branch'),
		accepted('ble', 'bge', 'rs2,rs1,branch'),
		accepted('bgtu', 'bltu', 'rs2,rs1,branch'),
		accepted('bleu', 'bgeu', 'rs2,rs1,branch'),
		alias('j', 'jal', 'jump', { rd: 0 }),
		alias('jal', 'jal', 'jump', { rd: 1 }),
		alias('ret', 'jalr', '', { rd: 0, rs1: 1, imm: 0 }),
		alias('jr', 'jalr', 'rs1', { rd: 0, imm: 0 }),
		alias('jr', 'jalr', 'imm(rs1)', { rd: 0 }),
		accepted('jr', 'jalr', 'rs1,imm', { rd: 0 }),
		alias('jalr', 'jalr', 'rs1', { rd: 1, imm: 0 }),
		alias('jalr', 'jalr', 'imm(rs1)', { rd: 1 }),
		accepted('jalr', 'jalr', 'rs1,imm', { rd: 1 }),
		alias('jalr', 'jalr', 'rd,rs1', { imm: 0 }),
		accepted('jalr', 'jalr', 'rd,rs1,imm'),
		alias('fence', 'fence', '', { rd: 0, rs1: 0, imm: 0x0ff }),
		alias('fence.tso', 'fence', '', { rd: 0, rs1: 0, imm: 0x833 }),
		alias('rdcycle', 'csrrs', 'rd', { rs1: 0, csr: cycle }),
		alias('rdtime', 'csrrs', 'rd', { rs1: 0, csr: time }),
		alias('rdinstret', 'csrrs', 'rd', { rs1: 0, csr: instret }),
		alias('frflags', 'csrrs', 'rd', { rs1: 0, csr: fflags }),
		alias('frrm', 'csrrs', 'rd', { rs1: 0, csr: frm }),
		alias('frcsr', 'csrrs', 'rd', { rs1: 0, csr: fcsr }),
		alias('fsflags', 'csrrw', 'rs1', { rd: 0, csr: fflags }),
		alias('fsflags', 'csrrw', 'rd,rs1', { csr: fflags }),
		alias('fsrm', 'csrrw', 'rs1', { rd: 0, csr: frm }),
		alias('fsrm', 'csrrw', 'rd,rs1', { csr: frm }),
		alias('fscsr', 'csrrw', 'rs1', { rd: 0, csr: fcsr }),
		alias('fscsr', 'csrrw', 'rd,rs1', { csr: fcsr }),
		alias('fsflagsi', 'csrrwi', 'uimm5', { rd: 0, csr: fflags }),
		alias('fsflagsi', 'csrrwi', 'rd,uimm5', { csr: fflags }),
		alias('fsrmi', 'csrrwi', 'uimm5', { rd: 0, csr: frm }),
		alias('fsrmi', 'csrrwi', 'rd,uimm5', { csr: frm }),
		alias('csrr', 'csrrs', 'rd,csr', { rs1: 0 }),
		alias('csrw', 'csrrw', 'csr,rs1', { rd: 0 }),
		alias('csrs', 'csrrs', 'csr,rs1', { rd: 0 }),
		alias('csrc', 'csrrc', 'csr,rs1', { rd: 0 }),
		alias('csrwi', 'csrrwi', 'csr,uimm5', { rd: 0 }),
		alias('csrsi', 'csrrsi', 'csr,uimm5', { rd: 0 }),
		alias('csrci', 'csrrci', 'csr,uimm5', { rd: 0 }),
		accepted('csrw', 'csrrwi', 'csr,uimm5', { rd: 0 }),
		accepted('csrs', 'csrrsi', 'csr,uimm5', { rd: 0 }),
		accepted('csrc', 'csrrci', 'csr,uimm5', { rd: 0 }),
		accepted('csrrw', 'csrrwi', 'rd,csr,uimm5'),
		accepted('csrrs', 'csrrsi', 'rd,csr,uimm5'),
		accepted('csrrc', 'csrrci', 'rd,csr,uimm5'),
		accepted('fmv.x.s', 'fmv.x.w', 'rd,fs1'),
		accepted('fmv.s.x', 'fmv.w.x', 'fd,rs1'),
	];
	for (const name of ['sfence.vma', 'hfence.vvma', 'hfence.gvma'] as const) {
		aliases.push(alias(name, name, '', { rs1: 0, rs2: 0 }), alias(name, name, 'rs1', { rs2: 0 }));
	}
	for (const type of ['s', 'd'] as const) {
		aliases.push(
			alias(`fmv.${type}`, `fsgnj.${type}`, 'fd,fs'),
			alias(`fneg.${type}`, `fsgnjn.${type}`, 'fd,fs'),
			alias(`fabs.${type}`, `fsgnjx.${type}`, 'fd,fs'),
			accepted(`fgt.${type}`, `flt.${type}`, 'rd,fs2,fs1'),
			accepted(`fge.${type}`, `fle.${type}`, 'rd,fs2,fs1'),
		);
	}
	// The register form's name with an immediate: `add a0, a0, 1`.
	for (const name of [
		'add',
		'slt',
		'xor',
		'or',
		'and',
		'sll',
		'srl',
		'sra',
		'ror',
		'bclr',
		'bext',
		'binv',
		'bset',
	] as const) {
		aliases.push(accepted(name, `${name}i`, findInstruction(`${name}i`)!.format));
	}
	aliases.push(accepted('sltu', 'sltiu', 'rd,rs1,imm'));
	for (const [name, base] of [
		['addw', 'addiw'],
		['sllw', 'slliw'],
		['srlw', 'srliw'],
		['sraw', 'sraiw'],
		['rorw', 'roriw'],
	] as const) {
		aliases.push(accepted(name, base, findInstruction(base)!.format));
	}
	return aliases;
}

/** All aliases; of those that match a word, the first one is printed. */
export const aliases: readonly Alias[] = /* @__PURE__ */ build();
