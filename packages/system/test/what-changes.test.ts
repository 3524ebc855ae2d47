// No result is scripted: a priority, a budget or a period that changes in the description changes the report as theory says.
import type { RunRecord, TaskRecord } from '@partita/report';
import { describe, expect, test } from 'vitest';
import type { CompositionName } from '../src/index.ts';
import { assemble, COMPOSITIONS } from './support/compositions.ts';
import { type TestTask, taskSystem } from './support/task-systems.ts';

const MS = 1_000_000;
const urgent: TestTask = { name: 'urgent', priority: 20, period: MS, work: 200_000 };
const heavy: TestTask = { name: 'heavy', priority: 10, period: 10 * MS, work: 4 * MS };

function run(composition: CompositionName, tasks: readonly TestTask[]): RunRecord {
	const running = assemble(taskSystem(tasks), composition);
	running.runUntil(100 * MS);
	return running.record();
}

function task(record: RunRecord, name: string): TaskRecord {
	return record.cells.flatMap(({ tasks }) => tasks).find((each) => each.name === name)!;
}

describe.each(COMPOSITIONS)('%s', (composition) => {
	test('priorities exchanged: the short task waits for the long one, and misses; back: it does not', () => {
		const before = run(composition, [urgent, heavy]);
		expect(task(before, 'urgent')).toMatchObject({ missed: 0 });
		expect(task(before, 'urgent').latency!.max).toBeLessThan(0.22 * MS);
		const after = run(composition, [
			{ ...urgent, priority: 10 },
			{ ...heavy, priority: 20 },
		]);
		// Three or four deadlines pass while 4 ms of work are done, each 10 ms.
		expect(task(after, 'urgent').latency!.max).toBeGreaterThan(4 * MS);
		expect(task(after, 'urgent').missed).toBeGreaterThan(20);
		expect(task(after, 'heavy').latency!.max).toBeLessThan(4.02 * MS);
	});

	test('a budget below the demand: the task gets that share and no more, and misses', () => {
		const record = run(composition, [urgent, { ...heavy, budget: 3 * MS }]);
		const { entities } = record.cells.find(({ name }) => name === 'cell-heavy')!;
		expect(task(record, 'heavy').missed).toBeGreaterThan(0);
		expect(task(record, 'urgent').missed).toBe(0);
		// 30 %, of which the kernel's work on its behalf is a part; a virtual machine has nothing to do in its first period.
		const { runNanos } = entities[0]!;
		expect(runNanos).toBeLessThanOrEqual(0.3 * record.nanos);
		expect(runNanos).toBeGreaterThan(0.3 * 0.98 * (record.nanos - heavy.period));
	});

	test('a period halved: twice the jobs, twice the share, and later answers for what is less urgent', () => {
		const before = run(composition, [urgent, heavy]);
		const after = run(composition, [{ ...urgent, period: MS / 2 }, heavy]);
		const jobs = [before, after].map((record) => task(record, 'urgent').completed);
		expect(jobs[1]! / jobs[0]!).toBeCloseTo(2, 1);
		const shares = [before, after].map(({ cells }) => cells[0]!.entities[0]!.runNanos);
		expect(shares[1]! / shares[0]!).toBeCloseTo(2, 1);
		// 4 ms of work: 5 ms beside 20 %, 6.7 ms beside 40 %.
		expect(task(before, 'heavy').latency!.median / MS).toBeCloseTo(5, 0);
		expect(task(after, 'heavy').latency!.median / MS).toBeCloseTo(6.7, 0);
	});
});
