// Every kind of description that cannot be, one file each: refused, with the place, the reason, and what to do.
/// <reference types="node" />
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Problem, readSystem, SystemError } from '../src/index.ts';

const FOLDER = path.join(import.meta.dirname, 'refused');

function problemsOf(text: string): readonly Problem[] {
	try {
		readSystem(text);
	} catch (error) {
		if (error instanceof SystemError) return error.problems;
		throw error;
	}
	return [];
}

describe('refused', () => {
	const files = readdirSync(FOLDER);

	test('there are at least 25 kinds', () => {
		expect(files.length).toBeGreaterThanOrEqual(25);
	});

	test.each(files)('%s', (file) => {
		const text = readFileSync(path.join(FOLDER, file), 'utf8');
		const [, place, reason] = /^# place: (.*)\n# reason: (.*)\n/.exec(text)!;
		const problems = problemsOf(text);
		expect(problems.map((problem) => problem.place)).toContain(place);
		const problem = problems.find((each) => each.place === place)!;
		expect(problem.reason).toContain(reason);
		expect(problem.advice).not.toBe('');
		// The text says where: not at its comments.
		expect(problem.position!.line).toBeGreaterThan(2);
		expect(problems, 'nothing else is wrong').toHaveLength(1);
	});
});

describe('text', () => {
	test.each([
		['no YAML', 'a: b: c', /1:\d+: this is no YAML/],
		['a key twice', 'a: 1\na: 2', /2:1: this is no YAML: .*unique/],
		['nothing', '', /it is null|it is missing/],
		['an alias without an anchor', 'a: *b', /alias/],
		['no mapping', '[1, 2]', /a mapping/],
	])('%s is refused', (_, text, message) => {
		expect(() => readSystem(text)).toThrow(SystemError);
		expect(() => readSystem(text)).toThrow(message);
	});

	test('aliases that multiply are refused before they fill the memory', () => {
		const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
		for (let i = 1; i < 12; i++) lines.push(`a${i}: &a${i} [${`*a${i - 1}, `.repeat(9)}]`);
		expect(() => readSystem(lines.join('\n'))).toThrow(SystemError);
	});

	test('a text without end is refused', () => {
		expect(() => readSystem(' '.repeat(2 ** 20 + 1))).toThrow(/1048577 characters/);
	});

	test('all problems are told at once, in the order of the text', () => {
		const problems = problemsOf('name: x\nmachine: { memory: 1 }\nscheduling: { policy: x }\nimages: {}\ncells: [3]\n');
		expect(problems.map(({ place }) => place)).toEqual(['machine.memory', 'scheduling.policy', 'cells[0]']);
		expect(problems.map(({ position }) => position)).toEqual([
			{ line: 2, column: 12 },
			{ line: 3, column: 15 },
			{ line: 5, column: 9 },
		]);
	});
});
