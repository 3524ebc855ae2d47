// Parts that are linked into the kernel: they have its time, their work is paid for by who causes it, their state is saved;
// and what comes from outside, between two runs, makes an entry of its own.
import { u54h } from '@partita/kernel-costs';
import { Machine } from '@partita/machine';
import { type EntityParameters, FixedPriority } from '@partita/sched';
import type { InterruptLine } from '@partita/vmm';
import { expect, test } from 'vitest';
import { type HypervisorFactory, hypervisor, type KernelPart, type PartEnvironment } from '../src/index.ts';
import { assemblyVm } from './support/guests.ts';

const MS = 1_000_000;

/** Counts stores to a device, each of which takes 1 us; its interrupt is raised from outside. */
class Counter implements KernelPart {
	readonly name = 'counter';
	state = { stores: 0, last: 0 };
	environment: PartEnvironment | undefined;
	line: InterruptLine | undefined;

	restore(state: never): void {
		this.state = structuredClone(state);
	}

	link(environment: PartEnvironment): void {
		this.environment = environment;
	}

	count(): void {
		this.state = { stores: this.state.stores + 1, last: this.environment!.now() };
		this.environment!.work(1000);
		this.line?.set(false);
	}
}

function make(): { machine: Machine; part: Counter; factory: HypervisorFactory<EntityParameters> } {
	const part = new Counter();
	const { config } = assemblyVm(
		'a',
		`li t0, 0x10000000
		li t1, 0x200
		csrw sie, t1
	1:	sw x0, 0(t0)
		wfi
		j 1b`,
		{ priority: 1 },
		{
			devices: [
				{
					name: 'counter',
					base: 0x1000_0000,
					size: 4,
					interrupt: 'external',
					create: ({ line }) => {
						part.line = line;
						return { state: undefined, restore: () => {}, read: () => 0, write: () => part.count() };
					},
				},
			],
		},
	);
	const factory = hypervisor({ vms: [config], policy: new FixedPriority(), costs: u54h, parts: [part] });
	const machine = new Machine({ memory: 16 << 20, kernel: factory, traceHash: true });
	return { machine, part, factory };
}

test('work of a part is charged to who causes it', () => {
	const { machine, part, factory } = make();
	expect(machine.run(MS)).toEqual({ reason: 'idle', next: undefined });
	expect(part.state.stores).toBe(1);
	// The way out, the access and the part; the way out again for WFI, and the decision that nobody is next.
	expect(factory.kernel!.statistics.vms[0]!.kernelNanos).toBe(160 + 150 + 1000 + 160 + 80 + 2700);
});

test('an interrupt from outside, between two runs, wakes the VM', () => {
	const { machine, part, factory } = make();
	machine.run(MS);
	for (let i = 2; i <= 5; i++) {
		part.line!.set(true);
		expect(factory.kernel!.statistics.vms[0]!.status).toBe('ready');
		expect(machine.run(MS).reason).toBe('idle');
		expect(part.state.stores).toBe(i);
	}
});

test('a snapshot between what came from outside and the next run goes on', () => {
	const straight = make();
	straight.machine.run(MS);
	straight.part.line!.set(true);
	const resumed = make();
	resumed.machine.restore(structuredClone(straight.machine.save()));
	for (const { machine } of [straight, resumed]) expect(machine.run(MS).reason).toBe('idle');
	expect(resumed.part.state).toEqual(straight.part.state);
	expect(resumed.part.state.stores).toBe(2);
	expect(resumed.machine.traceHash).toBe(straight.machine.traceHash);
	expect(resumed.factory.kernel!.state).toEqual(straight.factory.kernel!.state);
});

test('parts that are not in a snapshot, or share a name, are refused', () => {
	const { factory } = make();
	const { state } = factory.kernel!;
	expect(() => factory.kernel!.restore({ ...state, parts: {} })).toThrow(/it has no part counter/);
	const parts = [new Counter(), new Counter()];
	expect(() => hypervisor({ vms: [], policy: new FixedPriority(), costs: u54h, parts })).toThrow(/parts\[1\].name/);
});
