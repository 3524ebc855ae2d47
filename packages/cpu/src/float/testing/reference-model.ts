/**
 * The judge of the float tests: IEEE 754 arithmetic on exact rational numbers, in BigInt. It computes the exact result first
 * and rounds it by comparing integers; it shares nothing with the emitted code but the encodings' constants.
 */

/** Result bits and the flags raised (NX 1, UF 2, OF 4, DZ 8, NV 16). */
export interface Outcome {
	readonly bits: bigint;
	readonly flags: number;
}

const [NX, UF, OF, DZ, NV] = [1, 2, 4, 8, 16];

/** A nonnegative rational. */
interface Rational {
	readonly numerator: bigint;
	readonly denominator: bigint;
}

type Decoded =
	| { readonly kind: 'nan'; readonly signaling: boolean; readonly negative: boolean }
	| { readonly kind: 'infinity'; readonly negative: boolean }
	/** The value is (-1)^negative · integer · 2^exponent; zeros have integer 0. */
	| { readonly kind: 'finite'; readonly negative: boolean; readonly integer: bigint; readonly exponent: number };

const power = (exponent: number): Rational =>
	exponent >= 0
		? { numerator: 1n << BigInt(exponent), denominator: 1n }
		: { numerator: 1n, denominator: 1n << BigInt(-exponent) };

const bitLength = (value: bigint): number => {
	const digits = value.toString(16);
	return digits.length * 4 - Math.clz32(Number.parseInt(digits[0]!, 16)) + 28;
};

/** Rounds a nonnegative rational to an integer. */
function roundToInteger(
	numerator: bigint,
	denominator: bigint,
	negative: boolean,
	rm: number,
): { n: bigint; exact: boolean } {
	const floor = numerator / denominator;
	const rest = numerator % denominator;
	if (rest === 0n) return { n: floor, exact: true };
	const twice = rest * 2n;
	let up = false;
	if (rm === 0) up = twice > denominator || (twice === denominator && floor % 2n === 1n);
	else if (rm === 4) up = twice >= denominator;
	else if (rm === 2) up = negative;
	else if (rm === 3) up = !negative;
	return { n: up ? floor + 1n : floor, exact: false };
}

/** Model of one format with `precision` significand bits (the leading one counted) and `exponentBits` exponent bits. */
export class ReferenceModel {
	readonly precision: number;
	readonly exponentBits: number;
	readonly width: number;
	readonly nan: bigint;
	readonly infinity: bigint;
	readonly #bias: number;
	readonly #fraction: bigint;
	readonly #sign: bigint;

