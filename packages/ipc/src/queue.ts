// A queue of waiting threads, the most urgent first and first in, first out among equals. Each level (priority) that is
// present is a ring of threads; the head of a ring also links to the heads of the next levels, above and below. So a
// thread joins in a time that grows with the levels present (at most 256), never with the threads, and leaves in
// constant time. The owner's column `first` holds the head of the uppermost level.

import type { ThreadColumns } from './state.ts';

type Heads = Int32Array<ArrayBuffer>;

/** Puts a thread that is in no queue behind all of its level. */
export function enqueue(threads: ThreadColumns, first: Heads, owner: number, thread: number, level: number): void {
	const { level: levels, next, previous, above, below } = threads;
	levels[thread] = level;
	let upper = 0;
	let head = first[owner];
	while (head !== 0 && levels[head] > level) {
		upper = head;
		head = below[head];
	}
	if (head !== 0 && levels[head] === level) {
		const last = previous[head];
		next[last] = thread;
		previous[thread] = last;
		next[thread] = head;
		previous[head] = thread;
		return;
	}
	next[thread] = thread;
	previous[thread] = thread;
	above[thread] = upper;
	below[thread] = head;
	if (upper === 0) first[owner] = thread;
	else below[upper] = thread;
	if (head !== 0) above[head] = thread;
}

/** Takes a thread out of its owner's queue. */
export function leave(threads: ThreadColumns, first: Heads, owner: number, thread: number): void {
	const { next, previous, above, below } = threads;
	const following = next[thread];
	const upper = above[thread];
	const lower = below[thread];
	const alone = following === thread;
	// Only heads have neighbours above and below; the uppermost head is the owner's first.
	if (first[owner] === thread || upper !== 0) {
		const head = alone ? lower : following;
		if (upper === 0) first[owner] = head;
		else below[upper] = head;
		if (alone) {
			if (lower !== 0) above[lower] = upper;
		} else {
			above[following] = upper;
			below[following] = lower;
			if (lower !== 0) above[lower] = following;
		}
	}
	if (!alone) {
		next[previous[thread]] = following;
		previous[following] = previous[thread];
	}
	next[thread] = 0;
	previous[thread] = 0;
	above[thread] = 0;
	below[thread] = 0;
}

/** The threads of a queue, in order. */
export function members(threads: ThreadColumns, head: number): number[] {
	const { next, below } = threads;
	const found: number[] = [];
	for (let ring = head; ring !== 0; ring = below[ring]) {
		let thread = ring;
		do {
			found.push(thread);
			thread = next[thread];
		} while (thread !== ring);
	}
	return found;
}
