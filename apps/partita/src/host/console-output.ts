// What the guest prints, on its way to the host's standard output, a run's worth at a time; and the search for a text
// in it. A reader that is slow holds the run back; one that is gone ends it.

/** The part of a stream that is used here; `process.stdout` is one. */
export interface OutputStream {
	write(bytes: Uint8Array, done?: (error?: Error | null) => void): boolean;
	once(event: 'drain', listener: () => void): unknown;
	on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
}

const INITIAL = 4096;

/** Collects bytes and hands them on. */
export class ConsoleOutput {
	readonly #stream: OutputStream;
	readonly #expected: string;
	readonly #observe: (bytes: Uint8Array) => void;
	#bytes = new Uint8Array(INITIAL);
	#count = 0;
	/** The end of what was printed, one character a byte, where the text may have begun. */
	#tail = '';
	#seen = false;
	#full = false;
	#error: NodeJS.ErrnoException | undefined;
	#wake: () => void = () => {};

	/**
	 * @param stream - where the bytes go
	 * @param expected - text to look for; empty: none
	 * @param observe - told of the bytes too
	 */
	constructor(stream: OutputStream, expected = '', observe: (bytes: Uint8Array) => void = () => {}) {
		this.#stream = stream;
		this.#observe = observe;
		this.#expected = Buffer.from(expected, 'utf8').toString('latin1');
		stream.on('error', (error) => {
			this.#error = error;
			this.#wake();
		});
	}

	/** The text has been printed. */
	get seen(): boolean {
		return this.#seen;
	}

	/** Why nothing can be written any more. */
	get error(): NodeJS.ErrnoException | undefined {
		return this.#error;
	}

	/** Takes a byte; it is written when {@link flush} is called. */
	write(byte: number): void {
		if (this.#count === this.#bytes.length) {
			const larger = new Uint8Array(this.#bytes.length * 2);
			larger.set(this.#bytes);
			this.#bytes = larger;
		}
		this.#bytes[this.#count++] = byte;
	}

	/** Writes what has come. Ends when the stream takes more, or is gone. */
	async flush(): Promise<void> {
		if (this.#count === 0) return;
		const bytes = this.#bytes.slice(0, this.#count);
		this.#count = 0;
		this.#search(bytes);
		this.#observe(bytes);
		if (this.#error) return;
		this.#full = !this.#stream.write(bytes);
		if (!this.#full) return;
		await new Promise<void>((resolve) => {
			this.#wake = resolve;
			this.#stream.once('drain', resolve);
		});
		this.#wake = () => {};
	}

	/** Flushes, and ends when all has reached the system. */
	async end(): Promise<void> {
		await this.flush();
		if (this.#error) return;
		await new Promise<void>((resolve) => {
			this.#wake = resolve;
			this.#stream.write(new Uint8Array(0), () => resolve());
		});
	}

	#search(bytes: Uint8Array): void {
		if (this.#expected === '' || this.#seen) return;
		const text = this.#tail + Buffer.from(bytes).toString('latin1');
		this.#seen = text.includes(this.#expected);
		this.#tail = text.slice(Math.max(0, text.length - this.#expected.length + 1));
	}
}
