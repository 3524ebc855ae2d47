// The driver's side of virtio-mmio and split virtqueues, for tests: sections 2.7, 3.1 and 4.2 of virtio 1.2, obeyed
// where a test does not ask for the opposite. Errors throw: the test, or the device, is wrong then.
import type { MmioDevice } from '../ports.ts';
import { VIRTIO_MMIO, VIRTIO_STATUS } from '../virtio/mmio.ts';
import { VIRTIO_F_EVENT_IDX } from '../virtio/split-queue.ts';
import type { MockMemory } from './mock-memory.ts';

/** Descriptor flags. */
export const DESC = {
	/** VIRTQ_DESC_F_NEXT: the chain goes on. */
	NEXT: 1,
	/** VIRTQ_DESC_F_WRITE: the device writes. */
	WRITE: 2,
	/** VIRTQ_DESC_F_INDIRECT: a table of descriptors. */
	INDIRECT: 4,
} as const;

/** One descriptor as it is in memory. */
export interface MockDescriptor {
	/** Physical address of the buffer. */
	readonly address: number;
	/** Its bytes. */
	readonly length: number;
	/** Bits of {@link DESC}. */
	readonly flags: number;
	/** The next descriptor, with {@link DESC}.NEXT. */
	readonly next: number;
}

/** A buffer that the device gave back. */
export interface UsedBuffer {
	/** The chain's name. */
	readonly head: number;
	/** The used length. */
	readonly length: number;
	/** All of the buffer's writable bytes, one after the other. */
	readonly data: Uint8Array;
}

/** Finds room for `length` bytes at a multiple of `align` and returns its address. */
export type MockAllocator = (length: number, align: number) => number;

/** Hands out addresses in a range, around and around. */
function arena(start: number, end: number): MockAllocator {
	let next = start;
	return (length, align) => {
		let address = Math.ceil(next / align) * align;
		if (address + length > end) address = Math.ceil(start / align) * align;
		if (address + length > end) throw new RangeError(`the mock driver has no room for ${length} bytes`);
		next = address + length;
		return address;
	};
}

/** The driver's side of one split virtqueue. */
export class MockQueue {
	/** Which queue of its device. */
	readonly index: number;
	/** Descriptors. */
	readonly size: number;
	/** Address of the descriptor table. */
	readonly desc: number;
	/** Address of the driver area. */
	readonly driver: number;
	/** Address of the device area. */
	readonly device: number;
	readonly #memory: MockMemory;
	readonly #mmio: MmioDevice;
	readonly #allocate: MockAllocator;
	readonly #free: number[];
	readonly #offered = new Map<number, { descriptors: number[]; writable: { address: number; length: number }[] }>();
	#availIdx = 0;
	#usedIdx = 0;

	/**
	 * @param base - where its three areas go, one after the other.
	 * @param mmio - the device that {@link MockQueue.kick} notifies.
	 * @param allocate - where buffers and indirect tables go.
	 */
	constructor(
		index: number,
		size: number,
		base: number,
		memory: MockMemory,
		mmio: MmioDevice,
		allocate: MockAllocator,
	) {
		this.index = index;
		this.size = size;
		this.desc = base;
		this.driver = base + 16 * size;
		this.device = Math.ceil((this.driver + 6 + 2 * size) / 4) * 4;
		this.#memory = memory;
		this.#mmio = mmio;
		this.#allocate = allocate;
		this.#free = Array.from({ length: size }, (_, descriptor) => size - 1 - descriptor);
		memory.write(base, new Uint8Array(MockQueue.bytes(size)));
	}

	/** Bytes that a queue's three areas take. */
	static bytes(size: number): number {
		return 16 * size + 6 + 2 * size + 4 + 6 + 8 * size;
	}

	/** Writes a descriptor of the table, or of one at `table`. */
	describe(index: number, descriptor: MockDescriptor, table: number = this.desc): void {
		const address = table + 16 * index;
		this.#memory.store(address, 8, descriptor.address);
		this.#memory.store(address + 8, 4, descriptor.length);
		this.#memory.store(address + 12, 2, descriptor.flags);
		this.#memory.store(address + 14, 2, descriptor.next);
	}

