// One operation is one call: the cheapest one, and a timer.
import { ExtensionId, Sbi } from '@partita/sbi';
import { test } from 'vitest';

test('calls', async ({ bench }) => {
	const hart = {
		retired: 0n,
		waiting: false,
		setTimer() {},
		raiseSoftware() {},
		clearSoftware: () => false,
		fence() {},
		start() {},
		suspend() {},
	};
	const sbi = new Sbi({
		harts: [hart],
		hypervisor: false,
		memory: { read: () => true, write: () => true },
		console: { write() {}, read: () => new Uint8Array(0) },
		reset() {},
	});
	sbi.initialise(0);
	for (const [name, extension] of [
		['base', ExtensionId.BASE],
		['timer', ExtensionId.TIME],
	] as const) {
		const registers = new BigUint64Array(8);
		await bench(`1000 x ${name}`, () => {
			for (let i = 0; i < 1000; i++) {
				registers[7] = BigInt(extension);
				sbi.call(0, registers);
			}
		}).run();
	}
});
