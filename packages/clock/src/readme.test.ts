/// <reference types="node" />
// Runs the example of the README and compares what it prints with the comment below it.
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import * as clock from './index.ts';

test('the example of the README prints what it says', () => {
	const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
	const source = /```ts\n([\s\S]*?)```/.exec(readme)![1];
	const expected = /\n\/\/ (\[.*)\n$/.exec(source)![1];
	const body = source.replace(/import (\{[^}]*\}) from '@partita\/clock';/, 'const $1 = $package;');
	const printed: string[] = [];
	const console = { log: (...values: unknown[]) => printed.push(values.map((v) => inspect(v)).join(' ')) };
	new Function('$package', 'console', stripTypeScriptTypes(body))(clock, console);
	expect(printed).toEqual([expected]);
});
