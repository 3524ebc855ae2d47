import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Histogram } from './histogram.ts';

const value = fc.oneof(fc.nat(300), fc.nat(1_000_000), fc.maxSafeNat());
const values = fc.array(value, { minLength: 1, maxLength: 300 });

function of(list: number[], precisionBits?: number): Histogram {
	const histogram = new Histogram(precisionBits);
	for (const v of list) histogram.record(v);
	return histogram;
}

describe('Histogram', () => {
	test('is all zeros at first', () => {
		expect(new Histogram().summary()).toEqual({ count: 0, min: 0, mean: 0, median: 0, p99: 0, p999: 0, max: 0 });
	});

	test('small values are exact', () => {
		// 1..255 stand alone with 7 bits; nearest rank: 255 * 0.5 = 127.5 -> the 128th value.
		const histogram = of(Array.from({ length: 255 }, (_, i) => i + 1));
		expect(histogram.summary()).toEqual({ count: 255, min: 1, mean: 128, median: 128, p99: 253, p999: 255, max: 255 });
	});

	test('99.9 % of 1000 values are 999 of them, not 1000', () => {
		const histogram = new Histogram();
		histogram.record(5, 999);
		histogram.record(200);
		expect(histogram.percentile(99.9)).toBe(5);
		expect(histogram.percentile(99.900001)).toBe(200);
	});

	test('percentiles are at most 2^-precisionBits too large, and never too small', () => {
		const percent = fc.oneof(fc.constantFrom(0, 50, 99, 99.9, 100), fc.integer({ min: 0, max: 100 }));
		fc.assert(
			fc.property(values, percent, fc.integer({ min: 1, max: 14 }), (list, p, bits) => {
				const sorted = list.toSorted((a, b) => a - b);
				const exact = sorted[Math.max(1, Math.ceil((Math.round(p * 10) * list.length) / 1000)) - 1];
				const found = of(list, bits).percentile(p);
				expect(found).toBeGreaterThanOrEqual(exact);
				expect(found - exact).toBeLessThanOrEqual(exact / 2 ** bits);
			}),
			{ numRuns: 500 },
		);
	});

	test('count, min, max and mean are exact', () => {
		fc.assert(
			fc.property(values, (list) => {
				const histogram = of(list);
				const sum = list.reduce((total, v) => total + BigInt(v), 0n);
				expect(histogram.state.sum).toBe(sum);
				expect([histogram.count, histogram.min, histogram.max, histogram.mean]).toEqual([
					list.length,
					Math.min(...list),
					Math.max(...list),
					Number(sum) / list.length,
				]);
			}),
		);
	});

	test('merging equals recording together, in either order', () => {
		fc.assert(
			fc.property(fc.array(value), fc.array(value), (a, b) => {
				const [ab, ba] = [of(a), of(b)];
				ab.merge(of(b));
				ba.merge(of(a));
				expect(ab.state).toEqual(of([...a, ...b]).state);
				expect(ba.state).toEqual(ab.state);
			}),
		);
	});

	test('recording a value many times equals recording it so often', () => {
		const histogram = new Histogram();
		histogram.record(2 ** 40 + 3, 5);
		expect(histogram.state).toEqual(of(Array(5).fill(2 ** 40 + 3)).state);
	});

	test('comes back from its state', () => {
		fc.assert(
			fc.property(fc.array(value), (list) => {
				const { state } = of(list);
				const back = Histogram.from(structuredClone(state));
				expect(back.state).toEqual(state);
				expect(back.summary()).toEqual(of(list).summary());
			}),
		);
	});

	test('refuses what it cannot hold', () => {
		for (const v of [-1, 0.5, Number.NaN, 2 ** 53]) expect(() => new Histogram().record(v)).toThrow(RangeError);
		for (const times of [0, -1, 0.5]) expect(() => new Histogram().record(1, times)).toThrow(RangeError);
		for (const bits of [0, 15, 2.5]) expect(() => new Histogram(bits)).toThrow(RangeError);
		for (const percent of [-1, 101, Number.NaN]) expect(() => new Histogram().percentile(percent)).toThrow(RangeError);
		expect(() => new Histogram(7).merge(new Histogram(8))).toThrow(/8 and 7/);
	});

	const good = of([3, 5, 1000]).state;
	test.each([
		['a count that disagrees', { ...good, count: 4 }],
		['an impossible sum', { ...good, sum: 5000n }],
		['min in another bucket', { ...good, min: 4 }],
		['max in another bucket', { ...good, max: 5 }],
		['buckets out of order', { ...good, buckets: good.buckets.toReversed() }],
		['a bucket beyond the last', { ...good, buckets: [...good.buckets, [1e9, 1] as const], count: 4 }],
		['a negative bucket', { ...good, buckets: [[3, -1] as const] }],
		['values in an empty histogram', { ...good, count: 0, buckets: [], sum: 0n }],
	])('refuses a state with %s', (_, state) => {
		expect(() => Histogram.from(state)).toThrow(RangeError);
	});
});
