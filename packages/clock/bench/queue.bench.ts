// Event queue: one operation is a pop of the first event and a schedule of another, at a constant number of pending events.
import { EventQueue, InstructionClock, VirtualClock } from '@partita/clock';
import { test } from 'vitest';

for (const pending of [10, 1_000, 100_000]) {
	test(`event queue, ${pending} pending`, async ({ bench }) => {
		const queue = new EventQueue();
		const keys = Array.from({ length: pending }, (_, i) => `event ${i}`);
		let seed = 1;
		const random = (): number => {
			seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
			return seed >>> 8;
		};
		for (const key of keys) queue.schedule(key, random() & 0xffff);
		await bench(`1000 x run and schedule, ${pending} pending`, () => {
			for (let i = 0; i < 1000; i++) {
				queue.runDue(queue.nextDeadline(), (key, deadline) => queue.schedule(key, deadline + (random() & 0xffff)), 1);
			}
		}).run();
		await bench(`1000 x replace, ${pending} pending`, () => {
			for (let i = 0; i < 1000; i++) {
				queue.schedule(keys[random() % pending], queue.nextDeadline() + (random() & 0xffff));
			}
		}).run();
	});
}

test('clock', async ({ bench }) => {
	const clock = new VirtualClock({ model: new InstructionClock({ instructions: 10, nanoseconds: 7 }) });
	await bench('1000 x instructionsUntil and retire', () => {
		for (let i = 0; i < 1000; i++) clock.retire(clock.instructionsUntil(clock.now() + 1000));
	}).run();
});
