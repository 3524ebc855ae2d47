// The trace hash: one number that says whether two runs were the same. A streaming 128-bit hash in 32-bit arithmetic,
// so that it costs no BigInt, whose state can be stored in mid-stream. It detects accidents; it is not cryptographic.
//
// Definition. The input is a sequence of records; each is encoded as 32-bit words, a multiple of four of them (one
// block), as the table says. The hash is MurmurHash3_x86_128 (A. Appleby, MurmurHash3.cpp) with seed 0 over the words of
// all records in order, each word little-endian; the digest is the four resulting words h1 h2 h3 h4, each as eight
// lower-case hexadecimal digits, most significant first.
//
//   record    words
//   event     0x01000000|hart  retiredLo  retiredHi  pcLo    pcHi  cause  tvalLo  tvalHi
//   bytes     0x02000000  length  labelLo  labelHi   then the bytes as little-endian words, zeros up to a whole block
//   words     0x03000000  a       b        c

const EVENT = 0x01000000;
const BYTES = 0x02000000;
const WORDS = 0x03000000;
const HART_MASK = 0x00ffffff;

// Constants of MurmurHash3_x86_128.
const C1 = 0x239b961b;
const C2 = 0xab0e9789 | 0;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93 | 0;
const ADD1 = 0x561ccd1b;
const ADD2 = 0x0bcaa747;
const ADD3 = 0x96cd1c35 | 0;
const ADD4 = 0x32ac3b17;

/** Whether typed arrays of this host show words as the definition wants them. */
const LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/** State of a {@link TraceHash}. Plain data. */
export interface TraceHashState {
	/** The four running words, each an integer from 0 to 2^32 - 1. */
	readonly words: readonly [number, number, number, number];
	/** How many blocks of 16 bytes were taken in. */
	readonly blocks: number;
}

function finalMix(word: number): number {
	let h = word;
	h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
	h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
	return h ^ (h >>> 16);
}

function hex(word: number): string {
	return (word >>> 0).toString(16).padStart(8, '0');
}

/**
 * A streaming hash over the events of a run.
 *
 * All 32-bit arguments may be given signed or unsigned; only their low 32 bits count.
 */
export class TraceHash {
	// The running words h1 h2 h3 h4: a typed array keeps them unboxed in every engine.
	readonly #h: Int32Array = new Int32Array(4);
	#blocks = 0;

	constructor(state?: TraceHashState) {
		if (state) this.restore(state);
	}

