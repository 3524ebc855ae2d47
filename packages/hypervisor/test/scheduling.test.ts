// Virtual CPUs under policies: the real-time guest meets its deadlines or misses them as its priority and budget say.
import { free, u54h } from '@partita/kernel-costs';
import { Machine } from '@partita/machine';
import { type EntityParameters, FixedPriority, RoundRobin } from '@partita/sched';
import { describe, expect, test } from 'vitest';
import { type Hypervisor, type HypervisorConfig, hypervisor } from '../src/index.ts';
import { realTimeVm, runUntil, type TestVm, tasksOf } from './support/guests.ts';

const MS = 1_000_000;

function run(
	vms: readonly TestVm[],
	nanos: number,
	more: Partial<HypervisorConfig<EntityParameters>> = {},
): Hypervisor<EntityParameters> {
	const factory = hypervisor({
		vms: vms.map(({ config }) => config),
		policy: new FixedPriority(),
		costs: u54h,
		...more,
	});
	const machine = new Machine({ memory: 16 << 20, kernel: factory });
	runUntil(machine, nanos);
	return factory.kernel!;
}

describe('fixed priorities', () => {
	test('an urgent VM preempts a busy one at once, at the price of an exit, a decision and a world switch', () => {
		const urgent = realTimeVm({ name: 'urgent', period: MS, work: 200_000 }, { priority: 100 });
		const busy = realTimeVm({ name: 'busy', period: MS, work: 100_000 }, { priority: 50 }, true);
		const kernel = run([urgent, busy], 50.5 * MS);
		const [control] = tasksOf(kernel, urgent);
		expect(control).toMatchObject({ released: 50, completed: 50, missed: 0 });
		// 160 + 50 + 2700 + 340 + 115 ns of the profile, and the handler's own instructions.
		for (const response of control!.responses) expect(response).toBeOneOf([2033, 2034, 2035]);
		const [second, background] = tasksOf(kernel, busy);
		expect(second).toMatchObject({ released: 50, completed: 50, missed: 0 });
		for (const response of second!.responses) expect(response).toBeGreaterThan(3000);
		expect(background!.completed).toBeGreaterThan(30_000);
	});

	test('with the priorities exchanged, the VM that was urgent waits for the busy one for ever', () => {
		const urgent = realTimeVm({ name: 'urgent', period: MS, work: 200_000 }, { priority: 50 });
		const busy = realTimeVm({ name: 'busy', period: MS, work: 100_000 }, { priority: 100 }, true);
		const kernel = run([urgent, busy], 20 * MS);
		expect(tasksOf(kernel, urgent)[0]).toMatchObject({ released: 0, completed: 0 });
		expect(kernel.statistics.vms[0]).toMatchObject({ name: 'urgent', runNanos: 0 });
	});

	test('a budget holds an urgent hog back', () => {
		const hog = realTimeVm(
			{ name: 'hog', period: MS, work: 100_000 },
			{ priority: 200, budget: 300_000, period: MS },
			true,
		);
		const victim = realTimeVm({ name: 'victim', period: 10 * MS, work: 5 * MS }, { priority: 10 });
		const kernel = run([hog, victim], 100.5 * MS);
		expect(tasksOf(kernel, victim)[0]).toMatchObject({ released: 10, completed: 9, missed: 0 });
		const [first] = kernel.statistics.vms;
		expect(first!.vcpus[0]!.exhaustions).toBeGreaterThanOrEqual(100);
		// Its guest's time and the kernel's for it are within the budget.
		expect(first!.runNanos / 100.5).toBeLessThan(300_000);
		expect(first!.runNanos / 100.5).toBeGreaterThan(290_000);
	});

	test('without costs, kernel work takes no time', () => {
		const urgent = realTimeVm({ name: 'urgent', period: MS, work: 200_000 }, { priority: 100 });
		const busy = realTimeVm({ name: 'busy', period: MS, work: 100_000 }, { priority: 50 }, true);
		const kernel = run([urgent, busy], 10.5 * MS, { costs: free });
		for (const response of tasksOf(kernel, urgent)[0]!.responses) expect(response).toBeOneOf([2000, 2001]);
		expect(kernel.statistics.kernelNanos).toBe(0);
	});
});

describe('round robin', () => {
	test('two busy VMs get equal shares', () => {
		const vms = ['a', 'b'].map((name) => realTimeVm({ name, period: 100 * MS, work: 1_000 }, { priority: 1 }, true));
		const kernel = run(vms, 100 * MS, { policy: new RoundRobin({ slice: MS }) });
		const [a, b] = kernel.statistics.vms;
		expect(Math.abs(a!.runNanos - b!.runNanos)).toBeLessThan(1.1 * MS);
		expect(a!.runNanos + b!.runNanos).toBeGreaterThan(98 * MS);
	});
});

test('time is accounted for: guests, kernel and idling make up the whole', () => {
	const vms = [realTimeVm({ name: 'only', period: MS, work: 200_000 }, { priority: 1 })];
	const factory = hypervisor({ vms: vms.map(({ config }) => config), policy: new FixedPriority(), costs: u54h });
	const machine = new Machine({ memory: 16 << 20, kernel: factory });
	runUntil(machine, 5 * MS);
	factory.kernel!.pause('only');
	const { kernelNanos, idleNanos, vms: guests } = factory.kernel!.statistics;
	expect(kernelNanos + idleNanos + guests[0]!.runNanos).toBe(machine.now());
	expect(idleNanos).toBeGreaterThan(kernelNanos);
});
