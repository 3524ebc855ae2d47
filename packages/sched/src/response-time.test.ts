// Analysis against the examples of its literature, and against brute force.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { demandBound, edfTest } from './demand-bound.ts';
import { isSchedulable, leastBudget, liuLaylandBound, responseTimes } from './response-time.ts';
import { supplyBound, supplyTime } from './supply.ts';
import { utilisation } from './task.ts';

const responses = (...args: Parameters<typeof responseTimes>): number[] =>
	responseTimes(...args).map(({ response }) => response);

describe('response times', () => {
	test('constrained deadlines (Burns and Wellings, Real-Time Systems and Programming Languages, set B)', () => {
		const tasks = [
			{ priority: 3, period: 7, wcet: 3 },
			{ priority: 2, period: 12, wcet: 3 },
			{ priority: 1, period: 20, wcet: 5 },
		];
		expect(responses(tasks)).toEqual([3, 6, 20]);
		expect(isSchedulable(tasks)).toBe(true);
		expect(isSchedulable(tasks.map((task) => ({ ...task, deadline: task.period - 1 })))).toBe(false);
	});

	test('arbitrary deadlines: the worst job is not the first (Lehoczky 1990: 26/70, 62/100)', () => {
		const tasks = [
			{ priority: 2, period: 70, wcet: 26 },
			{ priority: 1, period: 100, wcet: 62, deadline: 118 },
		];
		expect(responses(tasks)).toEqual([26, 118]);
		expect(responseTimes(tasks, { stopAtDeadline: true })[1]).toEqual({ response: 118, schedulable: true });
		expect(isSchedulable([tasks[0]!, { ...tasks[1]!, deadline: 117 }])).toBe(false);
	});

	test('jitter of others, own jitter, blocking, equals', () => {
		const high = { priority: 2, period: 10, wcet: 2, jitter: 9 };
		const low = { priority: 1, period: 50, wcet: 3 };
		// Two jobs of the urgent task in a window of 7: 3 + 2 * 2.
		expect(responses([high, low])).toEqual([11, 7]);
		expect(responses([high, { ...low, jitter: 5 }])).toEqual([11, 12]);
		expect(responses([high, { ...low, blocking: 4 }])).toEqual([11, 11]);
		expect(responses([{ ...high, blocking: 1 }, low])).toEqual([12, 7]);
		expect(responses([low, low])).toEqual([6, 6]);
	});

	test('no bound above the whole processor, and at it only by luck', () => {
		const full = { priority: 2, period: 4, wcet: 2 };
		expect(responses([full, { priority: 1, period: 4, wcet: 3 }])).toEqual([2, Number.POSITIVE_INFINITY]);
		expect(responses([full, { priority: 1, period: 4, wcet: 2 }])).toEqual([2, 4]);
	});

	test('in a server: its worst gaps come first', () => {
		const task = { priority: 1, period: 100, wcet: 4 };
		// 3 of 10: nothing for 14, 3, nothing for 7, 1.
		expect(responses([task], { resource: { budget: 3, period: 10 } })).toEqual([25]);
		expect(responses([task], { resource: { budget: 10, period: 10 } })).toEqual([4]);
		expect(responses([{ ...task, wcet: 31 }], { resource: { budget: 3, period: 10 } })).toEqual([
			Number.POSITIVE_INFINITY,
		]);
	});

	test('the least budget is enough, and one less is not', () => {
		const tasks = [
			{ priority: 2, period: 50, wcet: 5 },
			{ priority: 1, period: 75, wcet: 9 },
		];
		const budget = leastBudget(tasks, 10)!;
		expect(isSchedulable(tasks, { budget, period: 10 })).toBe(true);
		expect(isSchedulable(tasks, { budget: budget - 1, period: 10 })).toBe(false);
		expect(leastBudget([{ priority: 1, period: 10, wcet: 11, deadline: 10 }], 10)).toBe(undefined);
	});

	test('Liu and Layland', () => {
		expect(liuLaylandBound(1)).toBe(1);
		expect(liuLaylandBound(2)).toBeCloseTo(0.8284, 4);
		expect(liuLaylandBound(3)).toBeCloseTo(0.7798, 4);
		expect(liuLaylandBound(1e6)).toBeCloseTo(Math.LN2, 5);
		expect(
			utilisation([
				{ wcet: 1, period: 4 },
				{ wcet: 1, period: 2 },
			]),
		).toBe(0.75);
	});

	test.each([
		['a priority of 256', { priority: 256 }],
		['a period of 0', { period: 0 }],
		['a wcet of 0', { wcet: 0 }],
		['a deadline of 0', { deadline: 0 }],
		['a negative jitter', { jitter: -1 }],
		['a fraction of blocking', { blocking: 0.5 }],
	])('%s is refused', (_, wrong) => {
		expect(() => responseTimes([{ priority: 1, period: 10, wcet: 1, ...wrong }])).toThrow(RangeError);
	});
});

