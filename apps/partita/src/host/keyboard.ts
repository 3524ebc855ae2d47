// Standard input as the guest's console. On a terminal every key goes to the guest but Ctrl-A, as QEMU's users know it;
// from a pipe every byte does, and its end means nothing to the guest. What the guest does not take yet waits.
import type { InputSource } from '../boot/session.ts';

/** The part of standard input that is used; `process.stdin` is one. */
export interface KeyboardStream {
	isTTY?: boolean;
	setRawMode?(raw: boolean): unknown;
	on(event: 'data', listener: (chunk: Uint8Array) => void): unknown;
	on(event: 'end' | 'error' | 'close', listener: () => void): unknown;
	pause(): unknown;
	resume(): unknown;
}

/** What the keyboard is connected to. */
export interface KeyboardOptions {
	readonly stream: KeyboardStream;
	/** Gives the guest bytes; says how many it took. */
	readonly receive: (bytes: Uint8Array) => number;
	/** Ctrl-A X. */
	readonly exit: () => void;
	/** Shows a text to the user. */
	readonly show: (text: string) => void;
}

const CTRL_A = 1;
/** Bytes that may wait before the stream is held back. */
const MOST_WAITING = 65_536;

export const KEYS_HELP = 'Ctrl-A X  exit\nCtrl-A H  this help\nCtrl-A Ctrl-A  send a Ctrl-A to the guest\n';

/** Reads standard input, from {@link start} to {@link stop}. */
export class Keyboard implements InputSource {
	wake: () => void = () => {};
	readonly #options: KeyboardOptions;
	readonly #waiting: Uint8Array[] = [];
	#bytes = 0;
	#open = true;
	#escape = false;
	#stopped = false;

	constructor(options: KeyboardOptions) {
		this.#options = options;
	}

	/** Keys come one by one, unchanged. */
	get isTerminal(): boolean {
		return this.#options.stream.isTTY === true;
	}

	/** Begins to read; on a terminal in raw mode, which {@link stop} ends. */
	start(): void {
		const { stream } = this.#options;
		const ended = (): void => {
			this.#open = false;
			this.wake();
		};
		stream.on('data', (chunk) => this.#take(chunk));
		// A terminal that is gone reads as an error: no more input.
		for (const event of ['end', 'error', 'close'] as const) stream.on(event, ended);
		if (this.isTerminal) stream.setRawMode?.(true);
		stream.resume();
	}

	/** Gives the terminal back as it was. May be called again. */
	stop(): void {
		if (this.#stopped) return;
		this.#stopped = true;
		const { stream } = this.#options;
		stream.pause();
		if (this.isTerminal) {
			try {
				stream.setRawMode?.(false);
			} catch {
				// It is gone: there is nothing to restore.
			}
		}
	}

	offer(): boolean {
		while (this.#waiting.length > 0) {
			const first = this.#waiting[0];
			const taken = this.#options.receive(first);
			this.#bytes -= taken;
			if (taken < first.length) {
				this.#waiting[0] = first.subarray(taken);
				return true;
			}
			this.#waiting.shift();
		}
		if (!this.#stopped && this.#open) this.#options.stream.resume();
		return this.#open;
	}

	#take(chunk: Uint8Array): void {
		const bytes = this.isTerminal ? this.#withoutEscapes(chunk) : chunk;
		if (bytes.length === 0) return;
		this.#waiting.push(bytes);
		this.#bytes += bytes.length;
		if (this.#bytes > MOST_WAITING) this.#options.stream.pause();
		this.wake();
	}

	#withoutEscapes(chunk: Uint8Array): Uint8Array {
		const kept: number[] = [];
		for (const byte of chunk) {
			if (!this.#escape) {
				if (byte === CTRL_A) this.#escape = true;
				else kept.push(byte);
				continue;
			}
			this.#escape = false;
			if (byte === CTRL_A) kept.push(byte);
			else if (byte === 0x78 || byte === 0x58) this.#options.exit();
			else if (byte === 0x68 || byte === 0x48 || byte === 0x3f) this.#options.show(KEYS_HELP);
		}
		return Uint8Array.from(kept);
	}
}
