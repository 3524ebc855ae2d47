// A seeded source of pseudo-random numbers (sfc32 by Chris Doty-Humphrey, as in PractRand), so that a generated task set or
// a simulation is the same each time. Not for secrets.

import { checkInteger } from './check.ts';

/** State of a {@link Random}: four 32-bit words. */
export type RandomState = readonly [number, number, number, number];

/** Pseudo-random numbers that depend on the seed alone. */
export class Random {
	#a = 0;
	#b = 0;
	#c = 0;
	#counter = 1;

	/** @param seed - an integer, or a state to go on from; a `RangeError` for anything else */
	constructor(seed: number | RandomState) {
		if (typeof seed !== 'number') {
			for (const word of seed) checkInteger('a word of the state', word, 0, 0xffffffff);
			[this.#a, this.#b, this.#c, this.#counter] = seed;
			return;
		}
		checkInteger('the seed', seed, Number.MIN_SAFE_INTEGER);
		this.#a = seed >>> 0;
		this.#b = Math.floor(seed / 2 ** 32) >>> 0;
		for (let i = 0; i < 15; i++) this.#word();
	}

	/** A copy of the state. */
	get state(): RandomState {
		return [this.#a, this.#b, this.#c, this.#counter];
	}

	/** The next number, uniform in [0, 1), with 53 bits. */
	next(): number {
		return ((this.#word() >>> 5) * 2 ** 26 + (this.#word() >>> 6)) / 2 ** 53;
	}

	/** The next integer, uniform from `least` to `most`, both included. */
	integer(least: number, most: number): number {
		return least + Math.floor(this.next() * (most - least + 1));
	}

	#word(): number {
		const result = (this.#a + this.#b + this.#counter) >>> 0;
		this.#counter = (this.#counter + 1) >>> 0;
		this.#a = (this.#b ^ (this.#b >>> 9)) >>> 0;
		this.#b = (this.#c + (this.#c << 3)) >>> 0;
		this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) >>> 0;
		return result;
	}
}
