/** Programs that mean harm: forged system calls, message infos, capability pointers and IPC buffers; and budgets. */
import { checkState as checkCapabilities, SEL4_MCS_RISCV64 } from '@partita/capability';
import { busyProgram, periodicProgram } from '@partita/guests';
import { checkState as checkIpc } from '@partita/ipc';
import { free, u54 } from '@partita/kernel-costs';
import { assemble, elfSymbolMap, programToElf, readElf } from '@partita/riscv';
import { FixedPriority } from '@partita/sched';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ComponentEnvironment, type MicrokernelState, SEL4_MCS_16 } from '../src/index.ts';
import { boot, type Running, report, threadOf } from './support.ts';

const MS = 1_000_000;

/** What a kernel must always be like. */
function expectSound({ machine, kernel }: Running): void {
	const state = machine.save().kernel as MicrokernelState;
	expect(checkCapabilities(state.capabilities, SEL4_MCS_RISCV64)).toEqual([]);
	expect(checkIpc(state.ipc)).toEqual([]);
	new FixedPriority().restore(state.policy as never);
	const contexts = new Map(state.core.contexts.map((context) => [context.id, context]));
	for (const { id, context } of state.core.threads) if (context !== 0) expect(contexts.get(context)?.thread).toBe(id);
	for (const { id, thread } of contexts.values())
		if (thread !== 0) expect(state.core.threads.find((each) => each.id === thread)?.context).toBe(id);
	expect(kernel.isRunning()).toBe(state.core.current !== 0 && state.core.current === state.core.loaded);
}

/** One system call after the other, with registers and an IPC buffer from a generator: half of the words are small. */
function fuzzer(seed: number): Uint8Array {
	let labels = 0;
	const random = (register: string): string => {
		labels++;
		return `
	mul s0, s0, s1
	add s0, s0, s2
	srli ${register}, s0, 33
	andi t6, ${register}, 1
	beqz t6, large${labels}
	andi ${register}, ${register}, 15
large${labels}:`;
	};
	const source = `
	.text
	.globl _start
	.globl again
_start:
	mv s11, a0
	li s0, ${seed}
	li s1, 0x5851f42d4c957f2d
	li s2, 0x14057b7ef767814f
again:
	li s3, 40
	mv s4, s11
fill:
	${random('s5')}
	sd s5, 0(s4)
	addi s4, s4, 8
	addi s3, s3, -1
	bnez s3, fill
	${['s5', 's6', 's7', 's8', 's9', 's10'].map(random).join('\n')}
	sd s5, 976(s11)
	sd s6, 984(s11)
	sd s7, 992(s11)
	sd s8, 1000(s11)
	sd s9, 1008(s11)
	sd s10, 1016(s11)
	${['a0', 'a1', 's5'].map(random).join('\n')}
	# A label of an invocation, capabilities and a length.
	andi s5, s5, 63
	slli s5, s5, 12
	andi a1, a1, 0x1ff
	or a1, a1, s5
	${['a2', 'a3', 'a4', 'a5', 'a6', 't0', 'a7'].map(random).join('\n')}
	andi a7, a7, 31
	neg a7, a7
	# It may not switch the machine off.
	li t1, -14
	beq a7, t1, again
	ecall
	j again
`;
	return programToElf(assemble(source, { base: 0x20_0000n }));
}

/** Sends the fuzzer on when it has faulted or waits: to its next call. */
function medic({ call, alarm, now }: ComponentEnvironment, again: bigint) {
	const label = SEL4_MCS_16.invocations.TCBWriteRegisters!;
	const sendOn = () => call(1, { label, words: [1n, 1n, again] });
	return {
		state: undefined,
		restore: () => {},
		init: () => alarm(now() + 20_000),
		fault: () => {
			sendOn();
			return undefined;
		},
		alarm: () => {
			sendOn();
			alarm(now() + 20_000);
		},
	};
}

