import { describe, expect, test } from 'vitest';
import { pace } from './pacing.ts';

const MS = 1_000_000;
const anchor = { host: 1000 * MS, virtual: 50 * MS };

describe('pace', () => {
	test('anchors at the first call', () => {
		expect(pace(undefined, 7, 9)).toEqual({ state: { host: 7, virtual: 9 }, sleep: 0, lead: 0, resynchronized: true });
	});

	test('asks to sleep off a lead that is larger than allowed, and only then', () => {
		expect(pace(anchor, 1010 * MS, 65 * MS)).toEqual({
			state: anchor,
			sleep: 5 * MS,
			lead: 5 * MS,
			resynchronized: false,
		});
		expect(pace(anchor, 1010 * MS, 61 * MS).sleep).toBe(0);
		expect(pace(anchor, 1010 * MS, 61 * MS, { maxLead: 0 }).sleep).toBe(1 * MS);
	});

	test('catches up after a small lag, forgives a large one', () => {
		expect(pace(anchor, 1050 * MS, 60 * MS)).toEqual({
			state: anchor,
			sleep: 0,
			lead: -40 * MS,
			resynchronized: false,
		});
		expect(pace(anchor, 1200 * MS, 60 * MS)).toEqual({
			state: { host: 1200 * MS, virtual: 60 * MS },
			sleep: 0,
			lead: -190 * MS,
			resynchronized: true,
		});
	});

	test('twice the speed: 20 virtual milliseconds fit into 10 real ones', () => {
		expect(pace(anchor, 1010 * MS, 70 * MS, { speed: 2 }).lead).toBe(0);
		expect(pace(anchor, 1010 * MS, 80 * MS, { speed: 2 }).sleep).toBe(5 * MS);
	});

	test('refuses a speed that is not positive', () => {
		for (const speed of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
			expect(() => pace(anchor, 0, 0, { speed })).toThrow(RangeError);
		}
	});
});
