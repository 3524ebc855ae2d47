/**
 * Assembly source to tokens, in GNU syntax: `#`, `//` and block comments; newline and `;` end a statement.
 */

import { AssemblyError, type Place } from './assembly-error.ts';

/** One token. */
export interface Token extends Place {
	/**
	 * - `name`: a symbol, register, mnemonic or directive; `local`: a reference to a numeric label, such as `1b`;
	 * - `modifier`: `%hi` and its kind; `number`; `string`; `operator`: punctuation.
	 */
	readonly kind: 'name' | 'local' | 'modifier' | 'number' | 'string' | 'operator';
	/** The text as written. */
	readonly text: string;
	/** Value of a number. */
	readonly value?: bigint;
	/** Content of a string, escapes resolved, in UTF-8. */
	readonly bytes?: Uint8Array;
}

const endOfNumber = '(?![0-9A-Za-z_])';

const token: RegExp = /* @__PURE__ */ new RegExp(
	[
		String.raw`(?<space>[ \t\r]+|/\*.*?\*/|(?:#|//)[^\n]*)`,
		String.raw`(?<end>[\n;])`,
		`(?<number>(?:0[xX][0-9a-fA-F]+|0[bB][01]+|[0-9]+)${endOfNumber})`,
		`(?<local>[0-9]+[bf]${endOfNumber})`,
		String.raw`(?<name>[A-Za-z_.$][\w.$]*)`,
		String.raw`(?<modifier>%[a-z_]+(?=\s*\())`,
		String.raw`(?<string>"(?:[^"\\\n]|\\.)*")`,
		String.raw`(?<character>'(?:[^'\\\n]|\\.)'?)`,
		'(?<operator><<|>>|[-+*/%&|^~!(),:=@])',
	].join('|'),
	'sy',
);

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' };

/** Splits a source into statements, each a list of at least one token. */
export function tokenize(source: string): Token[][] {
	const statements: Token[][] = [];
	let statement: Token[] = [];
	let line = 1;
	let lineStart = 0;
	token.lastIndex = 0;
	for (let at = 0; at < source.length; at = token.lastIndex) {
		token.lastIndex = at;
		const groups = token.exec(source)?.groups;
		const place: Place = { line, column: at - lineStart + 1 };
		if (!groups) {
			throw new AssemblyError(place, JSON.stringify(source[at]), 'no token of assembly language begins like this');
		}
		const text = source.slice(at, token.lastIndex);
		if (groups.end !== undefined) {
			if (statement.length > 0) statements.push(statement);
			statement = [];
		} else if (groups.space === undefined) {
			statement.push({ ...classify(groups, text, place), ...place });
		}
		for (let newline = text.indexOf('\n'); newline >= 0; newline = text.indexOf('\n', newline + 1)) {
			line++;
			lineStart = at + newline + 1;
		}
	}
	if (statement.length > 0) statements.push(statement);
	return statements;
}

function classify(groups: Record<string, string>, text: string, place: Place): Omit<Token, keyof Place> {
	if (groups.number !== undefined) return { kind: 'number', text, value: numberValue(text, place) };
	if (groups.local !== undefined) return { kind: 'local', text };
	if (groups.name !== undefined) return { kind: 'name', text };
	if (groups.modifier !== undefined) return { kind: 'modifier', text };
	if (groups.string !== undefined) return { kind: 'string', text, bytes: resolveEscapes(text.slice(1, -1), place) };
	if (groups.character !== undefined) {
		const content = text.length > 2 && text.endsWith("'") ? text.slice(1, -1) : text.slice(1);
		const [value = 0] = resolveEscapes(content, place);
		return { kind: 'number', text, value: BigInt(value) };
	}
	return { kind: 'operator', text };
}

/** As in GNU as, a leading zero makes a number octal. */
function numberValue(text: string, place: Place): bigint {
	if (!/^0[0-9]/.test(text)) return BigInt(text);
	if (/[89]/.test(text)) throw new AssemblyError(place, text, 'a number that begins with 0 is octal');
	return BigInt(`0o${text.slice(1)}`);
}

function resolveEscapes(text: string, place: Place): Uint8Array {
	const bytes: number[] = [];
	const encoder = new TextEncoder();
	const pattern = /\\(?:x([0-9a-fA-F]+)|([0-7]{1,3})|(.))|[^\\]+/gs;
	for (const [whole, hex, octal, character] of text.matchAll(pattern)) {
		if (hex !== undefined) bytes.push(Number.parseInt(hex.slice(-2), 16));
		else if (octal !== undefined) bytes.push(Number.parseInt(octal, 8) & 0xff);
		else if (character === undefined) bytes.push(...encoder.encode(whole));
		else if (character in escapes) bytes.push(escapes[character]!.charCodeAt(0));
		else if (/["'\\]/.test(character)) bytes.push(character.charCodeAt(0));
		else
			throw new AssemblyError(place, `\\${character}`, 'no such escape: \\n \\t \\r \\b \\f \\\\ \\" \\\' \\x41 \\101');
	}
	return Uint8Array.from(bytes);
}
