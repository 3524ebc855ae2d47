// A histogram of non-negative integers (latencies in nanoseconds), log-linear: each power of two is cut into the same
// number of buckets, so that the relative error is bounded over the whole range. Small values, count, minimum, maximum
// and mean are exact. Deterministic: no floating-point sums, and merging in any order gives the same state.
//
// With p = precisionBits, values below 2^(p+1) have a bucket each; above, index = e * 2^p + floor(value / 2^e) where e
// brings the quotient into 2^p .. 2^(p+1) - 1.

/** State of a {@link Histogram}. Plain data; equal histograms have equal states. */
export interface HistogramState {
	/** Each power of two is cut into 2^precisionBits buckets. */
	readonly precisionBits: number;
	/** How many values were recorded. */
	readonly count: number;
	/** The smallest value, 0 where there is none. */
	readonly min: number;
	/** The largest value, 0 where there is none. */
	readonly max: number;
	/** The exact sum of all values. */
	readonly sum: bigint;
	/** [index, count] of each bucket that is not empty, by ascending index. */
	readonly buckets: readonly (readonly [number, number])[];
}

/** The usual figures of a {@link Histogram}, in the unit of its values. */
export interface HistogramSummary {
	/** How many values were recorded. */
	readonly count: number;
	/** The smallest value, exact. */
	readonly min: number;
	/** The arithmetic mean. */
	readonly mean: number;
	/** The 50th percentile. */
	readonly median: number;
	/** The 99th percentile. */
	readonly p99: number;
	/** The 99.9th percentile. */
	readonly p999: number;
	/** The largest value, exact. */
	readonly max: number;
}

const WORD = 2 ** 32;
const PERCENT_STEPS = 1_000_000;

function floorLog2(value: number): number {
	return value < WORD ? 31 - Math.clz32(value) : 63 - Math.clz32(value / WORD);
}

/** A histogram of integers from 0 to 2^53 - 1. */
export class Histogram {
	readonly #precisionBits: number;
	#counts: Float64Array = new Float64Array(64);
	#count = 0;
	#min: number = Number.POSITIVE_INFINITY;
	#max = 0;
	// The sum is high * 2^32 + low: exact, without a BigInt for every value.
	#sumHigh = 0;
	#sumLow = 0;

	/**
	 * @param precisionBits - 1 to 14; percentiles are at most a factor of 2^-precisionBits too large (7: 0.8 %)
	 * @throws RangeError for a precision outside that range
	 */
	constructor(precisionBits = 7) {
		if (!Number.isInteger(precisionBits) || precisionBits < 1 || precisionBits > 14) {
			throw new RangeError(`precisionBits must be an integer from 1 to 14, got ${precisionBits}`);
		}
		this.#precisionBits = precisionBits;
	}

	/** A histogram from its state. @throws RangeError where the state is not one that {@link state} can give */
	static from(state: HistogramState): Histogram {
		const histogram = new Histogram(state.precisionBits);
		histogram.#load(state);
		return histogram;
	}

