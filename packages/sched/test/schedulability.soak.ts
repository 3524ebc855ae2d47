// 1,000 sets per utilisation point. Prints how many of them response-time analysis accepts.
import { test } from 'vitest';
import { isSchedulable } from '../src/index.ts';
import { checkCriticalInstant, checkRandomArrivals, checkServers, randomSet } from './experiments.ts';

const SETS = 1000;

for (let percent = 5; percent <= 100; percent += 5) {
	test(`${SETS} sets at a utilisation of ${percent} %`, () => {
		let accepted = 0;
		for (let index = 0; index < SETS; index++) {
			const seed = percent * 1_000_000 + index;
			const tasks = randomSet(seed, percent / 100);
			if (isSchedulable(tasks)) accepted++;
			checkCriticalInstant(tasks);
			checkRandomArrivals(tasks, seed, index % 2 === 0);
			checkServers(seed, percent / 100);
		}
		console.log(`utilisation ${percent} %: ${accepted} of ${SETS} accepted`);
	});
}
