/**
 * Parsing: tokens to statements, whose expressions and sizes are left to the passes. Pseudo-instructions that
 * take several instructions are expanded here, except `li`, whose length depends on its value.
 */

import { floatRegister, integerRegister } from '../registers.ts';
import { AssemblyError, type Place } from './assembly-error.ts';
import { type Directive, parseDirective } from './directives.ts';
import { type Expression, ExpressionParser } from './expression.ts';
import { type Token, tokenize } from './lexer.ts';
import { isMnemonic, type OperandContext, type PreparedInstruction, prepareInstruction } from './operands.ts';

/** One statement of a program. */
export type Statement =
	| { readonly kind: 'label'; readonly name: string; readonly place: Place }
	| { readonly kind: 'instruction'; readonly instruction: PreparedInstruction; readonly place: Place }
	| { readonly kind: 'load-constant'; readonly rd: number; readonly value: Expression; readonly place: Place }
	| { readonly kind: 'pc-relative'; readonly pair: PcRelativePair; readonly place: Place }
	| Directive;

/** `auipc` and a second instruction that adds the low part: `la`, `call`, a load or store of a symbol. */
export interface PcRelativePair {
	/** The `auipc`, without its immediate. */
	readonly high: number;
	/** The second instruction, without its immediate. */
	readonly low: number;
	/** The second instruction is a store, which has its immediate in two parts. */
	readonly store: boolean;
	/** What is addressed. */
	readonly target: Expression;
}

/** Parses a source. */
export function parseProgram(source: string): Statement[] {
	const parser = new Parser();
	for (const tokens of tokenize(source)) parser.statement(tokens);
	parser.finish();
	return parser.statements;
}

const RA = 1;
const T1 = 6;

class Parser {
	readonly statements: Statement[] = [];
	/** How often each numeric label has been defined so far. */
	readonly #numeric = new Map<string, number>();
	readonly #forward: { readonly reference: Token; readonly count: number }[] = [];

