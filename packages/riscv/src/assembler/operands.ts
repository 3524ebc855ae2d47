/**
 * One instruction with its operands: from tokens to an encoding whose immediates are still expressions.
 * Mnemonics are looked up in the instruction table, the aliases and the compressed table; a name may have
 * several forms, and the first whose operands fit is taken.
 */

import { aliases } from '../aliases.ts';
import { type CompressedRow, compressedInstructions } from '../compressed.ts';
import { csrNumber } from '../csr.ts';
import { immediateKind } from '../immediates.ts';
import { instructions } from '../instructions.ts';
import { floatRegister, integerRegister, roundingModes } from '../registers.ts';
import { AssemblyError, type Place } from './assembly-error.ts';
import { type Expression, ExpressionParser } from './expression.ts';
import type { Token } from './lexer.ts';

/** An immediate operand: its expression, and the field that it goes to. */
export interface ImmediateOperand {
	/** The operand's name in the format: `imm`, `branch`, `csr`, …. */
	readonly field: string;
	/** Its value. */
	readonly value: Expression;
	/** Where it stands. */
	readonly place: Place;
}

/** An instruction whose registers are encoded. */
export interface PreparedInstruction {
	/** The mnemonic as written, for messages. */
	readonly mnemonic: string;
	/** Where it stands. */
	readonly place: Place;
	/** The word or halfword without its immediates. */
	readonly bits: number;
	/** The kind of immediate (see `immediates.ts`) that `imm`, `shamt…`, `uimm20`, `branch` and `jump` mean. */
	readonly kind: number;
	/** Immediates that are still to be inserted. */
	readonly immediates: readonly ImmediateOperand[];
	/** The row, if the instruction is a compressed one. */
	readonly compressed?: CompressedRow;
}

/** One way to write a mnemonic. */
interface Form {
	readonly bits: number;
	readonly format: string;
	readonly kind: number;
	readonly compressed?: CompressedRow;
}

const forms: ReadonlyMap<string, readonly Form[]> = /* @__PURE__ */ collectForms();

function collectForms(): Map<string, Form[]> {
	const all = new Map<string, Form[]>();
	const add = (name: string, form: Form) => {
		const list = all.get(name);
		if (list) list.push(form);
		else all.set(name, [form]);
	};
	for (const { extension, format, match, name } of instructions) {
		const kind = immediateKind(format);
		if (extension !== 'A') {
			add(name, { bits: match, format, kind });
			continue;
		}
		['', '.rl', '.aq', '.aqrl'].forEach((suffix, aqrl) => {
			add(name + suffix, { bits: match | (aqrl << 25), format, kind });
		});
	}
	for (const { base, format, match, name } of aliases) {
		const { format: baseFormat } = instructions.find((row) => row.name === base)!;
		add(name, { bits: match, format, kind: immediateKind(baseFormat) });
	}
	for (const row of compressedInstructions) {
		add(row.name, { bits: row.match, format: row.format, kind: 0, compressed: row });
	}
	add('c.unimp', { bits: 0, format: '', kind: 0, compressed: compressedInstructions[0]! });
	return all;
}

/** Whether any instruction or alias has this name. */
export function isMnemonic(name: string): boolean {
	return forms.has(name);
}

/** What {@link prepareInstruction} needs from its surroundings. */
export interface OperandContext {
	/** The symbol that a reference such as `1b` stands for. */
	localName(reference: Token): string;
}

/**
 * Encodes an instruction's registers and parses its immediates.
 *
 * @param mnemonic - its token
 * @param operands - the tokens of each operand, split at the commas
 * @throws AssemblyError if no form of the mnemonic takes these operands
 */
export function prepareInstruction(
	mnemonic: Token,
	operands: readonly (readonly Token[])[],
	context: OperandContext,
): PreparedInstruction {
	const candidates = forms.get(mnemonic.text);
	if (!candidates)
		throw new AssemblyError(mnemonic, mnemonic.text, 'no such instruction, pseudo-instruction or directive');
	let closest: Mismatch | undefined;
	for (const form of candidates) {
		const result = tryForm(form, mnemonic, operands, context);
		if (!(result instanceof Mismatch)) return result;
		if (closest === undefined || result.depth > closest.depth) closest = result;
	}
	const syntax = [
		...new Set(candidates.map(({ format }) => `${mnemonic.text} ${format.replaceAll(',', ', ')}`.trim())),
	];
	throw new AssemblyError(
		closest?.place ?? mnemonic,
		mnemonic.text,
		`${closest?.why}; it is written ${syntax.join(', or ')}`,
	);
}

class Mismatch {
	readonly place: Place;
	readonly why: string;
	/** How many operands did match. */
	readonly depth: number;

	constructor(place: Place, why: string, depth: number) {
		this.place = place;
		this.why = why;
		this.depth = depth;
	}
}

