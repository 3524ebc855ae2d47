/**
 * The last step of an instruction: evaluated immediates into the bits, with their ranges checked; and, under
 * `.option rvc`, the choice of a compressed encoding.
 */

import {
	type CompressedRow,
	compressedInstructions,
	expandCompressed,
	findCompressed,
	insertCompressedImmediate,
	isHint,
} from '../compressed.ts';
import { B_TYPE, I_TYPE, insertImmediate, S_TYPE, SHAMT5, SHAMT6, U_TYPE } from '../immediates.ts';
import { AssemblyError } from './assembly-error.ts';
import { evaluate, isConstant, type Scope } from './expression.ts';
import type { ImmediateOperand, PreparedInstruction } from './operands.ts';

/** An encoded instruction: its bits and its length in bytes. */
export interface Encoded {
	/** The word, or the halfword in the low 16 bits. */
	readonly bits: number;
	/** 2 or 4. */
	readonly length: 2 | 4;
}

/**
 * Inserts the immediates.
 *
 * @throws AssemblyError if a value is out of its field's range
 */
export function encode(instruction: PreparedInstruction, scope: Scope): Encoded {
	if (instruction.compressed) return { bits: encodeCompressed(instruction, instruction.compressed, scope), length: 2 };
	let { bits } = instruction;
	for (const immediate of instruction.immediates) {
		bits |= field(instruction, immediate, signedValue(immediate, scope), scope.here);
	}
	return { bits, length: 4 };
}

/** An immediate's value; 64-bit patterns from 2^63 on are negative numbers. */
function signedValue({ value: expression }: ImmediateOperand, scope: Scope): bigint {
	const value = evaluate(expression, scope);
	return value >= 1n << 63n && value < 1n << 64n ? value - (1n << 64n) : value;
}

function field(instruction: PreparedInstruction, immediate: ImmediateOperand, value: bigint, here: bigint): number {
	const check = (low: bigint, high: bigint, multiple = 1n): number => {
		if (value >= low && value <= high && value % multiple === 0n) return Number(value);
		const even = multiple === 1n ? '' : `, and a multiple of ${multiple}`;
		throw outOfRange(instruction, immediate, value, `it must be from ${low} to ${high}${even}`);
	};
	const { kind } = instruction;
	switch (immediate.field) {
		case 'zero':
			return check(0n, 0n);
		case 'csr':
			return check(0n, 4095n) << 20;
		case 'uimm5':
			return check(0n, 31n) << 15;
		case 'branch':
		case 'jump':
			return insertImmediate(targetOffset(instruction, immediate, value, here), kind);
	}
	switch (kind) {
		case SHAMT5:
			return insertImmediate(check(0n, 31n), kind);
		case SHAMT6:
			return insertImmediate(check(0n, 63n), kind);
		case U_TYPE:
			return insertImmediate(check(0n, 0xf_ffffn) << 12, kind);
		default:
			return insertImmediate(check(-2048n, 2047n), kind === S_TYPE ? S_TYPE : I_TYPE);
	}
}

function targetOffset(
	instruction: PreparedInstruction,
	{ place }: ImmediateOperand,
	target: bigint,
	here: bigint,
): number {
	const reach = instruction.kind === B_TYPE ? 0x1000n : 0x10_0000n;
	const offset = BigInt.asIntN(64, target - here);
	const what = `${instruction.mnemonic}: the target 0x${BigInt.asUintN(64, target).toString(16)}`;
	if (offset % 2n !== 0n) throw new AssemblyError(place, what, 'it is not a multiple of 2');
	if (offset < -reach || offset >= reach) {
		const advice = instruction.kind === B_TYPE ? 'use the opposite branch over a j' : 'use call or tail';
		throw new AssemblyError(place, what, `it is ${offset} bytes away, and the reach is ${reach}: ${advice}`);
	}
	return Number(offset);
}

function outOfRange({ mnemonic }: PreparedInstruction, { place }: ImmediateOperand, value: bigint, why: string) {
	return new AssemblyError(place, `${mnemonic}: the value ${value}`, why);
}

function encodeCompressed(instruction: PreparedInstruction, row: CompressedRow, scope: Scope): number {
	// The defined illegal instruction.
	if (instruction.mnemonic === 'c.unimp') return 0;
	let { bits } = instruction;
	for (const immediate of instruction.immediates) {
		let value = signedValue(immediate, scope);
		if (immediate.field === 'branch' || immediate.field === 'jump') value = BigInt.asIntN(64, value - scope.here);
		// c.lui takes the upper 20 bits, of which it can hold six, sign-extended.
		if (immediate.field === 'upper') value = value > 0xf_ffffn || value < 0n ? 1n : BigInt.asIntN(32, value << 12n);
		const fits = value >= -0x8000_0000n && value < 0x8000_0000n;
		const inserted = fits ? insertCompressedImmediate(Number(value), row) : undefined;
		if (inserted === undefined)
			throw outOfRange(instruction, immediate, value, 'the compressed encoding cannot hold it');
		bits |= inserted;
	}
	if (findCompressed(bits) !== row || expandCompressed(bits) === 0) {
		throw new AssemblyError(
			instruction.place,
			instruction.mnemonic,
			'these operands are reserved in the compressed encoding',
		);
	}
	return bits;
}

/** From an expansion to the halfword that GNU as would choose for it. */
let halves: Map<number, number> | undefined;

function halfOf(word: number): number | undefined {
	if (!halves) {
		halves = new Map();
		for (const { match, mask } of compressedInstructions) {
			const free = 0xffff & ~mask;
			let subset = 0;
			do {
				const half = match | subset;
				const expansion = expandCompressed(half);
				if (expansion !== 0 && !halves.has(expansion) && !isHint(half)) halves.set(expansion, half);
				subset = (subset - free) & free;
			} while (subset !== 0);
		}
	}
	return halves.get(word >>> 0);
}

/**
 * Whether an instruction may be replaced with a compressed one: its immediates are known from the text, or are
 * a branch's or jump's target, for which the layout settles in several passes.
 */
export function isCompressible({ compressed, immediates }: PreparedInstruction): boolean {
	if (compressed) return false;
	return immediates.every((immediate) => isTarget(immediate) || isConstant(immediate.value));
}

/** Whether an immediate is the target of a branch or jump. */
export function isTarget({ field }: ImmediateOperand): boolean {
	return field === 'branch' || field === 'jump';
}

/** The halfword that does the same as a word; undefined if there is none. */
export function compress(word: number): number | undefined {
	return halfOf(word) ?? halfOf(commuted(word)) ?? halfOf(asMove(word));
}

/** `add`, `and`, `or`, `xor` and `addw` with their sources exchanged. */
function commuted(word: number): number {
	const operation = word & 0xfe00_707f;
	if (![0x33, 0x7033, 0x6033, 0x4033, 0x3b].includes(operation)) return word;
	return (word & ~0x01ff_8000) | (((word >>> 20) & 31) << 15) | (((word >>> 15) & 31) << 20);
}

/** `addi rd, rs1, 0` as `add rd, x0, rs1`, which is what c.mv expands to. */
function asMove(word: number): number {
	if ((word & 0xfff0_707f) !== 0x13) return word;
	return 0x33 | (word & 0xf80) | (((word >>> 15) & 31) << 20);
}
