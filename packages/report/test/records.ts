// Records for tests: two small runs of one system.
import { BASIS, RECORD_SCHEMA, type RunRecord } from '../src/index.ts';

export const hypervisorRun: RunRecord = {
	schema: RECORD_SCHEMA,
	system: 'example',
	composition: 'hypervisor',
	policy: 'fixed-priority',
	costs: { name: 'u54h', source: 'published' },
	nanos: 10_000_000,
	traceHash: '00112233445566778899aabbccddeeff',
	cells: [
		{
			name: 'control',
			placement: 'vm',
			entities: [
				{
					name: 'control',
					kind: 'vcpu',
					priority: 200,
					runNanos: 2_500_000,
					dispatches: 12,
					preemptions: 3,
					status: 'waiting',
				},
			],
			tasks: [
				{
					name: 'control',
					period: 1_000_000,
					deadline: 1_000_000,
					released: 10,
					completed: 9,
					missed: 2,
					latency: { samples: 9, min: 200_100, median: 210_000, p999: 1_200_000, max: 1_200_000 },
				},
				{ name: 'background', completed: 12_345, missed: 0 },
			],
			exits: { wait: 9, sbi: 0 },
			memory: { reserved: 2 ** 21, touched: 12_288 },
			consoleBytes: 0,
			trusts: ['kernel'],
		},
		{
			name: 'pair',
			placement: 'none',
			entities: [],
			tasks: [],
			memory: { reserved: 0, touched: 0 },
			consoleBytes: 0,
			trusts: [],
		},
	],
	kernel: {
		entries: 40,
		timerEntries: 20,
		contextSwitches: 24,
		nanos: 120_000,
		idleNanos: 7_380_000,
		exits: { wait: 9, sbi: 0 },
		ipc: {},
	},
	linked: [
		{
			name: 'kernel',
			runs: 'privileged',
			packages: [
				{ name: '@partita/hypervisor', bytes: 9000 },
				{ name: '@partita/sched', bytes: 1240 },
			],
		},
	],
	basis: BASIS,
};

export const microkernelRun: RunRecord = {
	...hypervisorRun,
	composition: 'microkernel',
	traceHash: 'ffeeddccbbaa99887766554433221100',
	cells: [
		{
			...hypervisorRun.cells[0]!,
			placement: 'domains',
			entities: [
				{
					name: 'control',
					kind: 'program',
					priority: 200,
					runNanos: 2_000_000,
					dispatches: 10,
					preemptions: 0,
					status: 'ready',
				},
				{
					name: 'background',
					kind: 'program',
					priority: 1,
					runNanos: 7_000_000,
					dispatches: 10,
					preemptions: 9,
					status: 'stopped',
					fault: 'VMFault\x1b[2J at 0x0',
				},
			],
			tasks: [{ ...hypervisorRun.cells[0]!.tasks[0]!, completed: 10, missed: 0 }],
			trusts: ['kernel'],
		},
		{ ...hypervisorRun.cells[1]!, placement: 'domains', trusts: ['kernel'] },
	],
	kernel: { ...hypervisorRun.kernel, exits: {}, ipc: { calls: 7, replies: 7, signals: 0 } },
};
