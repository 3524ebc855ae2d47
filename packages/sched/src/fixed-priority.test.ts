// FixedPriority: preemption, turns, budgets, contexts and state, by example.
import { describe, expect, test } from 'vitest';
import { FixedPriority } from './fixed-priority.ts';

describe('priorities', () => {
	test('the most urgent ready entity runs, over all 256 levels', () => {
		const policy = new FixedPriority();
		for (let priority = 0; priority < 256; priority++) policy.add(priority, { priority }, 0);
		expect(policy.pick(0)).toEqual({ entity: undefined, until: undefined });
		for (const priority of [31, 0, 255, 32, 128, 64, 63]) policy.wake(priority, 0);
		for (const expected of [255, 128, 64, 63, 32, 31, 0]) {
			expect(policy.pick(0)).toEqual({ entity: expected, until: undefined });
			policy.block(expected, 0);
		}
		expect(policy.pick(0).entity).toBe(undefined);
	});

	test('equals are served in FIFO order, and take turns by slice', () => {
		const policy = new FixedPriority({ slice: 10 });
		for (const id of [1, 2, 3]) {
			policy.add(id, { priority: 7 }, 0);
			policy.wake(id, 0);
		}
		expect(policy.pick(0)).toEqual({ entity: 1, until: 10 });
		policy.charge(1, 4, 4);
		// Preempted: it keeps its place and what is left of its slice.
		policy.add(9, { priority: 8 }, 4);
		policy.wake(9, 4);
		expect(policy.pick(4)).toEqual({ entity: 9, until: 14 });
		policy.block(9, 4);
		expect(policy.pick(4)).toEqual({ entity: 1, until: 10 });
		expect(policy.charge(1, 6, 10)).toBe(false);
		expect(policy.pick(10)).toEqual({ entity: 2, until: 20 });
		policy.yield(2, 12);
		expect(policy.pick(12)).toEqual({ entity: 3, until: 22 });
	});

	test('a changed priority takes effect at once', () => {
		const policy = new FixedPriority();
		policy.add(1, { priority: 1 }, 0);
		policy.add(2, { priority: 2 }, 0);
		policy.wake(1, 0);
		policy.wake(2, 0);
		policy.change(1, { priority: 3 }, 5);
		expect(policy.pick(5).entity).toBe(1);
		policy.remove(1);
		expect(policy.pick(5).entity).toBe(2);
	});
});

