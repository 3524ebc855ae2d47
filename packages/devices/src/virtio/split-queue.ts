// Split virtqueues, the device's side: virtio 1.2, section 2.7, with indirect descriptors and event index.
// Every rule that a driver can break ends in fail(): the device then needs a reset. Nothing here loops longer than a
// chain may be, and all of the ring is read through GuestMemory, so no address can do harm.
// Not here: packed virtqueues, in-order use, which queue serves what.
//
//   descriptor (16 bytes)   addr u64 | len u32 | flags u16 | next u16
//   driver area             flags u16 | idx u16 | ring u16[size] | used_event u16
//   device area             flags u16 | idx u16 | { id u32, len u32 }[size] | avail_event u16
import type { GuestMemory } from '../ports.ts';
import type { StateCheck } from '../state-error.ts';
import type { Segment } from './segments.ts';

/** VIRTIO_F_INDIRECT_DESC: descriptors may point at tables of descriptors. */
export const VIRTIO_F_INDIRECT_DESC: bigint = 1n << 28n;
/** VIRTIO_F_EVENT_IDX: notifications are asked for by index. */
export const VIRTIO_F_EVENT_IDX: bigint = 1n << 29n;
/** VIRTIO_F_VERSION_1: the driver follows virtio 1.0 or later. */
export const VIRTIO_F_VERSION_1: bigint = 1n << 32n;

const DESC_F_NEXT = 1;
const DESC_F_WRITE = 2;
const DESC_F_INDIRECT = 4;
const AVAIL_F_NO_INTERRUPT = 1;

/** The largest queue that the split format can have. */
const QUEUE_SIZE_LIMIT = 32_768;
/** Descriptors in one chain, at most, where an indirect table makes more than the queue size possible. */
const CHAIN_LIMIT = 1024;
/** Bytes in one chain, at most (section 2.7.5). */
const CHAIN_BYTES_LIMIT = 2 ** 32;

/** Everything that a virtqueue remembers apart from its rings. Indices count modulo 65536. */
export interface SplitQueueState {
	/** QueueReady. */
	ready: boolean;
	/** Descriptors; a power of two. */
	size: number;
	/** Physical address of the descriptor table. */
	desc: bigint;
	/** Physical address of the driver area (available ring). */
	driver: bigint;
	/** Physical address of the device area (used ring). */
	device: bigint;
	/** The available entry that is looked at next. */
	nextAvail: number;
	/** The used entry that is written next. */
	nextUsed: number;
	/** `nextUsed` when it was last decided whether to notify the driver. */
	signalledUsed: number;
}

/** One buffer that the driver made available. */
export interface DescriptorChain {
	/** Index of its first descriptor: its name when it is given back. */
	readonly head: number;
	/** What the device reads. */
	readonly readable: readonly Segment[];
	/** What the device writes. */
	readonly writable: readonly Segment[];
	/** Bytes in `readable`. */
	readonly readableLength: number;
	/** Bytes in `writable`. */
	readonly writableLength: number;
}

/** What a queue needs from its transport. */
export interface QueuePort {
	/** The guest's RAM. */
	readonly memory: GuestMemory;
	/** The negotiated feature bits. */
	readonly features: bigint;
	/** The driver is up and the device does not need a reset. */
	readonly active: boolean;
	/** The driver broke the rules; the device needs a reset. */
	fail(reason: string): void;
}

/** The state of a queue after reset. */
function freshQueue(size: number): SplitQueueState {
	return { ready: false, size, desc: 0n, driver: 0n, device: 0n, nextAvail: 0, nextUsed: 0, signalledUsed: 0 };
}

/** One split virtqueue. */
export class SplitQueue {
	/** QueueNumMax: the largest size that the driver may choose. */
	readonly maxSize: number;
	/** The whole state; plain data, owned by the transport. */
	readonly state: SplitQueueState;
	readonly #port: QueuePort;
	readonly #bytes = new Uint8Array(16);
	readonly #view = new DataView(this.#bytes.buffer);
	readonly #two = this.#bytes.subarray(0, 2);
	readonly #eight = this.#bytes.subarray(0, 8);
	/** The available index as last read: entries before it need no new look. */
	#availIdx = 0;
	#desc = 0;
	#driver = 0;
	#device = 0;

