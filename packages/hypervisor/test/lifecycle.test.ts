// VMs end, start again, are made and destroyed; what one does to itself, the others do not notice.
import { u54h } from '@partita/kernel-costs';
import { Machine } from '@partita/machine';
import { type EntityParameters, FixedPriority } from '@partita/sched';
import { describe, expect, test } from 'vitest';
import { type Hypervisor, type HypervisorConfig, hypervisor, type KernelTrace } from '../src/index.ts';
import { assemblyVm, realTimeVm, runUntil, type TestVm, tasksOf } from './support/guests.ts';

const MS = 1_000_000;
const OFF = 'li a7, 8\necall';
const loop = (name: string, priority = 1): TestVm => assemblyVm(name, '1: j 1b', { priority });

function start(
	vms: readonly TestVm[],
	more: Partial<HypervisorConfig<EntityParameters>> = {},
): { machine: Machine; kernel: Hypervisor<EntityParameters> } {
	const factory = hypervisor({
		vms: vms.map(({ config }) => config),
		policy: new FixedPriority({ slice: MS }),
		costs: u54h,
		...more,
	});
	const machine = new Machine({ memory: 16 << 20, kernel: factory });
	return { machine, kernel: factory.kernel! };
}

describe('ends', () => {
	test('the board stops when the last VM has ended, with the first code that is not 0', () => {
		const fail = 'li a7, 0x53525354\nli a6, 0\nli a0, 0\nli a1, 1\necall';
		const { machine } = start([assemblyVm('a', OFF, { priority: 1 }), assemblyVm('b', fail, { priority: 2 })]);
		expect(machine.run(MS)).toEqual({ reason: 'ended', ending: { reason: 'power-off', code: 1 } });
	});

	test('with `stay`, the hart waits for VMs to come', () => {
		const { machine, kernel } = start([assemblyVm('a', OFF, { priority: 1 })], { whenAllEnded: 'stay' });
		expect(machine.run(MS)).toEqual({ reason: 'idle', next: undefined });
		expect(kernel.statistics.vms[0]).toMatchObject({ status: 'ended', ending: { reason: 'power-off' } });
		kernel.create(loop('b').config);
		expect(machine.run(MS)).toEqual({ reason: 'limit' });
		expect(kernel.statistics.vms.map(({ status }) => status)).toEqual(['ended', 'ready']);
	});

	test('without any VM, the hart waits', () => {
		const { machine } = start([]);
		expect(machine.run(MS)).toEqual({ reason: 'idle', next: undefined });
	});
});

describe('control', () => {
	test('pause, resume, reset, stop', () => {
		const count = 'la s0, 2f\n1: ld t0, 0(s0)\naddi t0, t0, 1\nsd t0, 0(s0)\nj 1b\n.balign 8\n2: .dword 0';
		const { machine, kernel } = start([assemblyVm('a', count, { priority: 1 }), loop('b')]);
		const status = (): string => kernel.statistics.vms[0]!.status;
		const time = (): number => kernel.statistics.vms[0]!.runNanos;
		machine.run(4 * MS);
		kernel.pause('a');
		const paused = time();
		machine.run(4 * MS);
		expect([status(), time()]).toEqual(['paused', paused]);
		kernel.resume('a');
		machine.run(4 * MS);
		expect(status()).toBe('ready');
		expect(time()).toBeGreaterThan(paused + MS);
		kernel.stop('a', 'enough');
		machine.run(MS);
		expect(status()).toBe('ended');
		expect(kernel.statistics.vms[0]!.ending).toEqual({ reason: 'stopped', code: 0, detail: 'enough' });
		kernel.reset('a');
		machine.run(MS / 10);
		expect(status()).toBe('clearing');
		machine.run(4 * MS);
		expect(kernel.statistics.vms[0]).toMatchObject({ status: 'ready', restarts: 1 });
	});

	test('a VM is scheduled otherwise from now on', () => {
		const { machine, kernel } = start([loop('a', 1), loop('b', 2)]);
		machine.run(MS);
		expect(kernel.statistics.vms[0]!.runNanos).toBe(0);
		kernel.schedule('a', { priority: 3 });
		machine.run(MS);
		kernel.pause('a');
		expect(kernel.statistics.vms[0]!.runNanos).toBeGreaterThan(0.9 * MS);
		expect(() => kernel.schedule('a', { priority: 300 })).toThrow(RangeError);
	});

	test('names that are not there are refused', () => {
		const { kernel } = start([loop('a')]);
		for (const operation of ['pause', 'resume', 'reset', 'stop', 'destroy', 'memory'] as const) {
			expect(() => kernel[operation]('b')).toThrow(/there is no VM "b"/);
		}
	});
});

