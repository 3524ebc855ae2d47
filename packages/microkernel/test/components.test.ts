/** Hosted components: events, calls, computing that is preempted, memory and devices, interrupts. */

import { busyProgram } from '@partita/guests';
import { u54 } from '@partita/kernel-costs';
import { assemble, programToElf } from '@partita/riscv';
import { describe, expect, test } from 'vitest';
import type { ComponentBehaviour, ComponentEnvironment, ComponentFactory, Message } from '../src/index.ts';
import { boot, threadOf } from './support.ts';

const MS = 1_000_000;

/** A component of handlers, whose state is a list of what has happened. */
function recorder(
	handlers: (environment: ComponentEnvironment, log: string[]) => Omit<ComponentBehaviour, 'state' | 'restore'>,
): { readonly create: ComponentFactory; readonly log: () => readonly string[] } {
	const log: string[] = [];
	return {
		log: () => log,
		create: (environment) => {
			const own = handlers(environment, log);
			return {
				...own,
				get state() {
					return [...log];
				},
				restore(state: never) {
					log.splice(0, log.length, ...(state as string[]));
				},
			};
		},
	};
}

const words = ({ label, words: all }: Message): string => `${label}:${all.join(',')}`;

describe('components', () => {
	test('call each other, and get answers and signals', () => {
		const server = recorder(({ notify, now }, log) => ({
			init: () => log.push(`init ${now()}`),
			protected: (badge, message) => {
				log.push(`protected ${badge} ${words(message)}`);
				notify(2);
				return { label: 7, words: message.words.map((word) => word + 1n) };
			},
		}));
		const client = recorder(({ call }, log) => ({
			init: () => call(1, { label: 5, words: [1n, 2n, 3n, 4n, 5n, 6n] }),
			replied: (message) => log.push(`replied ${words(message)}`),
			notified: (badges) => log.push(`notified ${badges}`),
		}));
		const running = boot({
			components: [
				{
					name: 'server',
					priority: 20,
					create: server.create,
					receives: 'e',
					capabilities: [{ slot: 2, notification: 'n', badge: 8n }],
				},
				{
					name: 'client',
					priority: 10,
					create: client.create,
					capabilities: [{ slot: 1, endpoint: 'e', badge: 42n }],
					boundNotification: 'n',
				},
			],
		});
		running.machine.run(MS);
		expect(server.log()).toEqual(['init 0', 'protected 42 5:1,2,3,4,5,6']);
		expect(client.log()).toEqual(['replied 7:2,3,4,5,6,7', 'notified 8']);
	});

	test('compute for as long as they say, and are preempted by what is more urgent', () => {
		const slow = recorder(({ work, notify, now }, log) => ({
			init: () => {
				work(299_990);
				notify(1);
				work(100_000);
				notify(1);
			},
			notified: () => log.push(`${now()}`),
		}));
		const listener = recorder(({ now }, log) => ({ notified: () => log.push(`${now()}`) }));
		const hog = busyProgram({ name: 'hog', work: 100 });
		const running = boot({
			domains: [{ name: 'hog', elf: hog, priority: 200, budget: 50_000, period: 100_000 }],
			components: [
				{ name: 'slow', priority: 10, create: slow.create, capabilities: [{ slot: 1, notification: 'n' }] },
				{ name: 'listener', priority: 100, create: listener.create, boundNotification: 'n' },
			],
		});
		running.machine.run(MS);
		// Half of the time is the hog's: 300 us take 600, 400 take 800.
		const [first, second] = listener.log().map(Number);
		expect(first).toBeGreaterThanOrEqual(550_000);
		expect(first).toBeLessThanOrEqual(600_010);
		expect(second).toBeGreaterThanOrEqual(750_000);
		expect(second).toBeLessThanOrEqual(800_010);
		expect(threadOf(running, 'slow').preemptions).toBeGreaterThanOrEqual(7);
	});

	test('have alarms', () => {
		const clock = recorder(({ alarm, now }, log) => ({
			init: () => alarm(100_000),
			alarm: () => {
				log.push(`${now()}`);
				if (now() < 300_000) alarm(now() + 100_000);
			},
		}));
		const running = boot({ components: [{ name: 'clock', priority: 1, create: clock.create }] });
		expect(running.machine.run(MS).reason).toBe('idle');
		expect(clock.log()).toEqual(['100000', '200000', '300000']);
	});

	test('that answer each other for ever let time pass', () => {
		const tennis = (slot: number) =>
			recorder(({ notify }) => ({ init: () => notify(slot), notified: () => notify(slot) }));
		const running = boot({
			components: [
				{
					name: 'a',
					priority: 1,
					create: tennis(1).create,
					boundNotification: 'a',
					capabilities: [{ slot: 1, notification: 'b' }],
				},
				{
					name: 'b',
					priority: 1,
					create: tennis(1).create,
					boundNotification: 'b',
					capabilities: [{ slot: 1, notification: 'a' }],
				},
			],
		});
		expect(running.machine.run(MS, { idleUntil: 10_000 }).reason).toBe('idle');
		expect(running.machine.now()).toBe(10_000);
	});

	test('can touch only what is mapped, and only as it is mapped', () => {
		const found = recorder(({ read, write, load, store, name }, log) => ({
			init: () => {
				const bytes = new Uint8Array(8);
				if (name === 'writer') log.push(`write ${write(0x1000_0ff8, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8))}`);
				log.push(`read ${read(0x1000_0ff8, bytes)} ${bytes}`);
				log.push(`over the end ${read(0x1000_1ffc, bytes)}, ${write(0x1000_0ff8, bytes)}`);
				log.push(`uart ${load(0x2000_0005, 1)}, ${store(0x2000_0000, 1, 0x21)}`);
			},
		}));
		const mapping = { region: 'shared', address: 0x1000_0000 };
		const running = boot({
			regions: [
				{ name: 'shared', size: 0x2000 },
				{ name: 'uart', size: 0x1000, physical: 0x1000_0000 },
			],
			components: [
				{
					name: 'writer',
					priority: 2,
					create: found.create,
					mappings: [
						{ ...mapping, write: true },
						{ region: 'uart', address: 0x2000_0000, write: true },
					],
				},
				{ name: 'reader', priority: 1, create: found.create, mappings: [mapping] },
			],
		});
		running.machine.run(MS);
		expect(found.log()).toEqual([
			'write true',
			'read true 1,2,3,4,5,6,7,8',
			'over the end false, true',
			'uart 96, true',
			'read true 1,2,3,4,5,6,7,8',
			'over the end false, false',
			'uart undefined, false',
		]);
		expect(running.text()).toBe('!');
	});

	test('handle interrupts, which wait from delivery to acknowledgement', () => {
		const driver = recorder(({ load, store, acknowledge }, log) => ({
			init: () => store(0x2000_0001, 1, 1),
			notified: (badges) => {
				log.push(`${badges}: ${String.fromCharCode(load(0x2000_0000, 1)!)}`);
				acknowledge(1);
			},
		}));
		const running = boot(
			{
				regions: [{ name: 'uart', size: 0x1000, physical: 0x1000_0000 }],
				components: [
					{
						name: 'driver',
						priority: 2,
						create: driver.create,
						boundNotification: 'n',
						capabilities: [{ slot: 1, irq: 10, signals: 'n', badge: 4n }],
						mappings: [{ region: 'uart', address: 0x2000_0000, write: true }],
					},
				],
			},
			{ costs: u54 },
		);
		running.machine.run(MS);
		running.machine.receive(Uint8Array.of(0x61, 0x62));
		running.machine.run(MS);
		running.machine.receive(Uint8Array.of(0x63));
		running.machine.run(MS);
		expect(driver.log()).toEqual(['4: a', '4: b', '4: c']);
		expect(running.kernel.statistics.interrupts).toBe(3);
		expect(running.kernel.statistics.timerEntries).toBeLessThan(8);
	});

	test('handle faults of others', () => {
		const handler = recorder((_, log) => ({
			fault: (badge, fault) => {
				log.push(`${badge} ${words(fault)}`);
				// pc of the next instruction, and sp as it is.
				return fault.label === 3 ? { label: 0, words: [fault.words[0]! + 4n] } : undefined;
			},
		}));
		const elf = programToElf(
			assemble('.text\n.globl _start\n_start: .word 0\nli a0, 33\nli a7, -12\necall\nsd zero, 64(zero)\n1: j 1b', {
				base: 0x20_0000n,
			}),
		);
		const running = boot({
			domains: [{ name: 'bad', elf, priority: 1, faultEndpoint: { endpoint: 'faults', badge: 9n } }],
			components: [{ name: 'handler', priority: 2, create: handler.create, receives: 'faults' }],
		});
		running.machine.run(MS);
		expect(running.text()).toBe('!');
		expect(handler.log()[0]).toMatch(/^9 3:2097152,\d+,2,0$/);
		expect(handler.log()[1]).toMatch(/^9 6:\d+,64,0,7$/);
		expect(threadOf(running, 'bad')).toMatchObject({ status: 'inactive', fault: 'VMFault' });
	});

	test('a snapshot holds what they are about to do', () => {
		const make = () => {
			const worker = recorder(({ work, notify, alarm, now }, log) => ({
				init: () => alarm(10_000),
				alarm: () => {
					log.push(`alarm ${now()}`);
					work(25_000);
					notify(1);
					alarm(now() + 40_000);
				},
			}));
			const listener = recorder(({ now }, log) => ({ notified: () => log.push(`${now()}`) }));
			const running = boot(
				{
					components: [
						{ name: 'worker', priority: 2, create: worker.create, capabilities: [{ slot: 1, notification: 'n' }] },
						{ name: 'listener', priority: 3, create: listener.create, boundNotification: 'n' },
					],
				},
				{ costs: u54 },
				{ traceHash: true },
			);
			return { running, log: () => [...worker.log(), '|', ...listener.log()] };
		};
		const through = make();
		through.running.machine.run(95_000);
		const saved = structuredClone(through.running.machine.save());
		through.running.machine.run(400_000);
		const resumed = make();
		resumed.running.machine.restore(saved);
		resumed.running.machine.run(400_000);
		expect(resumed.log()).toEqual(through.log());
		expect(resumed.running.machine.now()).toBe(through.running.machine.now());
		expect(resumed.running.kernel.statistics).toEqual(through.running.kernel.statistics);
	});
});
