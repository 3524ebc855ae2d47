// RoundRobin: turns regardless of priority, budgets honoured.
import { expect, test } from 'vitest';
import { RoundRobin } from './round-robin.ts';

test('everybody gets a slice in turn, whatever its priority', () => {
	const policy = new RoundRobin({ slice: 10 });
	for (const id of [1, 2, 3]) {
		policy.add(id, { priority: 3 * id }, 0);
		policy.wake(id, 0);
	}
	const order: (number | undefined)[] = [];
	for (let now = 0; now < 60; now += 10) {
		const { entity, until } = policy.pick(now);
		expect(until).toBe(now + 10);
		order.push(entity);
		policy.charge(entity!, 10, now + 10);
	}
	expect(order).toEqual([1, 2, 3, 1, 2, 3]);
	policy.yield(1, 60);
	policy.block(2, 60);
	policy.change(3, { priority: 200, slice: 4 }, 60);
	expect(policy.pick(60)).toEqual({ entity: 3, until: 64 });
	policy.remove(3);
	const other = new RoundRobin({ slice: 1 });
	other.restore(structuredClone(policy.state));
	expect(other.pick(60)).toEqual({ entity: 1, until: 70 });
});

test('a budget holds', () => {
	const policy = new RoundRobin({ slice: 10 });
	policy.add(1, { priority: 0, budget: 5, period: 100 }, 0);
	policy.add(2, { priority: 0 }, 0);
	policy.wake(1, 0);
	policy.wake(2, 0);
	expect(policy.pick(0)).toEqual({ entity: 1, until: 5 });
	expect(policy.charge(1, 5, 5)).toBe(true);
	expect(policy.pick(5)).toEqual({ entity: 2, until: 15 });
});

test('a turn travels with its context, to a server that has none', () => {
	const policy = new RoundRobin({ slice: 10 });
	policy.add(1, { priority: 0 }, 0);
	policy.add(2, { priority: 0, passive: true }, 0);
	policy.wake(1, 0);
	expect(policy.pick(0)).toEqual({ entity: 1, until: 10 });
	policy.charge(1, 4, 4);
	policy.bind(2, policy.contextOf(1), 4);
	policy.wake(2, 4, 'front');
	policy.block(1, 4);
	expect(policy.ownerOf(1)).toBe(2);
	expect(policy.pick(4)).toEqual({ entity: 2, until: 10 });
	policy.charge(2, 6, 10);
	expect(policy.consumed(1)).toBe(10);
	expect(policy.due(1)).toBe(0);
	policy.addContext(7, { budget: 5, period: 100 }, 10);
	policy.changeContext(7, { budget: 3, period: 100 }, 10);
	policy.bind(2, 7, 10);
	expect(policy.pick(10)).toEqual({ entity: 2, until: 13 });
	policy.removeContext(7);
	expect(policy.pick(10).entity).toBeUndefined();
});
