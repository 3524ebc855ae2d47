// Shared memory and doorbells: two VMs exchange words; what is not described is denied; what is taken away faults.
import { signalPing, signalPong } from '@partita/guests';
import { u54h } from '@partita/kernel-costs';
import { Machine } from '@partita/machine';
import { type EntityParameters, FixedPriority } from '@partita/sched';
import { describe, expect, test } from 'vitest';
import { type HypervisorConfig, hypervisor, type VmConfig } from '../src/index.ts';
import { assemblyVm, runUntil, type TestVm, tasksOf, vmOf } from './support/guests.ts';

const MS = 1_000_000;
const SHARED = 0x4000_0000;
const BELL = 0x3000_0000;
const share: Partial<VmConfig<EntityParameters>> = {
	share: [{ region: 'buffer', base: SHARED }],
	doorbell: { base: BELL, interrupt: 'external' },
};
const pairOptions = { shared: SHARED, doorbell: BELL, bit: 3 };

function pair(more: Partial<VmConfig<EntityParameters>> = share): [TestVm, TestVm] {
	return [
		vmOf('ping', signalPing(pairOptions), { priority: 10 }, more),
		vmOf('pong', signalPong({ ...pairOptions, bit: 0 }), { priority: 20 }, more),
	];
}

const system = (vms: readonly TestVm[]): HypervisorConfig<EntityParameters> => ({
	vms: vms.map(({ config }) => config),
	policy: new FixedPriority(),
	costs: u54h,
	regions: [{ name: 'buffer', size: 4096 }],
	doorbells: [
		{ from: { vm: 'ping', bit: 3 }, to: { vm: 'pong', bit: 1 } },
		{ from: { vm: 'pong', bit: 0 }, to: { vm: 'ping', bit: 7 } },
	],
});

describe('two VMs', () => {
	test('exchange words through memory, at the price of two world switches for each', () => {
		const vms = pair();
		const factory = hypervisor(system(vms));
		const machine = new Machine({ memory: 16 << 20, kernel: factory });
		runUntil(machine, 5 * MS);
		const kernel = factory.kernel!;
		const [ping] = tasksOf(kernel, vms[0]);
		const [pong] = tasksOf(kernel, vms[1]);
		expect(ping!.missed).toBe(0);
		expect(ping!.completed).toBeGreaterThan(300);
		expect(pong!.completed - ping!.completed).toBeOneOf([0, 1]);
		// Two doorbells, two decisions, two switches and the clearing of bells: 12 to 14 us, always the same.
		expect(new Set(ping!.responses.slice(1)).size).toBeLessThanOrEqual(2);
		expect(Math.min(...ping!.responses)).toBeGreaterThan(110);
		expect(Math.max(...ping!.responses)).toBeLessThan(150);
		const word = new Uint8Array(8);
		expect(kernel.readRegion('buffer', 0, word)).toBe(true);
		expect(new DataView(word.buffer).getBigUint64(0, true)).toBe(BigInt(ping!.released - 1));
		const [one, other] = kernel.statistics.vms;
		expect(one!.signals).toBe(ping!.released);
		expect(other!.signals).toBe(pong!.completed);
		expect(one!.signalsDenied + other!.signalsDenied).toBe(0);
	});

	test('a snapshot in the middle goes on', () => {
		const make = (): Machine => new Machine({ memory: 16 << 20, kernel: hypervisor(system(pair())), traceHash: true });
		const straight = make();
		straight.run(777_777);
		const resumed = make();
		resumed.restore(structuredClone(straight.save()));
		for (const machine of [straight, resumed]) machine.run(2 * MS);
		expect(resumed.traceHash).toBe(straight.traceHash);
	});
});

