// Runs the README's example.
/// <reference types="node" />
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { expect, test } from 'vitest';

test('the example in the README runs and prints what it says', async () => {
	const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
	const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
	const source = stripTypeScriptTypes(example).replace(
		/^import \{([^}]*)\} from '([^']+)';$/gm,
		'const {$1} = await load("$2");',
	);
	const printed: string[] = [];
	const expected = [...example.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map((match) => match[1]);
	const AsyncFunction = (async () => {}).constructor as new (
		...parameters: string[]
	) => (...values: unknown[]) => Promise<void>;
	const load = (name: string) => (name.endsWith('testing') ? import('./testing/index.ts') : import('./index.ts'));
	await new AsyncFunction('load', 'console', source)(load, {
		log: (...values: unknown[]) => printed.push(values.join(' ')),
	});
	expect(expected.length).toBeGreaterThan(0);
	expect(printed).toEqual(expected);
});
