/**
 * The passes: statements to bytes, again and again until no label moves. The first error of the pass in which
 * everything has settled is the one that is thrown; until then values may be wrong just because they are not
 * final.
 */

import { I_TYPE, insertImmediate, S_TYPE } from '../immediates.ts';
import { AssemblyError, type Place } from './assembly-error.ts';
import { loadConstant } from './constant.ts';
import type { Directive, SectionFlags } from './directives.ts';
import { defaultFlags } from './directives.ts';
import { compress, encode, isCompressible, isTarget } from './encode.ts';
import { type Expression, evaluate, fitsHighLow, highPart, lowPart, type Scope } from './expression.ts';
import type { PreparedInstruction } from './operands.ts';
import { SectionBuffer } from './section-buffer.ts';
import type { PcRelativePair, Statement } from './statements.ts';

/** A symbol's value in a pass. */
export interface SymbolValue {
	/** Address or number. */
	readonly value: bigint;
	/** Name of the section of a label. */
	readonly section: string | undefined;
}

/** Where sections go. */
export interface Placement {
	/** Address of the first section that `sections` does not place. */
	readonly base: bigint;
	/** Addresses of sections by name. */
	readonly sections: Readonly<Record<string, bigint>>;
}

const MOST_PASSES = 100;
/** In so many passes all branches and jumps that could be compressed are taken to be in reach. */
const OPTIMISTIC_PASSES = 2;
const NOP = 0x13;
const COMPRESSED_NOP = 0x0001;
/** No program's section is larger: what asks for more is a mistake. */
const MOST_BYTES = 1n << 28n;
/** A section that follows another one starts at a multiple of this, so that data which it aligns is aligned. */
const SECTION_ALIGNMENT = 16;

/** Assembles statements; afterwards the fields hold the result. */
export class Passes {
	/** Sections in the order of their first mention. */
	readonly sections: Map<string, SectionBuffer> = new Map();
	/** Labels and assigned symbols. */
	symbols: Map<string, SymbolValue> = new Map();
	/** Declared with `.globl`. */
	readonly globals: Set<string> = new Set();
	/** As `.type` says. */
	readonly types: Map<string, 'function' | 'object'> = new Map();
	/** As `.size` says. */
	readonly sizes: Map<string, bigint> = new Map();

	readonly #statements: readonly Statement[];
	readonly #placement: Placement;
	/** Instructions that were found too far from their target to be compressed: they stay long. */
	readonly #long = new Set<PreparedInstruction>();
	/** The largest length, in instructions, that each `li` has had. */
	readonly #constants = new Map<Statement, number>();
	#previous: Map<string, SymbolValue> = new Map();
	#previousHighs = new Map<bigint, bigint>();
	#highs = new Map<bigint, bigint>();
	#current: SectionBuffer;
	#compressing = false;
	#optionStack: boolean[] = [];
	#error: AssemblyError | undefined;
	/** An undefined symbol was met in the statement at hand. */
	#unknown = false;
	/** The pass has changed something that the next one builds on, so another one must follow. */
	#changed = false;
	#passNumber = 0;

	constructor(statements: readonly Statement[], placement: Placement) {
		this.#statements = statements;
		this.#placement = placement;
		this.#current = this.#section('.text', defaultFlags('.text'));
	}

	/** @throws AssemblyError */
	run(): void {
		for (this.#passNumber = 0; this.#passNumber < MOST_PASSES; this.#passNumber++) {
			this.#pass();
			this.#place();
			if (this.#settled()) {
				if (this.#error) throw this.#error;
				return;
			}
		}
		const place = this.#statements[0]?.place ?? { line: 1, column: 1 };
		throw this.#error ?? new AssemblyError(place, 'layout', `addresses still move after ${MOST_PASSES} passes`);
	}

	#pass(): void {
		this.#previous = this.symbols;
		this.#previousHighs = this.#highs;
		this.symbols = new Map();
		this.#highs = new Map();
		this.#error = undefined;
		this.#changed = false;
		this.#compressing = false;
		this.#optionStack = [];
		for (const section of this.sections.values()) section.clear();
		this.#current = this.sections.get('.text')!;
		for (const statement of this.#statements) {
			this.#unknown = false;
			try {
				this.#statement(statement);
			} catch (error) {
				if (!(error instanceof AssemblyError)) throw error;
				this.#error ??= error;
			}
		}
	}