describe('budgets', () => {
	test('a hog gets its budget in each period, and not more', () => {
		const policy = new FixedPriority();
		policy.add(1, { priority: 9, budget: 3, period: 10 }, 0);
		policy.add(2, { priority: 1 }, 0);
		policy.wake(1, 0);
		policy.wake(2, 0);
		for (let period = 0; period < 1000; period += 10) {
			expect(policy.pick(period)).toEqual({ entity: 1, until: period + 3 });
			expect(policy.charge(1, 3, period + 3)).toBe(true);
			expect(policy.pick(period + 3)).toEqual({ entity: 2, until: period + 10 });
			policy.charge(2, 7, period + 10);
		}
		expect(policy.consumed(1)).toBe(300);
		expect(policy.consumed(2)).toBe(700);
	});

	test('sporadic: kept waiting, it still gets its budget in its period; constant bandwidth: a period after it ran', () => {
		for (const [rule, again] of [
			['sporadic', 10],
			['constant-bandwidth', 16],
		] as const) {
			const policy = new FixedPriority();
			policy.add(1, { priority: 1, budget: 3, period: 10, rule }, 0);
			policy.add(2, { priority: 2 }, 0);
			policy.wake(1, 0);
			policy.wake(2, 0);
			expect(policy.pick(0).entity).toBe(2);
			policy.charge(2, 6, 6);
			policy.block(2, 6);
			expect(policy.pick(6)).toEqual({ entity: 1, until: 9 });
			policy.charge(1, 3, 9);
			expect(policy.pick(9)).toEqual({ entity: undefined, until: again });
			expect(policy.pick(again)).toEqual({ entity: 1, until: again + 3 });
		}
	});

	test('what was not used before it woke is counted from then on', () => {
		const policy = new FixedPriority();
		policy.add(1, { priority: 1, budget: 4, period: 10 }, 0);
		policy.wake(1, 25);
		expect(policy.pick(25)).toEqual({ entity: 1, until: 29 });
		policy.charge(1, 4, 29);
		expect(policy.pick(29)).toEqual({ entity: undefined, until: 35 });
	});

	test('use in pieces comes back in pieces', () => {
		const policy = new FixedPriority();
		policy.add(1, { priority: 1, budget: 4, period: 10 }, 0);
		policy.wake(1, 0);
		policy.charge(1, 1, 1);
		policy.block(1, 1);
		policy.wake(1, 5);
		expect(policy.pick(5)).toEqual({ entity: 1, until: 8 });
		policy.charge(1, 3, 8);
		expect(policy.pick(8)).toEqual({ entity: undefined, until: 10 });
		expect(policy.pick(10)).toEqual({ entity: 1, until: 11 });
		policy.charge(1, 1, 11);
		expect(policy.pick(11)).toEqual({ entity: undefined, until: 15 });
	});

	test('an overrun is paid back', () => {
		const policy = new FixedPriority();
		policy.add(1, { priority: 1, budget: 4, period: 10 }, 0);
		policy.wake(1, 0);
		expect(policy.charge(1, 6, 6)).toBe(true);
		// 4 of [0, 10) and 2 of [10, 20): 2 are left of the second, whose use began at 10.
		expect(policy.pick(6)).toEqual({ entity: undefined, until: 12 });
		expect(policy.pick(12)).toEqual({ entity: 1, until: 14 });
		// Many budgets at once: no loop over them.
		policy.charge(1, 4e15, 14);
		expect(policy.pick(14)).toEqual({ entity: undefined, until: Number.MAX_SAFE_INTEGER });
	});

	test('a budget that equals its period is a slice', () => {
		const policy = new FixedPriority();
		policy.add(1, { priority: 1, budget: 5, period: 5 }, 0);
		policy.add(2, { priority: 1, budget: 5, period: 5 }, 0);
		policy.wake(1, 0);
		policy.wake(2, 0);
		expect(policy.pick(0)).toEqual({ entity: 1, until: 5 });
		expect(policy.charge(1, 5, 5)).toBe(false);
		expect(policy.pick(5)).toEqual({ entity: 2, until: 10 });
	});

	test('yield gives up the refill', () => {
		const policy = new FixedPriority();
		policy.add(1, { priority: 1, budget: 4, period: 10 }, 0);
		policy.wake(1, 0);
		policy.charge(1, 1, 1);
		policy.yield(1, 1);
		expect(policy.pick(1)).toEqual({ entity: undefined, until: 10 });
		expect(policy.pick(10)).toEqual({ entity: 1, until: 14 });
		expect(policy.consumed(1)).toBe(1);
	});

	test('a fragment below the minimum waits for the next refill', () => {
		const policy = new FixedPriority({ minimumBudget: 3 });
		policy.add(1, { priority: 1, budget: 5, period: 20 }, 0);
		policy.wake(1, 0);
		policy.charge(1, 3, 3);
		// 2 are left, less than the minimum: they are used just before the 3 that come back at 20.
		expect(policy.pick(3)).toEqual({ entity: undefined, until: 18 });
		expect(policy.pick(18)).toEqual({ entity: 1, until: 23 });
	});

	test('a changed budget holds at once, and use is not forgotten', () => {
		const policy = new FixedPriority();
		policy.add(1, { priority: 1, budget: 4, period: 10 }, 0);
		policy.wake(1, 0);
		policy.charge(1, 4, 4);
		policy.change(1, { priority: 1, budget: 2, period: 10 }, 5);
		expect(policy.pick(5)).toEqual({ entity: undefined, until: 10 });
		expect(policy.pick(10)).toEqual({ entity: 1, until: 12 });
		policy.change(1, { priority: 1 }, 11);
		expect(policy.pick(11)).toEqual({ entity: 1, until: undefined });
	});
});

