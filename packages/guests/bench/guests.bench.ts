// How long it takes to assemble a guest.
import { periodicProgram, realTimeGuest } from '@partita/guests';
import { test } from 'vitest';

test('assemble', async ({ bench }) => {
	const task = { name: 'control', period: 1_000_000, work: 200_000 };
	await bench.compare(
		bench('real-time guest', () => {
			realTimeGuest({ control: task, background: { name: 'background', work: 1_000 } });
		}),
		bench('periodic program', () => {
			periodicProgram(task);
		}),
	);
});
