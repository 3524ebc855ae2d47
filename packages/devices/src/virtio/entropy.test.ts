// By section 5.4 of virtio 1.2; the generator's words from the state 1, 2, 3, 4 are the published
// reference vector of xoshiro128**.
import { expect, test } from 'vitest';
import { SeededBytes, StateError, VIRTIO_MMIO, VirtioEntropy, VirtioMmio } from '../index.ts';
import { MockMemory, MockVirtioDriver } from '../testing/index.ts';

const BASE = 0x8000_0000;
const SIZE = 0x100000;

function board(seed = 42) {
	const memory = new MockMemory(BASE, SIZE);
	const source = new SeededBytes(seed);
	const device = new VirtioEntropy(source);
	const driver = new MockVirtioDriver(new VirtioMmio({ device, memory }), memory, BASE, BASE + SIZE);
	driver.start();
	return { memory, source, device, driver, queue: driver.queues[0] };
}

test('buffers are filled from the source', () => {
	const { queue } = board();
	queue.offer([], [5, 11]);
	queue.kick();
	const expected = new Uint8Array(16);
	new SeededBytes(42).fill(expected);
	expect(queue.takeUsed()).toMatchObject([{ length: 16, data: expected }]);
});

test('a long buffer is filled in part; an empty one not at all', () => {
	const { queue } = board();
	queue.offer([], [65_536, 65_536]);
	queue.offer([new Uint8Array(4)], []);
	queue.kick();
	expect(queue.takeUsed().map(({ length }) => length)).toEqual([65_536, 0]);
});

test('a buffer outside RAM: the device needs a reset', () => {
	const { queue, driver } = board();
	queue.describe(0, { address: 0, length: 4, flags: 2, next: 0 });
	queue.publish(0);
	queue.kick();
	expect(driver.get(VIRTIO_MMIO.Status) & 64).toBe(64);
});

test('xoshiro128**: words from a known state', () => {
	const source = new SeededBytes(0);
	source.restore({ words: Uint32Array.of(1, 2, 3, 4) });
	const bytes = new Uint8Array(16);
	source.fill(bytes);
	expect([...new Uint32Array(bytes.buffer)]).toEqual([11520, 0, 5927040, 70819200]);
});

test('the same seed, the same bytes; a restored source goes on', () => {
	const one = new SeededBytes(7);
	one.fill(new Uint8Array(33));
	const two = new SeededBytes(8);
	two.restore(structuredClone(one.state));
	const [left, right] = [new Uint8Array(10), new Uint8Array(10)];
	one.fill(left);
	two.fill(right);
	expect(left).toEqual(right);
	expect(() => two.restore({ words: new Uint32Array(4) })).toThrow(StateError);
	expect(() => two.restore({ words: [1, 2, 3, 4] as never })).toThrow(StateError);
	const { device } = board();
	device.restore({});
	expect(() => device.restore(null as never)).toThrow(StateError);
});
