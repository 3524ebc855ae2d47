// Whole systems, saved and restored: to the same trace hash and the same report. Two runs: the same, byte for byte.
import { recordJson } from '@partita/report';
import { describe, expect, test } from 'vitest';
import type { SystemDescription } from '../src/index.ts';
import { assemble, COMPOSITIONS } from './support/compositions.ts';

const MS = 1_000_000;
const CONTROL = { name: 'control', period: '1ms', work: 150_000 };
const BACKGROUND = { name: 'background', work: 5_000 };

/** Everything at once: virtual machines with and without devices, native domains, budgets, channels. */
const description: SystemDescription = {
	name: 'everything',
	machine: { memory: '32MiB' },
	scheduling: { policy: 'fixed-priority' },
	images: {
		'real-time': { guest: 'real-time', control: CONTROL, background: BACKGROUND },
		media: { guest: 'real-time', control: { name: 'media', period: '4ms', work: 900_000 } },
		control: { guest: 'periodic', task: CONTROL },
		background: { guest: 'busy', task: BACKGROUND },
		ping: { guest: 'ping', endpoint: 1 },
		pong: { guest: 'pong', endpoint: 1, reply: 2 },
	},
	cells: [
		{
			name: 'real-time',
			vm: { image: 'real-time', memory: '1MiB', priority: 200, budget: '100us', period: '300us' },
			domains: [
				{ name: 'control', image: 'control', priority: 200, budget: '170us', period: '1ms' },
				{ name: 'background', image: 'background', priority: 20 },
			],
			placement: { hypervisor: 'vm', microkernel: 'domains' },
		},
		{
			name: 'media',
			vm: {
				image: 'media',
				memory: '2MiB',
				priority: 100,
				monitor: { priority: 150 },
				devices: [
					{ kind: 'plic', address: 0xc00_0000 },
					{ kind: 'uart', address: 0x1000_0000, interrupt: 10 },
				],
			},
			placement: { hypervisor: 'vm', microkernel: 'vm' },
		},
		{
			name: 'pair',
			domains: [
				{ name: 'ping', image: 'ping', priority: 50, budget: '100us', period: '2ms' },
				{ name: 'pong', image: 'pong', priority: 50, passive: true },
			],
			placement: { hypervisor: 'none', microkernel: 'domains' },
		},
	],
	channels: [
		{ name: 'service', kind: 'endpoint', from: { domain: 'ping', slot: 1 }, to: { domain: 'pong', slot: 1, reply: 2 } },
	],
};

describe.each(COMPOSITIONS)('%s', (composition) => {
	test('a snapshot at any point goes on in another system to the same end', () => {
		const whole = assemble(description, composition);
		whole.runUntil(20 * MS);
		const end = recordJson(whole.record());
		// Within a job, within a path of the kernel's timers, within a call.
		for (const point of [1, 3_000_017, 7_104_321, 12_345_678]) {
			const first = assemble(description, composition);
			first.runUntil(point);
			const state = structuredClone(first.save());
			const second = assemble(description, composition);
			second.runUntil(5_000);
			second.restore(state);
			second.runUntil(20 * MS);
			expect(second.machine.traceHash, `from ${point} ns`).toBe(whole.machine.traceHash);
			expect(recordJson(second.record()), `from ${point} ns`).toBe(end);
		}
	});

	test('time is accounted for, whenever one looks: entities, kernel and idling make up the whole', () => {
		const running = assemble(description, composition);
		for (const point of [1_000, 50_000, 999_999, 3_000_017, 5_500_000, 7_104_321]) {
			running.runUntil(point);
			const { nanos, kernel, cells } = running.record();
			const times = cells.flatMap(({ entities }) => entities.map(({ runNanos }) => runNanos));
			for (const time of [...times, kernel.idleNanos]) expect(time, `at ${nanos} ns`).toBeGreaterThanOrEqual(0);
			const sum = times.reduce((total, time) => total + time, kernel.nanos + kernel.idleNanos);
			expect(sum).toBe(nanos);
		}
	});

	test('how a run is divided makes no difference', () => {
		const whole = assemble(description, composition);
		whole.runUntil(10 * MS);
		const divided = assemble(description, composition);
		for (let time = 0; time < 10 * MS; time += 33_331) divided.runUntil(Math.min(time, 10 * MS));
		divided.runUntil(10 * MS);
		expect(recordJson(divided.record())).toBe(recordJson(whole.record()));
	});

	test('two runs give the same report, byte for byte; another description another', () => {
		const run = (system: SystemDescription): string => {
			const running = assemble(system, composition);
			running.runUntil(10 * MS);
			return recordJson(running.record());
		};
		expect(run(description)).toBe(run(description));
		expect(run({ ...description, machine: { memory: '32MiB', costs: 'free' } })).not.toBe(run(description));
	});
});
