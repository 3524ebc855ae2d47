// Runs the example of a package's README, for the tests of that package.
//
// The convention: the first block fenced as ```ts is the example. Whatever it prints stands in comments that start with
// `// prints: `, one for each line that is printed, in order.
/// <reference types="node" />
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { format } from 'node:util';

/** A README's example. */
export interface ReadmeExample {
	/** The TypeScript source. */
	readonly source: string;
	/** The lines that it says it prints. */
	readonly expected: readonly string[];
}

/** Takes the example out of a README's text. Throws an `Error` if it has none, or one that prints nothing. */
export function readmeExample(readme: string): ReadmeExample {
	const source = /^```ts\r?\n([\s\S]*?)^```/m.exec(readme)?.[1];
	if (source === undefined) throw new Error('the README has no example fenced as ts');
	const expected = Array.from(source.matchAll(/\/\/ prints: (.*?)\r?$/gm), (match) => match[1]!);
	if (expected.length === 0) throw new Error("the README's example names no line that it prints (`// prints: …`)");
	return { source, expected };
}

/**
 * Runs the example of the README at `url` with the given modules in place of what it imports (named imports only).
 * Returns what it printed and what it says it prints, by line.
 */
export async function runReadmeExample(
	url: URL,
	modules: Readonly<Record<string, object>>,
): Promise<{ printed: string[]; expected: readonly string[] }> {
	const { source, expected } = readmeExample(readFileSync(url, 'utf8'));
	const body = stripTypeScriptTypes(source).replace(
		/^import\s*\{([^}]*)\}\s*from\s*'([^']+)';/gm,
		(_, names: string, name: string) => `const {${names.replace(/\bas\b/g, ':')}} = $import('${name}');`,
	);
	const printed: string[] = [];
	const log = (...values: unknown[]): void => {
		printed.push(...format(...values).split('\n'));
	};
	const imported = (name: string): object => {
		const module = modules[name];
		if (module === undefined) throw new Error(`the README's example imports ${name}, which its test does not provide`);
		return module;
	};
	const AsyncFunction = (async () => {}).constructor as new (
		...parameters: string[]
	) => (...values: unknown[]) => Promise<void>;
	await new AsyncFunction('$import', 'console', `'use strict';${body}`)(imported, { log });
	return { printed, expected };
}
