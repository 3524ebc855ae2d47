/** Programs in U-mode: system calls, budgets, faults, time. */
import { busyProgram, periodicProgram, pingProgram, pongProgram } from '@partita/guests';
import { u54 } from '@partita/kernel-costs';
import { assemble, programToElf } from '@partita/riscv';
import { describe, expect, test } from 'vitest';
import { boot, report, threadOf } from './support.ts';

const MS = 1_000_000;
const pair = { endpoint: 1, reply: 2 };

function program(source: string): Uint8Array {
	return programToElf(assemble(`.text\n.globl _start\n_start:\n${source}`, { base: 0x20_0000n }));
}

describe('a caller and a server', () => {
	const ping = pingProgram(pair);
	const pong = pongProgram(pair);
	const system = (passive: boolean) =>
		boot(
			{
				domains: [
					{ name: 'ping', elf: ping, priority: 10, capabilities: [{ slot: 1, endpoint: 'e' }] },
					{
						name: 'pong',
						elf: pong,
						priority: 20,
						passive,
						capabilities: [
							{ slot: 1, endpoint: 'e' },
							{ slot: 2, reply: 'r' },
						],
					},
				],
			},
			{ costs: u54 },
		);

	test.each([false, true])('answer each other; passive server: %s', (passive) => {
		const running = system(passive);
		running.machine.run(2 * MS);
		const [task] = report(running, 'ping', ping);
		expect(task!.completed).toBeGreaterThan(200);
		expect(task!.missed).toBe(0);
		const { ipc } = running.kernel.statistics;
		expect(ipc.calls - ipc.replies).toBeLessThanOrEqual(1);
	});

	test('a passive server runs on its caller: the time between is the published cost of call and reply', () => {
		const running = system(true);
		running.machine.run(MS);
		const before = report(running, 'ping', ping)[0]!.completed;
		running.machine.run(MS);
		const rounds = report(running, 'ping', ping)[0]!.completed - before;
		// 690 and 612 cycles, and the instructions between.
		expect(MS / rounds).toBeGreaterThan(1302);
		expect(MS / rounds).toBeLessThan(1450);
		expect(threadOf(running, 'pong').status).not.toBe('inactive');
	});
});

describe('budgets', () => {
	test('a hog gets its budget in every period, and no more', () => {
		const hog = busyProgram({ name: 'hog', work: 100 });
		const other = busyProgram({ name: 'other', work: 100 });
		const running = boot({
			domains: [
				{ name: 'hog', elf: hog, priority: 200, budget: 2 * MS, period: 10 * MS },
				{ name: 'other', elf: other, priority: 1 },
			],
		});
		running.machine.run(100 * MS);
		expect(threadOf(running, 'hog').runNanos).toBe(20 * MS);
		expect(threadOf(running, 'other').runNanos).toBe(80 * MS);
		expect(threadOf(running, 'hog').exhaustions).toBe(10);
	});

	test('a periodic task meets its deadlines beside a hog of lower priority', () => {
		const control = periodicProgram({ name: 'control', period: MS, work: 200_000 });
		const hog = busyProgram({ name: 'hog', work: 1000 });
		const running = boot({
			domains: [
				{ name: 'control', elf: control, priority: 200, budget: 400_000, period: MS },
				{ name: 'hog', elf: hog, priority: 1 },
			],
		});
		running.machine.run(50 * MS);
		const [task] = report(running, 'control', control);
		expect(task!.completed).toBeGreaterThanOrEqual(49);
		expect(task!.missed).toBe(0);
	});
});

describe('faults', () => {
	const fault = (elf: Uint8Array): string | undefined => {
		const running = boot({ domains: [{ name: 'bad', elf, priority: 1 }] });
		running.machine.run(MS);
		const thread = threadOf(running, 'bad');
		expect(thread.status).toBe('inactive');
		return thread.fault;
	};

	test('without a handler stop the domain', () => {
		expect(fault(program('ld a0, 0(zero)'))).toBe('VMFault');
		expect(fault(program('unimp'))).toBe('UserException');
		expect(fault(program('csrr a0, sstatus'))).toBe('UserException');
		expect(fault(program('li a7, 77\necall'))).toBe('UnknownSyscall');
		// An endpoint to wait at that is none.
		expect(fault(program('li a0, 9\nli a7, -9\necall'))).toBe('CapFault');
	});

	test('a program reaches neither the kernel nor another', () => {
		for (const address of ['0x80000000', '0x10000000', '-4096', '0x200000000']) {
			expect(fault(program(`li t0, ${address}\nsd zero, 0(t0)`))).toBe('VMFault');
		}
		// Its own code cannot be written.
		expect(fault(program('la t0, _start\nsw zero, 0(t0)'))).toBe('VMFault');
	});
});

test('debug output goes to the console', () => {
	const running = boot({
		domains: [
			{ name: 'talker', elf: program("li a0, 'h'\nli a7, -12\necall\nli a0, 'i'\necall\n1: j 1b"), priority: 1 },
		],
	});
	running.machine.run(10_000);
	expect(running.text()).toBe('hi');
});

test('a snapshot in the middle goes on to the same end', () => {
	const make = () =>
		boot(
			{
				domains: [
					{
						name: 'control',
						elf: periodicProgram({ name: 'control', period: MS, work: 50_000 }),
						priority: 200,
						budget: 200_000,
						period: MS,
					},
					{ name: 'ping', elf: pingProgram(pair), priority: 10, capabilities: [{ slot: 1, endpoint: 'e' }] },
					{
						name: 'pong',
						elf: pongProgram(pair),
						priority: 20,
						passive: true,
						capabilities: [
							{ slot: 1, endpoint: 'e' },
							{ slot: 2, reply: 'r' },
						],
					},
				],
			},
			{ costs: u54 },
			{ traceHash: true },
		);
	const through = make();
	through.machine.run(7 * MS + 321);
	const saved = structuredClone(through.machine.save());
	through.machine.run(5 * MS);
	const resumed = make();
	resumed.machine.run(1234);
	resumed.machine.restore(saved);
	resumed.machine.run(5 * MS);
	expect(resumed.machine.traceHash).toBe(through.machine.traceHash);
	expect(resumed.kernel.statistics).toEqual(through.kernel.statistics);
	const again = make();
	again.machine.run(12 * MS + 321);
	expect(again.machine.traceHash).toBe(through.machine.traceHash);
});
