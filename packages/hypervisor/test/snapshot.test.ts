// A snapshot of everything, restored into another machine, goes on to the same trace hash; and damaged ones are refused.
import { linkedConsole } from '@partita/drivers';
import { u54h } from '@partita/kernel-costs';
import { decodeSnapshot, encodeSnapshot, Machine } from '@partita/machine';
import { type EntityParameters, FixedPriority } from '@partita/sched';
import { describe, expect, test } from 'vitest';
import { type HypervisorFactory, hypervisor } from '../src/index.ts';
import { assemblyVm, realTimeVm, runUntil, type TestVm } from './support/guests.ts';

const MS = 1_000_000;

/** Prints its ticks of time for ever, by SBI calls, and sleeps now and then. */
const chatter = `
	li s0, 0
1:	andi a0, s0, 63
	addi a0, a0, 32
	li a7, 1
	ecall
	addi s0, s0, 1
	andi t0, s0, 15
	bnez t0, 1b
	rdtime t0
	addi t0, t0, 333
	csrw stimecmp, t0
	li t0, 0x20
	csrw sie, t0
	wfi
	j 1b
`;

const vms = (): TestVm[] => [
	realTimeVm({ name: 'urgent', period: MS, work: 200_000 }, { priority: 100 }),
	realTimeVm({ name: 'hog', period: MS, work: 100_000 }, { priority: 90, budget: 300_000, period: 700_000 }, true),
	assemblyVm('chatter', chatter, { priority: 50 }),
];

function make(): { machine: Machine; factory: HypervisorFactory<EntityParameters>; screen(): string } {
	let screen = '';
	const factory = hypervisor({
		vms: vms().map(({ config }) => config),
		policy: new FixedPriority(),
		costs: u54h,
		console: { create: linkedConsole },
	});
	const machine = new Machine({
		memory: 16 << 20,
		kernel: factory,
		traceHash: true,
		console: (byte) => {
			screen += String.fromCharCode(byte);
		},
	});
	return { machine, factory, screen: () => screen };
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
	const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
	let at = 0;
	for (const piece of pieces) {
		bytes.set(piece, at);
		at += piece.length;
	}
	return bytes;
}

describe('a snapshot', () => {
	test.each([1, 123_457, 3_400_000, 7_777_777])('at %d ns goes on as if nothing had been', (at) => {
		const straight = make();
		runUntil(straight.machine, at);
		const before = straight.screen().length;
		const { machine: of } = straight;
		const saved = encodeSnapshot({ machine: of.description, state: of.save(), application: undefined });
		const resumed = make();
		resumed.machine.restore(decodeSnapshot(joined(saved)).state);
		expect(resumed.machine.traceHash).toBe(straight.machine.traceHash);
		for (const { machine } of [straight, resumed]) machine.run(8 * MS);
		expect(resumed.machine.now()).toBe(straight.machine.now());
		expect(resumed.machine.traceHash).toBe(straight.machine.traceHash);
		expect(resumed.factory.kernel!.statistics).toEqual(straight.factory.kernel!.statistics);
		expect(resumed.screen().slice(-100)).toBe(straight.screen().slice(-100));
		expect(straight.screen().length).toBeGreaterThan(before);
		expect(resumed.factory.kernel!.state).toEqual(straight.factory.kernel!.state);
	});

	test('two runs are the same run, however they are divided', () => {
		const [a, b] = [make(), make()];
		a.machine.run(5 * MS);
		// Kernel work may take a run beyond its end.
		const end = a.machine.executed;
		while (b.machine.executed < end) b.machine.run(Math.min(MS / 10, end - b.machine.executed));
		expect(b.machine.traceHash).toBe(a.machine.traceHash);
		expect(b.factory.kernel!.state).toEqual(a.factory.kernel!.state);
	});

	test('of other VMs is refused', () => {
		const { factory } = make();
		const { state } = factory.kernel!;
		const other = hypervisor({
			vms: vms()
				.slice(1)
				.map(({ config }) => config),
			policy: new FixedPriority(),
			costs: u54h,
		});
		new Machine({ memory: 16 << 20, kernel: other });
		expect(() => other.kernel!.restore(state)).toThrow(/it holds the VMs urgent, hog, chatter, not hog, chatter/);
	});
});
