// Register accesses per second, through the built package.
import { ACLINT_MTIME, ACLINT_MTIMECMP, Aclint, PLIC_CLAIM, PLIC_ENABLE, Plic } from '@partita/intc';
import { test } from 'vitest';

const line = { set: () => {} };
// Exports are read through getters here; what a loop uses is read once.
const [MTIME, MTIMECMP, CLAIM] = [ACLINT_MTIME, ACLINT_MTIMECMP, PLIC_CLAIM];

test('ACLINT', async ({ bench }) => {
	let nanos = 0;
	const aclint = new Aclint({
		now: () => {
			nanos += 100;
			return nanos;
		},
		software: [line],
		timer: [line],
	});
	await bench('1000 mtime reads (8 bytes)', () => {
		for (let count = 0; count < 1000; count++) {
			aclint.read(MTIME, 4);
			aclint.read(MTIME + 4, 4);
		}
	}).run();
	await bench('1000 mtimecmp writes (8 bytes)', () => {
		for (let count = 0; count < 1000; count++) {
			aclint.write(MTIMECMP, 4, count);
			aclint.write(MTIMECMP + 4, 4, 1);
		}
	}).run();
});

test('PLIC, 8 contexts', async ({ bench }) => {
	const plic = new Plic({ contexts: new Array(8).fill(line) });
	for (let source = 1; source < 96; source++) plic.write(4 * source, 4, 1);
	for (let word = 0; word < 3; word++) plic.write(PLIC_ENABLE + 0x80 + 4 * word, 4, 0xffffffff);
	const source = plic.source(10);
	await bench('1000 interrupts: raise, claim, lower, complete', () => {
		for (let count = 0; count < 1000; count++) {
			source.set(true);
			const claimed = plic.read(CLAIM + 0x1000, 4);
			source.set(false);
			plic.write(CLAIM + 0x1000, 4, claimed);
		}
	}).run();
});
