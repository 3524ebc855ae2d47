// By sections 2.1, 2.2, 3.1 and 4.2 of virtio 1.2. The placeholder was compared with QEMU 7.2's empty slots (qtest),
// which differ in Version only (QEMU's default is the legacy 1).
import { describe, expect, test } from 'vitest';
import {
	SeededBytes,
	StateError,
	VIRTIO_F_EVENT_IDX,
	VIRTIO_F_INDIRECT_DESC,
	VIRTIO_F_VERSION_1,
	VIRTIO_MMIO,
	VIRTIO_STATUS,
	VirtioConsole,
	VirtioEntropy,
	VirtioMmio,
} from '../index.ts';
import { MockLine, MockMemory, MockObserver, type MockQueue, MockVirtioDriver } from '../testing/index.ts';

const R = VIRTIO_MMIO;
const S = VIRTIO_STATUS;
const BASE = 0x8000_0000;
const SIZE = 0x10000;

function board() {
	const memory = new MockMemory(BASE, SIZE);
	const line = new MockLine();
	const observer = new MockObserver();
	const device = new VirtioConsole();
	const mmio = new VirtioMmio({ device, memory, line, observer });
	const driver = new MockVirtioDriver(mmio, memory, BASE, BASE + SIZE);
	return { memory, line, observer, device, mmio, driver };
}

describe('4.2.2 registers', () => {
	test('identification', () => {
		const { driver } = board();
		expect([R.MagicValue, R.Version, R.DeviceID, R.VendorID].map((register) => driver.get(register))).toEqual([
			0x74726976, 2, 3, 0x554d4551,
		]);
	});

	test('features, 32 bits at a time', () => {
		const { driver } = board();
		expect(driver.offeredFeatures()).toBe(1n | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_F_VERSION_1);
		driver.set(R.DeviceFeaturesSel, 2);
		expect(driver.get(R.DeviceFeatures)).toBe(0);
	});

	test('queues that are not there have size 0 and are never ready', () => {
		const { driver } = board();
		driver.set(R.QueueSel, 1);
		expect(driver.get(R.QueueNumMax)).toBe(64);
		driver.set(R.QueueSel, 2);
		expect(driver.get(R.QueueNumMax)).toBe(0);
		driver.set(R.QueueReady, 1);
		driver.set(R.QueueNum, 8);
		expect(driver.get(R.QueueReady)).toBe(0);
	});

	test('shared memory regions that are not there have length and address -1', () => {
		const { driver } = board();
		driver.set(R.SHMSel, 3);
		expect([R.SHMLenLow, R.SHMLenHigh, R.SHMBaseLow, R.SHMBaseHigh].map((register) => driver.get(register))).toEqual(
			new Array(4).fill(0xffffffff),
		);
	});

	test('configuration space takes 1, 2 and 4 bytes; registers take 4', () => {
		const { mmio } = board();
		expect([mmio.read(0x100, 4), mmio.read(0x100, 2), mmio.read(0x102, 1)]).toEqual([80 | (25 << 16), 80, 25]);
		expect([mmio.read(0x101, 2), mmio.read(0x104, 4), mmio.read(0x102, 4), mmio.read(0xfff, 1)]).toEqual([0, 0, 0, 0]);
		expect([mmio.read(0, 1), mmio.read(0, 2), mmio.read(2, 4), mmio.read(0x20, 4)]).toEqual([0, 0, 0, 0]);
		mmio.write(0x100, 4, 1);
		mmio.write(R.Status, 1, 1);
		expect([mmio.read(0x100, 4), mmio.read(R.Status, 4)]).toEqual([80 | (25 << 16), 0]);
	});

	test('a slot without a device is a placeholder', () => {
		const mmio = new VirtioMmio({ memory: new MockMemory(BASE, 16) });
		expect([0, 4, 8, 12, 0x10, 0x34, 0x70, 0xfc, 0x100].map((offset) => mmio.read(offset, 4))).toEqual([
			0x74726976, 2, 0, 0x554d4551, 0, 0, 0, 0, 0,
		]);
		mmio.write(R.Status, 4, 1);
		expect(mmio.read(R.Status, 4)).toBe(0);
	});
});

