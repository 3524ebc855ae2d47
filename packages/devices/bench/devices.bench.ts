// Register accesses, descriptors and block data per second, through the built package.
import {
	MemoryBlockBackend,
	Ns16550a,
	OverlayBlockBackend,
	SeededBytes,
	UART_LSR,
	UART_RBR_THR_DLL,
	VIRTIO_MMIO,
	VirtioBlk,
	VirtioEntropy,
	VirtioMmio,
} from '@partita/devices';
import { MockMemory, MockVirtioDriver } from '@partita/devices/testing';
import { test } from 'vitest';

const BASE = 0x8000_0000;
const SIZE = 0x400000;

// Exports are read through getters here; what a loop uses is read once.
const { InterruptStatus } = VIRTIO_MMIO;
const [LSR, THR] = [UART_LSR, UART_RBR_THR_DLL];

test('registers', async ({ bench }) => {
	const uart = new Ns16550a({ now: () => 0, timer: { setDeadline: () => {} } });
	await bench('ns16550a: 1000 bytes transmitted, LSR polled', () => {
		for (let count = 0; count < 1000; count++) {
			uart.read(LSR, 1);
			uart.write(THR, 1, 0x2e);
		}
	}).run();
	const memory = new MockMemory(BASE, 16);
	const mmio = new VirtioMmio({ device: new VirtioEntropy(new SeededBytes(1)), memory });
	await bench('virtio-mmio: 1000 register reads', () => {
		for (let count = 0; count < 1000; count++) mmio.read(InterruptStatus, 4);
	}).run();
});

test('virtqueue', async ({ bench }) => {
	const memory = new MockMemory(BASE, SIZE);
	const mmio = new VirtioMmio({ device: new VirtioEntropy({ fill: () => {} }), memory });
	const driver = new MockVirtioDriver(mmio, memory, BASE, BASE + SIZE);
	driver.start();
	const [queue] = driver.queues;
	for (let index = 0; index < 8; index++)
		queue.describe(index, { address: BASE + 0x10000, length: 16, flags: index < 7 ? 3 : 2, next: index + 1 });
	await bench('1000 chains of 8 descriptors', () => {
		for (let count = 0; count < 1000; count++) {
			queue.publish(0);
			queue.kick();
		}
	}).run();
});

test('block', async ({ bench }) => {
	const plain = new MemoryBlockBackend(new Uint8Array(4 * 1024 * 1024));
	for (const [name, backend] of [
		['memory', plain],
		['overlay', new OverlayBlockBackend(plain)],
	] as const) {
		const memory = new MockMemory(BASE, SIZE);
		const mmio = new VirtioMmio({ device: new VirtioBlk({ backend }), memory });
		const driver = new MockVirtioDriver(mmio, memory, BASE, BASE + SIZE);
		driver.start();
		const [queue] = driver.queues;
		for (const [what, type] of [
			['read', 0],
			['written', 1],
		] as const) {
			const header = BASE + 0x100000;
			const write = type === 0 ? 2 : 0;
			queue.describe(0, { address: header, length: 16, flags: 1, next: 1 });
			queue.describe(1, { address: BASE + 0x200000, length: 65_536, flags: 1 | write, next: 2 });
			queue.describe(2, { address: header + 16, length: 1, flags: 2, next: 0 });
			await bench(`${name}: 4 MiB ${what} in requests of 64 KiB`, () => {
				for (let request = 0; request < 64; request++) {
					memory.store(header, 4, type);
					memory.store(header + 8, 8, request * 128);
					queue.publish(0);
					queue.kick();
				}
			}).run();
		}
	}
});
