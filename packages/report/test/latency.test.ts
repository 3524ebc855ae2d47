// Order statistics against their definition, and against the histogram of @partita/trace.
import { Histogram } from '@partita/trace';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { summariseLatency } from '../src/index.ts';

test('of a thousand samples, 99.9 % are those up to the 999th', () => {
	const samples = Array.from({ length: 1000 }, (_, index) => (index * 7) % 1000);
	expect(summariseLatency(samples)).toEqual({ samples: 1000, min: 0, median: 499, p999: 998, max: 999 });
});

test('samples have a unit', () => {
	expect(summariseLatency(Uint32Array.of(3, 1, 2), 100)).toEqual({
		samples: 3,
		min: 100,
		median: 200,
		p999: 300,
		max: 300,
	});
});

test('nothing has no summary', () => {
	expect(summariseLatency([])).toBeUndefined();
});

test('they are within the precision of a histogram, which rounds up', () => {
	fc.assert(
		fc.property(fc.array(fc.nat(1_000_000), { minLength: 1, maxLength: 300 }), (samples) => {
			const exact = summariseLatency(samples)!;
			const histogram = new Histogram(14);
			for (const sample of samples) histogram.record(sample);
			const { min, max, median, p999 } = histogram.summary();
			expect([exact.min, exact.max]).toEqual([min, max]);
			for (const [rounded, value] of [
				[median, exact.median],
				[p999, exact.p999],
			] as const) {
				expect(rounded).toBeGreaterThanOrEqual(value);
				expect(rounded - value).toBeLessThanOrEqual(value / 2 ** 14);
			}
		}),
	);
});
