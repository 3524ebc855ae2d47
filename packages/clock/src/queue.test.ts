import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type EventEntry, EventQueue, UnhandledEventError } from './queue.ts';
import { NEVER } from './ratio.ts';

function drain(queue: EventQueue, now: number): string[] {
	const keys: string[] = [];
	queue.runDue(now, (key) => keys.push(key));
	return keys;
}

describe('EventQueue', () => {
	test('is empty at first', () => {
		const queue = new EventQueue();
		expect(queue.nextDeadline()).toBe(NEVER);
		expect(queue.deadlineOf('a')).toBe(NEVER);
		expect(queue.runDue(1000)).toBe(0);
		expect(queue.cancel('a')).toBe(false);
	});

	test('runs in order of deadline, equal deadlines in order of scheduling', () => {
		const queue = new EventQueue();
		queue.schedule('b', 20);
		queue.schedule('a', 10);
		for (let i = 0; i < 50; i++) queue.schedule(`e${i}`, 15);
		expect(drain(queue, 20)).toEqual(['a', ...Array.from({ length: 50 }, (_, i) => `e${i}`), 'b']);
	});

	test('runs nothing that is not due', () => {
		const queue = new EventQueue();
		queue.schedule('a', 10);
		expect(drain(queue, 9)).toEqual([]);
		expect(queue.nextDeadline()).toBe(10);
		expect(drain(queue, 10)).toEqual(['a']);
		expect(queue.size).toBe(0);
	});

	test('scheduling a key again replaces its event, which then comes last among equals', () => {
		const queue = new EventQueue();
		queue.schedule('a', 10);
		queue.schedule('b', 10);
		queue.schedule('a', 10);
		expect(queue.size).toBe(2);
		expect(drain(queue, 10)).toEqual(['b', 'a']);
	});

	test('a deadline of NEVER only cancels', () => {
		const queue = new EventQueue();
		queue.schedule('a', 10);
		queue.schedule('a', NEVER);
		queue.schedule('b', NEVER);
		expect(queue.size).toBe(0);
	});

	test('calls the handler of the key with deadline and now, the event being gone', () => {
		const queue = new EventQueue();
		const calls: number[][] = [];
		queue.handle('a', (deadline, now) => calls.push([deadline, now, queue.deadlineOf('a')]));
		queue.schedule('a', 10);
		expect(queue.runDue(25)).toBe(1);
		expect(calls).toEqual([[10, 25, NEVER]]);
	});

	test('events that handlers schedule run in their place, and may be cancelled', () => {
		const queue = new EventQueue();
		const order: string[] = [];
		queue.handle('tick', (deadline) => {
			order.push(`tick ${deadline}`);
			queue.schedule('tick', deadline + 10);
		});
		queue.handle('stop', () => {
			order.push('stop');
			queue.cancel('victim');
		});
		queue.handle('victim', () => order.push('victim'));
		queue.schedule('tick', 10);
		queue.schedule('stop', 25);
		queue.schedule('victim', 26);
		queue.runDue(35);
		expect(order).toEqual(['tick 10', 'tick 20', 'stop', 'tick 30']);
		expect(queue.nextDeadline()).toBe(40);
	});

	test('a handler that schedules for the same instant for ever is bounded, and loses nothing', () => {
		const queue = new EventQueue();
		queue.handle('spin', (deadline) => queue.schedule('spin', deadline));
		queue.schedule('spin', 5);
		expect(queue.runDue(5)).toBe(65_536);
		expect(queue.runDue(5, undefined, 3)).toBe(3);
		expect(queue.deadlineOf('spin')).toBe(5);
	});

	test('a due event without a handler is an error, and stays pending', () => {
		const queue = new EventQueue();
		queue.schedule('uart0.rx', 1);
		expect(() => queue.runDue(1)).toThrow(UnhandledEventError);
		expect(() => queue.runDue(1)).toThrow(/uart0\.rx/);
		expect(queue.unhandled()).toEqual(['uart0.rx']);
		expect(queue.size).toBe(1);
	});

	test('a handler that throws loses only its own event', () => {
		const queue = new EventQueue();
		queue.handle('bad', () => {
			throw new Error('broken');
		});
		queue.schedule('bad', 1);
		queue.schedule('good', 2);
		expect(() => queue.runDue(5)).toThrow('broken');
		expect(queue.state.entries.map((e) => e.key)).toEqual(['good']);
	});

	test('a key has one handler', () => {
		const queue = new EventQueue();
		queue.handle('a', () => {});
		expect(() => queue.handle('a', () => {})).toThrow(/'a'/);
	});

	test('refuses deadlines that are no integers', () => {
		for (const deadline of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
			expect(() => new EventQueue().schedule('a', deadline)).toThrow(RangeError);
		}
	});
});

