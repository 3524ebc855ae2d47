// virtio-rng: virtio 1.2, section 5.4. Where the bytes come from is given: a seeded generator keeps a run repeatable.
import { StateCheck } from '../state-error.ts';
import { NO_TRANSPORT, type VirtioDevice, type VirtioPort } from './device.ts';
import { writeSegments } from './segments.ts';

const QUEUE_SIZE = 8;
/** Bytes of one buffer that are filled, at most; the driver asks again for more. */
const FILL_LIMIT = 65_536;

/** Where an entropy device's bytes come from. */
export interface ByteSource {
	/** Fills all of `into`. */
	fill(into: Uint8Array): void;
}

/** A virtio entropy device. */
export class VirtioEntropy implements VirtioDevice {
	readonly name = 'virtio-rng';
	readonly deviceId = 4;
	readonly features: bigint = 0n;
	readonly queueSizes: readonly number[] = [QUEUE_SIZE];
	/** Nothing: the state is the source's. */
	readonly state: Record<string, never> = {};
	readonly #source: ByteSource;
	#port: VirtioPort = NO_TRANSPORT;

	/** @param source - the bytes that the guest gets. */
	constructor(source: ByteSource) {
		this.#source = source;
	}

	attach(port: VirtioPort): void {
		this.#port = port;
	}

	/** There is no configuration space. */
	readConfig(_offset: number, _size: 1 | 2 | 4): number {
		return 0;
	}

	notify(_queue: number): void {
		const queue = this.#port.queue(0);
		for (let chain = queue.pop(); chain !== undefined; chain = queue.pop()) {
			const bytes = new Uint8Array(Math.min(chain.writableLength, FILL_LIMIT));
			this.#source.fill(bytes);
			if (!writeSegments(this.#port.memory, chain.writable, bytes)) {
				this.#port.fail('an entropy buffer is outside RAM');
				return;
			}
			queue.push(chain.head, bytes.length);
		}
		this.#port.signal(0);
	}

	/** Nothing is under way. */
	reset(): void {}

	/** @throws StateError where the state is no object. */
	restore(state: Record<string, never>): void {
		new StateCheck(this.name, state).that(Object.keys(state).length === 0, 'it must be empty');
	}
}

/** Everything that a seeded byte source remembers. */
export interface SeededBytesState {
	/** Four words, not all 0. */
	words: Uint32Array;
}

/**
 * A repeatable {@link ByteSource} (xoshiro128**, Blackman and Vigna 2018, seeded by splitmix32).
 * For simulation: whoever knows the seed knows the bytes.
 */
export class SeededBytes implements ByteSource {
	/** The whole state; plain data, owned by this source. */
	readonly state: SeededBytesState;

	/** @param seed - 32 bits; the same seed gives the same bytes. */
	constructor(seed: number) {
		let state = seed >>> 0;
		this.state = {
			words: Uint32Array.from({ length: 4 }, () => {
				state = (state + 0x9e3779b9) >>> 0;
				let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
				mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
				return (mixed ^ (mixed >>> 15)) >>> 0;
			}),
		};
	}

	fill(into: Uint8Array): void {
		for (let index = 0; index < into.length; index += 4) {
			const word = this.#next();
			for (let byte = 0; byte < 4 && index + byte < into.length; byte++) into[index + byte] = word >>> (8 * byte);
		}
	}

	/**
	 * Takes over a copy of a saved state.
	 * @throws StateError where it does not fit.
	 */
	restore(state: SeededBytesState): void {
		const check = new StateCheck('seeded bytes', state);
		check.that(state.words instanceof Uint32Array && state.words.length === 4, 'words must be a Uint32Array of 4');
		check.that(
			state.words.some((word) => word !== 0),
			'words must not all be 0',
		);
		this.state.words.set(state.words);
	}

	#next(): number {
		const { words } = this.state;
		const scrambled = Math.imul(rotate(Math.imul(words[1], 5), 7), 9);
		const shifted = words[1] << 9;
		words[2] ^= words[0];
		words[3] ^= words[1];
		words[1] ^= words[2];
		words[0] ^= words[3];
		words[2] ^= shifted;
		words[3] = rotate(words[3], 11);
		return scrambled >>> 0;
	}
}

function rotate(word: number, by: number): number {
	return (word << by) | (word >>> (32 - by));
}