describe('supply', () => {
	test('is what the worst of all intervals gets, and the inverse is its inverse', () => {
		fc.assert(
			fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 12 }), (budget, extra) => {
				const resource = { budget, period: budget + extra };
				// Adversarial supply, tick by tick: first in its period at first, last in its period from then on.
				const ticks: number[] = [];
				for (let period = 0; period < 12; period++) {
					for (let tick = 0; tick < budget + extra; tick++) {
						ticks.push((period === 0 ? tick < budget : tick >= extra) ? 1 : 0);
					}
				}
				for (let length = 0; length < 5 * (budget + extra); length++) {
					let least = Number.POSITIVE_INFINITY;
					for (let start = 0; start + length <= ticks.length; start++) {
						least = Math.min(
							least,
							ticks.slice(start, start + length).reduce((sum, each) => sum + each, 0),
						);
					}
					expect(supplyBound(resource, length)).toBe(least);
				}
				for (let amount = 1; amount < 5 * budget; amount++) {
					const time = supplyTime(resource, amount);
					expect(supplyBound(resource, time)).toBe(amount);
					expect(supplyBound(resource, time - 1)).toBeLessThan(amount);
				}
			}),
			{ numRuns: 30 },
		);
	});

	test('impossible resources and intervals are refused', () => {
		expect(() => supplyBound({ budget: 3, period: 2 }, 1)).toThrow(RangeError);
		expect(() => supplyTime({ budget: 0, period: 2 }, 1)).toThrow(RangeError);
		expect(() => supplyBound({ budget: 1, period: 2 }, -1)).toThrow(RangeError);
		expect(supplyTime({ budget: 1, period: 2 }, 0)).toBe(0);
	});
});

describe('demand bound', () => {
	test('counts jobs that are released and due', () => {
		const tasks = [
			{ period: 5, wcet: 2, deadline: 4 },
			{ period: 10, wcet: 3, deadline: 12, jitter: 1 },
		];
		expect([0, 3, 4, 8, 9, 11, 14, 21].map((time) => demandBound(tasks, time))).toEqual([0, 0, 2, 2, 4, 7, 9, 14]);
	});

	/** EDF, tick by tick, from a synchronous start; whether nobody is late. */
	function edfMeets(tasks: readonly { period: number; wcet: number; deadline: number }[], until: number): boolean {
		const jobs: { deadline: number; left: number }[] = [];
		for (let now = 0; now <= until; now++) {
			if (jobs.some(({ deadline, left }) => left > 0 && deadline <= now)) return false;
			for (const { period, wcet, deadline } of tasks) {
				if (now % period === 0) jobs.push({ deadline: now + deadline, left: wcet });
			}
			jobs.sort((a, b) => a.deadline - b.deadline);
			const first = jobs[0];
			if (first && --first.left === 0) jobs.shift();
		}
		return true;
	}

	test('EDF meets all deadlines if and only if the test says so', () => {
		const task = fc
			.record({
				period: fc.constantFrom(2, 3, 4, 5, 6, 8, 10, 12),
				share: fc.nat(100),
				late: fc.integer({ min: 30, max: 160 }),
			})
			.map(({ period, share, late }) => {
				const wcet = Math.max(1, Math.floor((period * share) / 200));
				return { period, wcet, deadline: Math.max(wcet, Math.floor((period * late) / 100)) };
			});
		let accepted = 0;
		let refused = 0;
		fc.assert(
			fc.property(fc.array(task, { minLength: 1, maxLength: 4 }), (tasks) => {
				const { schedulable, interval, demand } = edfTest(tasks);
				// Two hyperperiods and the largest deadline: a set that is late at all is late by then, or is over the processor.
				expect(schedulable).toBe(utilisation(tasks) <= 1 + 1e-9 && edfMeets(tasks, 260));
				if (schedulable) accepted++;
				else refused++;
				if (interval !== undefined) expect(demandBound(tasks, interval)).toBe(demand);
				if (demand !== undefined) expect(demand).toBeGreaterThan(interval!);
			}),
			{ numRuns: 2000 },
		);
		expect(Math.min(accepted, refused)).toBeGreaterThan(30);
	});

	test('full utilisation with implicit deadlines passes, anything above fails', () => {
		expect(
			edfTest([
				{ period: 4, wcet: 2 },
				{ period: 6, wcet: 3 },
			]),
		).toEqual({ schedulable: true });
		expect(
			edfTest([
				{ period: 4, wcet: 2 },
				{ period: 6, wcet: 4 },
			]).schedulable,
		).toBe(false);
		expect(
			edfTest([
				{ period: 1_000_003, wcet: 500_000 },
				{ period: 1_000_033, wcet: 500_000 },
			]).schedulable,
		).toBe(true);
		expect(edfTest([])).toEqual({ schedulable: true });
		expect(edfTest([{ period: 10, wcet: 2, jitter: 9 }])).toEqual({ schedulable: false, interval: 1, demand: 2 });
		expect(() => edfTest([{ period: 0, wcet: 1 }])).toThrow(RangeError);
	});
});