	constructor(precision: number, exponentBits: number) {
		this.precision = precision;
		this.exponentBits = exponentBits;
		this.width = precision + exponentBits;
		this.#bias = 2 ** (exponentBits - 1) - 1;
		this.#fraction = 2n ** BigInt(precision - 1);
		this.#sign = 2n ** BigInt(this.width - 1);
		this.infinity = BigInt(2 * this.#bias + 1) * this.#fraction;
		this.nan = this.infinity + this.#fraction / 2n;
	}

	decode(bits: bigint): Decoded {
		const negative = bits >= this.#sign;
		const field = Number((bits % this.#sign) / this.#fraction);
		const fraction = bits % this.#fraction;
		if (field === 2 * this.#bias + 1) {
			if (fraction === 0n) return { kind: 'infinity', negative };
			return { kind: 'nan', signaling: fraction * 2n < this.#fraction, negative };
		}
		const least = 2 - this.#bias - this.precision;
		if (field === 0) return { kind: 'finite', negative, integer: fraction, exponent: least };
		return { kind: 'finite', negative, integer: fraction + this.#fraction, exponent: least + field - 1 };
	}

	/** Rounds (-1)^negative · value. */
	round(negative: boolean, { numerator, denominator }: Rational, rm: number): Outcome {
		const sign = negative ? this.#sign : 0n;
		if (numerator === 0n) return { bits: sign, flags: 0 };
		// The unit u for which 2^(precision-1) <= value / 2^u < 2^precision.
		const scaled = (unit: number): [bigint, bigint] => {
			const { numerator: up, denominator: down } = power(-unit);
			return [numerator * up, denominator * down];
		};
		let unit = bitLength(numerator) - bitLength(denominator) - this.precision;
		const below = (u: number): boolean => {
			const [n, d] = scaled(u);
			return n < d << BigInt(this.precision);
		};
		while (!below(unit)) unit++;
		while (below(unit - 1)) unit--;
		const leastUnit = 2 - this.#bias - this.precision;
		const free = roundToInteger(...scaled(unit), negative, rm);
		// Tiny after rounding: with an unbounded exponent the rounded value is below the least normal number.
		const tiny = unit < leastUnit && free.n < this.#fraction << BigInt(leastUnit - unit);
		const used = Math.max(unit, leastUnit);
		const { n, exact } = roundToInteger(...scaled(used), negative, rm);
		// Positions count from the least unit: encodings are consecutive.
		const encoding = n < this.#fraction ? n : BigInt(used - leastUnit) * this.#fraction + n;
		if (encoding >= this.infinity) {
			const toInfinity = rm === 0 || rm === 4 || (rm === 2 && negative) || (rm === 3 && !negative);
			return { bits: sign + (toInfinity ? this.infinity : this.infinity - 1n), flags: OF | NX };
		}
		return { bits: sign + encoding, flags: exact ? 0 : NX | (tiny ? UF : 0) };
	}

	#signalingAmong(operands: readonly Decoded[]): boolean {
		return operands.some((x) => x.kind === 'nan' && x.signaling);
	}

	/** a · b + c exactly, for the finite. */
	fma(a: bigint, b: bigint, c: bigint, rm: number): Outcome {
		const [x, y, z] = [this.decode(a), this.decode(b), this.decode(c)];
		const zero = (v: Decoded): boolean => v.kind === 'finite' && v.integer === 0n;
		const infinite = (v: Decoded): boolean => v.kind === 'infinity';
		if ((infinite(x) && zero(y)) || (zero(x) && infinite(y))) return { bits: this.nan, flags: NV };
		if (x.kind === 'nan' || y.kind === 'nan' || z.kind === 'nan')
			return { bits: this.nan, flags: this.#signalingAmong([x, y, z]) ? NV : 0 };
		const negative = x.negative !== y.negative;
		if (infinite(x) || infinite(y)) {
			if (infinite(z) && z.negative !== negative) return { bits: this.nan, flags: NV };
			return { bits: this.infinity + (negative ? this.#sign : 0n), flags: 0 };
		}
		if (infinite(z)) return { bits: c, flags: 0 };
		if (x.kind !== 'finite' || y.kind !== 'finite' || z.kind !== 'finite') throw new Error('unreachable');
		const product = x.integer * y.integer * (negative ? -1n : 1n);
		return this.#sum(product, x.exponent + y.exponent, negative, z, rm);
	}

	#sum(integer: bigint, exponent: number, negative: boolean, z: Decoded & { kind: 'finite' }, rm: number): Outcome {
		const least = Math.min(exponent, z.exponent);
		const addend = z.negative ? -z.integer : z.integer;
		const sum = (integer << BigInt(exponent - least)) + (addend << BigInt(z.exponent - least));
		if (sum === 0n) {
			const minus = integer === 0n && addend === 0n && negative === z.negative ? negative : rm === 2;
			return { bits: minus ? this.#sign : 0n, flags: 0 };
		}
		const { numerator, denominator } = power(least);
		return this.round(sum < 0n, { numerator: (sum < 0n ? -sum : sum) * numerator, denominator }, rm);
	}

	add(a: bigint, b: bigint, rm: number): Outcome {
		const [x, y] = [this.decode(a), this.decode(b)];
		if (x.kind === 'nan' || y.kind === 'nan') return { bits: this.nan, flags: this.#signalingAmong([x, y]) ? NV : 0 };
		if (x.kind === 'infinity' && y.kind === 'infinity' && x.negative !== y.negative)
			return { bits: this.nan, flags: NV };
		if (x.kind === 'infinity') return { bits: a, flags: 0 };
		if (y.kind === 'infinity') return { bits: b, flags: 0 };
		return this.#sum(x.negative ? -x.integer : x.integer, x.exponent, x.negative, y, rm);
	}

	sub(a: bigint, b: bigint, rm: number): Outcome {
		return this.add(a, b ^ this.#sign, rm);
	}

	mul(a: bigint, b: bigint, rm: number): Outcome {
		const [x, y] = [this.decode(a), this.decode(b)];
		if (x.kind === 'nan' || y.kind === 'nan') return { bits: this.nan, flags: this.#signalingAmong([x, y]) ? NV : 0 };
		const negative = x.negative !== y.negative;
		const sign = negative ? this.#sign : 0n;
		if (x.kind === 'infinity' || y.kind === 'infinity') {
			const zero = [x, y].some((v) => v.kind === 'finite' && v.integer === 0n);
			return zero ? { bits: this.nan, flags: NV } : { bits: this.infinity + sign, flags: 0 };
		}
		const { numerator, denominator } = power(x.exponent + y.exponent);
		return this.round(negative, { numerator: x.integer * y.integer * numerator, denominator }, rm);
	}

	div(a: bigint, b: bigint, rm: number): Outcome {
		const [x, y] = [this.decode(a), this.decode(b)];
		if (x.kind === 'nan' || y.kind === 'nan') return { bits: this.nan, flags: this.#signalingAmong([x, y]) ? NV : 0 };
		const negative = x.negative !== y.negative;
		const sign = negative ? this.#sign : 0n;
		if (x.kind === 'infinity')
			return y.kind === 'infinity' ? { bits: this.nan, flags: NV } : { bits: this.infinity + sign, flags: 0 };
		if (y.kind === 'infinity') return { bits: sign, flags: 0 };
		if (y.integer === 0n) {
			if (x.integer === 0n) return { bits: this.nan, flags: NV };
			return { bits: this.infinity + sign, flags: DZ };
		}
		const { numerator, denominator } = power(x.exponent - y.exponent);
		return this.round(negative, { numerator: x.integer * numerator, denominator: y.integer * denominator }, rm);
	}

	sqrt(a: bigint, rm: number): Outcome {
		const x = this.decode(a);
		if (x.kind === 'nan') return { bits: this.nan, flags: x.signaling ? NV : 0 };
		if (x.kind === 'finite' && x.integer === 0n) return { bits: a, flags: 0 };
		if (x.negative) return { bits: this.nan, flags: NV };
		if (x.kind === 'infinity') return { bits: a, flags: 0 };
		// Enough bits of the root that a last "or a bit more" stands for all the rest.
		const even = x.exponent % 2 === 0 ? x.integer : x.integer * 2n;
		const half = Math.floor(x.exponent / 2);
		const extra = this.precision + 8;
		const wide = even << BigInt(2 * extra);
		let root = 1n << BigInt(Math.ceil(bitLength(wide) / 2));
		for (;;) {
			const next = (root + wide / root) / 2n;
			if (next >= root) break;
			root = next;
		}
		const { numerator, denominator } = power(half - extra - 1);
		const sticky = root * root === wide ? 0n : 1n;
		return this.round(false, { numerator: (2n * root + sticky) * numerator, denominator }, rm);
	}

	/** minimumNumber (`max` false) or maximumNumber. */
	minMax(a: bigint, b: bigint, max: boolean): Outcome {
		const [x, y] = [this.decode(a), this.decode(b)];
		const flags = this.#signalingAmong([x, y]) ? NV : 0;
		if (x.kind === 'nan') return { bits: y.kind === 'nan' ? this.nan : b, flags };
		if (y.kind === 'nan') return { bits: a, flags };
		const order = this.#order(a) - this.#order(b);
		return { bits: order < 0n === max ? b : a, flags };
	}

	/** A number that orders as the values do, -0 just below +0. */
	#order(bits: bigint): bigint {
		return bits >= this.#sign ? this.#sign - 1n - bits : bits;
	}

	compare(relation: 'eq' | 'lt' | 'le', a: bigint, b: bigint): Outcome {
		const [x, y] = [this.decode(a), this.decode(b)];
		if (x.kind === 'nan' || y.kind === 'nan')
			return { bits: 0n, flags: relation !== 'eq' || this.#signalingAmong([x, y]) ? NV : 0 };
		const zeros = a % this.#sign === 0n && b % this.#sign === 0n;
		const order = zeros ? 0n : this.#order(a) - this.#order(b);
		const holds = relation === 'eq' ? order === 0n : relation === 'lt' ? order < 0n : order <= 0n;
		return { bits: holds ? 1n : 0n, flags: 0 };
	}

	/** To a `width`-bit integer, as the 64-bit register pattern (32-bit results sign-extended). */
	toInteger(a: bigint, rm: number, width: number, signed: boolean): Outcome {
		const x = this.decode(a);
		const max = 2n ** BigInt(signed ? width - 1 : width) - 1n;
		const min = signed ? -max - 1n : 0n;
		const register = (value: bigint): bigint => BigInt.asUintN(64, BigInt.asIntN(width, value));
		if (x.kind === 'nan') return { bits: register(max), flags: NV };
		if (x.kind === 'infinity') return { bits: register(x.negative ? min : max), flags: NV };
		const { numerator, denominator } = power(x.exponent);
		const { n, exact } = roundToInteger(x.integer * numerator, denominator, x.negative, rm);
		const value = x.negative ? -n : n;
		if (value > max || value < min) return { bits: register(x.negative ? min : max), flags: NV };
		return { bits: register(value), flags: exact ? 0 : NX };
	}

	fromInteger(value: bigint, rm: number): Outcome {
		return this.round(value < 0n, { numerator: value < 0n ? -value : value, denominator: 1n }, rm);
	}

	fromOther(other: ReferenceModel, a: bigint, rm: number): Outcome {
		const x = other.decode(a);
		if (x.kind === 'nan') return { bits: this.nan, flags: x.signaling ? NV : 0 };
		if (x.kind === 'infinity') return { bits: this.infinity + (x.negative ? this.#sign : 0n), flags: 0 };
		const { numerator, denominator } = power(x.exponent);
		return this.round(x.negative, { numerator: x.integer * numerator, denominator }, rm);
	}

	classify(a: bigint): bigint {
		const x = this.decode(a);
		if (x.kind === 'nan') return x.signaling ? 1n << 8n : 1n << 9n;
		if (x.kind === 'infinity') return x.negative ? 1n << 0n : 1n << 7n;
		if (x.integer === 0n) return x.negative ? 1n << 3n : 1n << 4n;
		if (x.integer < this.#fraction) return x.negative ? 1n << 2n : 1n << 5n;
		return x.negative ? 1n << 1n : 1n << 6n;
	}
}

export const model64: ReferenceModel = new ReferenceModel(53, 11);
export const model32: ReferenceModel = new ReferenceModel(24, 8);
