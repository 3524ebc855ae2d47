// Operations of the fixed-priority policy by the number of entities, simulated jobs, and analysed sets.
import { FixedPriority, generateTasks, Random, responseTimes, simulate } from '@partita/sched';
import { test } from 'vitest';

for (const count of [10, 100, 1_000, 10_000, 100_000]) {
	test(`fixed priority, ${count} entities`, async ({ bench }) => {
		const random = new Random(1);
		const ready = new FixedPriority();
		const limited = new FixedPriority();
		for (let id = 0; id < count; id++) {
			ready.add(id, { priority: random.integer(0, 255), slice: 1000 }, 0);
			ready.wake(id, 0);
			limited.add(id, { priority: random.integer(0, 255), budget: 100, period: 1000 * count }, 0);
			limited.wake(id, 0);
		}
		const ids = Array.from({ length: 1000 }, () => random.integer(0, count - 1));
		let now = 0;

		await bench(`1000 x block, pick, wake, pick; ${count} entities`, () => {
			for (const id of ids) {
				now += 10;
				ready.block(id, now);
				ready.pick(now);
				ready.wake(id, now);
				ready.pick(now);
			}
		}).run();

		await bench(`1000 x charge, pick; ${count} entities`, () => {
			for (let i = 0; i < 1000; i++) {
				const { entity } = ready.pick(now);
				now += 100;
				ready.charge(entity!, 100, now);
			}
		}).run();

		let time = 0;
		await bench(`1000 x run out of budget, pick; ${count} entities`, () => {
			for (let i = 0; i < 1000; i++) {
				const { entity, until } = limited.pick(time);
				if (entity !== undefined) limited.charge(entity, until! - time, until!);
				time = until!;
			}
		}).run();
	});
}

test('simulation and analysis', async ({ bench }) => {
	const options = { seed: 1, count: 10, utilisation: 0.8, periods: { least: 1_000_000, most: 100_000_000 } };
	const tasks = generateTasks(options);
	const until = 1_000_000_000;
	const jobs = tasks.reduce((sum, { period }) => sum + Math.ceil(until / period), 0);
	await bench(`one second of 10 tasks, ${jobs} jobs`, () => {
		simulate({ tasks, policy: new FixedPriority(), until });
	}).run();

	for (const count of [10, 100]) {
		const set = generateTasks({ ...options, count });
		await bench(`response times of ${count} tasks`, () => {
			responseTimes(set);
		}).run();
	}
});
