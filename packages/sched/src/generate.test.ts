// Generators: sums, ranges, distributions, and the same seed, the same set.
import { expect, test } from 'vitest';
import { assignPriorities, generateTasks, logUniformPeriods, uunifast, uunifastDiscard } from './generate.ts';
import { Random } from './random.ts';
import { utilisation } from './task.ts';

const sum = (values: readonly number[]): number => values.reduce((total, each) => total + each, 0);

test('random numbers depend on the seed alone, are uniform, and go on from a state', () => {
	const random = new Random(42);
	const values = Array.from({ length: 10_000 }, () => random.next());
	expect(sum(values) / 10_000).toBeCloseTo(0.5, 1);
	expect(values.every((each) => each >= 0 && each < 1)).toBe(true);
	const counts = new Array(10).fill(0);
	for (const each of values) counts[Math.floor(10 * each)]++;
	for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
	const again = new Random(42);
	expect(values.slice(0, 5)).toEqual(Array.from({ length: 5 }, () => again.next()));
	expect(new Random(-1).next()).not.toBe(new Random(1).next());
	const later = new Random(structuredClone(random.state));
	expect(later.next()).toBe(random.next());
	expect(() => new Random(0.5)).toThrow(RangeError);
	expect(() => new Random([0, 0, 0, -1])).toThrow(RangeError);
	expect(new Set(Array.from({ length: 200 }, () => random.integer(3, 5)))).toEqual(new Set([3, 4, 5]));
});

test('UUniFast sums to the total; each share has the same mean', () => {
	const random = new Random(1);
	const means = new Array(5).fill(0);
	for (let set = 0; set < 4000; set++) {
		const shares = uunifast(random, 5, 0.8);
		expect(sum(shares)).toBeCloseTo(0.8, 10);
		expect(Math.min(...shares)).toBeGreaterThanOrEqual(0);
		for (const [index, share] of shares.entries()) means[index] += share / 4000;
	}
	for (const mean of means) expect(mean).toBeCloseTo(0.16, 1);
	expect(() => uunifast(random, 0, 1)).toThrow(RangeError);
	expect(() => uunifast(random, 1, 0)).toThrow(RangeError);
});

test('discarding keeps each share at most 1, or says that it cannot', () => {
	const random = new Random(1);
	for (let set = 0; set < 100; set++) expect(Math.max(...uunifastDiscard(random, 5, 2))).toBeLessThanOrEqual(1);
	expect(() => uunifastDiscard(random, 2, 3)).toThrow(RangeError);
	expect(() => uunifastDiscard(random, 20, 19.999)).toThrow(/1,000 attempts/);
});

test('log-uniform periods: as many in each decade', () => {
	const periods = logUniformPeriods(new Random(1), 10_000, { least: 1000, most: 1_000_000, granularity: 10 });
	expect(periods.every((each) => each >= 1000 && each <= 1_000_000 && each % 10 === 0)).toBe(true);
	for (const decade of [1e3, 1e4, 1e5]) {
		const count = periods.filter((each) => each >= decade && each < 10 * decade).length;
		expect(Math.abs(count - 3333)).toBeLessThan(200);
	}
	expect(() => logUniformPeriods(new Random(1), 1, { least: 10, most: 9 })).toThrow(RangeError);
	expect(() => logUniformPeriods(new Random(1), 1, { least: 0, most: 9 })).toThrow(RangeError);
});

test('a task set: its utilisation, its deadlines, its priorities', () => {
	const options = { seed: 7, count: 20, utilisation: 0.7, periods: { least: 1e6, most: 1e9 } };
	const tasks = generateTasks(options);
	expect(utilisation(tasks)).toBeCloseTo(0.7, 4);
	expect(tasks).toEqual(generateTasks(options));
	expect(tasks).not.toEqual(generateTasks({ ...options, seed: 8 }));
	expect(tasks.every(({ deadline, period, jitter }) => deadline === period && jitter === 0)).toBe(true);
	const byPriority = tasks.toSorted((a, b) => b.priority - a.priority);
	expect(byPriority[0]!.priority).toBe(255);
	expect(byPriority.map(({ deadline }) => deadline)).toEqual(
		tasks.map(({ deadline }) => deadline).sort((a, b) => a - b),
	);
	for (const { wcet, deadline, period } of generateTasks({ ...options, deadlines: 'constrained' })) {
		expect(deadline >= wcet && deadline <= period).toBe(true);
	}
	const arbitrary = generateTasks({ ...options, deadlines: 'arbitrary', jitter: 0.1 });
	expect(arbitrary.some(({ deadline, period }) => deadline > period)).toBe(true);
	expect(arbitrary.every(({ jitter, period }) => jitter <= period / 10)).toBe(true);
});

test('priorities: by rate or by deadline, ties to the first, 256 at most', () => {
	const tasks = [
		{ period: 10, wcet: 1, deadline: 9 },
		{ period: 20, wcet: 1, deadline: 5 },
		{ period: 10, wcet: 1, deadline: 9 },
	];
	expect(assignPriorities(tasks).map(({ priority }) => priority)).toEqual([254, 255, 253]);
	expect(assignPriorities(tasks, 'rate-monotonic').map(({ priority }) => priority)).toEqual([255, 253, 254]);
	expect(() => assignPriorities(new Array(257).fill(tasks[0]))).toThrow(RangeError);
});
