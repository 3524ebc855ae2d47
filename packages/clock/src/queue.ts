// What is to happen at which virtual time: a binary heap of plain entries, ordered by (deadline, sequence).
// Entries name a handler by its key and hold no code, so that the queue can be stored and restored.
// The queue does not know the time: its owner passes `now`.

import { checkTime, NEVER } from './ratio.ts';

/** One pending event. Plain data. */
export interface EventEntry {
	/** When it is due, in nanoseconds of virtual time. */
	readonly deadline: number;
	/** Who handles it; at most one event per key is pending. */
	readonly key: string;
	/** Position among events of equal deadline: the one scheduled first comes first. */
	readonly sequence: number;
}

/** State of an {@link EventQueue}: its entries in the order in which they are due. Equal queues have equal states. */
export interface EventQueueState {
	/** Pending events, sorted by (deadline, sequence). */
	readonly entries: readonly EventEntry[];
	/** The sequence number that the next event gets. */
	readonly nextSequence: number;
}

/**
 * Called when an event is due. The event is no longer pending then, so the handler may schedule its key again.
 * @param deadline - when it was due, in nanoseconds; not later than `now`
 * @param now - the time passed to {@link EventQueue.runDue}
 */
export type EventHandler = (deadline: number, now: number) => void;

/** Receives each due event in place of the registered handlers. */
export type EventDispatch = (key: string, deadline: number, now: number) => void;

/** An event was due whose key nobody handles: a part is missing, or a snapshot belongs to another machine. */
export class UnhandledEventError extends Error {
	/** The key without a handler. */
	readonly key: string;

	constructor(key: string) {
		super(`event '${key}' is due, and nothing handles it: register a handler for this key before running`);
		this.name = 'UnhandledEventError';
		this.key = key;
	}
}

/** How many events one call of {@link EventQueue.runDue} runs unless told otherwise. */
export const EVENTS_PER_RUN = 65_536;

interface Slot {
	deadline: number;
	sequence: number;
	readonly key: string;
	/** Its place in the heap. */
	index: number;
}

function before(a: Slot, b: Slot): boolean {
	return a.deadline < b.deadline || (a.deadline === b.deadline && a.sequence < b.sequence);
}

/** Events by virtual time. Scheduling, cancelling and running one cost O(log n). */
export class EventQueue {
	readonly #heap: Slot[] = [];
	readonly #byKey = new Map<string, Slot>();
	readonly #handlers = new Map<string, EventHandler>();
	#nextSequence = 0;

	constructor(state?: EventQueueState) {
		if (state) this.restore(state);
	}

	/** How many events are pending. */
	get size(): number {
		return this.#heap.length;
	}

