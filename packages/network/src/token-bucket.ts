/** A token bucket: so many bytes a second, and so many at once. In integers, so that nothing is lost by rounding. */

/** What a port may send. */
export interface RateLimit {
	/** Bytes a second. */
	readonly bytesPerSecond: number;
	/** Bytes at once, after a pause; at least the longest frame that is to pass. */
	readonly burst: number;
}

/** Plain state of a bucket. */
export interface TokenBucketState {
	/** Bytes that may be sent now. */
	readonly tokens: number;
	/** Billionths of a byte, carried along. */
	readonly remainder: number;
	/** Virtual nanoseconds at which that was so. */
	readonly at: number;
}

const SECOND = 1_000_000_000;

/** A bucket, full at first. */
export class TokenBucket {
	readonly #limit: RateLimit;
	#tokens: number;
	#remainder = 0;
	#at = 0;

	/** @throws RangeError for a limit that cannot be */
	constructor(place: string, limit: RateLimit) {
		for (const key of ['bytesPerSecond', 'burst'] as const) {
			if (!Number.isSafeInteger(limit[key]) || limit[key] < 1 || limit[key] > 2 ** 40)
				throw new RangeError(`${place}.${key}: ${limit[key]}: 1 to 2^40`);
		}
		this.#limit = limit;
		this.#tokens = limit.burst;
	}

	/** A copy of the state. */
	get state(): TokenBucketState {
		return { tokens: this.#tokens, remainder: this.#remainder, at: this.#at };
	}

	/** Takes a saved state. Throws `RangeError` where it is damaged. */
	restore({ tokens, remainder, at }: TokenBucketState): void {
		const integer = (value: number, most: number): boolean =>
			Number.isSafeInteger(value) && value >= 0 && value <= most;
		if (!integer(tokens, this.#limit.burst) || !integer(remainder, SECOND) || !integer(at, Number.MAX_SAFE_INTEGER))
			throw new RangeError('rate limit: the state is damaged');
		this.#tokens = tokens;
		this.#remainder = remainder;
		this.#at = at;
	}

	/** Whether so many bytes may be sent at this time; they are, then. */
	take(bytes: number, now: number): boolean {
		this.#refill(now);
		if (bytes > this.#tokens) return false;
		this.#tokens -= bytes;
		return true;
	}

	#refill(now: number): void {
		const { bytesPerSecond, burst } = this.#limit;
		const earned = BigInt(now - this.#at) * BigInt(bytesPerSecond) + BigInt(this.#remainder);
		this.#at = now;
		const whole = earned / BigInt(SECOND);
		if (BigInt(this.#tokens) + whole >= BigInt(burst)) {
			this.#tokens = burst;
			this.#remainder = 0;
		} else {
			this.#tokens += Number(whole);
			this.#remainder = Number(earned % BigInt(SECOND));
		}
	}
}