function tryForm(
	form: Form,
	mnemonic: Token,
	operands: readonly (readonly Token[])[],
	context: OperandContext,
): PreparedInstruction | Mismatch {
	const wanted = form.format === '' ? [] : form.format.split(',');
	const last = wanted.at(-1);
	let bits = form.bits;
	const hasRounding = last === 'rm' || last === 'rm0';
	if (hasRounding && operands.length === wanted.length - 1) {
		wanted.pop();
		if (last === 'rm') bits |= 7 << 12;
	}
	if (operands.length !== wanted.length) {
		const count = `${operands.length} operand${operands.length === 1 ? '' : 's'}`;
		return new Mismatch(operands[wanted.length]?.[0] ?? mnemonic, `${count} cannot be right`, -1);
	}
	const immediates: ImmediateOperand[] = [];
	for (let i = 0; i < wanted.length; i++) {
		const tokens = operands[i]!;
		const place: Place = tokens[0] ?? mnemonic;
		const memory = /^(imm|)\((.*)\)$/.exec(wanted[i]!);
		let field = wanted[i]!;
		let valueTokens = tokens;
		if (memory) {
			const [open, register, close] = tokens.slice(-3);
			if (open?.text !== '(' || close?.text !== ')' || !register) {
				return new Mismatch(place, 'a register in parentheses is expected here', i);
			}
			const base = encodeRegister(memory[2]!, register);
			if (base === undefined) return new Mismatch(register, `${register.text} cannot be the base register`, i);
			bits |= base;
			valueTokens = tokens.slice(0, -3);
			field = memory[1] === '' ? 'zero' : 'imm';
			if (valueTokens.length === 0) continue;
		} else {
			const encoded = encodeNamed(field, tokens, form.compressed !== undefined);
			if (typeof encoded === 'number') {
				bits |= encoded;
				continue;
			}
			if (encoded !== undefined) return new Mismatch(place, encoded, i);
		}
		const only = valueTokens.length === 1 ? valueTokens[0]! : undefined;
		if (only?.kind === 'name' && (integerRegister(only.text) ?? floatRegister(only.text)) !== undefined) {
			return new Mismatch(only, `${only.text} is a register where a value is expected`, i);
		}
		const value = new ExpressionParser(valueTokens, context.localName, place).parse();
		immediates.push({ field, value, place });
	}
	const { compressed, kind } = form;
	const prepared = { mnemonic: mnemonic.text, place: mnemonic, bits: bits | 0, kind, immediates };
	return compressed ? { ...prepared, compressed } : prepared;
}

/** Bits of an operand that is a name; a reason if it is none; undefined if the operand is an expression. */
function encodeNamed(field: string, tokens: readonly Token[], compressed: boolean): number | string | undefined {
	const name = tokens.length === 1 ? tokens[0]!.text : '';
	switch (field) {
		case 'csr': {
			const number = csrNumber(name);
			return number === undefined ? undefined : number << 20;
		}
		case 'rm':
		case 'rm0': {
			const mode = roundingModes.indexOf(name);
			return mode < 0 ? 'a rounding mode is expected here: rne, rtz, rdn, rup, rmm or dyn' : mode << 12;
		}
		case 'pred':
		case 'succ': {
			const bits = accessBits(name);
			if (bits === undefined) return 'a set of accesses is expected here, such as rw or iorw';
			return bits << (field === 'pred' ? 24 : 20);
		}
	}
	if (!/^([rf][ds]|sp$)/.test(field)) return undefined;
	const bits = tokens.length === 1 ? encodeRegister(field, tokens[0]!, compressed) : undefined;
	return bits ?? `${registerKind(field)} is expected here`;
}

function registerKind(field: string): string {
	if (field === 'sp') return 'sp';
	const kind = field.startsWith('f') ? 'a floating-point register' : 'an integer register';
	return field.endsWith("'") ? `${kind} from number 8 to 15` : kind;
}

/** The bits of a register operand; undefined if the token is no such register. */
function encodeRegister(
	field: string,
	token: Token,
	compressed = field.endsWith("'") || field === 'sp',
): number | undefined {
	if (token.kind !== 'name') return undefined;
	const number = field.startsWith('f') ? floatRegister(token.text) : integerRegister(token.text);
	if (number === undefined) return undefined;
	if (field === 'sp') return number === 2 ? 0 : undefined;
	if (field.endsWith("'")) {
		if (number < 8 || number > 15) return undefined;
		return (number - 8) << (field === "rs1'" || field === "rds'" ? 7 : 2);
	}
	if (compressed) return number << (field === 'rs2' || field === 'fs2' ? 2 : 7);
	switch (field.slice(1)) {
		case 'd':
			return number << 7;
		case 's1':
			return number << 15;
		case 's2':
			return number << 20;
		case 's3':
			return number << 27;
		default:
			// `fs`: one register in the places of both sources.
			return (number << 15) | (number << 20);
	}
}

function accessBits(text: string): number | undefined {
	if (text === '0') return 0;
	if (!/^i?o?r?w?$/.test(text) || text === '') return undefined;
	return [...'iorw'].reduce((bits, letter, index) => bits | (text.includes(letter) ? 8 >> index : 0), 0);
}
