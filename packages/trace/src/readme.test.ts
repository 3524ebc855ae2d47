/// <reference types="node" />
// Runs the example of the README, compares what it prints with the comment below it, and checks the table of digests.
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { expect, test } from 'vitest';
import * as trace from './index.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

test('the example of the README prints what it says', () => {
	const source = /```ts\n([\s\S]*?)```/.exec(readme)![1];
	const expected = /\n\/\/ (.*)\n$/.exec(source)![1];
	const body = source.replace(/import (\{[^}]*\}) from '@partita\/trace';/, 'const $1 = $package;');
	const printed: string[] = [];
	const console = { log: (...values: unknown[]) => printed.push(values.join(' ')) };
	new Function('$package', 'console', stripTypeScriptTypes(body))(trace, console);
	expect(printed).toEqual([expected]);
});

test('the test vectors of the README hold', () => {
	const vectors = [...readme.matchAll(/\| `(add|event|addBytes)\((.*)\)` \| `([0-9a-f]{32})` \|/g)];
	expect(vectors.length).toBe(3);
	for (const [, method, args, digest] of vectors) {
		const hash = new trace.TraceHash();
		const list = JSON.parse(`[${args.replace(/0x[0-9a-f]+/g, (n) => String(Number(n)))}]`);
		if (method === 'addBytes') hash.addBytes(Uint8Array.from(list[0]));
		else if (method === 'event') hash.event(...(list as Parameters<trace.TraceHash['event']>));
		else hash.add(list[0], list[1], list[2]);
		expect(hash.digest()).toBe(digest);
	}
});
