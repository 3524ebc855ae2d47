// The simulator, by example.
import { describe, expect, test } from 'vitest';
import { FixedPriority } from './fixed-priority.ts';
import { RoundRobin } from './round-robin.ts';
import { Simulation, simulate } from './simulation.ts';

describe('simulate', () => {
	test('preemption, responses, misses, and the schedule as slices', () => {
		const result = simulate({
			tasks: [
				{ name: 'high', priority: 2, period: 5, wcet: 2 },
				{ name: 'low', priority: 1, period: 12, wcet: 5, deadline: 8 },
			],
			policy: new FixedPriority(),
			until: 24,
			responses: true,
		});
		expect(result).toEqual({
			end: 24,
			tasks: [
				{
					name: 'high',
					released: 5,
					completed: 5,
					missed: 0,
					preemptions: 0,
					executed: 10,
					response: { min: 2, max: 2 },
					responses: [2, 2, 2, 2, 2],
				},
				{
					name: 'low',
					released: 2,
					completed: 2,
					missed: 1,
					preemptions: 2,
					executed: 10,
					response: { min: 7, max: 9 },
					responses: [9, 7],
				},
			],
			servers: [],
			slices: [
				{ task: 0, job: 0, start: 0, end: 2 },
				{ task: 1, job: 0, start: 2, end: 5 },
				{ task: 0, job: 1, start: 5, end: 7 },
				{ task: 1, job: 0, start: 7, end: 9 },
				{ task: 0, job: 2, start: 10, end: 12 },
				{ task: 1, job: 1, start: 12, end: 15 },
				{ task: 0, job: 3, start: 15, end: 17 },
				{ task: 1, job: 1, start: 17, end: 19 },
				{ task: 0, job: 4, start: 20, end: 22 },
			],
			idle: 4,
		});
	});

	test('a job that is overdue at the end is a miss; backlog is served in order', () => {
		const { tasks } = simulate({
			tasks: [{ priority: 1, period: 4, wcet: 6 }],
			policy: new FixedPriority(),
			until: 12,
		});
		// 6 > 4, and the one that ends at 12 arrived at 4; that of 8 is due at 12.
		expect(tasks[0]).toMatchObject({
			name: 'task 0',
			released: 3,
			completed: 2,
			missed: 3,
			response: { min: 6, max: 8 },
		});
	});

	test('round robin takes turns; the same tasks by priority do not', () => {
		const tasks = [
			{ priority: 1, period: 100, wcet: 20 },
			{ priority: 2, period: 100, wcet: 20 },
		];
		const turns = simulate({ tasks, policy: new RoundRobin({ slice: 10 }), until: 100 });
		expect(turns.slices.map(({ task }) => task)).toEqual([0, 1, 0, 1]);
		expect(turns.tasks.map(({ response }) => response?.max)).toEqual([30, 40]);
		const urgent = simulate({ tasks, policy: new FixedPriority(), until: 100 });
		expect(urgent.tasks.map(({ response }) => response?.max)).toEqual([40, 20]);
	});

	test('a server shares its budget among its tasks by their priorities', () => {
		const result = simulate({
			servers: [
				{
					name: 'server',
					priority: 9,
					budget: 4,
					period: 10,
					tasks: [
						{ priority: 1, period: 40, wcet: 5 },
						{ priority: 2, period: 20, wcet: 2, phase: 11 },
					],
				},
			],
			tasks: [{ priority: 1, period: 40, wcet: 30 }],
			policy: new FixedPriority(),
			until: 40,
		});
		expect(result.slices).toEqual([
			{ task: 1, job: 0, start: 0, end: 4 },
			{ task: 0, job: 0, start: 4, end: 10 },
			{ task: 1, job: 0, start: 10, end: 11 },
			{ task: 2, job: 0, start: 11, end: 13 },
			{ task: 0, job: 0, start: 13, end: 31 },
			{ task: 2, job: 1, start: 31, end: 33 },
			{ task: 0, job: 0, start: 33, end: 39 },
		]);
		expect(result.servers).toEqual([{ name: 'server', executed: 9, exhausted: 1 }]);
		expect(result.tasks.map(({ server, preemptions }) => [server, preemptions])).toEqual([
			[undefined, 2],
			[0, 0],
			[0, 0],
		]);
	});

	test('jitter delays releases, not arrivals; its worst case is the first', () => {
		const config = { tasks: [{ priority: 1, period: 10, wcet: 1, jitter: 25 }], until: 100, responses: true };
		const worst = simulate({ ...config, policy: new FixedPriority(), jitter: 'first' as const });
		expect(worst.tasks[0]!.responses!.slice(0, 4)).toEqual([26, 17, 8, 1]);
		const random = simulate({ ...config, policy: new FixedPriority(), seed: 3 }).tasks[0]!.responses!;
		expect(Math.max(...random)).toBeLessThanOrEqual(28);
		expect(new Set(random).size).toBeGreaterThan(3);
	});

	test('the same seed gives the same run, another seed another', () => {
		const run = (seed: number) =>
			simulate({
				tasks: [{ priority: 1, period: 10, wcet: 8, bcet: 1, spread: 20 }],
				policy: new FixedPriority(),
				until: 1000,
				seed,
			}).slices;
		expect(run(1)).toEqual(run(1));
		expect(run(1)).not.toEqual(run(2));
	});

	test('ten thousand tasks', () => {
		const tasks = Array.from({ length: 10_000 }, (_, i) => ({ priority: i & 255, period: 200_000 + i, wcet: 10 }));
		const result = simulate({ tasks, policy: new FixedPriority(), until: 1_000_000, slices: false });
		expect(result.tasks.every(({ missed, completed }) => missed === 0 && completed >= 4)).toBe(true);
	});
});

test('a state of another simulation is refused', () => {
	const task = { priority: 1, period: 10, wcet: 1 };
	const one = new Simulation({ tasks: [task], policy: new FixedPriority() });
	const two = new Simulation({ tasks: [task, task], policy: new FixedPriority() });
	expect(() => one.restore(two.state)).toThrow(RangeError);
	expect(() => one.restore({ ...one.state, releases: [1] })).toThrow(RangeError);
	expect(() => one.restore({ ...one.state, running: 5 })).toThrow(RangeError);
	expect(() => one.advanceTo(0.5)).toThrow(RangeError);
});

test('a policy that breaks its contract is found out', () => {
	const tasks = [{ priority: 1, period: 10, wcet: 1 }];
	const stuck = new FixedPriority();
	stuck.pick = (now) => ({ entity: 0, until: now });
	expect(() => simulate({ tasks, policy: stuck, until: 10 })).toThrow(/asks at 0 to be asked again at 0/);
	const wrong = new FixedPriority();
	wrong.pick = () => ({ entity: 7, until: undefined });
	expect(() => simulate({ tasks, policy: wrong, until: 10 })).toThrow(/not ready/);
});

test.each([
	['a phase', { phase: -1 }],
	['a spread', { spread: 0.5 }],
	['a best case above the worst', { bcet: 2 }],
])('%s that cannot be is refused', (_, wrong) => {
	const tasks = [{ priority: 1, period: 10, wcet: 1, ...wrong }];
	expect(() => simulate({ tasks, policy: new FixedPriority(), until: 10 })).toThrow(RangeError);
});
