// By section 5.2 of virtio 1.2.
import { describe, expect, test } from 'vitest';
import {
	MemoryBlockBackend,
	StateError,
	VIRTIO_BLK_F_FLUSH,
	VIRTIO_BLK_F_RO,
	VIRTIO_F_EVENT_IDX,
	VIRTIO_MMIO,
	VirtioBlk,
	VirtioMmio,
} from '../index.ts';
import { DeferredBlockBackend, MockLine, MockMemory, MockObserver, MockVirtioDriver } from '../testing/index.ts';

const BASE = 0x8000_0000;
const SIZE = 0x100000;
const SECTORS = 64;
const [IN, OUT, FLUSH, GET_ID] = [0, 1, 4, 8];
const [OK, IOERR, UNSUPP] = [0, 1, 2];

function header(type: number, sector: number): Uint8Array {
	const bytes = new Uint8Array(16);
	const view = new DataView(bytes.buffer);
	view.setUint32(0, type, true);
	view.setBigUint64(8, BigInt(sector), true);
	return bytes;
}

function board(options: { readOnly?: boolean; defer?: boolean; features?: bigint; sectors?: number } = {}) {
	const memory = new MockMemory(BASE, SIZE);
	const line = new MockLine();
	const observer = new MockObserver();
	const disk = new MemoryBlockBackend(
		Uint8Array.from({ length: SECTORS * 512 }, (_, index) => (index >>> 9) ^ index),
		options.readOnly,
	);
	const { sectors } = options;
	const slow = new DeferredBlockBackend(sectors ? { sectors, readOnly: false, submit: () => {} } : disk);
	const blk = new VirtioBlk({ backend: options.defer ? slow : disk, id: 'partita-disk-0', observer });
	const mmio = new VirtioMmio({ device: blk, memory, line, observer });
	const driver = new MockVirtioDriver(mmio, memory, BASE, BASE + SIZE);
	driver.start(options.features);
	const [queue] = driver.queues;
	const request = (readable: Uint8Array[], writable: number[], indirect = false) => {
		queue.offer(readable, writable, indirect);
		queue.kick();
		return queue.takeUsed()[0];
	};
	return { memory, line, observer, disk, slow, blk, mmio, driver, queue, request };
}

const pattern = (length: number, start: number) => Uint8Array.from({ length }, (_, index) => start + index);

describe('5.2.4 configuration', () => {
	test('capacity, limits, block size', () => {
		const { mmio } = board();
		expect([mmio.read(0x100, 4), mmio.read(0x104, 4)]).toEqual([SECTORS, 0]);
		expect([mmio.read(0x108, 4), mmio.read(0x10c, 4), mmio.read(0x114, 4)]).toEqual([65_536, 254, 512]);
	});

	test('a read-only disk says so', () => {
		const { driver } = board({ readOnly: true });
		expect(driver.offeredFeatures() & VIRTIO_BLK_F_RO).toBe(VIRTIO_BLK_F_RO);
	});
});

