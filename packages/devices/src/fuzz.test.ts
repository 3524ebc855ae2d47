// Seeded fuzzing of every device: random register and ring traffic from a hostile driver. Each input starts from a fresh
// device. What must hold: nothing throws, every access ends, and a device writes only where the driver allowed it: used
// rings and device-writable descriptors, never outside RAM.
import { expect, test } from 'vitest';
import {
	Finisher,
	GoldfishRtc,
	type GuestMemory,
	Htif,
	MemoryBlockBackend,
	type MmioDevice,
	Ns16550a,
	OverlayBlockBackend,
	SeededBytes,
	VIRTIO_F_INDIRECT_DESC,
	VIRTIO_MMIO,
	VirtioBlk,
	VirtioConsole,
	type VirtioDevice,
	VirtioEntropy,
	VirtioMmio,
	VirtioNet,
} from './index.ts';
import {
	DESC,
	DeferredBlockBackend,
	MockClock,
	MockConsole,
	MockLine,
	MockMemory,
	MockVirtioDriver,
	SeededRandom,
} from './testing/index.ts';

const BASE = 0x8000_0000;
const SIZE = 0x8000;
const RINGS = [BASE, BASE + 0x100];
const ADDRESSES = [BASE + 0x4000, BASE + SIZE - 16, BASE + SIZE - 1, BASE + SIZE, BASE - 1, 0, 2 ** 40, 2 ** 53];
const LENGTHS = [0, 1, 8, 12, 16, 24, 32, 512, 513, 4096, 0x10000, 0x7fffffff, 0xffffffff];
const ACCESSES = [1, 2, 4] as const;
/** A single device access must not take longer, on a slow machine under load. */
const PATIENCE_MS = 5000;

/** Guest memory that counts what it is asked for, so that a device that loops shows, and remembers what was written. */
class CountedMemory implements GuestMemory {
	transfers = 0;
	readonly written: { address: number; length: number }[] = [];
	readonly #memory: MockMemory;

	constructor(memory: MockMemory) {
		this.#memory = memory;
	}

	read(address: number, into: Uint8Array): boolean {
		this.transfers++;
		if (!Number.isSafeInteger(address) || address < 0) throw new RangeError(`read at ${address}`);
		return this.#memory.read(address, into);
	}

	write(address: number, from: Uint8Array): boolean {
		this.transfers++;
		if (!Number.isSafeInteger(address) || address < 0) throw new RangeError(`write at ${address}`);
		const stored = this.#memory.write(address, from);
		if (stored) this.written.push({ address, length: from.length });
		return stored;
	}
}

function randomWord(random: SeededRandom): number {
	return random.pick([0, 1, random.below(16), random.below(256), random.bits(), 0xffffffff]);
}

function randomAccess(device: MmioDevice, random: SeededRandom, offset: number): void {
	const size = random.pick(ACCESSES);
	if (random.below(2)) device.write(offset, size, randomWord(random));
	else {
		const value = device.read(offset, size);
		if (!Number.isInteger(value) || value < 0 || value >= 2 ** (8 * size)) throw new RangeError(`${value} was read`);
	}
}

test('ns16550a, RTC and finisher: random register traffic', () => {
	const random = new SeededRandom(1);
	for (let input = 0; input < 300; input++) {
		const clock = new MockClock();
		const { now } = clock;
		const ports = { now, timer: clock, line: new MockLine() };
		const uart = new Ns16550a({ ...ports, console: new MockConsole(), inputCapacity: 32 });
		const rtc = new GoldfishRtc({ ...ports, baseNanos: BigInt(random.bits()) << 32n });
		const finisher = new Finisher({ exit: () => {}, reset: () => {} });
		for (let step = 0; step < 100; step++) {
			clock.nanos += random.below(1e6);
			const offset = random.pick([random.below(8), random.below(0x40) & ~3, random.bits()]);
			if (random.below(4) === 0) uart.receive(new Uint8Array(random.below(64)));
			randomAccess(random.pick<MmioDevice>([rtc, finisher]), random, offset);
			uart.write(random.below(9), random.pick(ACCESSES), randomWord(random));
			uart.read(random.below(9), random.pick(ACCESSES));
			uart.expire();
			rtc.expire();
			if (clock.deadline !== undefined && !Number.isSafeInteger(clock.deadline)) throw new RangeError('deadline');
		}
	}
});

