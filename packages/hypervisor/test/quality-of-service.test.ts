// A promised share is kept, whatever the neighbours do: over any window, for each policy that promises one.
import { u54h } from '@partita/kernel-costs';
import { Machine } from '@partita/machine';
import { type EntityParameters, FixedPriority, RoundRobin } from '@partita/sched';
import type { VirtualDeviceDescription } from '@partita/vmm';
import { describe, expect, test } from 'vitest';
import { type HypervisorConfig, hypervisor } from '../src/index.ts';
import { assemblyVm, runUntil, type TestVm } from './support/guests.ts';

const MS = 1_000_000;
const BELL = 0x3000_0000;
/** Two periods of a budget. */
const WINDOW = 10 * MS;

/** Its deadline is always 10 us away: it interrupts its guest as often as the guest asks. */
const alarm: VirtualDeviceDescription = {
	name: 'alarm',
	base: 0x2000_0000,
	size: 4,
	interrupt: 'external',
	create: ({ line, now, timer }) => ({
		state: undefined,
		restore: () => {},
		read: () => 0,
		write: () => {
			line.set(false);
			timer.setDeadline(now() + 10_000);
		},
		expire: () => line.set(true),
	}),
};

/** Neighbours that want all there is, each in its way. */
const hogs: Readonly<Record<string, (schedule: EntityParameters) => TestVm>> = {
	computes: (schedule) => assemblyVm('hog', '1: j 1b', schedule),
	'calls the SBI': (schedule) => assemblyVm('hog', '1: li a7, 0x10\nli a6, 0\necall\nj 1b', schedule),
	prints: (schedule) => assemblyVm('hog', '1: li a7, 1\nli a0, 32\necall\nj 1b', schedule),
	'accesses what is not there': (schedule) =>
		assemblyVm('hog', 'la t0, 2f\ncsrw stvec, t0\n.balign 4\n2: li t1, 0x1000\nlw t0, 0(t1)\nj 2b', schedule),
	'is interrupted without end': (schedule) =>
		assemblyVm('hog', 'li t0, 0x20000000\nli t1, 0x200\ncsrw sie, t1\n1: sw x0, 0(t0)\nwfi\nj 1b', schedule, {
			devices: [alarm],
		}),
	'sleeps for a microsecond, and again': (schedule) =>
		assemblyVm(
			'hog',
			'li t0, 0x20\ncsrw sie, t0\n1: rdtime t0\naddi t0, t0, 10\ncsrw stimecmp, t0\nwfi\nj 1b',
			schedule,
		),
	'rings a doorbell': (schedule) =>
		assemblyVm('hog', `li t0, ${BELL}\nli t1, 1\n1: sw t1, 0(t0)\nj 1b`, schedule, {
			doorbell: { base: BELL, interrupt: 'external' },
		}),
};

/** Processor time of the victim, guest and kernel on its behalf, in windows; the first is left out. */
function shares(
	hog: TestVm,
	victim: TestVm,
	policy: HypervisorConfig<EntityParameters>['policy'],
	window: number,
): number[] {
	const factory = hypervisor({
		vms: [hog.config, victim.config],
		policy,
		costs: u54h,
		...(hog.config.doorbell && { doorbells: [{ from: { vm: 'hog', bit: 0 }, to: { vm: 'hog', bit: 0 } }] }),
	});
	const machine = new Machine({ memory: 16 << 20, kernel: factory });
	const kernel = factory.kernel!;
	const used = (): number => {
		// An entry brings the counters up to date.
		kernel.resume('victim');
		const [, { runNanos, kernelNanos }] = kernel.statistics.vms as [unknown, { runNanos: number; kernelNanos: number }];
		return runNanos + kernelNanos;
	};
	runUntil(machine, window);
	const all: number[] = [];
	let last = used();
	let at = machine.now();
	for (let i = 0; i < 2; i++) {
		runUntil(machine, at + window);
		const now = used();
		all.push((now - last) / (machine.now() - at));
		last = now;
		at = machine.now();
	}
	return all;
}

const victim = (schedule: EntityParameters): TestVm => assemblyVm('victim', '1: j 1b', schedule);

describe.each(Object.entries(hogs))('beside a neighbour that %s', (_, hog) => {
	test('a budget at a high priority is kept, within the switches that it pays for', () => {
		const promised = { priority: 200, budget: 2 * MS, period: 5 * MS };
		for (const share of shares(hog({ priority: 100 }), victim(promised), new FixedPriority(), WINDOW)) {
			expect(share).toBeGreaterThan(0.4 * 0.98);
			expect(share).toBeLessThan(0.4 * 1.02);
		}
	});

	test('what a neighbour with a budget leaves, at a higher priority, is the rest', () => {
		const limited = { priority: 200, budget: 2 * MS, period: 5 * MS };
		for (const share of shares(hog(limited), victim({ priority: 100 }), new FixedPriority(), WINDOW)) {
			expect(share).toBeGreaterThan(0.6 * 0.98);
		}
	});

	test('a turn of each, under round robin, is at least half', () => {
		const equal = { priority: 1 };
		for (const share of shares(hog(equal), victim(equal), new RoundRobin({ slice: MS }), WINDOW)) {
			expect(share).toBeGreaterThan(0.5 * 0.98);
		}
	});
});
