import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NEVER, Ratio } from './ratio.ts';

const hold = (value: bigint): number => Number(value > BigInt(NEVER) ? BigInt(NEVER) : value);
const term = fc.integer({ min: 1, max: 2 ** 26 - 1 });
const value = fc.oneof(fc.maxSafeNat(), fc.nat(), fc.nat(1000));

describe('Ratio', () => {
	test('is kept in lowest terms', () => {
		expect(new Ratio(10_000_000, 1_000_000_000)).toMatchObject({ numerator: 1, denominator: 100 });
	});

	test('refuses terms that are not positive integers, or too fine to be exact', () => {
		for (const [n, d] of [
			[0, 1],
			[1, 0],
			[-1, 1],
			[1.5, 1],
			[1, Number.NaN],
		]) {
			expect(() => new Ratio(n, d)).toThrow(RangeError);
		}
		expect(() => new Ratio(2 ** 26 + 1, 2 ** 26)).toThrow(/too fine/);
	});

	test('agrees with BigInt arithmetic over the whole range', () => {
		fc.assert(
			fc.property(term, term, value, fc.nat(), (n, d, x, r) => {
				const ratio = new Ratio(n, d);
				const [num, den] = [BigInt(ratio.numerator), BigInt(ratio.denominator)];
				const rem = r % ratio.denominator;
				const exact = BigInt(x) * num + BigInt(rem);
				expect(ratio.floor(x, rem)).toBe(hold(exact / den));
				expect(ratio.remainder(x, rem)).toBe(Number(exact % den));
			}),
			{ numRuns: 2000 },
		);
	});

	test('leastReaching is the least integer that floor brings to the target', () => {
		fc.assert(
			fc.property(term, term, value, fc.nat(), (n, d, target, r) => {
				const ratio = new Ratio(n, d);
				const [num, den] = [BigInt(ratio.numerator), BigInt(ratio.denominator)];
				const rem = BigInt(r % ratio.denominator);
				const least = (BigInt(target) * den - rem + num - 1n) / num;
				expect(ratio.leastReaching(target, Number(rem))).toBe(hold(least > 0n ? least : 0n));
			}),
			{ numRuns: 2000 },
		);
	});
});