	/** A copy of the state. Handlers are not part of it. */
	get state(): EventQueueState {
		const entries = this.#heap.map(({ deadline, key, sequence }) => ({ deadline, key, sequence }));
		entries.sort((a, b) => a.deadline - b.deadline || a.sequence - b.sequence);
		return { entries, nextSequence: this.#nextSequence };
	}

	/**
	 * Takes over a state; handlers stay registered. Whether all its events have a handler is what {@link unhandled} says.
	 * @throws RangeError where the state is not valid; the queue is then unchanged
	 */
	restore(state: EventQueueState): void {
		checkTime('event queue state: nextSequence', state.nextSequence);
		const keys = new Set<string>();
		const sequences = new Set<number>();
		for (const { deadline, key, sequence } of state.entries) {
			checkTime(`event queue state: deadline of '${key}'`, deadline);
			checkTime(`event queue state: sequence of '${key}'`, sequence);
			if (typeof key !== 'string' || keys.has(key)) {
				throw new RangeError(`event queue state: key '${key}' is not a string, or stands there twice`);
			}
			if (sequence >= state.nextSequence || sequences.has(sequence)) {
				throw new RangeError(
					`event queue state: sequence ${sequence} of '${key}' is taken, or not below nextSequence ${state.nextSequence}`,
				);
			}
			if (deadline >= NEVER) throw new RangeError(`event queue state: '${key}' is due at the end of time`);
			keys.add(key);
			sequences.add(sequence);
		}
		this.#heap.length = 0;
		this.#byKey.clear();
		for (const { deadline, key, sequence } of state.entries) this.#insert(key, deadline, sequence);
		this.#nextSequence = state.nextSequence;
	}

	/** Says who handles the events of `key`. @throws Error where the key has a handler already */
	handle(key: string, handler: EventHandler): void {
		if (this.#handlers.has(key)) throw new Error(`event '${key}' has a handler already: keys must be unique`);
		this.#handlers.set(key, handler);
	}

	/** The keys of pending events that have no handler, in order of their deadlines. After a restore it should be empty. */
	unhandled(): string[] {
		return this.state.entries.map((entry) => entry.key).filter((key) => !this.#handlers.has(key));
	}

	/**
	 * Schedules the event of `key`, in place of the one that is pending for it, if any. It then comes after all events of
	 * the same deadline. A deadline of {@link NEVER} only cancels; one in the past is due at once.
	 * @param deadline - nanoseconds of virtual time, an integer from 0 to NEVER
	 */
	schedule(key: string, deadline: number): void {
		checkTime(`deadline of event '${key}'`, deadline);
		if (deadline >= NEVER) {
			this.cancel(key);
			return;
		}
		const slot = this.#byKey.get(key);
		if (slot === undefined) {
			this.#insert(key, deadline, this.#nextSequence++);
			return;
		}
		slot.deadline = deadline;
		slot.sequence = this.#nextSequence++;
		this.#siftUp(slot);
		this.#siftDown(slot);
	}

	/** Drops the event of `key`. Returns whether one was pending. */
	cancel(key: string): boolean {
		const slot = this.#byKey.get(key);
		if (slot === undefined) return false;
		this.#remove(slot);
		return true;
	}

	/** When the event of `key` is due, or {@link NEVER} where none is pending. */
	deadlineOf(key: string): number {
		return this.#byKey.get(key)?.deadline ?? NEVER;
	}

	/** When the first event is due, or {@link NEVER} where the queue is empty. */
	nextDeadline(): number {
		return this.#heap.length === 0 ? NEVER : this.#heap[0].deadline;
	}

	/**
	 * Runs what is due at `now`, in order of (deadline, sequence), events included that handlers schedule meanwhile.
	 *
	 * Since a guest may make a device schedule for the same instant over and over, one call runs at most `limit` events;
	 * what is left stays pending. An exception of a handler passes through; its own event is gone, all others stay.
	 *
	 * @returns how many events ran
	 * @throws UnhandledEventError for a key without handler (it stays pending), where `dispatch` is not given
	 */
	runDue(now: number, dispatch?: EventDispatch, limit: number = EVENTS_PER_RUN): number {
		let count = 0;
		while (count < limit && this.#heap.length > 0) {
			const slot = this.#heap[0];
			const { key, deadline } = slot;
			if (deadline > now) break;
			if (dispatch) {
				this.#remove(slot);
				dispatch(key, deadline, now);
			} else {
				const handler = this.#handlers.get(key);
				if (handler === undefined) throw new UnhandledEventError(key);
				this.#remove(slot);
				handler(deadline, now);
			}
			count++;
		}
		return count;
	}

	#insert(key: string, deadline: number, sequence: number): void {
		const slot: Slot = { deadline, sequence, key, index: this.#heap.length };
		this.#heap.push(slot);
		this.#byKey.set(key, slot);
		this.#siftUp(slot);
	}

	#remove(slot: Slot): void {
		this.#byKey.delete(slot.key);
		const last = this.#heap.pop()!;
		if (last === slot) return;
		last.index = slot.index;
		this.#heap[slot.index] = last;
		this.#siftUp(last);
		this.#siftDown(last);
	}

	#siftUp(slot: Slot): void {
		const heap = this.#heap;
		let { index } = slot;
		while (index > 0) {
			const parentIndex = (index - 1) >> 1;
			const parent = heap[parentIndex];
			if (!before(slot, parent)) break;
			heap[index] = parent;
			parent.index = index;
			index = parentIndex;
		}
		heap[index] = slot;
		slot.index = index;
	}

	#siftDown(slot: Slot): void {
		const heap = this.#heap;
		const size = heap.length;
		let { index } = slot;
		for (;;) {
			let childIndex = 2 * index + 1;
			if (childIndex >= size) break;
			if (childIndex + 1 < size && before(heap[childIndex + 1], heap[childIndex])) childIndex++;
			const child = heap[childIndex];
			if (!before(child, slot)) break;
			heap[index] = child;
			child.index = index;
			index = childIndex;
		}
		heap[index] = slot;
		slot.index = index;
	}
}
