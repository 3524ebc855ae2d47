/** Parsing of directives: GNU names and meanings. */

import { AssemblyError, type Place } from './assembly-error.ts';
import type { Expression } from './expression.ts';
import type { Token } from './lexer.ts';

/** What a directive says; sizes and values are left to the passes. */
export type Directive =
	| { readonly kind: 'assign'; readonly name: string; readonly value: Expression; readonly place: Place }
	| { readonly kind: 'data'; readonly size: number; readonly values: readonly Expression[]; readonly place: Place }
	| { readonly kind: 'bytes'; readonly bytes: Uint8Array; readonly place: Place }
	| {
			readonly kind: 'fill';
			readonly count: Expression;
			readonly size: number;
			readonly value: Expression;
			readonly place: Place;
	  }
	| {
			readonly kind: 'align';
			/** The alignment is 2 to this power. */
			readonly power: boolean;
			readonly to: Expression;
			readonly fill: Expression | undefined;
			readonly place: Place;
	  }
	| { readonly kind: 'origin'; readonly to: Expression; readonly fill: Expression; readonly place: Place }
	| { readonly kind: 'section'; readonly name: string; readonly flags: SectionFlags; readonly place: Place }
	| { readonly kind: 'global'; readonly name: string; readonly place: Place }
	| { readonly kind: 'type'; readonly name: string; readonly type: 'function' | 'object'; readonly place: Place }
	| { readonly kind: 'size'; readonly name: string; readonly size: Expression; readonly place: Place }
	| { readonly kind: 'option'; readonly option: Option; readonly place: Place };

/** What `.option` takes. The output is never relaxed and addresses are pc-relative, so the last two change nothing. */
export type Option = 'rvc' | 'norvc' | 'push' | 'pop' | 'norelax' | 'nopic';

/** Properties of a section. */
export interface SectionFlags {
	/** It may be written when loaded. */
	readonly writable: boolean;
	/** It holds code. */
	readonly executable: boolean;
	/** It has a size, but no bytes in a file: `.bss`. */
	readonly nobits: boolean;
}

const dataSizes: Readonly<Record<string, number>> = {
	'.byte': 1,
	'.half': 2,
	'.short': 2,
	'.2byte': 2,
	'.word': 4,
	'.long': 4,
	'.4byte': 4,
	'.dword': 8,
	'.quad': 8,
	'.8byte': 8,
};

/** Parses expressions of an operand; errors are reported at it. */
type ParseExpression = (tokens: readonly Token[]) => Expression;

/**
 * Parses one directive.
 *
 * @throws AssemblyError if it is unknown, or its operands are not what it takes
 */
export function parseDirective(
	head: Token,
	operands: readonly (readonly Token[])[],
	expression: ParseExpression,
): Directive[] {
	const place: Place = head;
	const count = (least: number, most: number, syntax: string) => {
		if (operands.length >= least && operands.length <= most && operands.every((tokens) => tokens.length > 0)) return;
		throw new AssemblyError(head, head.text, `it is written ${syntax}`);
	};
	const optional = (at: number, fallback: bigint): Expression =>
		operands[at] ? expression(operands[at]) : { kind: 'number', value: fallback };
	const size = dataSizes[head.text];
	if (size !== undefined) {
		count(1, Number.POSITIVE_INFINITY, `${head.text} value, …`);
		return [{ kind: 'data', size, values: operands.map(expression), place }];
	}
	switch (head.text) {
		case '.ascii':
		case '.asciz':
		case '.string':
			count(1, Number.POSITIVE_INFINITY, `${head.text} "text", …`);
			return operands.map((tokens) => ({ kind: 'bytes', bytes: stringBytes(head, tokens), place }));
		case '.zero':
		case '.space':
		case '.skip':
			count(1, 2, `${head.text} size, fill`);
			return [{ kind: 'fill', count: expression(operands[0]!), size: 1, value: optional(1, 0n), place }];
		case '.fill': {
			count(1, 3, '.fill count, size, value');
			const unit = operands[1] ? plainNumber(operands[1], 8n) : 1;
			return [{ kind: 'fill', count: expression(operands[0]!), size: unit, value: optional(2, 0n), place }];
		}
		case '.align':
		case '.p2align':
		case '.balign': {
			count(1, 2, `${head.text} alignment, fill`);
			const fill = operands[1] && expression(operands[1]);
			return [{ kind: 'align', power: head.text !== '.balign', to: expression(operands[0]!), fill, place }];
		}
		case '.org':
			count(1, 2, '.org offset, fill');
			return [{ kind: 'origin', to: expression(operands[0]!), fill: optional(1, 0n), place }];
		case '.equ':
		case '.set':
			count(2, 2, `${head.text} symbol, value`);
			return [{ kind: 'assign', name: symbolName(operands[0]!, head), value: expression(operands[1]!), place }];
		case '.globl':
		case '.global':
			count(1, Number.POSITIVE_INFINITY, `${head.text} symbol, …`);
			return operands.map((tokens) => ({ kind: 'global', name: symbolName(tokens, head), place: tokens[0]! }));
		case '.text':
		case '.data':
		case '.bss':
		case '.rodata':
			count(0, 0, `${head.text} alone`);
			return [{ kind: 'section', name: head.text, flags: defaultFlags(head.text), place }];
		case '.section':
			count(1, 3, '.section name, "flags", @type');
			return [section(head, operands)];
		case '.type': {
			count(2, 2, '.type symbol, @function or @object');
			const type = operands[1]!
				.map((token) => token.text)
				.join('')
				.replace(/^[@%]/, '');
			if (type !== 'function' && type !== 'object') {
				throw new AssemblyError(operands[1]![0]!, type, 'the type is @function or @object');
			}
			return [{ kind: 'type', name: symbolName(operands[0]!, head), type, place }];
		}
		case '.size':
			count(2, 2, '.size symbol, size');
			return [{ kind: 'size', name: symbolName(operands[0]!, head), size: expression(operands[1]!), place }];
		case '.option':
			count(1, 1, '.option rvc, norvc, push or pop');
			return [{ kind: 'option', option: optionName(operands[0]!), place }];
		default:
			throw new AssemblyError(head, head.text, 'no such directive');
	}
}

