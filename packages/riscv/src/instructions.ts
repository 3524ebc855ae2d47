/**
 * The one instruction table: names, encodings and operand formats of every 32-bit instruction that this
 * package knows. Decoder, assembler and disassembler are all derived from it; what an instruction does is
 * not said here. Compressed instructions are a table of their own (`compressed.ts`).
 *
 * Source: The RISC-V Instruction Set Manual, Volumes I and II (20240411). Names are those of GNU as.
 */

import { atomicRows } from './rows-atomic.ts';
import { bitmanipRows } from './rows-bitmanip.ts';
import { floatRows } from './rows-float.ts';
import { integerRows } from './rows-integer.ts';
import { privilegedRows } from './rows-privileged.ts';

/**
 * Operands of an instruction, in the order and punctuation of GNU assembly syntax:
 *
 * - `rd`, `rs1`, `rs2`: integer registers; `fd`, `fs1`, `fs2`, `fs3`: floating-point registers.
 * - `rm`: rounding mode, dynamic when it is not written; `rm0`: the same field of a conversion that is
 *   always exact, RNE when it is not written.
 * - `imm`: signed 12 bits, I-type, or S-type where the format has `rs2`; `shamt5`, `shamt6`: shift amounts;
 *   `uimm20`: the upper 20 bits of a U-type immediate; `uimm5`: the CSR instructions' immediate, in rs1's place.
 * - `branch`, `jump`: pc-relative targets of B-type and J-type.
 * - `csr`: bits 31:20; `pred`, `succ`: a fence's access sets.
 */
export type Format =
	| ''
	| '(rs1)'
	| 'fd,fs1,fs2'
	| 'fd,fs1,fs2,fs3,rm'
	| 'fd,fs1,fs2,rm'
	| 'fd,fs1,rm'
	| 'fd,fs1,rm0'
	| 'fd,imm(rs1)'
	| 'fd,rs1'
	| 'fd,rs1,rm'
	| 'fd,rs1,rm0'
	| 'fs2,imm(rs1)'
	| 'pred,succ'
	| 'rd,(rs1)'
	| 'rd,csr,rs1'
	| 'rd,csr,uimm5'
	| 'rd,fs1'
	| 'rd,fs1,fs2'
	| 'rd,fs1,rm'
	| 'rd,imm(rs1)'
	| 'rd,jump'
	| 'rd,rs1'
	| 'rd,rs1,imm'
	| 'rd,rs1,rs2'
	| 'rd,rs1,shamt5'
	| 'rd,rs1,shamt6'
	| 'rd,rs2,(rs1)'
	| 'rd,uimm20'
	| 'rs1,rs2'
	| 'rs1,rs2,branch'
	| 'rs2,(rs1)'
	| 'rs2,imm(rs1)';

/** The extension that defines an instruction. `Priv` is the privileged architecture without H and Svinval. */
export type Extension =
	| 'A'
	| 'D'
	| 'F'
	| 'H'
	| 'I'
	| 'M'
	| 'Priv'
	| 'Svinval'
	| 'Zba'
	| 'Zbb'
	| 'Zbc'
	| 'Zbs'
	| 'Zicbom'
	| 'Zicboz'
	| 'Zicond'
	| 'Zicsr'
	| 'Zifencei'
	| 'Zihintpause';

/** The name of an instruction, as a union of literals: a record over it is checked for completeness. */
export type Mnemonic =
	| (typeof integerRows)[number]['name']
	| (typeof atomicRows)[number]['name']
	| (typeof floatRows)[number]['name']
	| (typeof bitmanipRows)[number]['name']
	| (typeof privilegedRows)[number]['name'];

/** One row of the instruction table. */
export interface Row {
	/** GNU mnemonic, without the `.aq` and `.rl` suffixes, which are operands. */
	readonly name: Mnemonic;
	/** Value of the fixed bits, as an unsigned 32-bit number. */
	readonly match: number;
	/** The fixed bits, as an unsigned 32-bit number: a word is this instruction if `(word & mask) === match`. */
	readonly mask: number;
	/** Operands, which say where the other bits go. */
	readonly format: Format;
	/** The extension that defines it. */
	readonly extension: Extension;
}

/**
 * Every 32-bit instruction. A row's place is its index in {@link Decoded}, and is the same for one version
 * of this package only. Where a word matches two rows (`pause` is a `fence`), the larger mask wins.
 */
export const instructions: readonly Row[] = [
	...integerRows,
	...atomicRows,
	...floatRows,
	...bitmanipRows,
	...privilegedRows,
];

/** The place of each instruction in {@link instructions}. */
export const instructionIndex: Readonly<Record<Mnemonic, number>> = /* @__PURE__ */ indexByName();

function indexByName(): Record<Mnemonic, number> {
	return Object.fromEntries(instructions.map((row, index) => [row.name, index])) as Record<Mnemonic, number>;
}

/**
 * The row of a mnemonic.
 *
 * @param name - a mnemonic as in {@link Row.name}; any other string gives `undefined`
 */
export function findInstruction(name: string): Row | undefined {
	return Object.hasOwn(instructionIndex, name) ? instructions[instructionIndex[name as Mnemonic]] : undefined;
}