	/**
	 * Makes one buffer available: copies of `readable`, then zeroed room of the lengths in `writable`.
	 * @param indirect - put all descriptors into an indirect table.
	 * @returns the chain's name.
	 */
	offer(readable: readonly Uint8Array[], writable: readonly number[], indirect = false): number {
		const parts = [
			...readable.map((bytes) => ({ bytes, flags: 0 })),
			...writable.map((length) => ({ bytes: new Uint8Array(length), flags: DESC.WRITE as number })),
		].map(({ bytes, flags }) => {
			const address = this.#allocate(Math.max(bytes.length, 1), 1);
			this.#memory.write(address, bytes);
			return { address, length: bytes.length, flags };
		});
		const descriptors = Array.from({ length: indirect ? 1 : parts.length }, () => {
			const descriptor = this.#free.pop();
			if (descriptor === undefined) throw new RangeError('the mock driver has no free descriptor');
			return descriptor;
		});
		const table = indirect ? this.#allocate(16 * parts.length, 16) : this.desc;
		parts.forEach((part, position) => {
			const more = position + 1 < parts.length;
			const next = indirect ? position + 1 : descriptors[position + 1];
			const flags = part.flags | (more ? DESC.NEXT : 0);
			this.describe(indirect ? position : descriptors[position], { ...part, flags, next: more ? next : 0 }, table);
		});
		const head = descriptors[0];
		if (indirect) this.describe(head, { address: table, length: 16 * parts.length, flags: DESC.INDIRECT, next: 0 });
		this.#offered.set(head, { descriptors, writable: parts.filter(({ flags }) => flags === DESC.WRITE) });
		this.publish(head);
		return head;
	}

