/**
 * Disassembler in the syntax of GNU objdump: one instruction at a time, with pseudo-instruction names by default.
 * It keeps no context between instructions, so it does not resolve pairs such as `auipc` and `addi`.
 */

import { type Alias, aliases } from './aliases.ts';
import { compressedFields, expandCompressed, findCompressed, isHint } from './compressed.ts';
import { csrName } from './csr.ts';
import { createDecoded, type Decoded, decode } from './decoder.ts';
import { instructions, type Mnemonic } from './instructions.ts';
import { floatRegisters, integerRegisters, roundingModes } from './registers.ts';
import type { SymbolNames } from './symbol-names.ts';

/** How {@link disassemble} prints. */
export interface DisassembleOptions {
	/** Print the instructions themselves: no pseudo-instructions, and `c.*` names (objdump's `-M no-aliases`). */
	readonly noAliases?: boolean;
	/** Names for branch and jump targets, from `symbolNames`: `80000010 <loop+0x4>`. */
	readonly symbols?: SymbolNames;
}

/**
 * The length in bytes of the instruction that begins with these bits; encodings of 48 bits and more, of which
 * none is ratified, count as 4.
 */
export function instructionLength(word: number): 2 | 4 {
	return (word & 3) === 3 ? 4 : 2;
}

/**
 * Prints one instruction: the mnemonic, and, if there are operands, a tab and the operands.
 *
 * @param word - 32 bits, signed or unsigned; only the low 16 count if these are a compressed instruction
 * @param pc - the instruction's address, from which branch and jump targets follow
 * @returns an illegal encoding is printed as data, `.4byte 0x…` or `.2byte 0x…`
 */
export function disassemble(word: number, pc: bigint, options: DisassembleOptions = {}): string {
	const printer = new Printer(pc, options.symbols);
	if (instructionLength(word) === 2) return printer.half(word & 0xffff, options.noAliases ?? false);
	if (!decode(word, printer.decoded)) return `.4byte\t0x${(word >>> 0).toString(16)}`;
	return options.noAliases ? printer.instruction(word) : printer.aliased(word);
}

const aliasesByBase: ReadonlyMap<Mnemonic, readonly Alias[]> = /* @__PURE__ */ groupByBase();

function groupByBase(): Map<Mnemonic, Alias[]> {
	const groups = new Map<Mnemonic, Alias[]>();
	for (const alias of aliases) {
		if (!alias.printed) continue;
		const group = groups.get(alias.base);
		if (group) group.push(alias);
		else groups.set(alias.base, [alias]);
	}
	return groups;
}

const FENCE_TSO = 0x8330_000f | 0;

class Printer {
	readonly decoded: Decoded = createDecoded();
	readonly #pc: bigint;
	readonly #symbols: SymbolNames | undefined;

	constructor(pc: bigint, symbols: SymbolNames | undefined) {
		this.#pc = pc;
		this.#symbols = symbols;
	}

	half(half: number, noAliases: boolean): string {
		// The all-zero halfword is defined to be illegal, and has a name.
		if (half === 0) return noAliases ? 'c.unimp' : 'unimp';
		const word = expandCompressed(half);
		if (word === 0) return `.2byte\t0x${half.toString(16)}`;
		decode(word, this.decoded);
		const row = findCompressed(half)!;
		if (!noAliases && !isHint(half)) {
			return row.name === 'c.mv' ? line('mv', this.#operands('rd,rs2')) : this.aliased(word);
		}
		Object.assign(this.decoded, compressedFields(half, row));
		return line(row.name, this.#operands(row.format.replaceAll("'", '').replaceAll('rds', 'rd')));
	}

	aliased(word: number): string {
		const { decoded } = this;
		for (const { format, mask, match, name } of aliasesByBase.get(instructions[decoded.index]!.name) ?? []) {
			if ((word & mask) >>> 0 !== match) continue;
			if (format.endsWith('fs') && decoded.rs1 !== decoded.rs2) continue;
			return line(name, this.#operands(format));
		}
		return this.instruction(word);
	}

	instruction(word: number): string {
		const { extension, format, name } = instructions[this.decoded.index]!;
		// A name of its own for what the operands cannot say: fm=1000.
		if ((word | 0) === FENCE_TSO) return 'fence.tso';
		const ordering = extension === 'A' ? ['', '.rl', '.aq', '.aqrl'][(word >>> 25) & 3]! : '';
		return line(name + ordering, this.#operands(format));
	}

	/** Prints the operands of a format: each name is replaced by its value, punctuation stays. */
	#operands(format: string): string {
		return format.replaceAll(/,?rm0?|[a-z0-9]+/g, (operand) => this.#operand(operand));
	}

	#operand(operand: string): string {
		const { csr, imm, rd, rm, rs1, rs2, rs3 } = this.decoded;
		switch (operand) {
			case 'rd':
				return integerRegisters[rd]!;
			case 'rs1':
				return integerRegisters[rs1]!;
			case 'rs2':
				return integerRegisters[rs2]!;
			case 'fd':
				return floatRegisters[rd]!;
			case 'fs1':
			case 'fs':
				return floatRegisters[rs1]!;
			case 'fs2':
				return floatRegisters[rs2]!;
			case 'fs3':
				return floatRegisters[rs3]!;
			case ',rm':
				return rm === 7 ? '' : `,${roundingModes[rm] ?? 'unknown'}`;
			case ',rm0':
				return rm === 0 ? '' : `,${roundingModes[rm] ?? 'unknown'}`;
			case 'imm':
				return String(imm);
			case 'shamt':
			case 'shamt5':
			case 'shamt6':
				return `0x${imm.toString(16)}`;
			case 'uimm20':
			case 'upper':
				return `0x${(imm >>> 12).toString(16)}`;
			case 'uimm5':
				return String(rs1);
			case 'csr':
				return csrName(csr) ?? `0x${csr.toString(16)}`;
			case 'pred':
				return accessSet(imm >>> 4);
			case 'succ':
				return accessSet(imm);
			case 'branch':
			case 'jump':
				return this.#target(BigInt.asUintN(64, this.#pc + BigInt(imm)));
			default:
				return operand;
		}
	}

	#target(address: bigint): string {
		const best = this.#symbols?.nearest(address);
		if (best === undefined) return `0x${address.toString(16)}`;
		const offset = address - best.address;
		return `${address.toString(16)} <${best.name}${offset === 0n ? '' : `+0x${offset.toString(16)}`}>`;
	}
}

function line(mnemonic: string, operands: string): string {
	return operands === '' ? mnemonic : `${mnemonic}\t${operands}`;
}

/** A fence's access set: any of `iorw`. */
function accessSet(bits: number): string {
	const set = ['i', 'o', 'r', 'w'].filter((_, index) => bits & (8 >> index)).join('');
	return set === '' ? '0' : set;
}
