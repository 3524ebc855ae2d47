// virtio-net: virtio 1.2, section 5.1, one receive and one transmit queue, mergeable receive buffers.
// Not here: checksum and segmentation offloads, the control queue, multiple queue pairs.
import { type DeviceObserver, NO_OBSERVER } from '../observer.ts';
import { StateCheck } from '../state-error.ts';
import { NO_TRANSPORT, readConfigBytes, type VirtioDevice, type VirtioPort } from './device.ts';
import { readSegments, sliceSegments, writeSegments } from './segments.ts';
import { type DescriptorChain, VIRTIO_F_VERSION_1 } from './split-queue.ts';

/** The device has a MAC address. */
export const VIRTIO_NET_F_MAC: bigint = 1n << 5n;
/** A frame may take several receive buffers. */
export const VIRTIO_NET_F_MRG_RXBUF: bigint = 1n << 15n;
/** The link status can be read. */
export const VIRTIO_NET_F_STATUS: bigint = 1n << 16n;

const VIRTIO_NET_S_LINK_UP = 1;
const RECEIVE_QUEUE = 0;
const TRANSMIT_QUEUE = 1;
const QUEUE_SIZE = 256;
/** struct virtio_net_hdr without num_buffers, which follows (section 5.1.6). */
const HEADER_NUM_BUFFERS = 10;
const NUM_BUFFERS_SIZE = 2;
/** Destination, source, type. */
const ETHERNET_HEADER = 14;
/** The longest frame that is taken either way: 64 KiB and its header and tag. */
const FRAME_LIMIT = 65_554;

/** Where a network device's frames go. */
export interface NetBackend {
	/**
	 * Takes a frame that the guest sent.
	 * @param frame - an Ethernet frame without checksum; a copy that the back end may keep.
	 */
	send(frame: Uint8Array): void;
}

/** Everything that a virtio-net device remembers apart from its transport. */
export interface VirtioNetState {
	/** The link is up. */
	linkUp: boolean;
	/** Frames that wait for receive buffers, the oldest first. */
	frames: Uint8Array[];
}

/** What a virtio-net device is built from. */
export interface VirtioNetOptions {
	/** Its six-byte MAC address. */
	readonly mac: Uint8Array;
	/** Where frames of the guest go. */
	readonly backend: NetBackend;
	/** Bytes of frames that wait for receive buffers, at most; 1 MiB when left out. */
	readonly queueBytes?: number;
	/** Told when a queue that refused a frame has room again. */
	readonly onRoom?: () => void;
	/** Told of frames that were dropped. */
	readonly observer?: DeviceObserver;
}

/** A virtio network device. */
export class VirtioNet implements VirtioDevice {
	readonly name = 'virtio-net';
	readonly deviceId = 1;
	readonly features: bigint = VIRTIO_NET_F_MAC | VIRTIO_NET_F_MRG_RXBUF | VIRTIO_NET_F_STATUS;
	readonly queueSizes: readonly number[] = [QUEUE_SIZE, QUEUE_SIZE];
	/** The whole state; plain data, owned by this device. */
	readonly state: VirtioNetState = { linkUp: true, frames: [] };
	readonly #backend: NetBackend;
	readonly #queueBytes: number;
	readonly #onRoom: () => void;
	readonly #observer: DeviceObserver;
	readonly #config = new DataView(new ArrayBuffer(8));
	#port: VirtioPort = NO_TRANSPORT;
	#waitingBytes = 0;
	#refused = false;

	constructor(options: VirtioNetOptions) {
		if (options.mac.length !== 6) throw new RangeError('a MAC address has six bytes');
		this.#backend = options.backend;
		this.#queueBytes = options.queueBytes ?? 1024 * 1024;
		this.#onRoom = options.onRoom ?? (() => {});
		this.#observer = options.observer ?? NO_OBSERVER;
		// struct virtio_net_config, section 5.1.4
		options.mac.forEach((byte, index) => {
			this.#config.setUint8(index, byte);
		});
		this.#showLink();
	}

	attach(port: VirtioPort): void {
		this.#port = port;
	}