	/** Gives each section its address, from the lengths of this pass. */
	#place(): void {
		let next = this.#placement.base;
		const rank = ({ flags, name }: SectionBuffer) =>
			flags.executable ? 0 : flags.nobits ? 3 : name === '.rodata' ? 1 : 2;
		for (const section of [...this.sections.values()].sort((a, b) => rank(a) - rank(b))) {
			if (section.length === 0 && section.name !== '.text') continue;
			const given = Object.hasOwn(this.#placement.sections, section.name)
				? this.#placement.sections[section.name]
				: undefined;
			const multiple = BigInt(Math.max(section.alignment, SECTION_ALIGNMENT));
			const address = given ?? (next === this.#placement.base ? next : ((next + multiple - 1n) / multiple) * multiple);
			if (address !== section.address) this.#changed = true;
			section.address = address;
			if (given === undefined) next = address + BigInt(section.length);
		}
	}

	#settled(): boolean {
		if (this.#changed || this.symbols.size !== this.#previous.size) return false;
		for (const [name, { value }] of this.symbols) {
			if (this.#previous.get(name)?.value !== value) return false;
		}
		for (const [address, offset] of this.#highs) {
			if (this.#previousHighs.get(address) !== offset) return false;
		}
		return true;
	}

	#section(name: string, flags: SectionFlags): SectionBuffer {
		let section = this.sections.get(name);
		if (!section) {
			section = new SectionBuffer(name, flags);
			this.sections.set(name, section);
		}
		return section;
	}

	#scope(): Scope {
		return {
			here: this.#current.here,
			symbol: (name, place) => {
				const known = this.symbols.get(name) ?? this.#previous.get(name);
				if (known) return known.value;
				this.#unknown = true;
				this.#error ??= new AssemblyError(place, name, 'the symbol is not defined');
				return 0n;
			},
			pcrelAt: (address, place) => {
				const offset = this.#highs.get(address) ?? this.#previousHighs.get(address);
				if (offset !== undefined) return offset;
				this.#error ??= new AssemblyError(place, '%pcrel_lo', 'its label must be at an instruction with %pcrel_hi');
				return 0n;
			},
		};
	}

	#evaluate(expression: Expression): bigint {
		return evaluate(expression, this.#scope());
	}

	#statement(statement: Statement): void {
		switch (statement.kind) {
			case 'label':
				this.#define(statement.name, this.#current.here, this.#current.name, statement.place);
				break;
			case 'instruction':
				this.#instruction(statement.instruction);
				break;
			case 'load-constant':
				this.#loadConstant(statement);
				break;
			case 'pc-relative':
				this.#pcRelative(statement.pair, statement.place);
				break;
			default:
				this.#directive(statement);
		}
	}