describe('create and destroy', () => {
	test('200 cycles leave everything as it was; no VM finds what another left', () => {
		// Stores a word, if it finds 0 there; otherwise shuts down with failure.
		const source = `
			li s0, 0x80100000
			ld t0, 0(s0)
			bnez t0, 1f
			li t0, 0x5ec4e7
			sd t0, 0(s0)
		2:	j 2b
		1:	li a7, 0x53525354
			li a6, 0
			li a0, 0
			li a1, 1
			ecall`;
		const { machine, kernel } = start([loop('stays')]);
		machine.run(MS);
		const { config } = assemblyVm('guest', source, { priority: 9 });
		const before = kernel.state;
		const frames = machine.memory.framesInUse;
		let most = 0;
		for (let cycle = 0; cycle < 200; cycle++) {
			kernel.create(config);
			machine.run(10_000);
			expect(kernel.statistics.vms[1]).toMatchObject({ name: 'guest', status: 'ready' });
			kernel.destroy('guest');
			expect(kernel.statistics.vms[1]).toMatchObject({ name: 'guest', status: 'clearing' });
			// 512 pages, and the ways there and back.
			machine.run(400_000);
			expect(kernel.statistics.vms).toHaveLength(1);
			if (cycle === 0) most = machine.memory.framesInUse;
		}
		const after = kernel.state;
		expect(after.free).toEqual(before.free);
		expect(after.guests.map(({ name }) => name)).toEqual(['stays']);
		expect(machine.memory.framesInUse).toBe(most);
		expect(most - frames).toBeLessThan(16);
		machine.run(MS);
		expect(kernel.statistics.vms[0]!.status).toBe('ready');
	});

	test('what cannot be made is refused, and leaves nothing behind', () => {
		const { kernel } = start([loop('a')]);
		const { free } = kernel.state;
		const { config } = loop('b');
		const refused: [Partial<typeof config>, RegExp][] = [
			[{ name: 'a' }, /"a" is empty, or taken/],
			[{ name: '' }, /"" is empty, or taken/],
			[{ memory: { base: 0x8000_0000, size: 64 << 20 } }, /no such run of memory left/],
			[{ schedule: { priority: -1 } }, /b.schedule: .*priority/],
			[{ schedule: { priority: 1, budget: 5 } }, /b.schedule/],
		];
		for (const [change, reason] of refused) {
			expect(() => kernel.create({ ...config, ...change })).toThrow(reason);
			expect(kernel.state.free).toEqual(free);
			expect(kernel.statistics.vms).toHaveLength(1);
		}
		kernel.create(config);
		expect(kernel.statistics.vms).toHaveLength(2);
	});
});