	readonly #context: OperandContext = {
		localName: (reference) => {
			const label = reference.text.slice(0, -1);
			const defined = this.#numeric.get(label) ?? 0;
			if (reference.text.endsWith('f')) {
				this.#forward.push({ reference, count: defined });
				return `${label}:${defined + 1}`;
			}
			if (defined === 0) throw new AssemblyError(reference, reference.text, `there is no label ${label} before this`);
			return `${label}:${defined}`;
		},
	};

	/** Checks what can be told only at the end. */
	finish(): void {
		for (const { count, reference } of this.#forward) {
			const label = reference.text.slice(0, -1);
			if ((this.#numeric.get(label) ?? 0) > count) continue;
			throw new AssemblyError(reference, reference.text, `there is no label ${label} after this`);
		}
	}

	statement(all: readonly Token[]): void {
		let tokens = all;
		while (tokens[1]?.text === ':' && (tokens[0]!.kind === 'name' || tokens[0]!.kind === 'number')) {
			this.#label(tokens[0]!);
			tokens = tokens.slice(2);
		}
		const [head, second] = tokens;
		if (!head) return;
		if (head.kind !== 'name')
			throw new AssemblyError(head, head.text, 'a label, an instruction or a directive is expected here');
		if (second?.text === '=') {
			const value = this.#expression(tokens.slice(2), head);
			this.statements.push({ kind: 'assign', name: head.text, value, place: head });
		} else if (head.text.startsWith('.')) {
			const expression = (operand: readonly Token[]) => this.#expression(operand, head);
			this.statements.push(...parseDirective(head, splitOperands(tokens.slice(1)), expression));
		} else {
			this.#instruction(head, splitOperands(tokens.slice(1)));
		}
	}

	#label(token: Token): void {
		let name = token.text;
		if (token.kind === 'number') {
			if (!/^[0-9]+$/.test(name)) throw new AssemblyError(token, name, 'a numeric label is decimal');
			const count = (this.#numeric.get(name) ?? 0) + 1;
			this.#numeric.set(name, count);
			name = `${name}:${count}`;
		}
		this.statements.push({ kind: 'label', name, place: token });
	}

	#expression(tokens: readonly Token[], end: Place): Expression {
		return new ExpressionParser(tokens, this.#context.localName, tokens.at(-1) ?? end).parse();
	}

	#instruction(mnemonic: Token, operands: readonly (readonly Token[])[]): void {
		if (mnemonic.text === 'li' && operands.length === 2) {
			const rd = integerOperand(operands[0]!);
			if (rd === undefined)
				throw new AssemblyError(operands[0]![0] ?? mnemonic, 'li', 'an integer register is expected here');
			const value = this.#expression(operands[1]!, mnemonic);
			this.statements.push({ kind: 'load-constant', rd, value, place: mnemonic });
			return;
		}
		const pair = this.#pcRelative(mnemonic, operands);
		if (pair) {
			this.statements.push({ kind: 'pc-relative', pair, place: mnemonic });
			return;
		}
		const instruction = prepareInstruction(mnemonic, operands, this.#context);
		this.statements.push({ kind: 'instruction', instruction, place: mnemonic });
	}

	/** The pseudo-instructions that address a symbol relative to pc; undefined if this is none of them. */
	#pcRelative(mnemonic: Token, operands: readonly (readonly Token[])[]): PcRelativePair | undefined {
		const name = mnemonic.text;
		const auipc = (register: number) => 0x17 | (register << 7);
		const jalr = (rd: number, rs1: number) => 0x67 | (rd << 7) | (rs1 << 15);
		const first = operands[0] && integerOperand(operands[0]);
		const pair = (register: number, low: number, target: number, store = false): PcRelativePair => ({
			high: auipc(register),
			low,
			store,
			target: this.#expression(operands[target]!, mnemonic),
		});
		if (name === 'call' && operands.length === 1) return pair(RA, jalr(RA, RA), 0);
		if (name === 'tail' && operands.length === 1) return pair(T1, jalr(0, T1), 0);
		if (operands.length === 2) {
			const second = integerOperand(operands[1]!);
			if (name === 'call' && first !== undefined) return pair(first, jalr(first, first), 1);
			if (name === 'jump' && second !== undefined) return pair(second, jalr(0, second), 0);
			if ((name === 'la' || name === 'lla') && first !== undefined) {
				return pair(first, 0x13 | (first << 7) | (first << 15), 1);
			}
		}
		if (['call', 'tail', 'jump', 'la', 'lla'].includes(name)) {
			const forms = 'call target; call rd, target; tail target; jump target, rt; la rd, target; lla rd, target';
			throw new AssemblyError(mnemonic, name, `these operands cannot be right; it is one of: ${forms}`);
		}
		return this.#symbolAccess(mnemonic, operands, pair);
	}

	/** A load or store of a symbol: `lw rd, symbol`, `sw rs2, symbol, rt`, `fld fd, symbol, rt`. */
	#symbolAccess(
		mnemonic: Token,
		operands: readonly (readonly Token[])[],
		pair: (register: number, low: number, target: number, store: boolean) => PcRelativePair,
	): PcRelativePair | undefined {
		const load = /^(lb|lh|lw|ld|lbu|lhu|lwu)$/.test(mnemonic.text);
		const float = /^f[ls][wd]$/.test(mnemonic.text);
		const store = /^f?s[bhwd]$/.test(mnemonic.text) && isMnemonic(mnemonic.text);
		if (!(load || float || store) || operands.length !== (load ? 2 : 3)) return undefined;
		if (isMemoryOperand(operands[1]!)) return undefined;
		const data = operands[0]!.length === 1 ? operands[0]![0]!.text : '';
		const register = (float ? floatRegister : integerRegister)(data);
		const address = load ? register : integerOperand(operands[2]!);
		if (register === undefined || address === undefined) return undefined;
		// The bare instruction has zero in its register fields and its immediate.
		const zeros = [[{ ...mnemonic, text: float ? 'f0' : 'zero' }], parseZeroAddress(mnemonic)];
		const bare = prepareInstruction(mnemonic, zeros, this.#context).bits;
		const low = bare | (register << (store ? 20 : 7)) | (address << 15);
		return pair(address, low, 1, store);
	}
}

/** Whether an operand has the shape of a base register in parentheses, after an offset or alone. */
function isMemoryOperand(tokens: readonly Token[]): boolean {
	if (tokens.at(-1)?.text !== ')' || tokens.at(-3)?.text !== '(') return false;
	const before = tokens.at(-4);
	return before === undefined || before.kind !== 'operator' || before.text === ')';
}

function parseZeroAddress(place: Place): Token[] {
	const token = (kind: Token['kind'], text: string): Token => ({ kind, text, line: place.line, column: place.column });
	return [token('operator', '('), token('name', 'zero'), token('operator', ')')];
}

function integerOperand(tokens: readonly Token[]): number | undefined {
	return tokens.length === 1 && tokens[0]!.kind === 'name' ? integerRegister(tokens[0]!.text) : undefined;
}

/** Splits at the commas that are in no parentheses. */
function splitOperands(tokens: readonly Token[]): Token[][] {
	if (tokens.length === 0) return [];
	const operands: Token[][] = [[]];
	let depth = 0;
	for (const token of tokens) {
		if (token.kind === 'operator' && token.text === '(') depth++;
		if (token.kind === 'operator' && token.text === ')') depth--;
		if (depth === 0 && token.kind === 'operator' && token.text === ',') operands.push([]);
		else operands.at(-1)!.push(token);
	}
	return operands;
}