/** Flags of a section by its name, where none are given. */
export function defaultFlags(name: string): SectionFlags {
	const is = (prefix: string) => name === prefix || name.startsWith(`${prefix}.`);
	return {
		writable: is('.data') || is('.bss') || is('.sdata') || is('.sbss'),
		executable: is('.text') || is('.init') || is('.fini'),
		nobits: is('.bss') || is('.sbss'),
	};
}

function section(head: Token, operands: readonly (readonly Token[])[]): Directive {
	const name = operands[0]![0]!;
	const [, flagTokens, typeTokens] = operands;
	if (operands[0]!.length !== 1 || (name.kind !== 'name' && name.kind !== 'string')) {
		throw new AssemblyError(name, name.text, 'a section name is expected here');
	}
	const text = name.kind === 'string' ? new TextDecoder().decode(name.bytes) : name.text;
	let flags = defaultFlags(text);
	if (flagTokens) {
		const [token] = flagTokens;
		if (flagTokens.length !== 1 || token?.kind !== 'string' || !/^"[awx]*"$/.test(token.text)) {
			throw new AssemblyError(token ?? head, head.text, 'flags are a string of a, w and x');
		}
		flags = { ...flags, writable: token.text.includes('w'), executable: token.text.includes('x') };
	}
	if (typeTokens) {
		const type = typeTokens.map((token) => token.text).join('');
		if (!/^[@%]?(progbits|nobits)$/.test(type)) {
			throw new AssemblyError(typeTokens[0]!, type, 'the type is @progbits or @nobits');
		}
		flags = { ...flags, nobits: type.endsWith('nobits') };
	}
	return { kind: 'section', name: text, flags, place: head };
}

const options: readonly string[] = ['rvc', 'norvc', 'push', 'pop', 'norelax', 'nopic'] satisfies Option[];

function optionName(tokens: readonly Token[]): Option {
	const [token] = tokens;
	if (tokens.length === 1 && options.includes(token!.text)) return token!.text as Option;
	throw new AssemblyError(token!, token!.text, `the options are ${options.join(', ')}`);
}

function symbolName(tokens: readonly Token[], head: Token): string {
	const [token] = tokens;
	if (tokens.length === 1 && token?.kind === 'name' && token.text !== '.') return token.text;
	throw new AssemblyError(token ?? head, head.text, 'a symbol is expected here');
}

function plainNumber(tokens: readonly Token[], most: bigint): number {
	const [token] = tokens;
	if (tokens.length === 1 && token?.kind === 'number' && token.value! >= 0n && token.value! <= most) {
		return Number(token.value);
	}
	throw new AssemblyError(token!, token!.text, `a number from 0 to ${most} is expected here`);
}

function stringBytes(head: Token, tokens: readonly Token[]): Uint8Array {
	const [token] = tokens;
	if (tokens.length !== 1 || token?.kind !== 'string') {
		throw new AssemblyError(token ?? head, head.text, 'a string in double quotes is expected here');
	}
	return head.text === '.ascii' ? token.bytes! : Uint8Array.from([...token.bytes!, 0]);
}