describe('denied', () => {
	test('a bit that rings nobody, and a VM that has ended', () => {
		const ring = `li t0, ${BELL}\nli t1, -1\nsw t1, 0(t0)\n`;
		const factory = hypervisor({
			...system([
				assemblyVm('ping', `${ring}wfi\n${ring}1: j 1b`, { priority: 20 }, share),
				assemblyVm('pong', 'li a7, 8\necall', { priority: 10 }, share),
			]),
			whenAllEnded: 'stay',
		});
		const machine = new Machine({ memory: 16 << 20, kernel: factory });
		machine.run(MS / 2);
		const first = factory.kernel!.statistics.vms[0]!;
		expect([first.signals, first.signalsDenied]).toEqual([1, 31]);
		factory.kernel!.reset('ping');
		machine.run(MS);
		const again = factory.kernel!.statistics.vms[0]!;
		expect([again.signals, again.signalsDenied]).toEqual([1, 63]);
	});

	test('writing what is shared for reading only, and executing it, are access faults', () => {
		const source = `
			la t0, handler
			csrw stvec, t0
			li s0, ${SHARED}
			ld s1, 0(s0)
			sd s1, 0(s0)
			mv s3, s2
			jr s0
		handler:
			csrr s2, scause
			bnez s3, 1f
			csrr t0, sepc
			addi t0, t0, 4
			csrw sepc, t0
			sret
		1:	slli s3, s3, 8
			or s2, s2, s3
			la t0, report
			sd s2, 0(t0)
		2:	j 2b
			.balign 8
			.globl report
		report: .dword 0`;
		const vm = assemblyVm(
			'reader',
			source,
			{ priority: 1 },
			{ share: [{ region: 'buffer', base: SHARED, writable: false }] },
		);
		const factory = hypervisor({ ...system([vm]), doorbells: [] });
		const machine = new Machine({ memory: 16 << 20, kernel: factory });
		machine.run(MS / 10);
		const { exits } = factory.kernel!.statistics.vms[0]!;
		expect(exits.invalidAccess).toBe(2);
		const memory = new Uint8Array(4096);
		factory.kernel!.memory('reader').read(0x8000_0000, memory);
		// Store access fault 7, then instruction access fault 1.
		expect(new BigUint64Array(memory.buffer)).toContain(0x701n);
	});

	test('memory that was taken away: only its holder faults, and it keeps its own', () => {
		const vms = pair();
		const factory = hypervisor(system(vms));
		const machine = new Machine({ memory: 16 << 20, kernel: factory });
		machine.run(MS);
		const kernel = factory.kernel!;
		const { free } = kernel.state;
		expect(kernel.unshare('ping', 'nothing')).toBe(false);
		expect(kernel.unshare('ping', 'buffer')).toBe(true);
		expect(kernel.unshare('ping', 'buffer')).toBe(false);
		machine.run(MS);
		const [ping, pong] = kernel.statistics.vms;
		// It has no trap handler: that is where it ends.
		expect(ping!.ending).toMatchObject({ reason: 'fault', detail: expect.stringMatching(/trap handler/) });
		expect(ping!.exits.invalidAccess).toBeGreaterThan(0);
		expect(pong!.exits.invalidAccess).toBe(0);
		expect(pong!.status).toBe('waiting');
		expect(tasksOf(kernel, vms[0])[0]!.completed).toBeGreaterThan(50);
		// Tables for the region were given back.
		const bytes = (runs: typeof free): number => runs.reduce((sum, run) => sum + run.bytes, 0);
		expect(bytes(kernel.state.free)).toBeGreaterThan(bytes(free));
		expect(() => kernel.readRegion('none', 0, new Uint8Array(1))).toThrow(/there is no region "none"/);
		expect(kernel.readRegion('buffer', 4090, new Uint8Array(8))).toBe(false);
	});
});

describe('descriptions that cannot be', () => {
	const loop = (more: Partial<VmConfig<EntityParameters>>): TestVm => assemblyVm('a', '1: j 1b', { priority: 1 }, more);
	const bell = { doorbell: { base: BELL, interrupt: 'external' } } as const;

	test.each<[string, Partial<HypervisorConfig<EntityParameters>>, RegExp]>([
		['a region of no whole pages', { regions: [{ name: 'r', size: 100 }] }, /regions\[0\].size: 100 is no multiple/],
		['an empty region', { regions: [{ name: 'r', size: 0 }] }, /regions\[0\].size/],
		[
			'two regions of one name',
			{
				regions: [
					{ name: 'r', size: 4096 },
					{ name: 'r', size: 4096 },
				],
			},
			/regions\[1\].name/,
		],
		[
			'a region that is too large',
			{ regions: [{ name: 'r', size: 1 << 30 }] },
			/regions.r: there is not enough memory/,
		],
		[
			'a share of nothing',
			{ vms: [loop({ share: [{ region: 'x', base: SHARED }] }).config] },
			/share\[0\].region: there is no region "x"/,
		],
		[
			'a region shared twice',
			{
				vms: [
					loop({
						share: [
							{ region: 'buffer', base: SHARED },
							{ region: 'buffer', base: 0 },
						],
					}).config,
				],
			},
			/share\[1\].region: buffer is shared twice/,
		],
		[
			'a share in memory',
			{ vms: [loop({ share: [{ region: 'buffer', base: 0x8000_0000 }] }).config] },
			/buffer overlaps memory/,
		],
		[
			'a bell that nobody has',
			{ doorbells: [{ from: { vm: 'a', bit: 0 }, to: { vm: 'a', bit: 0 } }] },
			/doorbells\[0\].from.vm: no VM "a" has a doorbell/,
		],
		[
			'a bit that is none',
			{ vms: [loop(bell).config], doorbells: [{ from: { vm: 'a', bit: 32 }, to: { vm: 'a', bit: 0 } }] },
			/from.bit: 32/,
		],
		[
			'a bit that rings two',
			{
				vms: [loop(bell).config],
				doorbells: [
					{ from: { vm: 'a', bit: 1 }, to: { vm: 'a', bit: 0 } },
					{ from: { vm: 'a', bit: 1 }, to: { vm: 'a', bit: 2 } },
				],
			},
			/doorbells\[1\].from: bit 1 of a rings somebody already/,
		],
	])('%s', (_, change, reason) => {
		const config = { ...system([loop({})]), doorbells: [], ...change };
		expect(() => new Machine({ memory: 16 << 20, kernel: hypervisor(config) })).toThrow(reason);
	});
});
