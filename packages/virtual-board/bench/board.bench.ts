// A board made: devicetree and placement.
import { virtualBoard } from '@partita/virtual-board';
import { test } from 'vitest';

test('board', async ({ bench }) => {
	const kernel = new Uint8Array(16 << 20).fill(1);
	await bench('a board of 128 MiB with a kernel of 16 MiB', () => {
		virtualBoard({ memory: 128 << 20, kernel, append: 'console=ttyS0', virtio: [{ kind: 'entropy' }] });
	}).run();
});
