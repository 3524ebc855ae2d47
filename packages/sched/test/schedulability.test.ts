// Simulation and analysis hold each other to account, on random task sets.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FixedPriority, RoundRobin, Simulation, simulate } from '../src/index.ts';
import { checkCriticalInstant, checkRandomArrivals, checkServers, randomSet } from './experiments.ts';

const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });
const shares = fc.integer({ min: 10, max: 99 }).map((percent) => percent / 100);

test('from the critical instant, the largest response is exactly the analysed one', () => {
	fc.assert(
		fc.property(seeds, shares, (seed, share) => checkCriticalInstant(randomSet(seed, share))),
		{ numRuns: 300 },
	);
});

test('no response exceeds its bound, and what analysis accepts misses no deadline', () => {
	fc.assert(
		fc.property(seeds, shares, fc.boolean(), (seed, share, equals) =>
			checkRandomArrivals(randomSet(seed, share), seed, equals),
		),
		{ numRuns: 200 },
	);
});

test('tasks in a server respond within the bound of its periodic resource', () => {
	fc.assert(fc.property(seeds, shares, checkServers), { numRuns: 60 });
});

test('a simulation that is stopped, saved and restored has the same future', () => {
	fc.assert(
		fc.property(seeds, shares, fc.integer({ min: 0, max: 5000 }), fc.boolean(), (seed, share, stop, fixed) => {
			const [first, ...tasks] = randomSet(seed, share);
			const config = {
				tasks: tasks.map((task) => ({ ...task, bcet: 1, spread: 10 })),
				servers: [{ priority: 250, budget: 3, period: 11, tasks: [{ ...first!, spread: 5 }] }],
				seed,
				responses: true,
			};
			const policy = (): FixedPriority | RoundRobin => (fixed ? new FixedPriority() : new RoundRobin({ slice: 7 }));
			const whole = simulate({ ...config, policy: policy(), until: 5000 });
			const before = new Simulation({ ...config, policy: policy() });
			before.advanceTo(stop);
			const saved = JSON.parse(JSON.stringify(before.state));
			before.advanceTo(stop + 100);
			const after = new Simulation({ ...config, policy: policy() });
			after.restore(saved);
			expect(after.state).toEqual(saved);
			after.advanceTo(5000);
			expect(after.result).toEqual(whole);
		}),
		{ numRuns: 60 },
	);
});
