// virtio-blk: virtio 1.2, section 5.2, one request queue over a BlockBackend.
// Not here: discard, write zeroes, zoned disks, multiple queues, a cache mode that the guest can change.
import {
	type BlockBackend,
	type BlockCompletion,
	type BlockRequest,
	type BlockStatus,
	SECTOR_SIZE,
} from '../block/backend.ts';
import { type DeviceObserver, NO_OBSERVER } from '../observer.ts';
import { StateCheck } from '../state-error.ts';
import { NO_TRANSPORT, readConfigBytes, type VirtioDevice, type VirtioPort } from './device.ts';
import { readSegments, type Segment, sliceSegments, writeSegments } from './segments.ts';
import type { DescriptorChain } from './split-queue.ts';

/** Offers a largest segment size. */
export const VIRTIO_BLK_F_SIZE_MAX: bigint = 1n << 1n;
/** Offers a largest number of segments. */
export const VIRTIO_BLK_F_SEG_MAX: bigint = 1n << 2n;
/** The disk is read only. */
export const VIRTIO_BLK_F_RO: bigint = 1n << 5n;
/** Offers the block size. */
export const VIRTIO_BLK_F_BLK_SIZE: bigint = 1n << 6n;
/** Takes flush requests. */
export const VIRTIO_BLK_F_FLUSH: bigint = 1n << 9n;

const VIRTIO_BLK_T_IN = 0;
const VIRTIO_BLK_T_OUT = 1;
const VIRTIO_BLK_T_FLUSH = 4;
const VIRTIO_BLK_T_GET_ID = 8;

const VIRTIO_BLK_S_OK = 0;
const VIRTIO_BLK_S_IOERR = 1;
const VIRTIO_BLK_S_UNSUPP = 2;

const HEADER_SIZE = 16;
const ID_SIZE = 20;
/** Bytes in one data segment, at most. */
const SIZE_MAX = 65_536;
/** Data segments in a request, at most: the queue size less the header and the status. */
const SEG_MAX = 254;
/** Bytes in a request, at most; larger ones fail. */
const REQUEST_LIMIT = SIZE_MAX * SEG_MAX;
/** Once requests under way hold this many bytes, no more are taken from the queue until some end. */
const IN_FLIGHT_LIMIT = 32 * 1024 * 1024;
const QUEUE_SIZE = 256;

/** A request that the back end has not finished: enough to submit it again. */
export interface BlkInFlight {
	/** The number it has at the back end. */
	id: number;
	/** Name of its descriptor chain. */
	head: number;
	/** What it does. */
	kind: 'read' | 'write' | 'flush';
	/** First sector. */
	sector: number;
	/** Where its data is in guest memory. */
	data: Segment[];
	/** Bytes in `data`. */
	length: number;
	/** Where its status byte goes. */
	status: number;
}

/** Everything that a virtio-blk device remembers apart from its transport. */
export interface VirtioBlkState {
	/** The number that the next request gets. */
	nextId: number;
	/** Requests that the back end has not finished, the oldest first. */
	inFlight: BlkInFlight[];
}

/** What a virtio-blk device is built from. */
export interface VirtioBlkOptions {
	/** The disk. */
	readonly backend: BlockBackend;
	/** What the guest sees as the serial number: up to 20 ASCII characters. */
	readonly id?: string;
	/** Told of requests that failed on the host, and of ones that make no sense. */
	readonly observer?: DeviceObserver;
}

/**
 * A virtio block device.
 *
 * Requests are handed to the back end as they come and end in any order. Where the driver did not negotiate
 * VIRTIO_BLK_F_FLUSH, each write is flushed before it ends (section 5.2.6.2). What the back end cannot do ends as
 * VIRTIO_BLK_S_IOERR, with the reason told to the observer.
 *
 * For a snapshot, either wait until `state.inFlight` is empty, or save it and call {@link VirtioBlk.resubmit} after
 * everything was restored.
 */
export class VirtioBlk implements VirtioDevice {
	readonly name = 'virtio-blk';
	readonly deviceId = 2;
	readonly features: bigint;
	readonly queueSizes: readonly number[] = [QUEUE_SIZE];
	/** The whole state; plain data, owned by this device. */
	readonly state: VirtioBlkState = { nextId: 0, inFlight: [] };
	readonly #backend: BlockBackend;
	readonly #observer: DeviceObserver;
	readonly #id: Uint8Array;
	readonly #config = new DataView(new ArrayBuffer(60));
	/** What the back end is working on, by number; not state: it is submitted again from `inFlight`. */
	readonly #submitted = new Map<number, BlockRequest>();
	readonly #completed: BlockCompletion = (request, status, reason) => this.#complete(request, status, reason);
	#port: VirtioPort = NO_TRANSPORT;
	#inFlightBytes = 0;
	/** Requests are being taken from the queue: completions meanwhile need not start that again. */
	#draining = false;