describe('3.1.1 initialization', () => {
	test('FEATURES_OK stays only with features that were offered', () => {
		const { driver } = board();
		expect(driver.negotiate(VIRTIO_F_VERSION_1)).toBe(true);
		// 6.1: "A device MAY fail to operate further if VIRTIO_F_VERSION_1 is not accepted."
		expect(driver.negotiate(0n)).toBe(true);
		expect(driver.negotiate(VIRTIO_F_VERSION_1 | 2n)).toBe(false);
		expect(driver.negotiate(VIRTIO_F_VERSION_1 | (1n << 63n))).toBe(false);
	});

	test('features cannot be changed after FEATURES_OK', () => {
		const { driver, mmio } = board();
		driver.negotiate(VIRTIO_F_VERSION_1);
		driver.set(R.DriverFeaturesSel, 0);
		driver.set(R.DriverFeatures, 0xffffffff);
		expect(mmio.state.driverFeatures).toBe(VIRTIO_F_VERSION_1);
	});

	test('the steps cannot be taken out of order, nor taken back', () => {
		const { driver } = board();
		driver.set(R.Status, S.FEATURES_OK);
		expect(driver.get(R.Status)).toBe(0);
		driver.set(R.Status, S.ACKNOWLEDGE | S.DRIVER | S.DRIVER_OK);
		expect(driver.get(R.Status)).toBe(S.ACKNOWLEDGE | S.DRIVER);
		driver.set(R.Status, S.ACKNOWLEDGE);
		expect(driver.get(R.Status)).toBe(S.ACKNOWLEDGE | S.DRIVER);
		driver.set(R.DriverFeaturesSel, 0);
		driver.set(R.DriverFeatures, 2); // not offered
		driver.set(R.Status, 0xff);
		expect(driver.get(R.Status)).toBe(S.ACKNOWLEDGE | S.DRIVER | S.FAILED);
	});

	test('a queue in use keeps its size and addresses', () => {
		const { driver, mmio } = board();
		driver.start();
		const before = structuredClone(mmio.state.queues[0]);
		driver.set(R.QueueSel, 0);
		for (const register of [R.QueueNum, R.QueueDescLow, R.QueueDriverHigh, R.QueueDeviceLow]) driver.set(register, 4);
		expect(mmio.state.queues[0]).toEqual(before);
	});

	test.each([
		['a size that is no power of two', { size: 3 }],
		['size 0', { size: 0 }],
		['a size above the maximum', { size: 128 }],
		['a descriptor table that is not aligned', { desc: BASE + 8 }],
		['a driver area that is not aligned', { driver: BASE + 1 }],
		['a device area that is not aligned', { device: BASE + 2 }],
		['an address above 2^52', { desc: 2 ** 63 }],
	])('a queue with %s is not taken, and the device needs a reset', (_, change) => {
		const { driver, observer } = board();
		driver.negotiate(VIRTIO_F_VERSION_1);
		const queue = { index: 0, size: 16, desc: BASE, driver: BASE + 256, device: BASE + 512, ...change };
		expect(driver.setQueue(queue as MockQueue)).toBe(false);
		expect(driver.get(R.Status) & S.DEVICE_NEEDS_RESET).toBe(S.DEVICE_NEEDS_RESET);
		expect(driver.get(R.InterruptStatus)).toBe(0); // the driver is not up
		expect(observer.of('guest-error').length).toBe(1);
	});

	test('buffers from before DRIVER_OK are served at DRIVER_OK, not sooner', () => {
		const memory = new MockMemory(BASE, SIZE);
		const mmio = new VirtioMmio({ device: new VirtioEntropy(new SeededBytes(1)), memory });
		const driver = new MockVirtioDriver(mmio, memory, BASE, BASE + SIZE);
		driver.start();
		const address = BASE + 0x8000;
		driver.negotiate(VIRTIO_F_VERSION_1);
		const [old] = driver.queues;
		driver.setQueue(old);
		old.describe(0, { address, length: 8, flags: 2, next: 0 });
		old.publish(0);
		old.kick();
		expect(memory.load(address, 8)).toBe(0);
		driver.set(R.Status, driver.get(R.Status) | S.DRIVER_OK);
		expect(old.usedIdx).toBe(1);
		expect(memory.load(address, 8)).not.toBe(0);
	});
});