	readConfig(offset: number, size: 1 | 2 | 4): number {
		return readConfigBytes(this.#config, offset, size);
	}

	/**
	 * A frame from outside.
	 * @param frame - an Ethernet frame without checksum; copied.
	 * @returns false where it was not taken: no driver is up, or too many frames wait. Offer it again after `onRoom`,
	 * or drop it. A frame that can never be delivered, or that comes while the link is down, is taken and dropped.
	 */
	receive(frame: Uint8Array): boolean {
		const { state } = this;
		if (frame.length < ETHERNET_HEADER || frame.length > FRAME_LIMIT || !state.linkUp) {
			this.#drop(state.linkUp ? 'a frame of this length cannot be received' : 'the link is down', frame.length);
			return true;
		}
		if (!this.#port.active || this.#waitingBytes + frame.length > this.#queueBytes) {
			this.#refused = true;
			return false;
		}
		state.frames.push(frame.slice());
		this.#waitingBytes += frame.length;
		this.#deliver();
		return true;
	}

	/** Plugs the cable in or out; the driver is told. */
	setLink(up: boolean): void {
		if (this.state.linkUp === up) return;
		this.state.linkUp = up;
		this.#showLink();
		this.#port.configChanged();
	}

	notify(queue: number): void {
		if (queue === TRANSMIT_QUEUE) this.#transmit();
		else this.#deliver();
	}

	/** Forgets the frames that wait. */
	reset(): void {
		this.state.frames.length = 0;
		this.#waitingBytes = 0;
	}

	/**
	 * Takes over a copy of a saved state.
	 * @throws StateError where it does not fit.
	 */
	restore(state: VirtioNetState): void {
		const check = new StateCheck(this.name, state);
		check.boolean('linkUp', state.linkUp);
		check.list('frames', state.frames, this.#queueBytes);
		let bytes = 0;
		for (const frame of state.frames) {
			check.that(frame instanceof Uint8Array && frame.length <= FRAME_LIMIT, 'a frame must be an array of bytes');
			bytes += frame.length;
		}
		check.that(bytes <= this.#queueBytes, `frames must hold at most ${this.#queueBytes} bytes`);
		this.state.linkUp = state.linkUp;
		this.state.frames = structuredClone(state.frames);
		this.#waitingBytes = bytes;
		this.#showLink();
	}

	/** Section 5.1.6.1: a driver from before version 1 has num_buffers only where buffers are merged. */
	get #headerSize(): number {
		const { features } = this.#port;
		return (features & (VIRTIO_F_VERSION_1 | VIRTIO_NET_F_MRG_RXBUF)) === 0n
			? HEADER_NUM_BUFFERS
			: HEADER_NUM_BUFFERS + NUM_BUFFERS_SIZE;
	}

	#transmit(): void {
		const header = this.#headerSize;
		const queue = this.#port.queue(TRANSMIT_QUEUE);
		for (let chain = queue.pop(); chain !== undefined; chain = queue.pop()) {
			const length = chain.readableLength - header;
			if (length < ETHERNET_HEADER || length > FRAME_LIMIT)
				this.#drop('a frame of this length cannot be sent', Math.max(length, 0));
			else {
				const frame = new Uint8Array(length);
				if (!readSegments(this.#port.memory, sliceSegments(chain.readable, header, length), frame)) {
					this.#port.fail('a frame is outside RAM');
					break;
				}
				if (this.state.linkUp) this.#backend.send(frame);
				else this.#drop('the link is down', length);
			}
			queue.push(chain.head, 0);
		}
		this.#port.signal(TRANSMIT_QUEUE);
	}

	#deliver(): void {
		const { frames } = this.state;
		let delivered = 0;
		while (delivered < frames.length && this.#place(frames[delivered])) {
			this.#waitingBytes -= frames[delivered].length;
			delivered++;
		}
		frames.splice(0, delivered);
		this.#port.signal(RECEIVE_QUEUE);
		if (!this.#refused || !this.#port.active || this.#waitingBytes >= this.#queueBytes) return;
		this.#refused = false;
		this.#onRoom();
	}

	/** Puts a frame into receive buffers; false where there are not enough yet. A frame that cannot fit is dropped. */
	#place(frame: Uint8Array): boolean {
		const queue = this.#port.queue(RECEIVE_QUEUE);
		const mergeable = (this.#port.features & VIRTIO_NET_F_MRG_RXBUF) !== 0n;
		const header = this.#headerSize;
		const total = header + frame.length;
		const chains: DescriptorChain[] = [];
		let room = 0;
		while (room < total) {
			const chain = queue.pop();
			if (chain === undefined) {
				if (!this.#port.active) return false;
				queue.undo(chains.length);
				if (chains.length < queue.state.size) return false;
				this.#drop('all receive buffers together are too small', frame.length);
				return true;
			}
			chains.push(chain);
			room += chain.writableLength;
			if (chain.writableLength < (chains.length === 1 ? header : 1)) {
				this.#port.fail('a receive buffer has no room for the header');
				return false;
			}
			if (!mergeable && room < total) {
				queue.undo(1);
				this.#drop('the receive buffers are too small', frame.length);
				return true;
			}
		}
		const packet = new Uint8Array(total);
		if (header > HEADER_NUM_BUFFERS) new DataView(packet.buffer).setUint16(HEADER_NUM_BUFFERS, chains.length, true);
		packet.set(frame, header);
		let done = 0;
		for (const chain of chains) {
			const part = packet.subarray(done, done + chain.writableLength);
			if (!writeSegments(this.#port.memory, chain.writable, part)) {
				this.#port.fail('a receive buffer is outside RAM');
				return false;
			}
			done += part.length;
			queue.push(chain.head, part.length);
		}
		return true;
	}

	#showLink(): void {
		this.#config.setUint16(6, this.state.linkUp ? VIRTIO_NET_S_LINK_UP : 0, true);
	}

	#drop(reason: string, bytes: number): void {
		this.#observer.report({ kind: 'dropped', device: this.name, reason, bytes });
	}
}