describe('5.2.6 requests', () => {
	test.each([false, true])('reads (indirect: %s)', (indirect) => {
		const { request, disk } = board();
		const { length, data } = request([header(IN, 3)], [1024, 1], indirect);
		expect(data.subarray(0, 1024)).toEqual(disk.state.bytes.subarray(3 * 512, 5 * 512));
		expect([data[1024], length]).toEqual([OK, 1025]);
	});

	test.each([false, true])('writes (indirect: %s)', (indirect) => {
		const { request, disk } = board();
		const { data, length } = request([header(OUT, 5), pattern(512, 9)], [1], indirect);
		expect([data[0], length]).toEqual([OK, 1]);
		expect(disk.state.bytes.subarray(5 * 512, 6 * 512)).toEqual(pattern(512, 9));
	});

	test('2.7.4 framing does not matter', () => {
		const { request, disk } = board();
		const sent = new Uint8Array(16 + 1024);
		sent.set(header(OUT, 1));
		sent.set(pattern(1024, 77), 16);
		const pieces = [sent.subarray(0, 7), sent.subarray(7, 19), sent.subarray(19, 600), sent.subarray(600)];
		expect(request(pieces, [1]).data[0]).toBe(OK);
		expect(disk.state.bytes.subarray(512, 1536)).toEqual(pattern(1024, 77));
		const { data } = request([header(IN, 1).subarray(0, 8), header(IN, 1).subarray(8)], [100, 900, 25]);
		expect(data.subarray(0, 1024)).toEqual(pattern(1024, 77));
		expect(data[1024]).toBe(OK);
	});

	test('the serial number, filled up with zeros', () => {
		const { request } = board();
		const { data, length } = request([header(GET_ID, 0)], [20, 1]);
		expect(new TextDecoder().decode(data.subarray(0, 20))).toBe('partita-disk-0\0\0\0\0\0\0');
		expect([data[20], length]).toEqual([OK, 21]);
	});

	test('flush reaches the back end', () => {
		const { slow, queue } = board({ defer: true });
		queue.offer([header(FLUSH, 0)], [1]);
		queue.kick();
		expect(slow.log).toEqual(['flush']);
		slow.finish();
		expect(queue.takeUsed()[0].data[0]).toBe(OK);
	});

	test('unknown types are unsupported', () => {
		const { request } = board();
		expect(request([header(11, 0)], [16, 1]).data[16]).toBe(UNSUPP);
		expect(request([header(0xffffffff, 0)], [1]).data[0]).toBe(UNSUPP);
	});

	test.each([
		['past the end', IN, SECTORS, 512],
		['across the end', IN, SECTORS - 1, 1024],
		['at the far end of 64 bits', IN, Number.MAX_SAFE_INTEGER, 512],
		['of half a sector', IN, 0, 256],
	])('a read %s fails, and nothing is written', (_, type, sector, length) => {
		const { request, observer } = board();
		const used = request([header(type, sector)], [length, 1]);
		expect([used.data[length], used.length]).toEqual([IOERR, 0]);
		expect(used.data.subarray(0, length).every((byte) => byte === 0)).toBe(true);
		expect(observer.of('guest-error').length).toBe(1);
	});

	test('a write to a read-only disk fails', () => {
		const { request, disk } = board({ readOnly: true });
		const before = disk.state.bytes.slice();
		expect(request([header(OUT, 0), pattern(512, 1)], [1]).data[0]).toBe(IOERR);
		expect(disk.state.bytes).toEqual(before);
	});

	test.each([
		['a header that is too short', [header(IN, 0).subarray(0, 15)], [512, 1]],
		['no room for the status', [header(OUT, 0)], []],
	])('%s: the device needs a reset', (_, readable, writable) => {
		const { queue, driver } = board();
		queue.offer(readable, writable);
		queue.kick();
		expect(driver.get(VIRTIO_MMIO.Status) & 64).toBe(64);
		expect(queue.usedIdx).toBe(0);
	});

	test.each([
		['header', 0],
		['data', 1],
		['status', 2],
	])('a %s outside RAM: the device needs a reset', (_, part) => {
		for (const type of [IN, OUT]) {
			const { queue, driver, memory, disk } = board();
			const before = disk.state.bytes.slice();
			memory.write(BASE + 0x80000, header(type, 0));
			const where = [BASE + 0x80000, BASE + 0x81000, BASE + 0x82000];
			where[part] = 0x1000;
			queue.describe(0, { address: where[0], length: 16, flags: 1, next: 1 });
			queue.describe(1, { address: where[1], length: 512, flags: type === IN ? 3 : 1, next: 2 });
			queue.describe(2, { address: where[2], length: 1, flags: 2, next: 0 });
			queue.publish(0);
			queue.kick();
			expect(driver.get(VIRTIO_MMIO.Status) & 64).toBe(64);
			if (part < 2) expect(disk.state.bytes).toEqual(before);
		}
	});
});

