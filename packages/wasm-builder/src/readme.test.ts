/// <reference types="node" />
// Runs the example of the README and compares what it prints with the comment behind it.
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import * as builder from './index.ts';

test('the example of the README prints what it says', () => {
	const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
	const source = /```ts\n([\s\S]*?)```/.exec(readme)![1]!;
	const expected = /console\.log\(.*\); \/\/ (.*)\n$/.exec(source)![1];
	const body = source.replace(/import (\{[^}]*\}) from '@partita\/wasm-builder';/, 'const $1 = $package;');
	const printed: string[] = [];
	const console = { log: (value: unknown) => printed.push(inspect(value)) };
	new Function('$package', 'console', stripTypeScriptTypes(body))(builder, console);
	expect(printed).toEqual([expected]);
});
