/** What the kernel charges on the paths whose cycles are published, and that time passes by that. */
import { pingProgram, pongProgram } from '@partita/guests';
import { publishedPaths, u54 } from '@partita/kernel-costs';
import { assemble, programToElf } from '@partita/riscv';
import { expect, test } from 'vitest';
import { boot, threadOf } from './support.ts';

const pair = { endpoint: 1, reply: 2 };

function published(name: string): number {
	return publishedPaths.find((path) => path.name === name)!.published;
}

function program(source: string): Uint8Array {
	return programToElf(assemble(`.text\n.globl _start\n_start:\n${source}`, { base: 0x20_0000n }));
}

/** What entries cost, by their reason: the least of each, since the first ones do more. */
function leastCosts() {
	const least = new Map<string, number>();
	let total = 0;
	return {
		least,
		total: () => total,
		trace: {
			entered: (_: number, reason: string, __: string | undefined, ___: number, nanos: number) => {
				least.set(reason, Math.min(least.get(reason) ?? nanos, nanos));
				total += nanos;
			},
		},
	};
}

test('call and reply to a passive server cost what is published, the reply being held out of the fit', () => {
	const costs = leastCosts();
	const running = boot(
		{
			domains: [
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
		{ costs: u54, trace: costs.trace },
	);
	running.machine.run(200_000);
	expect(costs.least.get('Call')).toBe(published('call'));
	expect(Math.abs(costs.least.get('ReplyRecv')! / published('reply') - 1)).toBeLessThan(0.15);
	const { kernelNanos } = running.kernel.statistics;
	expect(kernelNanos).toBe(costs.total());
	// All time is somebody's: the kernel's, or a thread's; what has begun since the last entry is in neither.
	const threads = threadOf(running, 'ping').runNanos + threadOf(running, 'pong').runNanos;
	expect(running.machine.now() - kernelNanos - threads).toBeLessThan(100);
});

test('a signal to a more urgent thread, and an interrupt, cost what is published', () => {
	const costs = leastCosts();
	const waiter = (slot: number): Uint8Array => program(`1: li a0, ${slot}\nli a7, -9\necall\nj 1b`);
	const driver = program(`
1:	li a0, 1
	li a7, -9
	ecall
	# Takes the byte, and lets the next interrupt through.
	li t0, 0x20000000
	lb t1, 0(t0)
	li a0, 2
	li a1, ${27 << 12}
	li a7, -5
	ecall
	j 1b`);
	const running = boot(
		{
			regions: [{ name: 'uart', size: 0x1000, physical: 0x1000_0000 }],
			domains: [
				{
					name: 'signaller',
					elf: program('1: li a0, 1\nli a1, 0\nli a7, -6\necall\nj 1b'),
					priority: 1,
					capabilities: [{ slot: 1, notification: 'n' }],
				},
				{ name: 'waiter', elf: waiter(1), priority: 9, capabilities: [{ slot: 1, notification: 'n' }] },
				{
					name: 'driver',
					elf: driver,
					priority: 20,
					mappings: [{ region: 'uart', address: 0x2000_0000, write: true }],
					capabilities: [
						{ slot: 1, notification: 'i' },
						{ slot: 2, irq: 10, signals: 'i' },
					],
				},
			],
			components: [
				{
					name: 'switch',
					priority: 30,
					mappings: [{ region: 'uart', address: 0x2000_0000, write: true }],
					create: ({ store }) => ({
						state: undefined,
						restore: () => {},
						init: () => store(0x2000_0001, 1, 1),
					}),
				},
			],
		},
		{ costs: u54, trace: costs.trace },
	);
	running.machine.run(100_000);
	for (let i = 0; i < 5; i++) {
		running.machine.receive(Uint8Array.of(0x40 + i));
		running.machine.run(50_000);
	}
	expect(running.kernel.statistics.interrupts).toBe(5);
	expect(Math.abs(costs.least.get('NBSend')! / published('notify') - 1)).toBeLessThan(0.15);
	expect(Math.abs(costs.least.get('interrupt')! / published('interrupt') - 1)).toBeLessThan(0.15);
});
