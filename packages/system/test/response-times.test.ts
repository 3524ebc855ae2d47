// Observed response times against response-time analysis, on both kernels: no task set that analysis accepts does worse than
// its bound. The kernels' own work is in the bound as theory puts it: each job is charged with the kernel paths at its release
// and completion; the releases of less urgent tasks are interrupts, which nobody is more urgent than; and a path that has
// begun cannot be preempted (A. Burns, A. Wellings, "Analysable Real-Time Systems", on scheduling overheads).
import { chargeOf, type Operation, u54h } from '@partita/kernel-costs';
import { type AnalysedTask, generateTasks, isSchedulable, responseTimes } from '@partita/sched';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CompositionName } from '../src/index.ts';
import { assemble, COMPOSITIONS } from './support/compositions.ts';
import { nativeBudget, type TestTask, taskSystem } from './support/task-systems.ts';

const MS = 1_000_000;
const TICK = 100;
/** Instructions of a job beside its work; the first test holds it against a run without costs. */
const OVERHEAD = 200;

/** The longest kernel path that these systems take, by its operations. */
const PATHS: Readonly<Record<CompositionName, readonly Operation[]>> = {
	hypervisor: [
		'vmExit',
		'instructionEmulation',
		'interruptInjection',
		'budgetCheck',
		'schedule',
		'worldSwitch',
		'timerProgram',
		'vmEntry',
	],
	microkernel: [
		'trapEntry',
		'systemCall',
		'budgetCheck',
		'schedule',
		'contextSwitch',
		'addressSpaceSwitch',
		'floatSwitch',
		'timerProgram',
		'trapExit',
	],
};
/** Kernel paths of one job: its release and its completion; a native job that is early yields, and is released, once more. */
const PATHS_OF_A_JOB: Readonly<Record<CompositionName, number>> = { hypervisor: 2, microkernel: 4 };

function bounds(composition: CompositionName, tasks: readonly TestTask[]): number[] {
	const path = PATHS[composition].reduce((sum, operation) => sum + chargeOf(u54h, operation), 0);
	const jobs = PATHS_OF_A_JOB[composition];
	return tasks.map((task) => {
		const analysed: AnalysedTask[] = tasks.map(({ priority, period, work }) =>
			priority >= task.priority
				? { priority, period, wcet: work + OVERHEAD + jobs * path, blocking: path }
				: { priority: 255, period, wcet: (jobs / 2) * path },
		);
		return responseTimes(analysed)[tasks.indexOf(task)]!.response;
	});
}

function generated(seed: number, count: number, utilisation: number): TestTask[] {
	const periods = { least: MS, most: 10 * MS, granularity: MS / 10 };
	return generateTasks({ seed, count, utilisation, periods, priorities: 'rate-monotonic' }).map(
		// Priorities from 100 up, below the interrupts of the analysis.
		({ priority, period, wcet }, index) => ({
			name: `task${index}`,
			priority: priority - 100,
			period,
			work: Math.max(wcet, 10_000),
		}),
	);
}

describe.each(COMPOSITIONS)('%s', (composition) => {
	test('alone and without costs, a job takes its work and less than the overhead', () => {
		const task = { name: 'only', priority: 10, period: MS, work: 300_000 };
		const running = assemble(taskSystem([task], { machine: { memory: '32MiB', costs: 'free' } }), composition);
		running.runUntil(20.5 * MS);
		const { latency, missed } = running.record().cells[0]!.tasks[0]!;
		expect(missed).toBe(0);
		expect(latency!.min).toBeGreaterThanOrEqual(task.work);
		expect(latency!.max).toBeLessThanOrEqual(task.work + OVERHEAD + TICK);
	});

	test('what analysis accepts keeps its bounds', () => {
		let accepted = 0;
		let tightest = 0;
		fc.assert(
			fc.property(
				fc.nat(1_000_000),
				fc.integer({ min: 2, max: 4 }),
				fc.integer({ min: 30, max: 80 }),
				(seed, count, percent) => {
					const tasks = generated(seed, count, percent / 100);
					const limits = bounds(composition, tasks);
					// A native job's budget comes back in time only if what is left of it is not kept waiting beyond its period.
					const spare = (task: TestTask): number => nativeBudget(task, tasks) - task.work;
					if (tasks.some((task, index) => limits[index]! > task.period - spare(task))) return;
					accepted++;
					const running = assemble(taskSystem(tasks), composition);
					running.runUntil(50 * MS);
					for (const [index, { tasks: records }] of running.record().cells.entries()) {
						const [{ name, missed, latency }] = records as [(typeof records)[number]];
						const limit = limits[index]!;
						expect({ name, missed }).toEqual({ name, missed: 0 });
						expect(latency!.max, `${name}, of ${JSON.stringify(tasks)}`).toBeLessThanOrEqual(limit + TICK);
						expect(latency!.min, name).toBeGreaterThanOrEqual(tasks[index]!.work);
						tightest = Math.max(tightest, latency!.max / limit);
					}
				},
			),
			{ seed: 20080401, numRuns: 12 },
		);
		expect(accepted).toBeGreaterThanOrEqual(6);
		// A bound that nobody comes near would say little.
		expect(tightest).toBeGreaterThan(0.95);
	});

	test('what even an ideal kernel cannot schedule misses deadlines', () => {
		const tasks = [
			{ name: 'short', priority: 20, period: MS, work: 600_000 },
			{ name: 'long', priority: 10, period: 3 * MS, work: 1_500_000 },
		];
		expect(isSchedulable(tasks.map(({ work, ...rest }) => ({ ...rest, wcet: work })))).toBe(false);
		const running = assemble(taskSystem(tasks), composition);
		running.runUntil(30 * MS);
		const [short, long] = running.record().cells.map(({ tasks: records }) => records[0]!);
		expect(short!.missed).toBe(0);
		expect(long!.missed).toBeGreaterThan(0);
	});
});
