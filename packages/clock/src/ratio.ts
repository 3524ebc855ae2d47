// Exact scaling of non-negative integers by a rational number, in plain `number` arithmetic.
// It is what keeps clocks free of drift: instructions to nanoseconds, nanoseconds to ticks of a timer.
// It is not a fraction type: it does not add or compare.

/**
 * The end of virtual time, in nanoseconds: 2^53 - 1, some 104 days after reset. As a deadline it means that nothing is
 * due; results that would lie beyond it are held at it.
 */
export const NEVER: number = Number.MAX_SAFE_INTEGER;

/** Throws a RangeError unless `value` is an integer from 0 to {@link NEVER}. */
export function checkTime(what: string, value: number): void {
	if (!Number.isSafeInteger(value) || value < 0) {
		throw new RangeError(`${what} must be an integer from 0 to 2^53 - 1, got ${value}`);
	}
}

function gcd(a: number, b: number): number {
	while (b !== 0) [a, b] = [b, a % b];
	return a;
}

/**
 * The rational number `numerator / denominator`, to scale integers exactly.
 *
 * Both terms are positive integers; after reduction their product must stay below 2^52, which keeps every intermediate
 * value an exact `number`. Results past {@link NEVER} are held at NEVER.
 *
 * @example
 * Ticks of a 10 MHz timer: `new Ratio(10_000_000, 1_000_000_000).floor(nanos)`.
 */
export class Ratio {
	/** The numerator, in lowest terms. */
	readonly numerator: number;
	/** The denominator, in lowest terms. */
	readonly denominator: number;

	/** @throws RangeError where a term is not a positive integer, or the reduced terms are too large. */
	constructor(numerator: number, denominator: number) {
		if (!(Number.isSafeInteger(numerator) && Number.isSafeInteger(denominator) && numerator > 0 && denominator > 0)) {
			throw new RangeError(`a ratio needs two positive integers, got ${numerator}/${denominator}`);
		}
		const divisor = gcd(numerator, denominator);
		this.numerator = numerator / divisor;
		this.denominator = denominator / divisor;
		if (this.numerator * this.denominator >= 2 ** 52) {
			throw new RangeError(
				`ratio ${numerator}/${denominator} is too fine: the product of its terms must be below 2^52`,
			);
		}
	}

	/**
	 * `floor((value * numerator + remainder) / denominator)`, where 0 <= remainder < denominator.
	 * @param value - an integer from 0 to 2^53 - 1
	 */
	floor(value: number, remainder = 0): number {
		const { numerator, denominator } = this;
		// value = whole * denominator + part, so that part * numerator is the only product to divide.
		const part = value % denominator;
		const whole = (value - part) / denominator;
		const rest = part * numerator + remainder;
		return Math.min(whole * numerator + (rest - (rest % denominator)) / denominator, NEVER);
	}

	/** `(value * numerator + remainder) mod denominator`: what {@link floor} leaves over. */
	remainder(value: number, remainder = 0): number {
		return ((value % this.denominator) * this.numerator + remainder) % this.denominator;
	}

	/**
	 * The least integer n >= 0 for which `floor(n, remainder) >= target`: the way back.
	 * @param target - an integer from 0 to 2^53 - 1
	 */
	leastReaching(target: number, remainder = 0): number {
		// n * numerator + remainder >= target * denominator; target = whole * numerator + part.
		const { numerator, denominator } = this;
		const part = target % numerator;
		const whole = (target - part) / numerator;
		const n = whole * denominator + Math.ceil((part * denominator - remainder) / numerator);
		return Math.min(Math.max(n, 0), NEVER);
	}
}