	constructor(options: VirtioBlkOptions) {
		this.#backend = options.backend;
		this.#observer = options.observer ?? NO_OBSERVER;
		this.#id = Uint8Array.from((options.id ?? '').slice(0, ID_SIZE), (character) => character.charCodeAt(0) & 0x7f);
		this.features =
			VIRTIO_BLK_F_SIZE_MAX |
			VIRTIO_BLK_F_SEG_MAX |
			VIRTIO_BLK_F_BLK_SIZE |
			VIRTIO_BLK_F_FLUSH |
			(options.backend.readOnly ? VIRTIO_BLK_F_RO : 0n);
		// struct virtio_blk_config, section 5.2.4
		this.#config.setBigUint64(0, BigInt(options.backend.sectors), true);
		this.#config.setUint32(8, SIZE_MAX, true);
		this.#config.setUint32(12, SEG_MAX, true);
		this.#config.setUint32(20, SECTOR_SIZE, true);
	}

	attach(port: VirtioPort): void {
		this.#port = port;
	}

	readConfig(offset: number, size: 1 | 2 | 4): number {
		return readConfigBytes(this.#config, offset, size);
	}

	notify(_queue: number): void {
		if (this.#draining) return;
		this.#draining = true;
		const queue = this.#port.queue(0);
		while (this.#inFlightBytes < IN_FLIGHT_LIMIT) {
			const chain = queue.pop();
			if (chain === undefined) break;
			this.#start(chain);
		}
		this.#draining = false;
		this.#port.signal(0);
	}

	/** Forgets what is under way: late completions of the back end then do nothing. */
	reset(): void {
		this.state.inFlight.length = 0;
		this.#submitted.clear();
		this.#inFlightBytes = 0;
	}

	/**
	 * Takes over a copy of a saved state; the requests in it wait for {@link VirtioBlk.resubmit}.
	 * @throws StateError where it does not fit.
	 */
	restore(state: VirtioBlkState): void {
		const check = new StateCheck(this.name, state);
		check.integer('nextId', state.nextId);
		check.list('inFlight', state.inFlight, QUEUE_SIZE);
		const ids = new Set<number>();
		for (const request of state.inFlight) {
			check.that(typeof request === 'object' && request !== null, 'a request must be an object');
			check.integer('id', request.id, state.nextId);
			check.that(!ids.has(request.id), `request ${request.id} is there twice`);
			ids.add(request.id);
			check.integer('head', request.head, 0xffff);
			check.that(['read', 'write', 'flush'].includes(request.kind), 'kind must be read, write or flush');
			check.integer('sector', request.sector);
			check.integer('status', request.status);
			check.integer('length', request.length, REQUEST_LIMIT);
			check.list('data', request.data, REQUEST_LIMIT);
			let length = 0;
			for (const segment of request.data) {
				check.integer('address', segment?.address);
				check.integer('length', segment?.length, REQUEST_LIMIT);
				length += segment.length;
			}
			check.that(length === request.length, 'length must be the sum of the data segments');
		}
		this.reset();
		this.state.nextId = state.nextId;
		this.state.inFlight = structuredClone(state.inFlight);
	}

	/** Submits restored requests again. Call it once RAM, transport and this device were restored. */
	resubmit(): void {
		if (!this.#port.active) return;
		for (const request of [...this.state.inFlight]) {
			if (this.#submitted.has(request.id) || !this.state.inFlight.includes(request)) continue;
			this.#inFlightBytes += request.length;
			this.#submit(request);
		}
		this.notify(0);
	}

	#start(chain: DescriptorChain): void {
		const { memory } = this.#port;
		if (chain.readableLength < HEADER_SIZE || chain.writableLength < 1) {
			this.#port.fail('a block request has no room for its header or its status');
			return;
		}
		const header = new Uint8Array(HEADER_SIZE);
		if (!readSegments(memory, chain.readable, header)) {
			this.#port.fail('a block request is outside RAM');
			return;
		}
		const view = new DataView(header.buffer);
		const type = view.getUint32(0, true);
		const sector = view.getUint32(12, true) * 2 ** 32 + view.getUint32(8, true);
		const last = chain.writable[chain.writable.length - 1];
		const status = last.address + last.length - 1;
		if (type === VIRTIO_BLK_T_GET_ID) {
			this.#sendId(chain, status);
			return;
		}
		const kinds = { [VIRTIO_BLK_T_IN]: 'read', [VIRTIO_BLK_T_OUT]: 'write', [VIRTIO_BLK_T_FLUSH]: 'flush' } as const;
		if (type !== VIRTIO_BLK_T_IN && type !== VIRTIO_BLK_T_OUT && type !== VIRTIO_BLK_T_FLUSH) {
			this.#finish(chain.head, status, VIRTIO_BLK_S_UNSUPP, 0);
			return;
		}
		const kind = kinds[type];
		const length =
			kind === 'read' ? chain.writableLength - 1 : kind === 'write' ? chain.readableLength - HEADER_SIZE : 0;
		const reason = this.#refusal(kind, sector, length);
		if (reason !== undefined) {
			this.#observer.report({ kind: 'guest-error', device: this.name, reason });
			this.#finish(chain.head, status, VIRTIO_BLK_S_IOERR, 0);
			return;
		}
		const data =
			kind === 'read' ? sliceSegments(chain.writable, 0, length) : sliceSegments(chain.readable, HEADER_SIZE, length);
		const request = { id: this.state.nextId, head: chain.head, kind, sector, data, length, status };
		this.state.nextId = (this.state.nextId + 1) % Number.MAX_SAFE_INTEGER;
		this.state.inFlight.push(request);
		this.#inFlightBytes += length;
		this.#submit(request);
	}

	/** Why a request fails without the back end being asked (section 5.2.6.2). */
	#refusal(kind: BlkInFlight['kind'], sector: number, length: number): string | undefined {
		if (kind === 'flush') return undefined;
		if (kind === 'write' && this.#backend.readOnly) return 'a write to a read-only disk';
		if (length % SECTOR_SIZE !== 0) return `a request of ${length} bytes is not whole sectors`;
		if (length > REQUEST_LIMIT) return `a request of ${length} bytes is longer than seg_max × size_max`;
		if (sector + length / SECTOR_SIZE > this.#backend.sectors) return `sector ${sector} is past the end of the disk`;
		return undefined;
	}

	#submit(inFlight: BlkInFlight): void {
		const data = new Uint8Array(inFlight.length);
		if (inFlight.kind === 'write' && !readSegments(this.#port.memory, inFlight.data, data)) {
			this.#forget(inFlight);
			this.#port.fail('the data of a block request is outside RAM');
			return;
		}
		this.#hand({ id: inFlight.id, kind: inFlight.kind, sector: inFlight.sector, data });
	}

	#hand(request: BlockRequest): void {
		this.#submitted.set(request.id, request);
		this.#backend.submit(request, this.#completed);
	}

	#complete(request: BlockRequest, status: BlockStatus, reason: string | undefined): void {
		// After a reset, or twice: nobody waits for it.
		if (this.#submitted.get(request.id) !== request) return;
		this.#submitted.delete(request.id);
		const inFlight = this.state.inFlight.find(({ id }) => id === request.id);
		if (inFlight === undefined) return;
		if (status === 'ok' && request.kind === 'write' && !(this.#port.features & VIRTIO_BLK_F_FLUSH)) {
			this.#hand({ id: request.id, kind: 'flush', sector: 0, data: new Uint8Array(0) });
			return;
		}
		this.#forget(inFlight);
		if (status !== 'ok') {
			const what = `${inFlight.kind} of sector ${inFlight.sector}: ${reason ?? 'the host reported an error'}`;
			this.#observer.report({ kind: 'host-error', device: this.name, reason: what });
			this.#finish(inFlight.head, inFlight.status, VIRTIO_BLK_S_IOERR, 0);
		} else if (inFlight.kind !== 'read') this.#finish(inFlight.head, inFlight.status, VIRTIO_BLK_S_OK, 0);
		else if (writeSegments(this.#port.memory, inFlight.data, request.data))
			this.#finish(inFlight.head, inFlight.status, VIRTIO_BLK_S_OK, inFlight.length);
		else this.#port.fail('the data of a block request is outside RAM');
		if (!this.#draining) this.notify(0);
	}

	#forget(inFlight: BlkInFlight): void {
		this.state.inFlight.splice(this.state.inFlight.indexOf(inFlight), 1);
		this.#inFlightBytes -= inFlight.length;
	}

	#sendId(chain: DescriptorChain, status: number): void {
		const id = new Uint8Array(Math.min(ID_SIZE, chain.writableLength - 1));
		id.set(this.#id.subarray(0, id.length));
		if (writeSegments(this.#port.memory, chain.writable, id))
			this.#finish(chain.head, status, VIRTIO_BLK_S_OK, id.length);
		else this.#port.fail('the data of a block request is outside RAM');
	}

	/** Writes the status and gives the buffer back; the status counts as written where all before it was. */
	#finish(head: number, address: number, status: number, written: number): void {
		if (!this.#port.memory.write(address, Uint8Array.of(status))) {
			this.#port.fail('the status of a block request is outside RAM');
			return;
		}
		this.#port.queue(0).push(head, written + (status === VIRTIO_BLK_S_OK ? 1 : 0));
	}
}
