// A network cable in the form of a stream socket, as QEMU's `-netdev stream` has it. It is plugged in all the time:
// while there is no peer, frames are lost, as on any network. One that connects tries again each second; one that
// listens takes the next peer when one has gone.
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import type { NetBackend } from '@partita/devices';
import type { InputSource } from '../boot/session.ts';
import type { NetFlag } from '../boot/values.ts';
import { CommandError, hostReason } from '../errors.ts';
import type { Complain } from './file-drive.ts';
import { encodeFrame, FrameDecoder } from './frame-stream.ts';

/** Milliseconds between two attempts to connect. */
const RETRY = 1000;
/** Bytes that may wait for the peer to read, beyond which frames are lost; and for the guest, beyond which it waits. */
const MOST_WAITING = 1024 * 1024;

/** What a network is connected to. */
export interface StreamNetOptions {
	readonly flag: NetFlag;
	readonly complain: Complain;
	/** Told of each frame as it passes, either way. */
	readonly capture: (frame: Uint8Array) => void;
}

/** One network. */
export class StreamNet implements NetBackend, InputSource {
	wake: () => void = () => {};
	/** Gives the guest a frame; false where it cannot take it yet. Set once the machine is there. */
	receive: (frame: Uint8Array) => boolean = () => false;
	readonly #options: StreamNetOptions;
	readonly #waiting: Uint8Array[] = [];
	#waitingBytes = 0;
	#server: Server | undefined;
	#peer: Socket | undefined;
	#retry: NodeJS.Timeout | undefined;
	#closed = false;
	/** The user was told that there is no peer. */
	#told = false;

	constructor(options: StreamNetOptions) {
		this.#options = options;
	}

	/** Begins to listen, or to connect. Throws CommandError where it cannot listen. */
	async open(): Promise<void> {
		const { flag } = this.#options;
		if (flag.mode === 'connect') {
			this.#connect();
			return;
		}
		const server = createServer((socket) => {
			// A cable has two ends.
			if (this.#peer) socket.destroy();
			else this.#attach(socket);
		});
		this.#server = server;
		await new Promise<void>((resolve, reject) => {
			server.once('error', (error) => {
				const inUse = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
				const advice =
					'path' in flag.address && inUse
						? `rm ${flag.address.path}, where no other program uses it`
						: 'another address';
				reject(new CommandError(`--net ${flag.text}: cannot listen`, { why: hostReason(error), advice, cause: error }));
			});
			server.listen(flag.address, resolve);
		});
		server.on('error', (error) => this.#options.complain(`net ${flag.text}: ${hostReason(error)}`));
	}

	send(frame: Uint8Array): void {
		this.#options.capture(frame);
		const peer = this.#peer;
		if (peer?.writable && peer.writableLength < MOST_WAITING) peer.write(encodeFrame(frame));
	}

	offer(): boolean {
		while (this.#waiting.length > 0) {
			const frame = this.#waiting[0];
			if (!this.receive(frame)) break;
			this.#options.capture(frame);
			this.#waiting.shift();
			this.#waitingBytes -= frame.length;
		}
		if (this.#waitingBytes < MOST_WAITING && this.#peer?.isPaused()) this.#peer.resume();
		return !this.#closed;
	}

	/** Unplugs. What was sent is still written out. */
	async close(): Promise<void> {
		this.#closed = true;
		clearTimeout(this.#retry);
		this.#server?.close();
		const peer = this.#peer;
		if (!peer) return;
		await new Promise<void>((resolve) => {
			peer.once('close', () => resolve());
			peer.end(() => peer.destroy());
			// A peer that does not read must not hold up the end.
			setTimeout(() => peer.destroy(), RETRY).unref();
		});
	}

	#connect(): void {
		const socket = createConnection(this.#options.flag.address);
		socket.once('connect', () => this.#attach(socket));
		socket.once('error', (error) => {
			if (this.#peer === socket) return;
			this.#complainOnce(`${hostReason(error)}; it is tried again each second`);
			this.#connectLater();
		});
	}

	#connectLater(): void {
		if (this.#closed || this.#options.flag.mode === 'listen') return;
		this.#retry = setTimeout(() => this.#connect(), RETRY);
	}

	#attach(socket: Socket): void {
		if (this.#closed) {
			socket.destroy();
			return;
		}
		this.#peer = socket;
		this.#told = false;
		const decoder = new FrameDecoder();
		let reason = 'the peer is gone';
		socket.setNoDelay(true);
		socket.on('data', (piece) => {
			const { frames, error } = decoder.push(piece);
			for (const frame of frames) this.#arrived(frame);
			if (error !== undefined) {
				reason = `what comes is no stream of frames (${error})`;
				socket.destroy();
			} else if (this.#waitingBytes >= MOST_WAITING) socket.pause();
			this.wake();
		});
		socket.on('error', (error) => {
			reason = hostReason(error);
		});
		socket.on('close', () => {
			this.#peer = undefined;
			if (this.#closed) return;
			this.#complainOnce(reason);
			this.#connectLater();
		});
	}

	#arrived(frame: Uint8Array): void {
		this.#waiting.push(frame);
		this.#waitingBytes += frame.length;
	}

	#complainOnce(reason: string): void {
		if (this.#told || this.#closed) return;
		this.#told = true;
		this.#options.complain(`net ${this.#options.flag.text}: ${reason}`);
	}
}
