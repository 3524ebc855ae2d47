/**
 * The randomness of the generated tests: a seeded generator, and the operand values that are worth more than others.
 * Everything that a test draws comes from here, so that its seed says all.
 */

/** Integer values at which carries, signs, widths and shift amounts change. */
const INTEGER_CORNERS: readonly bigint[] = [
	0n,
	1n,
	2n,
	0xffff_ffff_ffff_ffffn,
	0x8000_0000_0000_0000n,
	0x7fff_ffff_ffff_ffffn,
	0x8000_0000n,
	0x7fff_ffffn,
	0xffff_ffffn,
	0xffff_ffff_8000_0000n,
	0x1_0000_0000n,
	0x8000_0000_0000_0001n,
	31n,
	32n,
	63n,
	64n,
	0xffn,
	0x8080_8080_8080_8080n,
	0x0100_0000_0000_0000n,
	0x00ff_00ff_0000_ff00n,
];

/** xoshiro128** (Blackman and Vigna), seeded by splitmix32. */
export class Random {
	#a: number;
	#b: number;
	#c: number;
	#d: number;

	constructor(seed: number) {
		let state = seed | 0;
		const next = (): number => {
			state = (state + 0x9e37_79b9) | 0;
			let z = state;
			z = Math.imul(z ^ (z >>> 16), 0x85eb_ca6b);
			z = Math.imul(z ^ (z >>> 13), 0xc2b2_ae35);
			return (z ^ (z >>> 16)) >>> 0;
		};
		[this.#a, this.#b, this.#c, this.#d] = [next(), next(), next(), next() | 1];
	}

	/** 32 bits. */
	word(): number {
		const product = Math.imul(this.#b, 5);
		const result = Math.imul((product << 7) | (product >>> 25), 9);
		const t = this.#b << 9;
		this.#c ^= this.#a;
		this.#d ^= this.#b;
		this.#b ^= this.#c;
		this.#a ^= this.#d;
		this.#c ^= t;
		this.#d = (this.#d << 11) | (this.#d >>> 21);
		return result >>> 0;
	}

	/** 0 to `limit` - 1. */
	below(limit: number): number {
		return Math.floor((this.word() / 0x1_0000_0000) * limit);
	}

	/** Whether something of a probability of one in `n` happens. */
	oneIn(n: number): boolean {
		return this.below(n) === 0;
	}

	pick<T>(from: readonly T[]): T {
		return from[this.below(from.length)]!;
	}

	/** 64 bits, all equally likely. */
	double(): bigint {
		return (BigInt(this.word()) << 32n) | BigInt(this.word());
	}

	/** A 64-bit operand: often a corner, a few bits, a small or a 32-bit number. */
	integer(): bigint {
		switch (this.below(8)) {
			case 0:
			case 1:
				return this.pick(INTEGER_CORNERS);
			case 2:
				return BigInt.asUintN(64, BigInt(this.below(512) - 256));
			case 3:
				return BigInt.asUintN(64, BigInt(this.word() | 0));
			case 4:
				return 1n << BigInt(this.below(64));
			case 5:
				return BigInt.asUintN(64, this.pick(INTEGER_CORNERS) + BigInt(this.below(5) - 2));
			default:
				return this.double();
		}
	}

	/** Bits of a floating-point number with `exponentBits` and `fractionBits`: all classes and their borders. */
	#float(exponentBits: number, fractionBits: number): bigint {
		const exponentMax = 2 ** exponentBits - 1;
		const bias = exponentMax >> 1;
		const fractionMask = (1n << BigInt(fractionBits)) - 1n;
		const exponent = (): number => {
			switch (this.below(8)) {
				case 0:
					return 0;
				case 1:
					return exponentMax;
				case 2:
					return 1 + this.below(3);
				case 3:
					return exponentMax - 1 - this.below(3);
				case 4:
					return this.below(exponentMax + 1);
				case 5:
					return Math.min(exponentMax, bias + fractionBits + this.below(6) - 3);
				default:
					return bias + this.below(16) - 8;
			}
		};
		const fraction = (): bigint => {
			switch (this.below(8)) {
				case 0:
					return 0n;
				case 1:
					return fractionMask;
				case 2:
					return 1n << BigInt(this.below(fractionBits));
				case 3:
					return BigInt(this.below(4));
				case 4:
					return fractionMask - BigInt(this.below(4));
				case 5:
					return fractionMask ^ (fractionMask >> BigInt(this.below(fractionBits)));
				default:
					return this.double() & fractionMask;
			}
		};
		const sign = this.oneIn(2) ? 1n : 0n;
		return (((sign << BigInt(exponentBits)) | BigInt(exponent())) << BigInt(fractionBits)) | fraction();
	}

	/** Contents of a floating-point register: doubles, boxed singles, and now and then a broken box. */
	float(): bigint {
		const kind = this.below(16);
		if (kind < 8) return this.#float(11, 52);
		const single = this.#float(8, 23);
		if (kind === 8) return (BigInt(this.word()) << 32n) | single;
		if (kind === 9) return ((0xffff_ffffn ^ (1n << BigInt(this.below(32)))) << 32n) | single;
		return 0xffff_ffff_0000_0000n | single;
	}

	/** Shuffled copy. */
	shuffled<T>(items: readonly T[]): T[] {
		const copy = [...items];
		for (let i = copy.length - 1; i > 0; i--) {
			const j = this.below(i + 1);
			[copy[i], copy[j]] = [copy[j]!, copy[i]!];
		}
		return copy;
	}
}
