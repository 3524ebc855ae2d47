// IPC between two RISC-V programs, and what else a kernel is entered for: host time per path. Kernel work takes no virtual
// time here, so that what is timed is the host's.
import { busyProgram, pingProgram, pongProgram } from '@partita/guests';
import { free } from '@partita/kernel-costs';
import { Machine } from '@partita/machine';
import { microkernel, type SystemDescription, staticSystem } from '@partita/microkernel';
import { assemble, programToElf } from '@partita/riscv';
import { FixedPriority } from '@partita/sched';
import { test } from 'vitest';

const pair = { endpoint: 1, reply: 2 };
/** Virtual nanoseconds, that is instructions, of one measurement. */
const SPAN = 100_000;

/** Boots a system and warms it up. */
function machine(description: SystemDescription) {
	const factory = microkernel({ boot: staticSystem(description), policy: new FixedPriority(), costs: free });
	const made = new Machine({ memory: 32 * 1024 * 1024, kernel: factory });
	made.run(SPAN, { idleUntil: SPAN });
	return { machine: made, kernel: factory.kernel };
}

function program(source: string): Uint8Array {
	return programToElf(assemble(`.text\n.globl _start\n_start:\n${source}`, { base: 0x20_0000n }));
}

function pingPong(passive: boolean): SystemDescription {
	return {
		domains: [
			{ name: 'ping', elf: pingProgram(pair), priority: 10, capabilities: [{ slot: 1, endpoint: 'e' }] },
			{
				name: 'pong',
				elf: pongProgram(pair),
				priority: 20,
				passive,
				capabilities: [
					{ slot: 1, endpoint: 'e' },
					{ slot: 2, reply: 'r' },
				],
			},
		],
	};
}

for (const passive of [true, false]) {
	test(`ping-pong, ${passive ? 'passive' : 'active'} server`, async ({ bench }) => {
		const { machine: board, kernel } = machine(pingPong(passive));
		const before = kernel.statistics.ipc.calls;
		board.run(SPAN);
		const calls = kernel.statistics.ipc.calls - before;
		await bench(`${calls} x call and reply`, () => {
			board.run(SPAN);
		}).run();
	});
}

test('system calls that do nothing', async ({ bench }) => {
	const { machine: board, kernel } = machine({
		domains: [{ name: 'caller', elf: program('li a7, -25\n1: ecall\nj 1b'), priority: 1 }],
	});
	const count = (): number => kernel.statistics.systemCalls.BenchmarkNullSyscall ?? 0;
	const before = count();
	board.run(SPAN);
	await bench(`${count() - before} x system call`, () => {
		board.run(SPAN);
	}).run();
});

test('budgets that run out', async ({ bench }) => {
	const hog = busyProgram({ name: 'hog', work: 100 });
	const { machine: board, kernel } = machine({
		domains: [1, 2].map((index) => ({ name: `hog${index}`, elf: hog, priority: 1, slice: 2_000 })),
	});
	const before = kernel.statistics.timerEntries;
	board.run(SPAN);
	await bench(`${kernel.statistics.timerEntries - before} x preemption`, () => {
		board.run(SPAN);
	}).run();
});

test('hosted components', async ({ bench }) => {
	const plain = { state: undefined, restore: () => {} };
	const { machine: board, kernel } = machine({
		components: [
			{
				name: 'server',
				priority: 2,
				receives: 'e',
				create: () => ({ ...plain, protected: (_, message) => message }),
			},
			{
				name: 'client',
				priority: 1,
				capabilities: [{ slot: 1, endpoint: 'e' }],
				create: ({ call, work }) => {
					const message = { label: 1, words: [1n] };
					const next = () => {
						work(1_000);
						call(1, message);
					};
					return { ...plain, init: next, replied: next };
				},
			},
		],
	});
	const run = () => {
		board.run(SPAN, { idleUntil: board.now() + SPAN });
	};
	const before = kernel.statistics.ipc.calls;
	run();
	await bench(`${kernel.statistics.ipc.calls - before} x call and reply between components`, run).run();
});
