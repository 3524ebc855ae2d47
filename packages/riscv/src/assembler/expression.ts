/**
 * Expressions: parsed once, evaluated in each pass. Precedence is that of GNU as, which is not C's:
 * `* / % << >>` bind tightest, then `| & ^`, then `+ -`.
 */

import { AssemblyError, type Place } from './assembly-error.ts';
import type { Token } from './lexer.ts';

/** A parsed expression. */
export type Expression =
	| { readonly kind: 'number'; readonly value: bigint }
	| { readonly kind: 'symbol'; readonly name: string; readonly place: Place }
	| { readonly kind: 'here' }
	| { readonly kind: 'unary'; readonly operator: string; readonly value: Expression; readonly place: Place }
	| {
			readonly kind: 'binary';
			readonly operator: string;
			readonly left: Expression;
			readonly right: Expression;
			readonly place: Place;
	  };

/** What an expression is evaluated against. */
export interface Scope {
	/** Address of the statement that is being assembled. */
	readonly here: bigint;
	/** The value of a symbol; asked for its place to report it if there is none. */
	symbol(name: string, place: Place): bigint;
	/** The offset from pc that the `%pcrel_hi` of the instruction at an address holds. */
	pcrelAt(address: bigint, place: Place): bigint;
}

const precedences: readonly (readonly string[])[] = [
	['+', '-'],
	['|', '&', '^'],
	['*', '/', '%', '<<', '>>'],
];

/** Bounds, so that evaluating an expression does not run out of stack. */
const MOST_OPERATORS = 1000;
const MOST_NESTING = 100;

/** Parses expressions out of a list of tokens. */
export class ExpressionParser {
	readonly #tokens: readonly Token[];
	readonly #localName: (reference: Token) => string;
	readonly #end: Place;
	#at = 0;
	#operators = 0;

	/**
	 * @param tokens - of which all must belong to the expression
	 * @param localName - the symbol that a reference such as `1b` stands for
	 * @param end - where an error is reported if the tokens end too early
	 */
	constructor(tokens: readonly Token[], localName: (reference: Token) => string, end: Place) {
		this.#tokens = tokens;
		this.#localName = localName;
		this.#end = end;
	}

	/** Parses all tokens as one expression. */
	parse(): Expression {
		const value = this.#binary(0, 0);
		const rest = this.#tokens[this.#at];
		if (rest) throw new AssemblyError(rest, rest.text, 'an operator or the end of the expression is expected here');
		return value;
	}

	#binary(level: number, depth: number): Expression {
		const operators = precedences[level];
		if (!operators) return this.#unary(depth);
		let left = this.#binary(level + 1, depth);
		for (;;) {
			const token = this.#tokens[this.#at];
			if (token?.kind !== 'operator' || !operators.includes(token.text)) return left;
			this.#at++;
			if (++this.#operators > MOST_OPERATORS) {
				throw new AssemblyError(token, token.text, `an expression has at most ${MOST_OPERATORS} operators`);
			}
			left = { kind: 'binary', operator: token.text, left, right: this.#binary(level + 1, depth), place: token };
		}
	}

