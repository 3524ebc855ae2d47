// By section 5.3 of virtio 1.2.
import { expect, test } from 'vitest';
import { StateError, VIRTIO_MMIO, VirtioConsole, VirtioMmio } from '../index.ts';
import { MockConsole, MockMemory, MockObserver, MockVirtioDriver } from '../testing/index.ts';

const BASE = 0x8000_0000;
const SIZE = 0x100000;
const text = (characters: string) => new TextEncoder().encode(characters);

function board() {
	const memory = new MockMemory(BASE, SIZE);
	const console = new MockConsole();
	const observer = new MockObserver();
	const rooms: number[] = [];
	const device = new VirtioConsole({ console, inputCapacity: 8, onRoom: (room) => rooms.push(room), observer });
	const mmio = new VirtioMmio({ device, memory, observer });
	const driver = new MockVirtioDriver(mmio, memory, BASE, BASE + SIZE);
	driver.start();
	const [receiver, transmitter] = driver.queues;
	return { memory, console, observer, rooms, device, mmio, driver, receiver, transmitter };
}

test('output: buffers are printed and given back', () => {
	const { console, transmitter } = board();
	transmitter.offer([text('Hello, '), text('world')], []);
	transmitter.offer([text('\n')], [], true);
	transmitter.kick();
	expect(console.text).toBe('Hello, world\n');
	expect(transmitter.takeUsed().map(({ length }) => length)).toEqual([0, 0]);
});

test('output: the rest of an overlong buffer is dropped', () => {
	const { console, transmitter, observer } = board();
	transmitter.offer([new Uint8Array(65_536).fill(46), text('tail')], []);
	transmitter.kick();
	expect(console.bytes.length).toBe(65_536);
	expect(observer.of('dropped')).toMatchObject([{ bytes: 4 }]);
});

test('input: goes into buffers as they come; what does not fit is refused, and room announced', () => {
	const { device, receiver, rooms } = board();
	receiver.offer([], [2, 3]);
	expect(device.receive(text('abcdefgh'))).toBe(8);
	expect(receiver.takeUsed().map(({ data, length }) => [new TextDecoder().decode(data), length])).toEqual([
		['abcde', 5],
	]);
	expect(device.receive(text('ijklmn'))).toBe(5);
	expect([device.room, rooms]).toEqual([0, []]);
	receiver.offer([], [16]);
	receiver.kick();
	expect(new TextDecoder().decode(receiver.takeUsed()[0].data.subarray(0, 8))).toBe('fghijklm');
	expect(rooms).toEqual([8]);
});

test('buffers outside RAM: the device needs a reset', () => {
	for (const index of [0, 1]) {
		const { driver, device } = board();
		driver.queues[index].describe(0, { address: 0, length: 4, flags: index === 0 ? 2 : 0, next: 0 });
		driver.queues[index].publish(0);
		device.receive(text('x'));
		driver.queues[index].kick();
		expect(driver.get(VIRTIO_MMIO.Status) & 64).toBe(64);
	}
});

test('a state moves to another console; one that does not fit is refused', () => {
	const one = board();
	one.device.resize(132, 50);
	one.device.receive(text('abc'));
	const two = board();
	two.device.restore(structuredClone(one.device.state));
	expect(two.mmio.read(0x100, 4)).toBe(132 | (50 << 16));
	two.receiver.offer([], [8]);
	two.receiver.kick();
	expect(two.receiver.takeUsed()[0].length).toBe(3);
	for (const change of [{ rows: -1 }, { columns: 65_536 }, { input: { ...one.device.state.input, count: 9 } }])
		expect(() => two.device.restore({ ...one.device.state, ...change } as never)).toThrow(StateError);
});