test('HTIF: random commands and system calls', () => {
	const random = new SeededRandom(2);
	for (let input = 0; input < 300; input++) {
		const guest = new CountedMemory(new MockMemory(BASE, SIZE));
		const htif = new Htif({
			memory: guest,
			tohost: random.pick(ADDRESSES.filter((address) => address < 2 ** 53)),
			fromhost: BASE + 8,
			port: { exit: () => {} },
		});
		for (let step = 0; step < 30; step++) {
			const word = new Uint8Array(8);
			const view = new DataView(word.buffer);
			view.setUint32(0, random.pick([random.bits(), BASE + 64 * random.below(64)]), true);
			view.setUint32(4, random.pick([0, 0x0100_0000, 0x0101_0000, random.bits()]), true);
			guest.write(BASE + 64 * random.below(64), Uint8Array.of(random.pick([64, 93, 0]), 0, 0, 0, 0, 0, 0, 0, 1));
			guest.write(BASE, word);
			htif.receive(new Uint8Array(random.below(100)));
			const before = guest.transfers;
			htif.poll();
			expect(guest.transfers - before).toBeLessThan(16);
		}
	}
});

interface Subject {
	readonly device: VirtioDevice;
	/** Something happens on the host's side. */
	readonly host: (random: SeededRandom) => void;
}

const SUBJECTS: Record<string, () => Subject> = {
	blk: () => {
		const slow = new DeferredBlockBackend(
			new OverlayBlockBackend(new MemoryBlockBackend(new Uint8Array(64 * 512)), 65_536),
		);
		return {
			device: new VirtioBlk({ backend: slow }),
			host: (random) => {
				if (slow.waiting.length === 0) return;
				const index = random.below(slow.waiting.length);
				if (random.below(4) === 0) slow.fail('fuzzed', index);
				else slow.finish(index);
			},
		};
	},
	net: () => {
		const device = new VirtioNet({ mac: new Uint8Array(6), backend: { send: () => {} }, queueBytes: 4096 });
		return {
			device,
			host: (random) => {
				if (random.below(8) === 0) device.setLink(random.below(2) === 0);
				else device.receive(new Uint8Array(random.below(2000)));
			},
		};
	},
	console: () => {
		const device = new VirtioConsole({ inputCapacity: 64 });
		return {
			device,
			host: (random) => {
				if (random.below(8) === 0) device.resize(random.bits(), random.bits());
				else device.receive(new Uint8Array(random.below(100)));
			},
		};
	},
	entropy: () => ({ device: new VirtioEntropy(new SeededBytes(3)), host: () => {} }),
};

function board(subject: Subject) {
	const memory = new MockMemory(BASE, SIZE);
	const counted = new CountedMemory(memory);
	const mmio = new VirtioMmio({ device: subject.device, memory: counted, line: new MockLine() });
	const driver = new MockVirtioDriver(mmio, memory, BASE, BASE + SIZE);
	return { memory, counted, mmio, driver };
}

/** Does one thing to a device and checks that it ended soon. */
function bounded(counted: CountedMemory, action: () => void): void {
	const before = counted.transfers;
	action();
	// 256 chains of at most 1024 + 256 descriptors, each with one transfer of data, and the ring's own.
	if (counted.transfers - before > 256 * 4 * (1024 + 256)) throw new RangeError('the device did not stop');
}

