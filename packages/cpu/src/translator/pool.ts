/** Numbers at equal distances, to be taken and given back: addresses of records, or places in a table. */

/** A pool of equal things. */
export class Pool {
	readonly #first: number;
	readonly #step: number;
	readonly #capacity: number;
	#used = 0;
	readonly #returned: number[] = [];

	constructor(first: number, step: number, capacity: number) {
		this.#first = first;
		this.#step = step;
		this.#capacity = capacity;
	}

	/** How many can be taken. */
	get free(): number {
		return this.#capacity - this.#used + this.#returned.length;
	}

	/** Takes one; there must be one. */
	take(): number {
		const returned = this.#returned.pop();
		if (returned !== undefined) return returned;
		if (this.#used === this.#capacity) throw new RangeError('pool: nothing is left');
		return this.#first + this.#step * this.#used++;
	}

	/** Gives one back. */
	give(one: number): void {
		this.#returned.push(one);
	}
}