test.each([1, 2, 3, 4, 5, 6])(
	'forged system calls break nothing, and reach nobody without a capability: seed %i',
	(seed) => {
		const elf = fuzzer(seed);
		const again = elfSymbolMap(readElf(elf)).get('again')!;
		const control = periodicProgram({ name: 'control', period: 100_000, work: 10_000 });
		const running = boot(
			{
				regions: [{ name: 'shared', size: 0x2000 }],
				domains: [
					{
						name: 'fuzzer',
						elf,
						priority: 10,
						slotBits: 4,
						faultEndpoint: { endpoint: 'faults' },
						mappings: [{ region: 'shared', address: 0x1000_0000, write: true }],
						capabilities: [
							{ slot: 1, endpoint: 'e' },
							{ slot: 2, notification: 'n' },
							{ slot: 3, reply: 'r' },
							{ slot: 4, thread: 'other' },
							{ slot: 5, schedulingContext: 'other' },
							{ slot: 6, capabilitySpace: 'fuzzer' },
							{ slot: 7, region: 'shared' },
							{ slot: 9, irq: 11, signals: 'n', badge: 2n },
							{ slot: 10, endpoint: 'e', badge: 5n },
							{ slot: 11, capabilitySpace: 'other' },
							{ slot: 12, reply: 'r2' },
							{ slot: 13, schedulingContext: 'fuzzer' },
							{ slot: 14, thread: 'fuzzer' },
						],
					},
					{ name: 'other', elf: fuzzer(seed + 1000), priority: 10, capabilities: [{ slot: 1, endpoint: 'e' }] },
					{ name: 'victim', elf: control, priority: 200, budget: 20_000, period: 100_000 },
				],
				components: [
					{
						name: 'medic',
						priority: 100,
						receives: 'faults',
						capabilities: [{ slot: 1, thread: 'fuzzer' }],
						create: (environment) => medic(environment, again),
					},
				],
			},
			{ costs: free, onDebug: () => {} },
		);
		for (let step = 1; step <= 8; step++) {
			running.machine.run(MS / 2, { idleUntil: (step * MS) / 2 });
			expectSound(running);
		}
		const { systemCalls, ipc } = running.kernel.statistics;
		expect(Object.keys(systemCalls).length).toBeGreaterThan(8);
		expect(ipc.invocations).toBeGreaterThan(50);
		const [task] = report(running, 'victim', control);
		expect(task!.completed).toBeGreaterThanOrEqual(38);
		expect(task!.missed).toBe(0);
	},
);

test('no window holds more of a thread than its budget allows, plus the longest kernel path', () => {
	const hog = busyProgram({ name: 'hog', work: 50 });
	const budgets = fc.array(
		fc.record({
			priority: fc.integer({ min: 1, max: 255 }),
			budget: fc.integer({ min: 20_000, max: 60_000 }),
			period: fc.integer({ min: 100_000, max: 300_000 }),
		}),
		{ minLength: 1, maxLength: 4 },
	);
	fc.assert(
		fc.property(budgets, (servers) => {
			const slices = new Map<string, [from: number, to: number][]>();
			let since: [string | undefined, number] = [undefined, 0];
			let longest = 0;
			const running = boot(
				{
					domains: [
						{ name: 'rest', elf: hog, priority: 0 },
						...servers.map((server, index) => ({ name: `s${index}`, elf: hog, ...server })),
					],
				},
				{
					costs: u54,
					trace: {
						running: (_, thread, time) => {
							const [former, from] = since;
							if (former !== undefined) slices.set(former, [...(slices.get(former) ?? []), [from, time]]);
							since = [thread, time];
						},
						entered: (_, __, ___, ____, nanos) => {
							longest = Math.max(longest, nanos);
						},
					},
				},
			);
			running.machine.run(2 * MS);
			servers.forEach(({ budget, period }, index) => {
				const own = slices.get(`s${index}`) ?? [];
				for (const [start] of own) {
					for (const periods of [1, 2, 4]) {
						const end = start + periods * period;
						const used = own.reduce(
							(sum, [from, to]) => sum + Math.max(0, Math.min(to, end) - Math.max(from, start)),
							0,
						);
						expect(used).toBeLessThanOrEqual((periods + 1) * budget + longest);
					}
				}
				// Over the whole run, what it was promised, a period apart.
				expect(threadOf(running, `s${index}`).runNanos).toBeLessThanOrEqual(
					(2 * MS * budget) / period + budget + longest,
				);
			});
		}),
		{ numRuns: 8 },
	);
});