	/** A copy of the state. */
	get state(): HistogramState {
		const buckets: [number, number][] = [];
		this.#counts.forEach((count, index) => {
			if (count > 0) buckets.push([index, count]);
		});
		const { min, max } = this;
		return { precisionBits: this.#precisionBits, count: this.#count, min, max, sum: this.#sum(), buckets };
	}

	/**
	 * Records `value`, `times` over.
	 * @throws RangeError where value is not an integer from 0 to 2^53 - 1
	 */
	record(value: number, times = 1): void {
		if (!Number.isSafeInteger(value) || value < 0) {
			throw new RangeError(`a histogram records integers from 0 to 2^53 - 1, got ${value}`);
		}
		if (!Number.isSafeInteger(times) || times < 1) {
			throw new RangeError(`times must be a positive integer, got ${times}`);
		}
		const index = this.#index(value);
		this.#reserve(index);
		this.#counts[index] += times;
		this.#count += times;
		if (value < this.#min) this.#min = value;
		if (value > this.#max) this.#max = value;
		if (times === 1) this.#addToSum(Math.floor(value / WORD), value % WORD);
		else this.#addBigToSum(BigInt(value) * BigInt(times));
	}

	/** Adds all values of `other`. @throws RangeError where its precision differs */
	merge(other: Histogram): void {
		if (other.#precisionBits !== this.#precisionBits) {
			throw new RangeError(
				`cannot merge histograms of ${other.#precisionBits} and ${this.#precisionBits} precision bits`,
			);
		}
		this.#reserve(other.#counts.length - 1);
		other.#counts.forEach((count, index) => {
			this.#counts[index] += count;
		});
		this.#count += other.#count;
		this.#min = Math.min(this.#min, other.#min);
		this.#max = Math.max(this.#max, other.#max);
		this.#addToSum(other.#sumHigh, other.#sumLow);
	}

	/** How many values were recorded. */
	get count(): number {
		return this.#count;
	}

	/** The smallest value, exact; 0 where there is none. */
	get min(): number {
		return this.#count === 0 ? 0 : this.#min;
	}

	/** The largest value, exact; 0 where there is none. */
	get max(): number {
		return this.#max;
	}

	/** The arithmetic mean: the exact sum, divided once; 0 where there is no value. */
	get mean(): number {
		return this.#count === 0 ? 0 : Number(this.#sum()) / this.#count;
	}

	/**
	 * The least recorded value that at least `percent` per cent of the values do not exceed (nearest rank), as the upper
	 * end of its bucket, held between min and max. 0 where there is no value.
	 * @param percent - 0 to 100, in steps of a millionth
	 */
	percentile(percent: number): number {
		if (!(percent >= 0 && percent <= 100)) throw new RangeError(`percent must be from 0 to 100, got ${percent}`);
		if (this.#count === 0) return 0;
		// In integers: 99.9 % of 1000 must be 999, which it is not in floating point.
		const scaled = BigInt(this.#count) * BigInt(Math.round(percent * PERCENT_STEPS));
		const whole = BigInt(100 * PERCENT_STEPS);
		const rank = Math.max(1, Number((scaled + whole - 1n) / whole));
		let seen = 0;
		let index = 0;
		for (; index < this.#counts.length; index++) {
			seen += this.#counts[index];
			if (seen >= rank) break;
		}
		return Math.max(this.min, Math.min(this.#upper(index), this.#max));
	}

	/** Count, min, mean, median, 99th and 99.9th percentile, max. */
	summary(): HistogramSummary {
		return {
			count: this.count,
			min: this.min,
			mean: this.mean,
			median: this.percentile(50),
			p99: this.percentile(99),
			p999: this.percentile(99.9),
			max: this.max,
		};
	}

	#index(value: number): number {
		const bits = this.#precisionBits;
		if (value < 2 ** (bits + 1)) return value;
		const exponent = floorLog2(value) - bits;
		return exponent * 2 ** bits + Math.floor(value / 2 ** exponent);
	}

	/** The largest value of a bucket. */
	#upper(index: number): number {
		const bits = this.#precisionBits;
		const exponent = Math.max(0, (index >> bits) - 1);
		return (index - exponent * 2 ** bits + 1) * 2 ** exponent - 1;
	}

	#reserve(index: number): void {
		if (index < this.#counts.length) return;
		let size = this.#counts.length;
		while (size <= index) size *= 2;
		const counts = new Float64Array(size);
		counts.set(this.#counts);
		this.#counts = counts;
	}

	#sum(): bigint {
		return BigInt(this.#sumHigh) * BigInt(WORD) + BigInt(this.#sumLow);
	}

	#addToSum(high: number, low: number): void {
		const total = this.#sumLow + low;
		const carry = total >= WORD ? 1 : 0;
		this.#sumLow = total - carry * WORD;
		this.#sumHigh += high + carry;
	}

	#addBigToSum(value: bigint): void {
		this.#addToSum(Number(value / BigInt(WORD)), Number(value % BigInt(WORD)));
	}

	#load(state: HistogramState): void {
		const fail = (why: string): never => {
			throw new RangeError(`histogram state: ${why}`);
		};
		const last = this.#index(Number.MAX_SAFE_INTEGER);
		let count = 0;
		let previous = -1;
		let least = 0n;
		let most = 0n;
		for (const [index, n] of state.buckets) {
			if (!Number.isInteger(index) || index <= previous || index > last) fail(`bucket index ${index} is out of order`);
			if (!Number.isSafeInteger(n) || n < 1) fail(`bucket ${index} has a count of ${n}`);
			this.#reserve(index);
			this.#counts[index] = n;
			count += n;
			least += BigInt(n) * BigInt(index === 0 ? 0 : this.#upper(index - 1) + 1);
			most += BigInt(n) * BigInt(this.#upper(index));
			previous = index;
		}
		if (count !== state.count) fail(`count is ${state.count}, but the buckets hold ${count}`);
		if (typeof state.sum !== 'bigint' || state.sum < least || state.sum > most) fail(`sum ${state.sum} is impossible`);
		if (count === 0) {
			if (state.min !== 0 || state.max !== 0) fail('an empty histogram has min and max 0');
			return;
		}
		for (const value of [state.min, state.max]) {
			if (!Number.isSafeInteger(value) || value < 0) fail(`${value} is not an integer from 0 to 2^53 - 1`);
		}
		if (this.#index(state.min) !== state.buckets[0][0]) fail(`min ${state.min} is not in the first bucket`);
		if (this.#index(state.max) !== previous) fail(`max ${state.max} is not in the last bucket`);
		if (state.min > state.max) fail(`min ${state.min} is above max ${state.max}`);
		this.#count = count;
		this.#min = state.min;
		this.#max = state.max;
		this.#addBigToSum(state.sum);
	}
}
