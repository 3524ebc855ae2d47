/** The bytes of one section while it is being assembled. */

import type { SectionFlags } from './directives.ts';

/** A section that grows. */
export class SectionBuffer {
	readonly name: string;
	readonly flags: SectionFlags;
	/** Address of its first byte, as far as the passes have settled it. */
	address = 0n;
	/** The largest alignment asked for, in bytes. */
	alignment = 1;
	/** Bytes so far. */
	length = 0;
	#bytes: Uint8Array = new Uint8Array(256);

	constructor(name: string, flags: SectionFlags) {
		this.name = name;
		this.flags = flags;
	}

	/** Empties it for the next pass; the address stays. */
	clear(): void {
		this.#bytes.fill(0, 0, this.length);
		this.length = 0;
	}

	/** Address of the next byte. */
	get here(): bigint {
		return this.address + BigInt(this.length);
	}

	/** A copy of the content. */
	content(): Uint8Array {
		return this.#bytes.slice(0, this.length);
	}

	/** Appends the low bytes of a value, the lowest first. */
	number(value: number | bigint, size: number): void {
		let rest = BigInt.asUintN(64, BigInt(value));
		this.#reserve(size);
		for (let i = 0; i < size; i++) {
			this.#bytes[this.length++] = Number(rest & 0xffn);
			rest >>= 8n;
		}
	}

	/** Appends bytes. */
	append(bytes: Uint8Array): void {
		this.#reserve(bytes.length);
		this.#bytes.set(bytes, this.length);
		this.length += bytes.length;
	}

	/** Appends one byte many times. */
	repeat(byte: number, count: number): void {
		this.#reserve(count);
		this.#bytes.fill(byte, this.length, this.length + count);
		this.length += count;
	}

	#reserve(size: number): void {
		if (this.length + size <= this.#bytes.length) return;
		const larger = new Uint8Array(2 * (this.length + size));
		larger.set(this.#bytes.subarray(0, this.length));
		this.#bytes = larger;
	}
}
