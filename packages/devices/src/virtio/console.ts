// virtio-console: virtio 1.2, section 5.3, one port with a size.
// Not here: multiple ports, the control queues, emergency write.
import { type ByteQueueState, checkByteQueue, emptyByteQueue, pushBytes, shiftBytes } from '../byte-queue.ts';
import { type DeviceObserver, NO_OBSERVER } from '../observer.ts';
import { type ConsoleSink, NO_CONSOLE } from '../ports.ts';
import { StateCheck } from '../state-error.ts';
import { NO_TRANSPORT, readConfigBytes, type VirtioDevice, type VirtioPort } from './device.ts';
import { readSegments, sliceSegments, writeSegments } from './segments.ts';

/** The console's size can be read. */
export const VIRTIO_CONSOLE_F_SIZE: bigint = 1n << 0n;

const RECEIVE_QUEUE = 0;
const TRANSMIT_QUEUE = 1;
const QUEUE_SIZE = 64;
/** Bytes of one transmit buffer that are printed, at most. */
const TRANSMIT_LIMIT = 65_536;
/** Bytes that are copied at a time. */
const CHUNK = 4096;

/** Everything that a virtio-console device remembers apart from its transport. */
export interface VirtioConsoleState {
	/** Characters in a line. */
	columns: number;
	/** Lines. */
	rows: number;
	/** Input that waits for receive buffers. */
	input: ByteQueueState;
}

/** What a virtio-console device is built from. */
export interface VirtioConsoleOptions {
	/** Where the guest prints; nowhere when left out. */
	readonly console?: ConsoleSink;
	/** Characters in a line; 80 when left out. */
	readonly columns?: number;
	/** Lines; 25 when left out. */
	readonly rows?: number;
	/** Bytes of input that wait for receive buffers, at most; 4096 when left out. */
	readonly inputCapacity?: number;
	/** Told, with the room in bytes, when an input queue that refused bytes has room again. */
	readonly onRoom?: (room: number) => void;
	/** Told of output that was dropped. */
	readonly observer?: DeviceObserver;
}

/** A virtio console with one port. */
export class VirtioConsole implements VirtioDevice {
	readonly name = 'virtio-console';
	readonly deviceId = 3;
	readonly features: bigint = VIRTIO_CONSOLE_F_SIZE;
	readonly queueSizes: readonly number[] = [QUEUE_SIZE, QUEUE_SIZE];
	/** The whole state; plain data, owned by this device. */
	readonly state: VirtioConsoleState;
	readonly #console: ConsoleSink;
	readonly #onRoom: (room: number) => void;
	readonly #observer: DeviceObserver;
	readonly #config = new DataView(new ArrayBuffer(4));
	#port: VirtioPort = NO_TRANSPORT;
	#refused = false;

	constructor(options: VirtioConsoleOptions = {}) {
		this.#console = options.console ?? NO_CONSOLE;
		this.#onRoom = options.onRoom ?? (() => {});
		this.#observer = options.observer ?? NO_OBSERVER;
		this.state = {
			columns: options.columns ?? 80,
			rows: options.rows ?? 25,
			input: emptyByteQueue(options.inputCapacity ?? 4096),
		};
		this.#showSize();
	}

	/** Bytes of input that {@link VirtioConsole.receive} would take now. */
	get room(): number {
		return this.state.input.bytes.length - this.state.input.count;
	}

	attach(port: VirtioPort): void {
		this.#port = port;
	}

	readConfig(offset: number, size: 1 | 2 | 4): number {
		return readConfigBytes(this.#config, offset, size);
	}

	/**
	 * Input from outside. What does not fit is refused, not lost: keep it, and offer it again after `onRoom`.
	 * @returns how many bytes were taken, from the front.
	 */
	receive(bytes: Uint8Array): number {
		const taken = pushBytes(this.state.input, bytes);
		if (taken < bytes.length) this.#refused = true;
		this.#deliver();
		return taken;
	}

	/** The terminal changed its size; the driver is told. */
	resize(columns: number, rows: number): void {
		this.state.columns = columns & 0xffff;
		this.state.rows = rows & 0xffff;
		this.#showSize();
		this.#port.configChanged();
	}

	notify(queue: number): void {
		if (queue === TRANSMIT_QUEUE) this.#transmit();
		else this.#deliver();
	}

	/** Input that waits stays: it belongs to whoever drives the device next. */
	reset(): void {}

	/**
	 * Takes over a copy of a saved state.
	 * @throws StateError where it does not fit.
	 */
	restore(state: VirtioConsoleState): void {
		const check = new StateCheck(this.name, state);
		check.integer('columns', state.columns, 0xffff);
		check.integer('rows', state.rows, 0xffff);
		checkByteQueue(check, 'input', state.input, this.state.input.bytes.length);
		Object.assign(this.state, structuredClone(state));
		this.#showSize();
	}

	#transmit(): void {
		const queue = this.#port.queue(TRANSMIT_QUEUE);
		for (let chain = queue.pop(); chain !== undefined; chain = queue.pop()) {
			const length = Math.min(chain.readableLength, TRANSMIT_LIMIT);
			for (let done = 0; done < length; done += CHUNK) {
				const chunk = new Uint8Array(Math.min(CHUNK, length - done));
				if (!readSegments(this.#port.memory, sliceSegments(chain.readable, done, chunk.length), chunk)) {
					this.#port.fail('console output is outside RAM');
					return;
				}
				for (const byte of chunk) this.#console.write(byte);
			}
			if (length < chain.readableLength) {
				const bytes = chain.readableLength - length;
				this.#observer.report({ kind: 'dropped', device: this.name, reason: 'a buffer is too long', bytes });
			}
			queue.push(chain.head, 0);
		}
		this.#port.signal(TRANSMIT_QUEUE);
	}

	#deliver(): void {
		const { input } = this.state;
		if (!this.#port.active) return;
		const queue = this.#port.queue(RECEIVE_QUEUE);
		while (input.count > 0) {
			const chain = queue.pop();
			if (chain === undefined) break;
			const bytes = shiftBytes(input, chain.writableLength);
			if (!writeSegments(this.#port.memory, chain.writable, bytes)) {
				this.#port.fail('a receive buffer is outside RAM');
				return;
			}
			queue.push(chain.head, bytes.length);
		}
		this.#port.signal(RECEIVE_QUEUE);
		if (!this.#refused || this.room === 0) return;
		this.#refused = false;
		this.#onRoom(this.room);
	}

	#showSize(): void {
		this.#config.setUint16(0, this.state.columns, true);
		this.#config.setUint16(2, this.state.rows, true);
	}
}