describe('containment', () => {
	const hostile: [string, string][] = [
		['jumps into nothing', 'jr x0'],
		['walks a page table of its own that is garbage', 'li t0, -1\nsrli t0, t0, 4\ncsrw satp, t0\nnop'],
		['floods the SBI', '1: li a7, 0x10\nli a6, 0\necall\nj 1b'],
		['floods a device that is not there', 'la t0, 2f\ncsrw stvec, t0\n2: li t1, 0x1000\nlw t0, 0(t1)\nj 2b'],
		['resets itself for ever', 'li a7, 0x53525354\nli a6, 0\nli a0, 1\nli a1, 0\necall'],
		['traps for ever', 'la t0, 1f\ncsrw stvec, t0\n1: .word 0'],
		[
			'sweeps all addresses',
			'la t0, 2f\ncsrw stvec, t0\nli s0, 0\n1: lui t1, 0x1000\nadd s0, s0, t1\nsd s0, 0(s0)\nj 1b\n.balign 4\n2: csrr t0, sepc\naddi t0, t0, 4\ncsrw sepc, t0\nsret',
		],
	];

	/** What the victim, which is more urgent, writes down: its response times. */
	const victimBeside = (source: string): { responses: number[]; missed: number; others: string | undefined } => {
		const victim = realTimeVm({ name: 'victim', period: 200_000, work: 20_000 }, { priority: 100 });
		const { machine, kernel } = start([victim, assemblyVm('hostile', source, { priority: 1 }), loop('other')]);
		runUntil(machine, 2.1 * MS);
		const [task] = tasksOf(kernel, victim);
		return {
			responses: [...task!.responses],
			missed: task!.missed,
			others: kernel.statistics.vms[2]!.status,
		};
	};

	test.each(hostile)('a VM that %s delays a more urgent one by no more than an exit', (_, source) => {
		const { responses, missed, others } = victimBeside(source);
		expect(responses).toHaveLength(10);
		expect(missed).toBe(0);
		// 20 us of work; the way in; the longest path that was under way, 16 pages cleared and a decision. In ticks of 100 ns.
		for (const response of responses) expect(response).toBeLessThan(200 + 34 + 98 + 45);
		expect(others).toBe('ready');
	});

	test('a flood of exits is charged to who makes it: its budget holds', () => {
		const flood = assemblyVm('flood', '1: li a7, 0x10\nli a6, 0\necall\nj 1b', {
			priority: 200,
			budget: 200_000,
			period: MS,
		});
		const { machine, kernel } = start([flood, loop('other')]);
		machine.run(50 * MS);
		kernel.pause('flood');
		const [first, second] = kernel.statistics.vms;
		expect(first!.runNanos + first!.kernelNanos).toBeLessThan(10.2 * MS);
		expect(first!.exits.sbi).toBeGreaterThan(10_000);
		expect(second!.runNanos).toBeGreaterThan(39 * MS);
	});
});

test('the trace tells who has the hart, what for the kernel was entered, and whose budget ran out', () => {
	const events: [string, ...unknown[]][] = [];
	const trace: KernelTrace = {
		running: (...all) => events.push(['running', ...all]),
		entered: (...all) => events.push(['entered', ...all]),
		exhausted: (...all) => events.push(['exhausted', ...all]),
	};
	const { machine, kernel } = start(
		[assemblyVm('a', `li a7, 0x10\nli a6, 0\necall\n1: j 1b`, { priority: 2, budget: 50_000, period: MS }), loop('b')],
		{ trace },
	);
	machine.run(1.02 * MS);
	expect(events.map(([kind, , who, third]) => [kind, who, typeof third === 'string' ? third : undefined])).toEqual([
		['running', 'a', undefined],
		['entered', 'start', undefined],
		['entered', 'sbi', 'a'],
		['exhausted', 'a', undefined],
		['running', 'b', undefined],
		['entered', 'timer', 'a'],
		['running', 'a', undefined],
		['entered', 'timer', 'b'],
	]);
	// Entries do not overlap, and their work is what the counters say.
	const entries = events
		.filter(([kind]) => kind === 'entered')
		.map((all) => ({ at: all[4] as number, for: all[5] as number }));
	for (const [index, { at }] of entries.entries()) {
		const before = entries[index - 1];
		if (before) expect(at).toBeGreaterThanOrEqual(before.at + before.for);
	}
	expect(entries.reduce((sum, each) => sum + each.for, 0)).toBe(kernel.statistics.kernelNanos);
});

describe('descriptions that cannot be', () => {
	test.each<[string, Partial<HypervisorConfig<EntityParameters>>, RegExp]>([
		['two VMs of one name', { vms: [loop('a').config, loop('a').config] }, /vms\[1\].name: "a" is empty, or taken/],
		['a VM without a name', { vms: [{ ...loop('a').config, name: '' }] }, /vms\[0\].name/],
		['memory of no whole pages', { memory: { base: 0x8000_0000, size: 100 } }, /memory.size: 100 is no multiple/],
		['memory that is not RAM', { memory: { base: 0x1000_0000, size: 4096 } }, /memory: it is not all RAM/],
		['no memory', { memory: { base: 0x8000_0000, size: 0 } }, /memory.size: 0 is no multiple of 4096 above 0/],
		['a priority that the policy does not have', { vms: [loop('a', 1000).config] }, /a.schedule/],
	])('%s', (_, change, reason) => {
		expect(() => start([loop('a')], change)).toThrow(reason);
	});
});