// The same requests were sent to QEMU 7.2 over qtest (force-legacy off, a raw disk of 64 sectors with this content): each
// answer is its status byte, used index, used length, interrupt status, avail_event. QEMU gives the buffer's whole length
// for reads that failed; section 2.7.8.2 allows at most what was written from the start, which is 0.
describe('against QEMU 7.2', () => {
	test.each([
		['without event index', false],
		['with event index', true],
	])('%s', (_, byIndex) => {
		const features = board().driver.offeredFeatures() & ~(byIndex ? 0n : VIRTIO_F_EVENT_IDX);
		const { queue, driver, memory, mmio } = board({ features });
		const [head, data, status] = [BASE + 0x80000, BASE + 0x81000, BASE + 0x82000];
		const answers = (
			[
				[IN, 3, 1024],
				[OUT, 5, 512],
				[GET_ID, 0, 20],
				[IN, 64, 512],
				[IN, 63, 1024],
				[IN, 0, 256],
			] as const
		).map(([type, sector, length]) => {
			memory.write(head, header(type, sector));
			memory.store(status, 2, 0xff);
			queue.describe(0, { address: head, length: 16, flags: 1, next: 1 });
			queue.describe(1, { address: data, length, flags: type === OUT ? 1 : 3, next: 2 });
			queue.describe(2, { address: status, length: 1, flags: 2, next: 0 });
			queue.publish(0);
			queue.kick();
			const entry = queue.device + 4 + 8 * ((queue.usedIdx - 1) % queue.size);
			const interrupt = driver.get(VIRTIO_MMIO.InterruptStatus);
			driver.set(VIRTIO_MMIO.InterruptACK, 3);
			const written = memory.load(entry + 4, 4);
			return [memory.bytes(status, 1)[0], queue.usedIdx, written, interrupt, queue.availEvent];
		});
		const event = (index: number) => (byIndex ? index : 0);
		const interrupt = byIndex ? 0 : 1;
		expect(answers).toEqual([
			[0, 1, 1025, 1, event(1)],
			[0, 2, 1, interrupt, event(2)],
			[0, 3, 21, interrupt, event(3)],
			[1, 4, 0, interrupt, event(4)],
			[1, 5, 0, interrupt, event(5)],
			[1, 6, 0, interrupt, event(6)],
		]);
		queue.describe(1, { address: head, length: 16, flags: 1, next: 0 });
		queue.publish(0);
		queue.kick();
		expect([driver.get(VIRTIO_MMIO.Status), mmio.state.interruptStatus]).toEqual([0x4f, 2]);
	});
});

describe('asynchronous back ends', () => {
	test('requests end in any order, each with one interrupt', () => {
		const { slow, queue, line, driver, blk } = board({ defer: true });
		const heads = [1, 2, 3].map((sector) => queue.offer([header(IN, sector)], [512, 1]));
		queue.kick();
		expect(blk.state.inFlight.map(({ sector }) => sector)).toEqual([1, 2, 3]);
		expect(line.level).toBe(false);
		for (const [index, head] of [
			[1, heads[1]],
			[1, heads[2]],
			[0, heads[0]],
		]) {
			slow.finish(index);
			expect(queue.takeUsed().map((used) => used.head)).toEqual([head]);
			expect(line.level).toBe(true);
			driver.set(VIRTIO_MMIO.InterruptACK, 1);
		}
		expect(line.rises).toBe(3);
		expect(blk.state.inFlight).toEqual([]);
	});

	test('a host error becomes IOERR, and the observer hears why', () => {
		const { slow, queue, observer, driver } = board({ defer: true });
		queue.offer([header(OUT, 2), pattern(512, 0)], [1]);
		queue.kick();
		slow.fail('ENOSPC: no space left on device');
		expect(queue.takeUsed()[0].data[0]).toBe(IOERR);
		expect(observer.of('host-error')).toEqual([
			{ kind: 'host-error', device: 'virtio-blk', reason: 'write of sector 2: ENOSPC: no space left on device' },
		]);
		expect(driver.get(VIRTIO_MMIO.Status) & 64).toBe(0);
	});

	test('what ends after a reset is forgotten, and does not touch the new driver', () => {
		const { slow, queue, driver, memory, blk } = board({ defer: true });
		queue.offer([header(IN, 1)], [512, 1]);
		queue.kick();
		const [{ request, complete }] = slow.waiting;
		driver.start();
		const before = memory.bytes(BASE, SIZE);
		slow.finish();
		complete(request, 'ok');
		expect(memory.bytes(BASE, SIZE)).toEqual(before);
		driver.queues[0].offer([header(IN, 1)], [512, 1]);
		driver.queues[0].kick();
		complete(request, 'ok');
		expect(blk.state.inFlight.length).toBe(1);
		slow.finish();
		expect(driver.queues[0].takeUsed()[0].data[512]).toBe(OK);
	});

	test('without VIRTIO_BLK_F_FLUSH each write is flushed before it ends', () => {
		const features = board().driver.offeredFeatures() & ~VIRTIO_BLK_F_FLUSH & ~VIRTIO_F_EVENT_IDX;
		const { slow, queue } = board({ defer: true, features });
		queue.offer([header(OUT, 2), pattern(512, 0)], [1]);
		queue.kick();
		slow.finish();
		expect(queue.takeUsed()).toEqual([]);
		expect(slow.log).toEqual(['write', 'flush']);
		slow.finish();
		expect(queue.takeUsed()[0].data[0]).toBe(OK);
	});

	test('large requests wait in the ring while too much is under way', () => {
		const { slow, queue, memory, blk } = board({ defer: true, sectors: 1e9 });
		// 250 segments of 64 KiB that all lie on one another.
		const table = BASE + 0x90000;
		memory.write(table, header(IN, 0));
		for (let slot = 0; slot < 5; slot++) {
			const list = BASE + 0xa0000 + slot * 0x2000;
			const next = (address: number, length: number, flags: number, index: number) =>
				queue.describe(index, { address, length, flags, next: index + 1 }, list);
			next(table, 16, 1, 0);
			for (let index = 1; index <= 250; index++) next(BASE + 0xc0000, 65_536, 3, index);
			next(table + 32, 1, 2, 251);
			queue.describe(slot, { address: list, length: 16 * 252, flags: 4, next: 0 });
		}
		for (let slot = 0; slot < 5; slot++) queue.publish(slot);
		queue.kick();
		expect(blk.state.inFlight.length).toBe(3);
		slow.fail('gone');
		expect(blk.state.inFlight.length).toBe(3);
		while (slow.waiting.length > 0) slow.fail('gone');
		expect(queue.usedIdx).toBe(5);
	});
});

