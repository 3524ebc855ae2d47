// By section 5.1 of virtio 1.2.
import { describe, expect, test } from 'vitest';
import {
	StateError,
	VIRTIO_F_INDIRECT_DESC,
	VIRTIO_F_VERSION_1,
	VIRTIO_MMIO,
	VIRTIO_NET_F_MAC,
	VIRTIO_NET_F_MRG_RXBUF,
	VIRTIO_NET_F_STATUS,
	VirtioMmio,
	VirtioNet,
} from '../index.ts';
import { MockLine, MockMemory, MockObserver, MockVirtioDriver } from '../testing/index.ts';

const BASE = 0x8000_0000;
const SIZE = 0x100000;
const MAC = Uint8Array.of(0x52, 0x54, 0x00, 0x12, 0x34, 0x56);
const MERGEABLE =
	VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC | VIRTIO_NET_F_MAC | VIRTIO_NET_F_MRG_RXBUF | VIRTIO_NET_F_STATUS;
const SINGLE = MERGEABLE & ~VIRTIO_NET_F_MRG_RXBUF;

function board(features = MERGEABLE, queueBytes = 4096) {
	const memory = new MockMemory(BASE, SIZE);
	const line = new MockLine();
	const observer = new MockObserver();
	const sent: Uint8Array[] = [];
	const rooms: boolean[] = [];
	const net = new VirtioNet({
		mac: MAC,
		backend: { send: (frame) => void sent.push(frame) },
		queueBytes,
		onRoom: () => void rooms.push(true),
		observer,
	});
	const mmio = new VirtioMmio({ device: net, memory, line, observer });
	const driver = new MockVirtioDriver(mmio, memory, BASE, BASE + SIZE);
	driver.start(features);
	const [receiver, transmitter] = driver.queues;
	return { memory, line, observer, sent, rooms, net, mmio, driver, receiver, transmitter };
}

const frame = (length: number, seed = 1) => Uint8Array.from({ length }, (_, index) => seed + index * 7);
const withHeader = (bytes: Uint8Array) => [new Uint8Array(12), bytes];

test('5.1.4 configuration: MAC address and link status', () => {
	const { mmio, net, driver } = board();
	expect(Array.from({ length: 6 }, (_, index) => mmio.read(0x100 + index, 1))).toEqual([...MAC]);
	expect(mmio.read(0x106, 2)).toBe(1);
	net.setLink(false);
	expect(mmio.read(0x106, 2)).toBe(0);
	expect(driver.get(VIRTIO_MMIO.InterruptStatus)).toBe(2);
	expect(driver.get(VIRTIO_MMIO.ConfigGeneration)).toBe(1);
	net.setLink(false);
	expect(driver.get(VIRTIO_MMIO.ConfigGeneration)).toBe(1);
});

describe('5.1.6.2 transmission', () => {
	test('frames come without the header, whatever the framing', () => {
		const { transmitter, sent, line } = board();
		transmitter.offer(withHeader(frame(60)), []);
		const whole = new Uint8Array(12 + 1514);
		whole.set(frame(1514, 5), 12);
		transmitter.offer([whole.subarray(0, 5), whole.subarray(5, 20), whole.subarray(20)], [], true);
		transmitter.kick();
		expect(sent).toEqual([frame(60), frame(1514, 5)]);
		expect(transmitter.takeUsed().map(({ length }) => length)).toEqual([0, 0]);
		expect(line.level).toBe(true);
	});

	test('frames that are too short or too long are dropped, and their buffers given back', () => {
		const { transmitter, sent, observer } = board();
		transmitter.offer([new Uint8Array(4)], []);
		transmitter.offer(withHeader(frame(13)), []);
		transmitter.offer(withHeader(frame(65_555)), []);
		transmitter.offer([], [100]);
		transmitter.kick();
		expect(sent).toEqual([]);
		expect(transmitter.takeUsed().length).toBe(4);
		expect(observer.of('dropped').length).toBe(4);
	});

	test('with the link down, frames are dropped', () => {
		const { transmitter, sent, net, observer } = board();
		net.setLink(false);
		transmitter.offer(withHeader(frame(60)), []);
		transmitter.kick();
		expect([sent.length, transmitter.takeUsed().length, observer.of('dropped').length]).toEqual([0, 1, 1]);
		expect(net.receive(frame(60))).toBe(true);
		expect(net.state.frames).toEqual([]);
	});

	test('a frame outside RAM: the device needs a reset', () => {
		const { transmitter, driver } = board();
		transmitter.describe(0, { address: 0x1000, length: 100, flags: 0, next: 0 });
		transmitter.publish(0);
		transmitter.kick();
		expect(driver.get(VIRTIO_MMIO.Status) & 64).toBe(64);
	});
});

