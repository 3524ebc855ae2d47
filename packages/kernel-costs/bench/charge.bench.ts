// One operation is a look-up and a multiplication: what every kernel entry does a few times.
import { chargeOf, type Operation, operations, u54h } from '@partita/kernel-costs';
import { test } from 'vitest';

test('charge', async ({ bench }) => {
	const names = Object.keys(operations) as Operation[];
	let sum = 0;
	await bench('1000 x chargeOf', () => {
		for (let i = 0; i < 1000; i++) sum += chargeOf(u54h, names[i % names.length]!, i & 7);
	}).run();
	if (sum === 0) throw new Error('nothing was charged');
});
