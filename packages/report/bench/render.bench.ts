// What a report costs: a summary of many samples, and the text of a system with many cells.
import { BASIS, compareRuns, type RunRecord, recordJson, renderComparison, summariseLatency } from '@partita/report';
import { test } from 'vitest';

const samples = Uint32Array.from({ length: 100_000 }, (_, index) => Math.imul(index, 2654435761) >>> 12);
const run = (composition: string): RunRecord => ({
	schema: 'partita-run/1',
	system: 'many',
	composition,
	policy: 'fixed-priority',
	costs: { name: 'free', source: 'none' },
	nanos: 1_000_000_000,
	traceHash: '00000000000000000000000000000000',
	cells: Array.from({ length: 100 }, (_, index) => ({
		name: `cell${index}`,
		placement: 'vm',
		entities: [],
		tasks: [{ name: 'task', period: 1_000_000, deadline: 1_000_000, completed: 1000, missed: 0 }],
		memory: { reserved: 1 << 21, touched: 1 << 14 },
		consoleBytes: 0,
		trusts: [],
	})),
	kernel: { entries: 1, timerEntries: 1, contextSwitches: 1, nanos: 1, idleNanos: 1, exits: {}, ipc: {} },
	basis: BASIS,
});

test('report', async ({ bench }) => {
	await bench('summary of 100,000 samples', () => {
		summariseLatency(samples);
	}).run();
	const comparison = compareRuns([run('hypervisor'), run('microkernel')]);
	await bench('text of 100 cells, twice', () => {
		renderComparison(comparison);
	}).run();
	await bench('JSON of 100 cells, twice', () => {
		recordJson(comparison);
	}).run();
});
