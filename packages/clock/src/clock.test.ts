import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InstructionClock, VirtualClock } from './clock.ts';
import { NEVER } from './ratio.ts';

const rate = fc.record({
	instructions: fc.integer({ min: 1, max: 5000 }),
	nanoseconds: fc.integer({ min: 1, max: 5000 }),
});

describe('InstructionClock', () => {
	test('by default one instruction takes one nanosecond', () => {
		const model = new InstructionClock();
		expect(model.nanosAfter(123)).toBe(123);
		expect(model.instructionsUntil(123)).toBe(123);
		expect(model.retire(7)).toBe(7);
		expect(model.state).toEqual({ remainder: 0 });
	});

	test('10 instructions per 7 ns: the fraction is carried', () => {
		const model = new InstructionClock({ instructions: 10, nanoseconds: 7 });
		// floor(0.7 n) for n = 1..10
		const times = [0, 1, 2, 2, 3, 4, 4, 5, 6, 7];
		let now = 0;
		for (const time of times) {
			now += model.retire(1);
			expect(now).toBe(time);
		}
		expect(model.state).toEqual({ remainder: 0 });
		// ceil(n * 10 / 7)
		expect([1, 2, 3, 4, 5, 6, 7].map((nanos) => model.instructionsUntil(nanos))).toEqual([2, 3, 5, 6, 8, 9, 10]);
	});

	test('many small charges equal one large charge', () => {
		fc.assert(
			fc.property(rate, fc.array(fc.nat(100_000), { maxLength: 200 }), (r, charges) => {
				const model = new InstructionClock(r);
				const sum = charges.reduce((nanos, n) => nanos + model.retire(n), 0);
				const total = charges.reduce((a, b) => a + b, 0);
				expect(sum).toBe(Number((BigInt(total) * BigInt(r.nanoseconds)) / BigInt(r.instructions)));
			}),
		);
	});

	test('instructionsUntil is the least number that reaches the deadline, from any state', () => {
		fc.assert(
			fc.property(
				rate,
				fc.nat(1_000_000),
				fc.maxSafeNat().map((n) => Math.floor(n / 8192)),
				(r, before, nanos) => {
					const model = new InstructionClock(r);
					model.retire(before);
					const n = model.instructionsUntil(nanos);
					expect(model.nanosAfter(n)).toBeGreaterThanOrEqual(nanos);
					if (n > 0) expect(model.nanosAfter(n - 1)).toBeLessThan(nanos);
				},
			),
			{ numRuns: 1000 },
		);
	});

	test('refuses a remainder that is none of its own', () => {
		for (const remainder of [-1, 10, 0.5, Number.NaN]) {
			expect(() => new InstructionClock({ instructions: 10, nanoseconds: 7 }, { remainder })).toThrow(/0 to 9/);
		}
	});

	test('refuses charges that are not whole', () => {
		expect(() => new InstructionClock().retire(0.5)).toThrow(RangeError);
		expect(() => new InstructionClock().retire(-1)).toThrow(RangeError);
	});
});

describe('VirtualClock', () => {
	test('starts at 0 and moves only when told', () => {
		const clock = new VirtualClock();
		expect(clock.now()).toBe(0);
		expect(clock.advance(5)).toBe(5);
		expect(clock.retire(10)).toBe(15);
		expect(clock.advanceTo(100)).toBe(100);
		expect(clock.advanceTo(50)).toBe(100);
		expect(clock.nanosAfter(3)).toBe(103);
		expect(clock.now()).toBe(100);
	});

	test('a due deadline needs no instruction', () => {
		const clock = new VirtualClock();
		clock.advance(10);
		expect(clock.instructionsUntil(10)).toBe(0);
		expect(clock.instructionsUntil(3)).toBe(0);
		expect(clock.instructionsUntil(11)).toBe(1);
	});

	test('time is held at its end', () => {
		const clock = new VirtualClock({ state: { now: NEVER - 1, model: { remainder: 0 } } });
		expect(clock.nanosAfter(1000)).toBe(NEVER);
		expect(clock.retire(1000)).toBe(NEVER);
		expect(clock.advance(1)).toBe(NEVER);
		expect(clock.instructionsUntil(NEVER)).toBe(0);
	});

	test('refuses to run backwards or by fractions', () => {
		const clock = new VirtualClock();
		for (const nanos of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
			expect(() => clock.advance(nanos)).toThrow(RangeError);
		}
		expect(clock.now()).toBe(0);
	});

	test('an invalid state is refused and changes nothing', () => {
		const clock = new VirtualClock({ state: { now: 3, model: { remainder: 0 } } });
		expect(() => clock.restore({ now: -1, model: { remainder: 0 } })).toThrow(RangeError);
		expect(() => clock.restore({ now: 9, model: { remainder: 1 } })).toThrow(RangeError);
		expect(clock.state).toEqual({ now: 3, model: { remainder: 0 } });
	});

	test('continues from a stored state as if never stopped', () => {
		fc.assert(
			fc.property(rate, fc.array(fc.nat(1000)), fc.array(fc.nat(1000)), (r, first, second) => {
				const whole = new VirtualClock({ model: new InstructionClock(r) });
				for (const n of first) whole.retire(n);
				const state = structuredClone(whole.state);
				const resumed = new VirtualClock({ model: new InstructionClock(r), state });
				for (const n of second) expect(resumed.retire(n)).toBe(whole.retire(n));
				expect(resumed.state).toEqual(whole.state);
			}),
		);
	});
});