test.each(Object.entries(SUBJECTS))(
	'virtio-%s: random registers',
	(_, make) => {
		const random = new SeededRandom(4);
		const registers = Object.values(VIRTIO_MMIO);
		for (let input = 0; input < 100; input++) {
			const subject = make();
			const { counted, mmio } = board(subject);
			for (let step = 0; step < 100; step++) {
				const offset = random.pick<number>([...registers, 0x100 + random.below(128), random.bits()]);
				bounded(counted, () => randomAccess(mmio, random, offset));
				if (random.below(4) === 0) bounded(counted, () => subject.host(random));
			}
		}
	},
	PATIENCE_MS * 4,
);

test.each(Object.entries(SUBJECTS))(
	'virtio-%s: random rings',
	(_, make) => {
		const random = new SeededRandom(5);
		let broken = 0;
		let served = 0;
		let checked = 0;
		for (let input = 0; input < 300; input++) {
			const subject = make();
			const { memory, counted, mmio, driver } = board(subject);
			// Without indirect descriptors, and with none over the rings, all that may be written is known.
			const known = input % 2 === 0;
			driver.start(driver.offeredFeatures() & ~(known ? VIRTIO_F_INDIRECT_DESC : 0n), 8);
			const allowed = driver.queues.map(({ device, size }) => ({ address: device, length: 6 + 8 * size }));
			const astray = known ? ADDRESSES : [...ADDRESSES, ...RINGS];
			for (let step = 0; step < 12; step++) {
				const queue = random.pick(driver.queues);
				const wild = random.below(3) === 0;
				const writableFrom = random.below(8);
				for (let index = 0; index < 8; index++) {
					const sane = !wild || random.below(3) > 0;
					const last = index === 7 || random.below(4) === 0;
					const tidy = (index < writableFrom ? 0 : DESC.WRITE) | (last ? 0 : DESC.NEXT);
					const descriptor = {
						address: sane ? BASE + 0x2000 + 16 * random.below(0x20) : random.pick(astray),
						length: sane ? random.pick([1, 12, 16, 16, 512, 1024]) : random.pick(LENGTHS),
						flags: sane ? tidy : random.below(8),
						next: sane ? (index + 1) % 8 : random.below(10),
					};
					if (descriptor.flags & DESC.WRITE) allowed.push(descriptor);
					queue.describe(index, descriptor, known || random.below(4) ? queue.desc : BASE + 0x2000);
				}
				// What a block request's header says, all over the data.
				for (let slot = 0; slot < 0x20; slot++) {
					memory.store(BASE + 0x2000 + 16 * slot, 4, random.pick([0, 1, 4, 8, random.below(16)]));
					memory.store(BASE + 0x2000 + 16 * slot + 8, 8, random.below(70));
				}
				const offers = random.below(4);
				for (let count = 0; count < offers; count++)
					queue.publish(random.below(30) ? random.below(8) : random.bits() & 0xffff);
				if (random.below(30) === 0) queue.setAvailIdx(random.bits() & 0xffff);
				bounded(counted, () => queue.kick());
				bounded(counted, () => subject.host(random));
			}
			for (const { address, length } of known ? counted.written : []) {
				const inside = allowed.some(
					(area) => address >= area.address && address + length <= area.address + area.length,
				);
				if (!inside) throw new RangeError(`0x${address.toString(16)}+${length} was written`);
				checked++;
			}
			for (const queue of driver.queues) served += queue.usedIdx === 0 ? 0 : 1;
			if (driver.get(VIRTIO_MMIO.Status) & 64) broken++;
			driver.set(VIRTIO_MMIO.Status, 0);
			bounded(counted, () => subject.host(random));
			expect(mmio.read(VIRTIO_MMIO.Status, 4)).toBe(0);
		}
		// The inputs must reach both sides: devices that served something, and devices that gave up.
		expect(served).toBeGreaterThan(10);
		expect(broken).toBeGreaterThan(10);
		expect(checked).toBeGreaterThan(100);
	},
	PATIENCE_MS * 4,
);
