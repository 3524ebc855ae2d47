/// <reference types="node" />
// Runs the README's example as it is printed there and compares what it prints with its comments.

import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { expect, test } from 'vitest';
import * as mmu from './index.ts';

test('the example prints what its comments say', async () => {
	const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
	const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
	const expected = [...example.matchAll(/\/\/ prints: (.*)/g)].map(([, text]) => text);
	expect(expected).toHaveLength(5);

	const { outputText } = ts.transpileModule(example, {
		compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.CommonJS },
	});
	const printed: string[] = [];
	const run = new Function('exports', 'require', 'console', outputText);
	run({}, (name: string) => (name === '@partita/mmu' ? mmu : undefined), {
		log: (...values: unknown[]) => printed.push(values.join(' ')),
	});
	expect(printed).toEqual(expected);
});