	#unary(depth: number): Expression {
		const token = this.#tokens[this.#at++];
		if (!token) throw new AssemblyError(this.#end, 'expression', 'a number, a symbol or ( is expected here');
		if (depth > MOST_NESTING) throw new AssemblyError(token, token.text, 'the expression is nested too deeply');
		if (token.kind === 'number') return { kind: 'number', value: token.value! };
		if (token.kind === 'local') return { kind: 'symbol', name: this.#localName(token), place: token };
		if (token.kind === 'name') {
			return token.text === '.' ? { kind: 'here' } : { kind: 'symbol', name: token.text, place: token };
		}
		if (token.kind === 'operator' && ['-', '+', '~'].includes(token.text)) {
			return { kind: 'unary', operator: token.text, value: this.#unary(depth + 1), place: token };
		}
		if (token.kind === 'modifier') {
			if (!['%hi', '%lo', '%pcrel_hi', '%pcrel_lo'].includes(token.text)) {
				throw new AssemblyError(token, token.text, 'only %hi, %lo, %pcrel_hi and %pcrel_lo are known');
			}
			this.#at++;
			return { kind: 'unary', operator: token.text, value: this.#parenthesized(depth), place: token };
		}
		if (token.text === '(' && token.kind === 'operator') return this.#parenthesized(depth);
		throw new AssemblyError(token, token.text, 'a number, a symbol or ( is expected here');
	}

	#parenthesized(depth: number): Expression {
		const value = this.#binary(0, depth + 1);
		const token = this.#tokens[this.#at++];
		if (token?.text !== ')') throw new AssemblyError(token ?? this.#end, token?.text ?? 'expression', '")" is missing');
		return value;
	}
}

/** Whether a value can be reached by `lui` or `auipc` and a signed 12-bit immediate. */
export function fitsHighLow(value: bigint): boolean {
	return value >= -0x8000_0800n && value < 0x7fff_f800n;
}

/** The 20 bits that `lui` and `auipc` take, so that a signed 12-bit immediate gives the rest. */
export function highPart(value: bigint): bigint {
	return ((value + 0x800n) >> 12n) & 0xf_ffffn;
}

/** The signed 12 bits that {@link highPart} leaves. */
export function lowPart(value: bigint): bigint {
	return BigInt.asIntN(12, value);
}

/**
 * Evaluates an expression without bounds on size; the user of the value checks its range.
 *
 * @throws AssemblyError for a division by zero and an absurd shift
 */
export function evaluate(expression: Expression, scope: Scope): bigint {
	switch (expression.kind) {
		case 'number':
			return expression.value;
		case 'here':
			return scope.here;
		case 'symbol':
			return scope.symbol(expression.name, expression.place);
		case 'unary':
			return unary(expression.operator, evaluate(expression.value, scope), expression.place, scope);
		case 'binary': {
			const { left, operator, place, right } = expression;
			return BigInt.asIntN(128, binary(operator, evaluate(left, scope), evaluate(right, scope), place));
		}
	}
}

function unary(operator: string, value: bigint, place: Place, scope: Scope): bigint {
	switch (operator) {
		case '-':
			return -value;
		case '~':
			return ~value;
		case '%hi': {
			const signed = BigInt.asIntN(64, value);
			if (!fitsHighLow(signed)) {
				throw new AssemblyError(place, `%hi(0x${BigInt.asUintN(64, value).toString(16)})`, 'beyond lui: use la or li');
			}
			return highPart(signed);
		}
		case '%lo':
			return lowPart(value);
		case '%pcrel_hi': {
			const offset = BigInt.asIntN(64, value - scope.here);
			if (!fitsHighLow(offset)) throw new AssemblyError(place, '%pcrel_hi', 'the target is over 2 GiB away: use li');
			return highPart(offset);
		}
		case '%pcrel_lo':
			return lowPart(scope.pcrelAt(value, place));
		default:
			return value;
	}
}

function binary(operator: string, left: bigint, right: bigint, place: Place): bigint {
	switch (operator) {
		case '+':
			return left + right;
		case '-':
			return left - right;
		case '*':
			return left * right;
		case '&':
			return left & right;
		case '|':
			return left | right;
		case '^':
			return left ^ right;
		case '<<':
		case '>>':
			if (right < 0n || right > 63n) throw new AssemblyError(place, operator, 'a shift is by 0 to 63');
			// As in GNU as, a shift to the right fills with zeros, from bit 63 on.
			return operator === '<<' ? left << right : (left < 0n ? BigInt.asUintN(64, left) : left) >> right;
		default:
			if (right === 0n) throw new AssemblyError(place, operator, 'division by zero');
			return operator === '/' ? left / right : left % right;
	}
}

/** Whether an expression's value is known from its text alone. */
export function isConstant(expression: Expression): boolean {
	switch (expression.kind) {
		case 'number':
			return true;
		case 'unary':
			return !expression.operator.startsWith('%') && isConstant(expression.value);
		case 'binary':
			return isConstant(expression.left) && isConstant(expression.right);
		default:
			return false;
	}
}