describe('contexts', () => {
	test('a budget follows a request into a passive server and back', () => {
		const policy = new FixedPriority();
		policy.add(1, { priority: 1, budget: 10, period: 100 }, 0);
		policy.add(2, { priority: 5, passive: true }, 0);
		policy.wake(1, 0);
		policy.wake(2, 0);
		expect(policy.pick(0)).toEqual({ entity: 1, until: 10 });
		policy.charge(1, 2, 2);
		policy.bind(2, 1, 2);
		policy.block(1, 2);
		expect(policy.contextOf(1)).toBe(undefined);
		expect(policy.ownerOf(1)).toBe(2);
		expect(policy.pick(2)).toEqual({ entity: 2, until: 10 });
		// The server runs out of its client's budget, and goes on with the next refill.
		expect(policy.charge(2, 8, 10)).toBe(true);
		expect(policy.pick(10)).toEqual({ entity: undefined, until: 100 });
		expect(policy.pick(100)).toEqual({ entity: 2, until: 110 });
		policy.charge(2, 1, 101);
		policy.bind(1, 1, 101);
		policy.wake(1, 101, 'front');
		expect(policy.pick(101)).toEqual({ entity: 1, until: 110 });
		expect(policy.consumed(1)).toBe(11);
	});

	test('an awake entity runs as soon as it has a context, and no longer', () => {
		const policy = new FixedPriority();
		policy.add(1, { priority: 1, passive: true }, 0);
		policy.wake(1, 0);
		expect(policy.charge(1, 5, 5)).toBe(false);
		policy.addContext(100, { budget: 3, period: 9 }, 5);
		expect(policy.pick(5)).toEqual({ entity: undefined, until: undefined });
		policy.bind(1, 100, 6);
		expect(policy.pick(6)).toEqual({ entity: 1, until: 9 });
		policy.bind(1, undefined, 7);
		expect(policy.pick(7).entity).toBe(undefined);
		policy.bind(1, 100, 8);
		policy.removeContext(100);
		expect(policy.pick(8).entity).toBe(undefined);
		expect(() => policy.contextOf(2)).toThrow(RangeError);
		expect(() => policy.ownerOf(100)).toThrow(RangeError);
	});

	test('an own context goes with its entity, also while another has it', () => {
		const policy = new FixedPriority();
		policy.add(1, { priority: 1 }, 0);
		policy.add(2, { priority: 2, passive: true }, 0);
		policy.wake(2, 0);
		policy.bind(2, 1, 0);
		expect(policy.pick(0).entity).toBe(2);
		expect(() => policy.removeContext(1)).toThrow(RangeError);
		policy.remove(1);
		expect(policy.pick(0).entity).toBe(undefined);
	});
});

test.each([
	['a priority of 256', (p: FixedPriority) => p.add(5, { priority: 256 }, 0)],
	['a negative priority', (p: FixedPriority) => p.add(5, { priority: -1 }, 0)],
	['a fractional number', (p: FixedPriority) => p.add(0.5, { priority: 1 }, 0)],
	['the same entity again', (p: FixedPriority) => p.add(1, { priority: 1 }, 0)],
	['a budget without period', (p: FixedPriority) => p.add(5, { priority: 1, budget: 5 }, 0)],
	['a period without budget', (p: FixedPriority) => p.add(5, { priority: 1, period: 5 }, 0)],
	['a budget over its period', (p: FixedPriority) => p.add(5, { priority: 1, budget: 6, period: 5 }, 0)],
	['a budget below the minimum', (p: FixedPriority) => p.add(5, { priority: 1, budget: 1, period: 5 }, 0)],
	['a slice below the minimum', (p: FixedPriority) => p.add(5, { priority: 1, budget: 1, period: 1 }, 0)],
	['a slice of 0', (p: FixedPriority) => p.add(5, { priority: 1, slice: 0 }, 0)],
	['one refill', (p: FixedPriority) => p.add(5, { priority: 1, budget: 2, period: 5, refills: 1 }, 0)],
	['too many refills', (p: FixedPriority) => p.add(5, { priority: 1, budget: 2, period: 5, refills: 4097 }, 0)],
	['an unknown rule', (p: FixedPriority) => p.add(5, { priority: 1, rule: 'none' as 'sporadic' }, 0)],
	['an unknown entity', (p: FixedPriority) => p.wake(5, 0)],
	['an unknown context', (p: FixedPriority) => p.bind(1, 5, 0)],
	['a context number in use', (p: FixedPriority) => p.addContext(1, {}, 0)],
	['a change to passive', (p: FixedPriority) => p.change(1, { priority: 1, passive: true }, 0)],
	['a change to an impossible budget', (p: FixedPriority) => p.change(1, { priority: 1, budget: 9, period: 8 }, 0)],
	['a negative charge', (p: FixedPriority) => p.charge(1, -1, 0)],
])('%s is refused, and nothing changes', (_, operation) => {
	const policy = new FixedPriority({ minimumBudget: 2, slice: 9 });
	policy.add(1, { priority: 1, budget: 2, period: 10 }, 0);
	policy.wake(1, 0);
	const before = policy.state;
	expect(() => operation(policy)).toThrow(RangeError);
	expect(policy.state).toEqual(before);
});