	/** A copy of the state, with which another TraceHash continues this one. */
	get state(): TraceHashState {
		const [h1, h2, h3, h4] = this.#h;
		return { words: [h1 >>> 0, h2 >>> 0, h3 >>> 0, h4 >>> 0], blocks: this.#blocks };
	}

	/** Takes over a state. Throws a RangeError, and changes nothing, where it is not valid. */
	restore(state: TraceHashState): void {
		const { words, blocks } = state;
		if (words.length !== 4 || !words.every((word) => Number.isInteger(word) && word >= 0 && word < 2 ** 32)) {
			throw new RangeError('trace hash state: words must be four integers from 0 to 2^32 - 1');
		}
		if (!Number.isSafeInteger(blocks) || blocks < 0) {
			throw new RangeError(`trace hash state: blocks must be an integer from 0 to 2^53 - 1, got ${blocks}`);
		}
		for (let i = 0; i < 4; i++) this.#h[i] = words[i];
		this.#blocks = blocks;
	}

	/**
	 * Adds a trap or a hosted exit.
	 * @param hart - index of the hart, below 2^24
	 * @param retiredLo - instructions retired on it, low word
	 * @param retiredHi - instructions retired on it, high word
	 * @param pcLo - pc of the trap, low word
	 * @param pcHi - pc of the trap, high word
	 * @param cause - the cause; interrupts have bit 31 set
	 * @param tvalLo - trap value, low word
	 * @param tvalHi - trap value, high word
	 */
	event(
		hart: number,
		retiredLo: number,
		retiredHi: number,
		pcLo: number,
		pcHi: number,
		cause: number,
		tvalLo: number,
		tvalHi: number,
	): void {
		this.#block(EVENT | (hart & HART_MASK), retiredLo, retiredHi, pcLo);
		this.#block(pcHi, cause, tvalLo, tvalHi);
	}

	/** Adds up to three 32-bit words; missing ones count as 0. */
	add(a: number, b = 0, c = 0): void {
		this.#block(WORDS, a, b, c);
	}

	/**
	 * Adds bytes: a RAM frame, registers. The label says what they are (a frame number), so that equal contents in
	 * another place hash differently. Fastest where `bytes.byteOffset` is a multiple of 4.
	 */
	addBytes(bytes: Uint8Array, labelLo = 0, labelHi = 0): void {
		const { length } = bytes;
		this.#block(BYTES, length, labelLo, labelHi);
		const aligned = LITTLE_ENDIAN && (bytes.byteOffset & 3) === 0;
		const whole = aligned ? length >>> 4 : 0;
		if (whole > 0) this.#blocksOf(new Int32Array(bytes.buffer, bytes.byteOffset, whole << 2));
		if (whole << 4 < length) this.#rest(bytes, whole << 4);
	}

	/** The hash of everything added so far, as 32 hexadecimal digits. More may be added afterwards. */
	digest(): string {
		// The reference takes the length in bytes as 32 bits.
		const length = Math.imul((this.#blocks % 2 ** 32) | 0, 16);
		let [h1, h2, h3, h4] = this.#h;
		h1 ^= length;
		h2 ^= length;
		h3 ^= length;
		h4 ^= length;
		h1 = (h1 + h2 + h3 + h4) | 0;
		h2 = finalMix((h2 + h1) | 0);
		h3 = finalMix((h3 + h1) | 0);
		h4 = finalMix((h4 + h1) | 0);
		h1 = finalMix(h1);
		h1 = (h1 + h2 + h3 + h4) | 0;
		return hex(h1) + hex(h2 + h1) + hex(h3 + h1) + hex(h4 + h1);
	}

	#block(k1: number, k2: number, k3: number, k4: number): void {
		const h = this.#h;
		let h1 = h[0];
		let h2 = h[1];
		let h3 = h[2];
		let h4 = h[3];
		let k = Math.imul(k1, C1);
		h1 ^= Math.imul((k << 15) | (k >>> 17), C2);
		h1 = ((h1 << 19) | (h1 >>> 13)) + h2;
		h1 = (Math.imul(h1, 5) + ADD1) | 0;
		k = Math.imul(k2, C2);
		h2 ^= Math.imul((k << 16) | (k >>> 16), C3);
		h2 = ((h2 << 17) | (h2 >>> 15)) + h3;
		h2 = (Math.imul(h2, 5) + ADD2) | 0;
		k = Math.imul(k3, C3);
		h3 ^= Math.imul((k << 17) | (k >>> 15), C4);
		h3 = ((h3 << 15) | (h3 >>> 17)) + h4;
		h3 = (Math.imul(h3, 5) + ADD3) | 0;
		k = Math.imul(k4, C4);
		h4 ^= Math.imul((k << 18) | (k >>> 14), C1);
		h4 = ((h4 << 13) | (h4 >>> 19)) + h1;
		h4 = (Math.imul(h4, 5) + ADD4) | 0;
		h[0] = h1;
		h[1] = h2;
		h[2] = h3;
		h[3] = h4;
		this.#blocks++;
	}

	/** As {@link #block} for each four words, with the running words in locals: the hot loop for frames. */
	#blocksOf(words: Int32Array): void {
		const h = this.#h;
		let h1 = h[0];
		let h2 = h[1];
		let h3 = h[2];
		let h4 = h[3];
		const { length } = words;
		for (let i = 0; i < length; i += 4) {
			let k = Math.imul(words[i], C1);
			h1 ^= Math.imul((k << 15) | (k >>> 17), C2);
			h1 = (((h1 << 19) | (h1 >>> 13)) + h2) | 0;
			h1 = (Math.imul(h1, 5) + ADD1) | 0;
			k = Math.imul(words[i + 1], C2);
			h2 ^= Math.imul((k << 16) | (k >>> 16), C3);
			h2 = (((h2 << 17) | (h2 >>> 15)) + h3) | 0;
			h2 = (Math.imul(h2, 5) + ADD2) | 0;
			k = Math.imul(words[i + 2], C3);
			h3 ^= Math.imul((k << 17) | (k >>> 15), C4);
			h3 = (((h3 << 15) | (h3 >>> 17)) + h4) | 0;
			h3 = (Math.imul(h3, 5) + ADD3) | 0;
			k = Math.imul(words[i + 3], C4);
			h4 ^= Math.imul((k << 18) | (k >>> 14), C1);
			h4 = (((h4 << 13) | (h4 >>> 19)) + h1) | 0;
			h4 = (Math.imul(h4, 5) + ADD4) | 0;
		}
		h[0] = h1;
		h[1] = h2;
		h[2] = h3;
		h[3] = h4;
		this.#blocks += length >>> 2;
	}

	/** The bytes from `start` on, assembled one by one: unaligned ones, and the last block. */
	#rest(bytes: Uint8Array, start: number): void {
		const word = (at: number): number =>
			(bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
		for (let at = start; at < bytes.length; at += 16) {
			this.#block(word(at), word(at + 4), word(at + 8), word(at + 12));
		}
	}
}
