// Budgets: refills conserve them, and no window holds more than it may, also when the kernel notices late.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FixedPriority, Random, RefillList } from '../src/index.ts';
import { checkConstantBandwidth, checkSupply } from './experiments.ts';

test('refills sum to the budget, in order, without overlap, whatever happens', () => {
	const operation = fc.oneof(
		fc.record({ kind: fc.constant('charge' as const), value: fc.integer({ min: 0, max: 300 }) }),
		fc.record({ kind: fc.constant('begin' as const), value: fc.integer({ min: 0, max: 200 }) }),
		fc.record({ kind: fc.constant('delay' as const), value: fc.integer({ min: 0, max: 200 }) }),
		fc.record({ kind: fc.constant('change' as const), value: fc.integer({ min: 5, max: 60 }) }),
	);
	fc.assert(
		fc.property(
			fc.integer({ min: 1, max: 5 }),
			fc.integer({ min: 2, max: 6 }),
			fc.array(operation, { minLength: 10, maxLength: 60 }),
			(minimum, limit, all) => {
				const list = new RefillList({ budget: 30, period: 100, limit, minimum, time: 0 });
				let now = 0;
				for (const { kind, value } of all) {
					if (kind === 'charge') list.charge(value);
					else if (kind === 'change') list.change(value, 70 + value, limit);
					else {
						now += value;
						list[kind](now);
					}
					// The constructor checks every invariant of a state.
					expect(new RefillList(list.state).state).toEqual(list.state);
				}
			},
		),
		{ numRuns: 1000 },
	);
});

/**
 * An entity with a budget that wakes and blocks at random below a more urgent one that comes and goes, on a kernel that
 * notices everything up to `tick` late.
 */
function run(seed: number, rule: 'sporadic' | 'constant-bandwidth', tick: number) {
	const random = new Random(seed);
	const period = random.integer(10, 60);
	const budget = random.integer(2, period - 1);
	const minimumBudget = random.integer(1, Math.min(3, budget));
	const policy = new FixedPriority({ minimumBudget });
	policy.add(1, { priority: 1, budget, period, rule, refills: random.integer(2, 6) }, 0);
	policy.add(2, { priority: 2 }, 0);
	policy.wake(1, 0);
	const slices: { start: number; end: number }[] = [];
	let now = 0;
	let next = 0;
	while (now < 3000) {
		if (now >= next) {
			next = now + random.integer(1, 40);
			const id = random.integer(1, 2);
			if (random.integer(0, 2) === 0) policy.block(id, now);
			else policy.wake(id, now);
		}
		const { entity, until } = policy.pick(now);
		const stop = Math.min(next, (until ?? next) + random.integer(0, tick));
		if (entity !== undefined) policy.charge(entity, stop - now, stop);
		if (entity === 1) slices.push({ start: now, end: stop });
		now = stop;
	}
	return { slices, budget, period, consumed: policy.consumed(1) };
}

test.each(['sporadic', 'constant-bandwidth'] as const)('%s: no window holds more than it may', (rule) => {
	fc.assert(
		fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), fc.constantFrom(0, 1, 5), (seed, tick) => {
			const { slices, budget, period, consumed } = run(seed, rule, tick);
			if (rule === 'sporadic') checkSupply(slices, { budget, period }, tick);
			else checkConstantBandwidth(slices, { budget, period }, tick);
			expect(consumed).toBe(slices.reduce((sum, { start, end }) => sum + end - start, 0));
		}),
		{ numRuns: 300 },
	);
});