	constructor(maxSize: number, port: QueuePort) {
		if (!isQueueSize(maxSize, QUEUE_SIZE_LIMIT))
			throw new RangeError(`a queue size is a power of two up to ${QUEUE_SIZE_LIMIT}`);
		this.maxSize = maxSize;
		this.#port = port;
		this.state = freshQueue(maxSize);
	}

	/** Back to the state after reset. */
	reset(): void {
		Object.assign(this.state, freshQueue(this.maxSize));
		this.#availIdx = 0;
	}

	/** Takes the queue into use, or says what is wrong with its size or addresses. */
	enable(): string | undefined {
		const { state } = this;
		if (!isQueueSize(state.size, this.maxSize))
			return `queue size ${state.size} is no power of two up to ${this.maxSize}`;
		for (const [name, align] of [
			['desc', 16n],
			['driver', 2n],
			['device', 4n],
		] as const) {
			if (state[name] % align !== 0n) return `the ${name} area is not aligned to ${align}`;
			if (state[name] >= 1n << 52n) return `the ${name} area is outside RAM`;
		}
		state.ready = true;
		state.nextAvail = 0;
		state.nextUsed = 0;
		state.signalledUsed = 0;
		this.#locate();
		return undefined;
	}

	/** Buffers that were taken and not given back. */
	get outstanding(): number {
		return (this.state.nextAvail - this.state.nextUsed) & 0xffff;
	}

