/** Exact order statistics of response times. Histograms of `@partita/trace` are for streams; these samples are all there. */
import type { LatencySummary } from './record.ts';

/**
 * Summary of samples, by nearest rank; undefined where there are none.
 * @param unit - nanoseconds of one unit of the samples
 */
export function summariseLatency(samples: ArrayLike<number>, unit = 1): LatencySummary | undefined {
	const sorted = Float64Array.from(samples).sort();
	if (sorted.length === 0) return undefined;
	// In integers: 99.9 % of 1,000 samples are 999.
	const at = (perMille: number): number =>
		sorted[Math.max(Math.ceil((sorted.length * perMille) / 1000), 1) - 1]! * unit;
	return { samples: sorted.length, min: at(0), median: at(500), p999: at(999), max: at(1000) };
}
