// What the property tests and the soak command check of one random task set. Each throws (through `expect`) if it fails.
import { expect } from 'vitest';
import {
	FixedPriority,
	generateTasks,
	isSchedulable,
	Random,
	responseTimes,
	type SimulatedTask,
	type Slice,
	simulate,
	type Task,
	type TaskSetOptions,
	utilisation,
} from '../src/index.ts';

/** A random set for a seed: its shape varies with the seed too. */
export function randomSet(seed: number, share: number, options: Partial<TaskSetOptions> = {}): Required<Task>[] {
	const random = new Random(seed);
	return generateTasks({
		seed: random,
		count: random.integer(2, 8),
		utilisation: share,
		periods: { least: 10, most: 1000 },
		deadlines: (['implicit', 'constrained', 'arbitrary'] as const)[random.integer(0, 2)]!,
		jitter: random.integer(0, 1) / 2,
		priorities: random.integer(0, 1) === 0 ? 'rate-monotonic' : 'deadline-monotonic',
		...options,
	});
}

/** The longest time that the processor is busy when all tasks are released at once, late by their jitter. */
function busyPeriod(tasks: readonly Required<Task>[]): number {
	let length = 0;
	for (let next = 1; next !== length; ) {
		length = next;
		next = tasks.reduce((sum, { period, wcet, jitter }) => sum + Math.ceil((length + jitter) / period) * wcet, 0);
	}
	return length;
}

/** All tasks so late that their first releases coincide: the critical instant. */
function criticalInstant(tasks: readonly Required<Task>[]): SimulatedTask[] {
	const latest = Math.max(...tasks.map(({ jitter }) => jitter));
	return tasks.map((task) => ({ ...task, phase: latest - task.jitter }));
}

/** From the critical instant, the largest simulated response is the analysed one, for each task. */
export function checkCriticalInstant(tasks: readonly Required<Task>[]): void {
	if (utilisation(tasks) > 1 - 1e-9) return;
	const bounds = responseTimes(tasks).map(({ response }) => response);
	const until = Math.max(...tasks.map(({ jitter }) => jitter)) + busyPeriod(tasks);
	const { tasks: results } = simulate({
		tasks: criticalInstant(tasks),
		policy: new FixedPriority(),
		until,
		jitter: 'first',
		slices: false,
	});
	expect(results.map(({ response }) => response?.max)).toEqual(bounds);
}

/** With random phases, jitter, arrivals and execution times, no response exceeds its bound; accepted sets miss nothing. */
export function checkRandomArrivals(tasks: readonly Required<Task>[], seed: number, equalPriorities: boolean): void {
	const random = new Random(seed);
	const simulated: SimulatedTask[] = tasks.map((task) => ({
		...task,
		priority: equalPriorities ? task.priority & ~3 : task.priority,
		phase: random.integer(0, task.period),
		spread: random.integer(0, 1) * random.integer(0, task.period),
		bcet: random.integer(1, task.wcet),
	}));
	const until = 20 * Math.max(...tasks.map(({ period }) => period));
	const policy = new FixedPriority(random.integer(0, 1) ? { slice: random.integer(1, 50) } : {});
	const result = simulate({ tasks: simulated, policy, until, seed, slices: false });
	responseTimes(simulated).forEach(({ response, schedulable }, index) => {
		const { missed, response: observed } = result.tasks[index]!;
		expect(observed?.max ?? 0).toBeLessThanOrEqual(response);
		if (schedulable) expect(missed).toBe(0);
	});
}

/** Servers, analysed as tasks and as periodic resources: the tasks in a server that can be had keep their bounds. */
export function checkServers(seed: number, share: number): void {
	const random = new Random(seed);
	const servers = randomSet(random.integer(0, 2 ** 31), share, {
		count: random.integer(1, 3),
		periods: { least: 20, most: 200 },
		deadlines: 'implicit',
		jitter: 0,
	}).map(({ priority, period, wcet }) => {
		const bandwidth = (random.next() * wcet) / period;
		const tasks = generateTasks({
			seed: random,
			count: random.integer(1, 4),
			utilisation: Math.max(bandwidth, 0.001),
			periods: { least: 2 * period, most: 20 * period },
		});
		return { priority, period, budget: wcet, refills: 512, tasks };
	});
	const asTasks = servers.map(({ priority, period, budget }) => ({ priority, period, wcet: budget }));
	const schedulable = isSchedulable(asTasks);
	const bounds = servers.map((server) => responseTimes(server.tasks, { resource: server }));
	const result = simulate({
		servers: servers.map((server, index) => ({
			...server,
			tasks: server.tasks.map((task, number) => ({
				...task,
				// Late is what takes longer than its bound.
				deadline: Math.min(bounds[index]![number]!.response, Number.MAX_SAFE_INTEGER),
				phase: random.integer(0, task.period),
				spread: random.integer(0, 50),
			})),
		})),
		policy: new FixedPriority(),
		until: 20 * 4000,
		seed,
	});
	servers.forEach((server, index) => {
		checkSupply(
			result.slices.filter(({ task }) => result.tasks[task]!.server === index),
			server,
		);
	});
	if (schedulable) expect(result.tasks.map(({ missed }) => missed)).toEqual(result.tasks.map(() => 0));
}

/** Use in no window exceeds that of a periodic task (budget, period) that meets its deadline, by more than `tick`. */
export function checkSupply(
	slices: readonly Pick<Slice, 'start' | 'end'>[],
	{ budget, period }: { budget: number; period: number },
	tick = 0,
): void {
	checkWindows(slices, (length) => Math.ceil((length + period - budget) / period) * budget + tick);
}

/** Use in no window of one period exceeds the budget by more than `tick`; in longer ones it is one budget for each. */
export function checkConstantBandwidth(
	slices: readonly Pick<Slice, 'start' | 'end'>[],
	{ budget, period }: { budget: number; period: number },
	tick = 0,
): void {
	checkWindows(slices, (length) => Math.ceil(length / period) * budget + tick);
}

/** The fullest windows begin with a slice and end with one. */
function checkWindows(slices: readonly Pick<Slice, 'start' | 'end'>[], most: (length: number) => number): void {
	for (let first = 0; first < slices.length; first++) {
		let used = 0;
		for (let last = first; last < Math.min(slices.length, first + 100); last++) {
			used += slices[last]!.end - slices[last]!.start;
			const length = slices[last]!.end - slices[first]!.start;
			if (used > most(length)) expect.fail(`${used} used in a window of ${length}, at most ${most(length)} may be`);
		}
	}
}