describe('snapshots', () => {
	test('requests under way are submitted again', () => {
		const one = board({ defer: true });
		one.queue.offer([header(IN, 7)], [512, 1]);
		one.queue.offer([header(OUT, 8), pattern(512, 3)], [1]);
		one.queue.kick();
		const two = board({ defer: true });
		two.memory.write(BASE, one.memory.bytes(BASE, SIZE));
		two.mmio.restore(structuredClone(one.mmio.state));
		two.blk.restore(structuredClone(one.blk.state));
		two.blk.resubmit();
		two.blk.resubmit();
		expect(two.slow.log).toEqual(['read', 'write']);
		two.slow.finish(1);
		two.slow.finish(0);
		expect(two.disk.state.bytes.subarray(8 * 512, 9 * 512)).toEqual(pattern(512, 3));
		expect(two.memory.load(one.queue.device + 2, 2)).toBe(2);
		expect(two.line.level).toBe(true);
		expect(two.blk.state.inFlight).toEqual([]);
	});

	test('what was under way before a restore is forgotten, though it has the same number', () => {
		const { blk, slow, queue } = board({ defer: true });
		queue.offer([header(IN, 7)], [512, 1]);
		queue.kick();
		blk.restore(structuredClone(blk.state));
		blk.resubmit();
		expect(slow.waiting.map(({ request }) => request.id)).toEqual([0, 0]);
		slow.fail('too late');
		expect(queue.takeUsed()).toEqual([]);
		slow.finish();
		expect(queue.takeUsed()[0].data[512]).toBe(OK);
	});

	test('a state that does not fit is refused', () => {
		const { blk, queue } = board({ defer: true });
		queue.offer([header(IN, 7)], [512, 1]);
		queue.kick();
		const good = structuredClone(blk.state);
		const [request] = good.inFlight;
		for (const change of [
			{ nextId: -1 },
			{ inFlight: new Array(257).fill(request) },
			{ inFlight: [request, request] },
			{ inFlight: [null] },
			{ inFlight: [{ ...request, kind: 'erase' }] },
			{ inFlight: [{ ...request, length: 1024 }] },
			{ inFlight: [{ ...request, data: [{ address: -1, length: 512 }] }] },
		])
			expect(() => blk.restore({ ...good, ...change } as never)).toThrow(StateError);
		expect(blk.state).toEqual(good);
	});
});