describe('2.1 device status', () => {
	test('writing 0 resets: status, features, queues, interrupts', () => {
		const { driver, mmio, device, line } = board();
		driver.start();
		device.resize(100, 50);
		expect(line.level).toBe(true);
		driver.set(R.Status, 0);
		expect(line.level).toBe(false);
		const { configGeneration, queues, ...rest } = mmio.state;
		expect(rest).toEqual({
			status: 0,
			deviceFeaturesSel: 0,
			driverFeaturesSel: 0,
			driverFeatures: 0n,
			queueSel: 0,
			interruptStatus: 0,
		});
		expect(queues.every(({ ready }) => !ready)).toBe(true);
		expect(configGeneration).toBe(1);
	});

	test('DEVICE_NEEDS_RESET: the driver is told, nothing works until it resets', () => {
		const { driver, line, device, memory } = board();
		driver.start();
		driver.queues[0].offer([], [16]);
		driver.queues[1].setAvailIdx(1000);
		driver.queues[1].kick();
		expect(driver.get(R.Status) & S.DEVICE_NEEDS_RESET).toBe(S.DEVICE_NEEDS_RESET);
		expect(driver.get(R.InterruptStatus)).toBe(2);
		expect(line.level).toBe(true);
		device.receive(Uint8Array.of(1));
		driver.queues[0].kick();
		expect(driver.queues[0].usedIdx).toBe(0);
		driver.set(R.Status, driver.get(R.Status) & ~S.DEVICE_NEEDS_RESET);
		expect(driver.get(R.Status) & S.DEVICE_NEEDS_RESET).toBe(S.DEVICE_NEEDS_RESET);
		driver.start();
		driver.queues[0].offer([], [16]);
		driver.queues[0].kick();
		expect(driver.queues[0].takeUsed()[0].length).toBe(1);
		expect(memory.refused).toBe(0);
	});
});

describe('4.2.2.1 interrupts and configuration', () => {
	test('the line is up until every event was acknowledged', () => {
		const { driver, line, device } = board();
		driver.start();
		driver.queues[0].offer([], [16]);
		device.receive(Uint8Array.of(7));
		device.resize(90, 30);
		expect(driver.get(R.InterruptStatus)).toBe(3);
		driver.set(R.InterruptACK, 1);
		expect([driver.get(R.InterruptStatus), line.level]).toEqual([2, true]);
		driver.set(R.InterruptACK, 2);
		expect([driver.get(R.InterruptStatus), line.level]).toEqual([0, false]);
	});

	test('ConfigGeneration changes with the configuration', () => {
		const { driver, device, mmio, line } = board();
		const before = driver.get(R.ConfigGeneration);
		device.resize(132, 43);
		expect(driver.get(R.ConfigGeneration)).not.toBe(before);
		expect(mmio.read(0x100, 4)).toBe(132 | (43 << 16));
		expect(line.level).toBe(false); // no driver, no interrupt
	});

	test('a queue that was stopped is not used', () => {
		const { driver, device } = board();
		driver.start();
		driver.queues[0].offer([], [16]);
		driver.set(R.QueueSel, 0);
		driver.set(R.QueueReady, 0);
		expect(driver.get(R.QueueReady)).toBe(0);
		device.receive(Uint8Array.of(1));
		driver.queues[0].kick();
		expect(driver.queues[0].usedIdx).toBe(0);
	});
});

test('a state moves to another transport, which goes on in the middle', () => {
	const one = board();
	one.driver.start();
	one.driver.queues[0].offer([], [4]);
	one.driver.queues[0].offer([], [4]);
	one.device.receive(Uint8Array.of(1, 2, 3, 4, 5));
	one.driver.queues[0].offer([], [4]);
	const two = board();
	two.memory.write(BASE, one.memory.bytes(BASE, SIZE));
	two.mmio.restore(structuredClone(one.mmio.state));
	two.device.restore(structuredClone(one.device.state));
	expect(two.line.level).toBe(true);
	expect(two.mmio.state).toEqual(one.mmio.state);
	for (const { memory, device } of [one, two]) {
		device.receive(Uint8Array.of(6));
		expect(memory.load(one.driver.queues[0].device + 2, 2)).toBe(3);
	}
	expect(two.memory.bytes(BASE, SIZE)).toEqual(one.memory.bytes(BASE, SIZE));
});

test('refuses a state that does not fit, and keeps its own', () => {
	const { mmio, driver } = board();
	driver.start();
	const good = structuredClone(mmio.state);
	const [first, second] = good.queues;
	for (const change of [
		{ status: 256 },
		{ driverFeatures: 1n << 40n },
		{ driverFeatures: 0 },
		{ interruptStatus: 4 },
		{ queueSel: -1 },
		{ queues: [first] },
		{ queues: [first, { ...second, size: 3 }] },
		{ queues: [first, { ...second, desc: 1n << 60n }] },
		{ queues: [first, { ...second, nextUsed: 65536 }] },
		{ queues: [null, second] },
	])
		expect(() => mmio.restore({ ...good, ...change } as never)).toThrow(StateError);
	expect(mmio.state).toEqual(good);
});
