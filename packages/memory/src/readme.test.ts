/// <reference types="node" />
// Runs the example of the README and compares what it prints with the comment below it.
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import * as memory from './index.ts';

test('the example of the README prints what it says', () => {
	const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
	const source = /```ts\n([\s\S]*?)```/.exec(readme)![1]!;
	const expected = [...source.matchAll(/^\/\/ prints: (.*)$/gm)].map((line) => line[1]);
	const body = source.replace(/import (\{[^}]*\}) from '@partita\/memory';/, 'const $1 = $package;');
	const printed: string[] = [];
	const show = (value: unknown): string => (typeof value === 'string' ? value : inspect(value));
	const console = { log: (...values: unknown[]) => printed.push(values.map(show).join(' ')) };
	new Function('$package', 'console', stripTypeScriptTypes(body))(memory, console);
	expect(printed).toEqual(expected);
});
