// FixedPriority against a model that keeps one list, searches it for everything, and has no queues.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FixedPriority, RefillList } from '../src/index.ts';

interface NaiveEntity {
	id: number;
	priority: number;
	awake: boolean;
	refills: RefillList | undefined;
	slice: number | undefined;
	left: number | undefined;
	/** Idle since; undefined while ready. */
	idle: number | undefined;
	waiting: boolean;
	/** The place among equals: the smaller, the sooner. */
	turn: number;
}

class Naive {
	readonly entities: NaiveEntity[] = [];
	turn = 0;
	last: NaiveEntity | undefined;

	add(
		id: number,
		priority: number,
		budget: number | undefined,
		period: number,
		slice: number | undefined,
		now: number,
	) {
		const refills =
			budget === undefined ? undefined : new RefillList({ budget, period, limit: 8, minimum: 1, time: now });
		this.entities.push({ id, priority, awake: false, refills, slice, left: slice, idle: now, waiting: false, turn: 0 });
	}
	get(id: number) {
		return this.entities.find((each) => each.id === id)!;
	}
	queue(each: NaiveEntity, now: number) {
		each.waiting = (each.refills?.time ?? 0) > now;
		each.turn = ++this.turn;
	}
	wake(id: number, now: number) {
		const each = this.get(id);
		if (each.awake) return;
		each.awake = true;
		if (each.idle !== undefined && each.idle < now) each.refills?.begin(now);
		each.idle = undefined;
		this.queue(each, now);
	}
	block(id: number, now: number) {
		const each = this.get(id);
		if (!each.awake) return;
		each.awake = false;
		each.idle = now;
	}
	yield(id: number, now: number) {
		const each = this.get(id);
		each.left = each.slice;
		each.refills?.charge(each.refills.amount);
		this.queue(each, now);
	}
	charge(id: number, nanos: number, now: number) {
		const each = this.get(id);
		let over = false;
		if (each.left !== undefined && each.slice !== undefined) {
			each.left -= nanos;
			if (each.left <= 0) {
				each.left = each.slice;
				over = true;
			}
		}
		if (each.refills?.charge(nanos)) over = true;
		if (over || (each.refills?.time ?? 0) > now) this.queue(each, now);
		return (each.refills?.time ?? 0) > now;
	}
	pick(now: number) {
		const due = this.entities.filter((each) => each.awake && each.waiting && each.refills!.time <= now);
		due.sort((a, b) => a.refills!.time - b.refills!.time || a.turn - b.turn);
		for (const each of due) this.queue(each, now);
		const awake = this.entities.filter((each) => each.awake);
		const ready = awake.filter((each) => !each.waiting).sort((a, b) => b.priority - a.priority || a.turn - b.turn);
		const untils = awake.filter((each) => each.waiting).map((each) => each.refills!.time);
		const [first] = ready;
		if (!first) this.last = undefined;
		else {
			if (first !== this.last) first.refills?.delay(now);
			this.last = first;
			if (first.refills) untils.push(now + first.refills.amount);
			if (first.left !== undefined) untils.push(now + first.left);
		}
		return { entity: first?.id, until: untils.length > 0 ? Math.min(...untils) : undefined };
	}
}

const id = fc.integer({ min: 0, max: 11 });
const operation = fc.record({
	kind: fc.constantFrom('wake', 'wake', 'block', 'yield', 'run', 'run', 'run', 'late', 'wait', 'state', 'remove'),
	id,
	amount: fc.integer({ min: 0, max: 30 }),
});
const parameters = fc.record({
	priority: fc.constantFrom(0, 1, 31, 32, 200, 255),
	budget: fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
	extra: fc.integer({ min: 1, max: 50 }),
	slice: fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
});

test('decides as the naive model does, through saving and restoring', () => {
	fc.assert(
		fc.property(
			fc.array(parameters, { minLength: 12, maxLength: 12 }),
			fc.array(operation, { minLength: 50, maxLength: 300 }),
			(all, operations) => {
				let policy = new FixedPriority();
				const naive = new Naive();
				let now = 0;
				all.forEach(({ priority, budget, extra, slice }, index) => {
					const period = (budget ?? 0) + extra;
					policy.add(
						index,
						{ priority, ...(budget !== undefined && { budget, period }), ...(slice !== undefined && { slice }) },
						0,
					);
					naive.add(index, priority, budget, period, slice, 0);
				});
				for (const { kind, id: any, amount } of operations) {
					const known = naive.get(any) !== undefined;
					if (kind === 'wait') now += amount;
					else if (kind === 'run' || kind === 'late') {
						const { entity, until } = naive.pick(now);
						const stop = kind === 'late' ? now + 2 * amount : Math.min(now + amount, until ?? now + amount);
						if (entity !== undefined) {
							expect(policy.charge(entity, stop - now, stop)).toBe(naive.charge(entity, stop - now, stop));
						}
						now = stop;
					} else if (kind === 'state') {
						const next = new FixedPriority();
						next.restore(structuredClone(policy.state));
						policy = next;
					} else if (kind === 'remove') {
						if (known && amount === 0) {
							policy.remove(any);
							naive.entities.splice(naive.entities.indexOf(naive.get(any)), 1);
						}
					} else if (known) {
						policy[kind as 'wake' | 'block' | 'yield'](any, now);
						naive[kind as 'wake' | 'block' | 'yield'](any, now);
					}
					expect(policy.pick(now)).toEqual(naive.pick(now));
				}
			},
		),
		{ numRuns: 300 },
	);
});