describe('state', () => {
	function sample(): FixedPriority {
		const policy = new FixedPriority({ minimumBudget: 2, slice: 9 });
		policy.add(1, { priority: 1, budget: 2, period: 10 }, 0);
		policy.add(2, { priority: 1, budget: 4, period: 10, rule: 'constant-bandwidth' }, 0);
		policy.add(3, { priority: 1 }, 0);
		for (const id of [1, 2, 3]) policy.wake(id, 0);
		policy.charge(1, 2, 2);
		policy.pick(2);
		policy.charge(2, 2, 4);
		return policy;
	}

	test('is plain data, and restores to the same', () => {
		const state = sample().state;
		expect(JSON.parse(JSON.stringify(state))).toEqual(state);
		expect(state.ready).toEqual([2, 3]);
		expect(state.release).toEqual([1]);
		const other = new FixedPriority();
		other.restore(structuredClone(state));
		expect(other.state).toEqual(state);
	});

	test.each<[string, (state: ReturnType<typeof sample>['state']) => object]>([
		['an entity twice', (s) => ({ entities: [...s.entities, s.entities[0]] })],
		['a context twice', (s) => ({ contexts: [...s.contexts, s.contexts[0]] })],
		['an entity in both queues', (s) => ({ ready: [1, ...s.ready] })],
		['an entity in no queue', () => ({ release: [] })],
		['an unknown entity in a queue', () => ({ ready: [2, 3, 4] })],
		['an unknown running context', () => ({ running: 77 })],
		['an impossible priority', (s) => ({ entities: [{ ...s.entities[0], priority: 300 }, ...s.entities.slice(1)] })],
		['an owner that is not there', (s) => ({ contexts: s.contexts.map((c) => ({ ...c, owner: 9 })) })],
		['an owner of two contexts', (s) => ({ contexts: s.contexts.map((c) => ({ ...c, owner: 1 })) })],
		['another minimum', () => ({ minimumBudget: 1 })],
		[
			'refills that do not sum to the budget',
			(s) => ({ contexts: s.contexts.map((c) => (c.refills ? { ...c, refills: { ...c.refills, refills: [] } } : c)) }),
		],
		['a slice that is over', (s) => ({ contexts: s.contexts.map((c) => (c.slice ? { ...c, sliceLeft: 0 } : c)) })],
	])('with %s is refused, and nothing changes', (_, broken) => {
		const policy = sample();
		const before = policy.state;
		const state = { ...before, ...broken(before) };
		expect(() => policy.restore(state)).toThrow(RangeError);
		expect(policy.state).toEqual(before);
	});
});

test('a context says from when on it has budget', () => {
	const policy = new FixedPriority();
	policy.add(1, { priority: 1, budget: 10, period: 100 }, 0);
	policy.add(2, { priority: 0 }, 0);
	policy.wake(1, 0);
	policy.pick(0);
	expect(policy.charge(1, 10, 10)).toBe(true);
	expect(policy.due(1)).toBe(100);
	expect(policy.due(2)).toBe(0);
	expect(() => policy.due(3)).toThrow(RangeError);
});
