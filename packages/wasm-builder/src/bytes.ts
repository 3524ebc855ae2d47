/**
 * A growing byte buffer with the integer encodings of the WebAssembly binary format (Core Specification 2.0, section 5.2).
 * It is not a general serializer: it knows LEB128, names and raw bytes.
 */

/** Appends bytes; numbers are encoded as they are written. */
export class ByteWriter {
	#bytes: Uint8Array<ArrayBuffer>;
	#length = 0;

	constructor(capacity = 256) {
		this.#bytes = new Uint8Array(capacity);
	}

	/** Bytes written so far. */
	get length(): number {
		return this.#length;
	}

	/** One byte (the low eight bits of `value`). */
	byte(value: number): void {
		if (this.#length === this.#bytes.length) this.#grow(1);
		this.#bytes[this.#length++] = value;
	}

	/** Unsigned LEB128 of a 32-bit integer. */
	u32(value: number): void {
		let rest = value >>> 0;
		while (rest > 127) {
			this.byte((rest & 127) | 128);
			rest >>>= 7;
		}
		this.byte(rest);
	}

	/** Signed LEB128 of a 32-bit integer. */
	s32(value: number): void {
		let rest = value | 0;
		for (;;) {
			const low = rest & 127;
			rest >>= 7;
			if ((rest === 0 && (low & 64) === 0) || (rest === -1 && (low & 64) !== 0)) {
				this.byte(low);
				return;
			}
			this.byte(low | 128);
		}
	}

	/** Signed LEB128 of the 64-bit integer whose halves are given. */
	s64(low: number, high: number): void {
		let lo = low | 0;
		let hi = high | 0;
		for (;;) {
			const part = lo & 127;
			lo = (lo >>> 7) | (hi << 25);
			hi >>= 7;
			if ((hi === 0 && lo === 0 && (part & 64) === 0) || (hi === -1 && lo === -1 && (part & 64) !== 0)) {
				this.byte(part);
				return;
			}
			this.byte(part | 128);
		}
	}

	/** The bytes of another buffer. */
	append(other: ByteWriter | Uint8Array): void {
		const source = other instanceof ByteWriter ? other.#bytes.subarray(0, other.#length) : other;
		if (this.#length + source.length > this.#bytes.length) this.#grow(source.length);
		this.#bytes.set(source, this.#length);
		this.#length += source.length;
	}

	/** A name: its length, then its UTF-8 bytes. */
	name(text: string): void {
		const bytes = new TextEncoder().encode(text);
		this.u32(bytes.length);
		this.append(bytes);
	}

	/** A copy of what was written. */
	toBytes(): Uint8Array<ArrayBuffer> {
		return this.#bytes.slice(0, this.#length);
	}

	#grow(extra: number): void {
		const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + extra));
		larger.set(this.#bytes);
		this.#bytes = larger;
	}
}