	/** Makes the chain that starts at a descriptor available, whatever it is. */
	publish(head: number): void {
		this.#memory.store(this.driver + 4 + 2 * (this.#availIdx % this.size), 2, head);
		this.setAvailIdx((this.#availIdx + 1) & 0xffff);
	}

	/** Sets the available index. */
	setAvailIdx(idx: number): void {
		this.#availIdx = idx;
		this.#memory.store(this.driver + 2, 2, idx);
	}

	/** Sets the flags of the driver area: 1 asks for no notifications, without event index. */
	setFlags(flags: number): void {
		this.#memory.store(this.driver, 2, flags);
	}

	/** Asks, with event index, for a notification once the used entry `idx` is written. */
	setUsedEvent(idx: number): void {
		this.#memory.store(this.driver + 4 + 2 * this.size, 2, idx);
	}

	/** The index at which the device asks for a notification, with event index. */
	get availEvent(): number {
		return this.#memory.load(this.device + 4 + 8 * this.size, 2);
	}

	/** The device's used index. */
	get usedIdx(): number {
		return this.#memory.load(this.device + 2, 2);
	}

	/** Notifies the device. */
	kick(): void {
		this.#mmio.write(VIRTIO_MMIO.QueueNotify, 4, this.index);
	}

	/** Takes the buffers that the device gave back since the last call, and frees their descriptors. */
	takeUsed(): UsedBuffer[] {
		const used: UsedBuffer[] = [];
		for (; this.#usedIdx !== this.usedIdx; this.#usedIdx = (this.#usedIdx + 1) & 0xffff) {
			const entry = this.device + 4 + 8 * (this.#usedIdx % this.size);
			const head = this.#memory.load(entry, 4);
			const offered = this.#offered.get(head);
			if (offered === undefined) throw new Error(`the device gave back buffer ${head}, which it did not have`);
			this.#offered.delete(head);
			this.#free.push(...offered.descriptors);
			const pieces = offered.writable.map(({ address, length }) => this.#memory.bytes(address, length));
			const data = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
			let done = 0;
			for (const piece of pieces) {
				data.set(piece, done);
				done += piece.length;
			}
			used.push({ head, length: this.#memory.load(entry + 4, 4), data });
		}
		return used;
	}
}

/** The driver's side of a virtio-mmio device. Takes a part of the mock memory for its rings and buffers. */
export class MockVirtioDriver {
	/** The queues, once {@link MockVirtioDriver.start} ran. */
	queues: MockQueue[] = [];
	readonly #mmio: MmioDevice;
	readonly #memory: MockMemory;
	readonly #start: number;
	readonly #end: number;

	/**
	 * @param start - where in memory it may put things.
	 * @param end - the first address after that.
	 */
	constructor(mmio: MmioDevice, memory: MockMemory, start: number, end: number) {
		this.#mmio = mmio;
		this.#memory = memory;
		this.#start = start;
		this.#end = end;
	}

	/** Reads a register. */
	get(register: number): number {
		return this.#mmio.read(register, 4);
	}

	/** Writes a register. */
	set(register: number, value: number): void {
		this.#mmio.write(register, 4, value);
	}

	/** The feature bits that the device offers. */
	offeredFeatures(): bigint {
		const half = (select: number) => {
			this.set(VIRTIO_MMIO.DeviceFeaturesSel, select);
			return BigInt(this.get(VIRTIO_MMIO.DeviceFeatures));
		};
		return half(0) | (half(1) << 32n);
	}

	/** Section 3.1.1, steps 1 to 6: reset, and agree on features; false where the device refuses them. */
	negotiate(features: bigint): boolean {
		this.set(VIRTIO_MMIO.Status, 0);
		this.set(VIRTIO_MMIO.Status, VIRTIO_STATUS.ACKNOWLEDGE);
		this.set(VIRTIO_MMIO.Status, VIRTIO_STATUS.ACKNOWLEDGE | VIRTIO_STATUS.DRIVER);
		for (const select of [0, 1]) {
			this.set(VIRTIO_MMIO.DriverFeaturesSel, select);
			this.set(VIRTIO_MMIO.DriverFeatures, Number((features >> BigInt(32 * select)) & 0xffffffffn));
		}
		this.set(VIRTIO_MMIO.Status, this.get(VIRTIO_MMIO.Status) | VIRTIO_STATUS.FEATURES_OK);
		return (this.get(VIRTIO_MMIO.Status) & VIRTIO_STATUS.FEATURES_OK) !== 0;
	}

	/** Tells the device a queue's size and addresses and takes it into use; true where the device agrees. */
	setQueue(queue: MockQueue): boolean {
		this.set(VIRTIO_MMIO.QueueSel, queue.index);
		this.set(VIRTIO_MMIO.QueueNum, queue.size);
		for (const [register, address] of [
			[VIRTIO_MMIO.QueueDescLow, queue.desc],
			[VIRTIO_MMIO.QueueDriverLow, queue.driver],
			[VIRTIO_MMIO.QueueDeviceLow, queue.device],
		] as const) {
			this.set(register, address % 2 ** 32);
			this.set(register + 4, Math.floor(address / 2 ** 32));
		}
		this.set(VIRTIO_MMIO.QueueReady, 1);
		return this.get(VIRTIO_MMIO.QueueReady) === 1;
	}

	/**
	 * Section 3.1.1 as a whole: brings the device up.
	 * @param features - what to negotiate; all that is offered but the event index when left out.
	 * @param size - of each queue, where the device allows as much.
	 */
	start(features: bigint = this.offeredFeatures() & ~VIRTIO_F_EVENT_IDX, size = 16): void {
		if (!this.negotiate(features)) throw new Error('the device refused the features');
		const places: { address: number; size: number }[] = [];
		let next = Math.ceil(this.#start / 16) * 16;
		for (let index = 0; ; index++) {
			this.set(VIRTIO_MMIO.QueueSel, index);
			const allowed = Math.min(size, this.get(VIRTIO_MMIO.QueueNumMax));
			if (allowed === 0) break;
			places.push({ address: next, size: allowed });
			next = Math.ceil((next + MockQueue.bytes(allowed)) / 16) * 16;
		}
		const allocate = arena(next, this.#end);
		this.queues = places.map(
			(place, index) => new MockQueue(index, place.size, place.address, this.#memory, this.#mmio, allocate),
		);
		for (const queue of this.queues)
			if (!this.setQueue(queue)) throw new Error(`the device refused queue ${queue.index}`);
		this.set(VIRTIO_MMIO.Status, this.get(VIRTIO_MMIO.Status) | VIRTIO_STATUS.DRIVER_OK);
	}
}