	#define(name: string, value: bigint, section: string, place: Place): void {
		if (this.symbols.has(name)) throw new AssemblyError(place, name, 'the label is already defined');
		this.symbols.set(name, { value: BigInt.asUintN(64, value), section });
	}

	#word(bits: number): void {
		const half = this.#compressing ? compress(bits) : undefined;
		if (half === undefined) this.#current.number(bits, 4);
		else this.#current.number(half, 2);
	}

	#instruction(instruction: PreparedInstruction): void {
		const reserved = this.#current.length + (instruction.compressed ? 2 : 4);
		try {
			const shrinkable = this.#compressing && isCompressible(instruction) && !this.#long.has(instruction);
			if (shrinkable && this.#passNumber < OPTIMISTIC_PASSES && instruction.immediates.some(isTarget)) {
				// Until the sections have their places, every target counts as near.
				this.#changed = true;
				this.#current.number(compress(instruction.bits) ?? instruction.bits, compress(instruction.bits) ? 2 : 4);
				return;
			}
			const scope = this.#scope();
			this.#recordHigh(instruction, scope);
			const { bits, length } = encode(instruction, scope);
			if (length === 2 && !this.#compressing) {
				throw new AssemblyError(instruction.place, instruction.mnemonic, 'compressed instructions need .option rvc');
			}
			if (shrinkable) {
				// unimp is the one instruction whose short form does not expand to its long one.
				const half = instruction.mnemonic === 'unimp' ? 0 : compress(bits);
				if (half !== undefined) {
					this.#current.number(half, 2);
					return;
				}
				// From here on it stays long, so that passes can only lengthen the code, and come to an end.
				if (instruction.immediates.some(isTarget)) this.#long.add(instruction);
			}
			this.#current.number(bits, length);
		} catch (error) {
			// The space is kept, so that the errors of later statements are their own.
			this.#current.repeat(0, reserved - this.#current.length);
			throw error;
		}
	}

	#recordHigh(instruction: PreparedInstruction, scope: Scope): void {
		for (const { value } of instruction.immediates) {
			if (value.kind !== 'unary' || value.operator !== '%pcrel_hi') continue;
			this.#highs.set(scope.here, evaluate(value.value, scope) - scope.here);
		}
	}

	#loadConstant(statement: Extract<Statement, { kind: 'load-constant' }>): void {
		const value = this.#evaluate(statement.value);
		if (value < -(1n << 63n) || value >= 1n << 64n) {
			throw new AssemblyError(statement.place, `li: the value ${value}`, 'it does not fit in 64 bits');
		}
		const words = loadConstant(statement.rd, this.#unknown ? 0n : value);
		const least = this.#constants.get(statement) ?? 0;
		while (words.length < least) words.push(NOP);
		if (!this.#unknown) this.#constants.set(statement, words.length);
		for (const word of words) this.#word(word);
	}

	#pcRelative({ high, low, store, target }: PcRelativePair, place: Place): void {
		const { here } = this.#current;
		const value = this.#evaluate(target);
		const offset = this.#unknown ? 0n : BigInt.asIntN(64, value - here);
		const fits = fitsHighLow(offset);
		this.#current.number(high | (fits ? Number(highPart(offset)) << 12 : 0), 4);
		this.#current.number(low | insertImmediate(Number(lowPart(offset)), store ? S_TYPE : I_TYPE), 4);
		if (fits) return;
		const text = `the target 0x${BigInt.asUintN(64, value).toString(16)}`;
		throw new AssemblyError(place, text, 'it is over 2 GiB away: use li');
	}

	#directive(directive: Directive): void {
		const { place } = directive;
		switch (directive.kind) {
			case 'assign':
				this.#assign(directive.name, this.#evaluate(directive.value), place);
				break;
			case 'data':
				for (const value of directive.values) this.#data(this.#evaluate(value), directive.size, place);
				break;
			case 'bytes':
				this.#current.append(directive.bytes);
				break;
			case 'fill':
				this.#fill(this.#evaluate(directive.count), directive.size, this.#evaluate(directive.value), place);
				break;
			case 'align':
				this.#align(directive);
				break;
			case 'origin': {
				const gap = this.#evaluate(directive.to) - BigInt(this.#current.length);
				if (gap < 0n) throw new AssemblyError(place, '.org', `it is ${-gap} bytes behind the present offset`);
				this.#fill(gap, 1, this.#evaluate(directive.fill), place);
				break;
			}
			case 'section':
				this.#current = this.#section(directive.name, directive.flags);
				break;
			case 'global':
				this.globals.add(directive.name);
				break;
			case 'type':
				this.types.set(directive.name, directive.type);
				break;
			case 'size':
				this.sizes.set(directive.name, this.#evaluate(directive.size));
				break;
			case 'option':
				this.#option(directive.option, place);
		}
	}

	#assign(name: string, value: bigint, place: Place): void {
		if (this.symbols.get(name)?.section !== undefined) throw new AssemblyError(place, name, 'it is already a label');
		this.symbols.set(name, { value: BigInt.asIntN(65, value), section: undefined });
	}

	#option(option: string, place: Place): void {
		if (option === 'push') {
			this.#optionStack.push(this.#compressing);
		} else if (option === 'pop') {
			const saved = this.#optionStack.pop();
			if (saved === undefined) throw new AssemblyError(place, '.option pop', 'there was no .option push');
			this.#compressing = saved;
		} else if (option === 'rvc' || option === 'norvc') {
			this.#compressing = option === 'rvc';
		}
	}

	#data(value: bigint, size: number, place: Place): void {
		const bits = BigInt(8 * size);
		this.#current.number(value, size);
		if (value >= -(1n << (bits - 1n)) && value < 1n << bits) return;
		throw new AssemblyError(place, `the value ${value}`, `it does not fit in ${bits} bits`);
	}

	#fill(count: bigint, size: number, value: bigint, place: Place): void {
		if (count < 0n) throw new AssemblyError(place, 'size', `${count} is negative`);
		if (count * BigInt(size) + BigInt(this.#current.length) > MOST_BYTES) {
			throw new AssemblyError(place, 'size', `a section is at most ${MOST_BYTES} bytes`);
		}
		if (size <= 1) this.#current.repeat(Number(value & 0xffn), Number(count) * size);
		else for (let i = 0n; i < count; i++) this.#current.number(value, size);
	}

	#align({ fill, place, power, to }: Extract<Directive, { kind: 'align' }>): void {
		const asked = this.#evaluate(to);
		const most = 1n << 20n;
		const alignment = power ? (asked >= 0n && asked <= 20n ? 1n << asked : 0n) : asked === 0n ? 1n : asked;
		if (alignment < 1n || alignment > most || (alignment & (alignment - 1n)) !== 0n) {
			throw new AssemblyError(place, `the alignment ${asked}`, `it must give a power of two up to ${most} bytes`);
		}
		const section = this.#current;
		section.alignment = Math.max(section.alignment, Number(alignment));
		let gap = Number((alignment - (BigInt(section.length) % alignment)) % alignment);
		if (fill !== undefined || !section.flags.executable) {
			section.repeat(fill === undefined ? 0 : Number(this.#evaluate(fill) & 0xffn), gap);
			return;
		}
		// Code is padded with instructions, after bytes that no instruction can follow.
		section.repeat(0, gap % 2);
		gap -= gap % 2;
		if (gap % 4 === 2) {
			if (this.#compressing) section.number(COMPRESSED_NOP, 2);
			else section.repeat(0, 2);
		}
		for (; gap >= 4; gap -= 4) section.number(NOP, 4);
	}
}