test('5.1.6.1: without VERSION_1 and merged buffers the header ends before num_buffers', () => {
	const { transmitter, receiver, net, sent } = board(VIRTIO_NET_F_MAC);
	transmitter.offer([new Uint8Array(10), frame(60)], []);
	transmitter.kick();
	expect(sent).toEqual([frame(60)]);
	receiver.offer([], [10 + 60]);
	expect(net.receive(frame(60, 3))).toBe(true);
	const [{ data, length }] = receiver.takeUsed();
	expect([length, ...data]).toEqual([70, ...new Uint8Array(10), ...frame(60, 3)]);
});

test('5.1.6.1: without VERSION_1, num_buffers is there where buffers are merged', () => {
	const { receiver, net } = board(VIRTIO_NET_F_MRG_RXBUF);
	receiver.offer([], [12 + 60]);
	expect(net.receive(frame(60))).toBe(true);
	const [{ data }] = receiver.takeUsed();
	expect([...data]).toEqual([...new Uint8Array(10), 1, 0, ...frame(60)]);
});

describe('5.1.6.4 reception', () => {
	test('one buffer: a header with num_buffers 1, then the frame', () => {
		for (const features of [SINGLE, MERGEABLE]) {
			const { receiver, net, line } = board(features);
			receiver.offer([], [12, 1514]);
			expect(net.receive(frame(60))).toBe(true);
			const [{ data, length }] = receiver.takeUsed();
			expect(length).toBe(72);
			expect([...data.subarray(0, 12)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
			expect(data.subarray(12, 72)).toEqual(frame(60));
			expect(line.level).toBe(true);
		}
	});

	test('mergeable buffers: a frame goes over as many as it needs', () => {
		const { receiver, net } = board();
		for (let count = 0; count < 4; count++) receiver.offer([], [100]);
		net.receive(frame(300));
		const used = receiver.takeUsed();
		expect(used.map(({ length }) => length)).toEqual([100, 100, 100, 12]);
		expect(used[0].data[10]).toBe(4);
		const all = new Uint8Array(400);
		used.forEach(({ data }, index) => {
			all.set(data, 100 * index);
		});
		expect(all.subarray(12, 312)).toEqual(frame(300));
	});

	test('frames wait, in order, until there are buffers enough', () => {
		const { receiver, net, rooms } = board(MERGEABLE, 200);
		receiver.offer([], [100]);
		expect(net.receive(frame(120, 1))).toBe(true);
		expect(net.receive(frame(80, 2))).toBe(true);
		expect(net.receive(frame(14, 3))).toBe(false);
		expect(receiver.takeUsed()).toEqual([]);
		receiver.offer([], [100]);
		receiver.kick();
		expect(receiver.takeUsed().length).toBe(2);
		expect(rooms).toEqual([true]);
		receiver.offer([], [100]);
		receiver.kick();
		expect(receiver.takeUsed()[0].data.subarray(12, 92)).toEqual(frame(80, 2));
	});

	test('a frame that no buffer can hold is dropped, the buffer kept', () => {
		const { receiver, net, observer } = board(SINGLE);
		receiver.offer([], [100]);
		expect(net.receive(frame(200))).toBe(true);
		expect(observer.of('dropped').length).toBe(1);
		net.receive(frame(20));
		expect(receiver.takeUsed()[0].length).toBe(32);
	});

	test('a frame that all buffers together cannot hold is dropped', () => {
		const { receiver, net, observer } = board();
		for (let count = 0; count < 16; count++) receiver.offer([], [12]);
		net.receive(frame(200));
		expect(observer.of('dropped').length).toBe(1);
		net.receive(frame(14));
		expect(receiver.takeUsed().length).toBe(3);
	});

	test('a receive buffer without room for a header: the device needs a reset', () => {
		const { receiver, net, driver } = board();
		receiver.offer([], [11]);
		net.receive(frame(60));
		expect(driver.get(VIRTIO_MMIO.Status) & 64).toBe(64);
	});

	test('without a driver frames are refused; after a reset none wait', () => {
		const { net, driver } = board();
		net.receive(frame(60));
		driver.set(VIRTIO_MMIO.Status, 0);
		expect(net.state.frames).toEqual([]);
		expect(net.receive(frame(60))).toBe(false);
	});
});

test('a state moves to another device; one that does not fit is refused', () => {
	const one = board();
	one.net.receive(frame(60));
	one.net.setLink(false);
	const two = board();
	two.net.restore(structuredClone(one.net.state));
	expect(two.mmio.read(0x106, 2)).toBe(0);
	two.receiver.offer([], [200]);
	two.receiver.kick();
	expect(two.receiver.takeUsed()[0].length).toBe(72);
	for (const change of [{ linkUp: 1 }, { frames: [[1]] }, { frames: new Array(70).fill(frame(60)) }, { frames: null }])
		expect(() => two.net.restore({ linkUp: true, frames: [], ...change } as never)).toThrow(StateError);
	expect(() => new VirtioNet({ mac: new Uint8Array(5), backend: { send: () => {} } })).toThrow(RangeError);
});
