/// <reference types="node" />
// The README's example prints what it says, and its table of digests holds.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { runReadmeExample } from '../../../tooling/readme.ts';
import * as trace from './index.ts';

test("the README's example prints what it says", async () => {
	const { printed, expected } = await runReadmeExample(new URL('../README.md', import.meta.url), {
		'@partita/trace': trace,
	});
	expect(printed).toEqual(expected);
});

test('the test vectors of the README hold', () => {
	const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
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