	/**
	 * Takes the next available buffer. `undefined`: there is none (the driver will notify), the queue is not in use, or
	 * the driver broke a rule (the device now needs a reset).
	 */
	pop(): DescriptorChain | undefined {
		const { state } = this;
		if (!state.ready || !this.#port.active) return undefined;
		if (state.nextAvail === this.#availIdx && !this.#lookForMore()) return undefined;
		if (this.outstanding >= state.size) return this.#fail('more buffers are available than the queue has descriptors');
		if (!this.#port.memory.read(this.#driver + 4 + 2 * (state.nextAvail & (state.size - 1)), this.#two))
			return this.#fail('the driver area is outside RAM');
		const chain = this.#walk(this.#view.getUint16(0, true));
		if (chain !== undefined) state.nextAvail = (state.nextAvail + 1) & 0xffff;
		return chain;
	}

	/** Puts the last `count` buffers that were taken back, as if they had not been looked at. */
	undo(count: number): void {
		this.state.nextAvail = (this.state.nextAvail - count) & 0xffff;
	}

	/**
	 * Gives a buffer back.
	 * @param head - the chain's name.
	 * @param written - bytes written, from the start of its writable part.
	 */
	push(head: number, written: number): void {
		const { state } = this;
		if (!state.ready || !this.#port.active) return;
		this.#view.setUint32(0, head, true);
		this.#view.setUint32(4, written, true);
		const { memory } = this.#port;
		const stored = memory.write(this.#device + 4 + 8 * (state.nextUsed & (state.size - 1)), this.#eight);
		const next = (state.nextUsed + 1) & 0xffff;
		this.#view.setUint16(0, next, true);
		if (stored && memory.write(this.#device + 2, this.#two)) state.nextUsed = next;
		else this.#fail('the device area is outside RAM');
	}

	/** Whether the driver wants to be notified of what was given back since the last call (section 2.7.7). */
	wantsNotification(): boolean {
		const { state } = this;
		const before = state.signalledUsed;
		if (!state.ready || !this.#port.active || before === state.nextUsed) return false;
		state.signalledUsed = state.nextUsed;
		const byIndex = (this.#port.features & VIRTIO_F_EVENT_IDX) !== 0n;
		if (!this.#port.memory.read(byIndex ? this.#driver + 4 + 2 * state.size : this.#driver, this.#two)) {
			this.#fail('the driver area is outside RAM');
			return false;
		}
		const field = this.#view.getUint16(0, true);
		if (!byIndex) return (field & AVAIL_F_NO_INTERRUPT) === 0;
		return ((state.nextUsed - field - 1) & 0xffff) < ((state.nextUsed - before) & 0xffff);
	}

	/** Takes over a checked state. */
	restore(state: SplitQueueState): void {
		Object.assign(this.state, structuredClone(state));
		this.#availIdx = state.nextAvail;
		this.#locate();
	}

	#locate(): void {
		this.#desc = Number(this.state.desc);
		this.#driver = Number(this.state.driver);
		this.#device = Number(this.state.device);
		this.#availIdx = this.state.nextAvail;
	}

	/** Reads the available index; where nothing is new, asks to be notified of the next buffer. */
	#lookForMore(): boolean {
		const { state } = this;
		const { memory, features } = this.#port;
		if (!memory.read(this.#driver + 2, this.#two)) {
			this.#fail('the driver area is outside RAM');
			return false;
		}
		const idx = this.#view.getUint16(0, true);
		if (((idx - state.nextAvail) & 0xffff) > state.size) {
			this.#fail(`the available index jumped from ${state.nextAvail} to ${idx}`);
			return false;
		}
		this.#availIdx = idx;
		if (idx !== state.nextAvail) return true;
		if (features & VIRTIO_F_EVENT_IDX) {
			this.#view.setUint16(0, idx, true);
			if (!memory.write(this.#device + 4 + 8 * state.size, this.#two)) this.#fail('the device area is outside RAM');
		}
		return false;
	}

	/** Follows a chain to its end (sections 2.7.5 and 2.7.5.3). */
	#walk(head: number): DescriptorChain | undefined {
		const { memory, features } = this.#port;
		const readable: Segment[] = [];
		const writable: Segment[] = [];
		let readableLength = 0;
		let writableLength = 0;
		let table = this.#desc;
		let entries = this.state.size;
		let limit = entries;
		let indirect = false;
		let index = head;
		for (let steps = 0; ; steps++) {
			if (index >= entries) return this.#fail(`descriptor ${index} is past the end of its table of ${entries}`);
			if (steps >= limit) return this.#fail('a descriptor chain is too long, or loops');
			if (!memory.read(table + 16 * index, this.#bytes)) return this.#fail('a descriptor is outside RAM');
			const high = this.#view.getUint32(4, true);
			const address = high * 2 ** 32 + this.#view.getUint32(0, true);
			const length = this.#view.getUint32(8, true);
			const flags = this.#view.getUint16(12, true);
			if (high >= 1 << 20) return this.#fail('a descriptor points outside RAM');
			if (flags & DESC_F_INDIRECT) {
				if (!(features & VIRTIO_F_INDIRECT_DESC)) return this.#fail('indirect descriptors were not negotiated');
				if (indirect) return this.#fail('an indirect table holds an indirect descriptor');
				if (flags & DESC_F_NEXT) return this.#fail('an indirect descriptor has a next one');
				if (length === 0 || length % 16 !== 0) return this.#fail(`an indirect table has ${length} bytes`);
				table = address;
				entries = length / 16;
				limit = Math.max(limit, CHAIN_LIMIT);
				indirect = true;
				index = 0;
				continue;
			}
			if (flags & DESC_F_WRITE) {
				if (length > 0) writable.push({ address, length });
				writableLength += length;
			} else {
				if (writableLength > 0) return this.#fail('a readable descriptor follows a writable one');
				if (length > 0) readable.push({ address, length });
				readableLength += length;
			}
			if (readableLength + writableLength > CHAIN_BYTES_LIMIT)
				return this.#fail('a descriptor chain is longer than 2^32 bytes');
			if (!(flags & DESC_F_NEXT)) break;
			index = this.#view.getUint16(14, true);
		}
		return { head, readable, writable, readableLength, writableLength };
	}

	#fail(reason: string): undefined {
		this.#port.fail(reason);
		return undefined;
	}
}

/** Checks a saved state of a queue whose size can be at most `maxSize`. */
export function checkQueue(check: StateCheck, name: string, state: SplitQueueState, maxSize: number): void {
	check.that(typeof state === 'object' && state !== null, `${name} must be an object`);
	check.boolean(`${name}.ready`, state.ready);
	for (const area of ['desc', 'driver', 'device'] as const) check.unsigned64(`${name}.${area}`, state[area]);
	for (const index of ['nextAvail', 'nextUsed', 'signalledUsed'] as const)
		check.integer(`${name}.${index}`, state[index], 0xffff);
	check.integer(`${name}.size`, state.size, 0xffffffff);
	if (!state.ready) return;
	check.that(isQueueSize(state.size, maxSize), `${name}.size must be a power of two up to ${maxSize}`);
	for (const area of ['desc', 'driver', 'device'] as const)
		check.that(state[area] < 1n << 52n, `${name}.${area} must be an address`);
}

function isQueueSize(size: number, max: number): boolean {
	return Number.isInteger(size) && size >= 1 && size <= max && (size & (size - 1)) === 0;
}