describe('EventQueue state', () => {
	const entry = (key: string, deadline: number, sequence: number): EventEntry => ({ key, deadline, sequence });

	test('does not depend on how the heap came about', () => {
		const a = new EventQueue();
		const b = new EventQueue();
		for (const key of ['x', 'y', 'z']) a.schedule(key, 5);
		b.schedule('x', 5);
		b.schedule('y', 5);
		b.schedule('z', 5);
		b.restore(structuredClone(a.state));
		expect(b.state).toEqual(a.state);
		expect(a.state).toEqual({ entries: [entry('x', 5, 0), entry('y', 5, 1), entry('z', 5, 2)], nextSequence: 3 });
	});

	test.each([
		['a key twice', { entries: [entry('a', 1, 0), entry('a', 2, 1)], nextSequence: 2 }],
		['a sequence twice', { entries: [entry('a', 1, 0), entry('b', 2, 0)], nextSequence: 2 }],
		['a sequence of the future', { entries: [entry('a', 1, 7)], nextSequence: 2 }],
		['a fractional deadline', { entries: [entry('a', 1.5, 0)], nextSequence: 2 }],
		['a deadline at the end of time', { entries: [entry('a', NEVER, 0)], nextSequence: 2 }],
		['a negative sequence number', { entries: [], nextSequence: -1 }],
	])('refuses %s and stays as it was', (_, state) => {
		const queue = new EventQueue();
		queue.schedule('kept', 3);
		expect(() => queue.restore(state)).toThrow(RangeError);
		expect(queue.state.entries).toEqual([entry('kept', 3, 0)]);
	});
});

/** The same interface over a sorted array: slow and obvious. */
class NaiveQueue {
	entries: EventEntry[] = [];
	sequence = 0;

	schedule(key: string, deadline: number): void {
		this.cancel(key);
		this.entries.push({ key, deadline, sequence: this.sequence++ });
		this.entries.sort((a, b) => a.deadline - b.deadline || a.sequence - b.sequence);
	}

	cancel(key: string): boolean {
		const before = this.entries.length;
		this.entries = this.entries.filter((e) => e.key !== key);
		return this.entries.length < before;
	}

	run(now: number): string[] {
		const due = this.entries.filter((e) => e.deadline <= now);
		this.entries = this.entries.filter((e) => e.deadline > now);
		return due.map((e) => e.key);
	}
}

test('EventQueue behaves as a sorted array does, across restores', () => {
	const key = fc.integer({ min: 0, max: 40 }).map((n) => `k${n}`);
	const step = fc.oneof(
		{ weight: 6, arbitrary: fc.tuple(fc.constant('schedule' as const), key, fc.nat(60)) },
		{ weight: 2, arbitrary: fc.tuple(fc.constant('cancel' as const), key, fc.constant(0)) },
		{ weight: 1, arbitrary: fc.tuple(fc.constant('run' as const), fc.constant(''), fc.nat(20)) },
		{ weight: 1, arbitrary: fc.tuple(fc.constant('restore' as const), fc.constant(''), fc.constant(0)) },
	);
	fc.assert(
		fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
			let queue = new EventQueue();
			const naive = new NaiveQueue();
			let now = 0;
			for (const [kind, k, n] of steps) {
				if (kind === 'schedule') {
					queue.schedule(k, now + n);
					naive.schedule(k, now + n);
				} else if (kind === 'cancel') {
					expect(queue.cancel(k)).toBe(naive.cancel(k));
				} else if (kind === 'run') {
					now += n;
					expect(drain(queue, now)).toEqual(naive.run(now));
				} else {
					queue = new EventQueue(structuredClone(queue.state));
				}
				expect(queue.size).toBe(naive.entries.length);
				expect(queue.nextDeadline()).toBe(naive.entries[0]?.deadline ?? NEVER);
				expect(queue.deadlineOf('k0')).toBe(naive.entries.find((e) => e.key === 'k0')?.deadline ?? NEVER);
			}
			expect(queue.state).toEqual({ entries: naive.entries, nextSequence: naive.sequence });
		}),
		{ numRuns: 300 },
	);
});
