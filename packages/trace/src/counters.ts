// Named counters: how often something happened. Exact up to 2^53 - 1. They count; rates and units are the reader's.

/** State of {@link Counters}: name to value, in order of registration. Plain data. */
export type CountersState = Readonly<Record<string, number>>;

/**
 * A set of counters. Hot code registers a name once and counts by its index; other code counts by name.
 */
export class Counters {
	readonly #indexes = new Map<string, number>();
	readonly #values: number[] = [];

	constructor(state: CountersState = {}) {
		for (const [name, value] of Object.entries(state)) {
			if (!Number.isSafeInteger(value)) throw new RangeError(`counters state: '${name}' is ${value}, not an integer`);
			this.#values[this.register(name)] = value;
		}
	}

	/** The index of a counter, which starts at 0 where it is new. */
	register(name: string): number {
		let index = this.#indexes.get(name);
		if (index === undefined) {
			index = this.#values.push(0) - 1;
			this.#indexes.set(name, index);
		}
		return index;
	}

	/** Counts by index, as {@link register} gave it. */
	count(index: number, by = 1): void {
		this.#values[index] += by;
	}

	/** Counts by name. */
	add(name: string, by = 1): void {
		this.#values[this.register(name)] += by;
	}

	/** The value of a counter; 0 where it is not known. */
	get(name: string): number {
		const index = this.#indexes.get(name);
		return index === undefined ? 0 : this.#values[index];
	}

	/** Adds all counters of `other`. */
	merge(other: Counters): void {
		for (const [name, index] of other.#indexes) this.add(name, other.#values[index]);
	}

	/** A copy of the state. */
	get state(): CountersState {
		return Object.fromEntries(Array.from(this.#indexes, ([name, index]) => [name, this.#values[index]]));
	}
}
