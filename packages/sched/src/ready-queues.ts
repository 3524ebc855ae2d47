// Ready queues by priority: a doubly linked list for each of 256 levels, and a bitmap of those that are not empty, in two
// levels. Putting in, taking out and finding the most urgent take constant time.

/** How many priorities there are. */
export const PRIORITIES = 256;

/** What the queues hold. `next`, `previous` and `queue` are theirs; `queue` is -1 while the entry is in none. */
export interface QueueEntry<T> {
	next: T | undefined;
	previous: T | undefined;
	queue: number;
}

/** FIFO queues by priority. */
export class ReadyQueues<T extends QueueEntry<T>> {
	readonly #heads: (T | undefined)[] = new Array<T | undefined>(PRIORITIES).fill(undefined);
	readonly #tails: (T | undefined)[] = new Array<T | undefined>(PRIORITIES).fill(undefined);
	// Bit b of word w: the queue of priority 32 w + b is not empty. Bit w of the summary: word w is not 0.
	readonly #words: Int32Array = new Int32Array(PRIORITIES / 32);
	#summary = 0;

	/** The first entry of the most urgent queue that is not empty. */
	get first(): T | undefined {
		if (this.#summary === 0) return undefined;
		const word = 31 - Math.clz32(this.#summary);
		return this.#heads[32 * word + 31 - Math.clz32(this.#words[word]!)];
	}

	/** Puts an entry into the queue of a priority; it must be in none. */
	push(entry: T, priority: number, front: boolean): void {
		const head = this.#heads[priority];
		const tail = this.#tails[priority];
		entry.queue = priority;
		if (head === undefined || tail === undefined) {
			this.#heads[priority] = entry;
			this.#tails[priority] = entry;
			this.#words[priority >> 5]! |= 1 << (priority & 31);
			this.#summary |= 1 << (priority >> 5);
		} else if (front) {
			entry.next = head;
			head.previous = entry;
			this.#heads[priority] = entry;
		} else {
			entry.previous = tail;
			tail.next = entry;
			this.#tails[priority] = entry;
		}
	}

	/** Takes an entry out; it must be in one of these queues. */
	remove(entry: T): void {
		const { queue, next, previous } = entry;
		if (previous === undefined) this.#heads[queue] = next;
		else previous.next = next;
		if (next === undefined) this.#tails[queue] = previous;
		else next.previous = previous;
		entry.next = undefined;
		entry.previous = undefined;
		entry.queue = -1;
		if (next === undefined && previous === undefined) {
			this.#words[queue >> 5]! &= ~(1 << (queue & 31));
			if (this.#words[queue >> 5] === 0) this.#summary &= ~(1 << (queue >> 5));
		}
	}

	/** All entries: the most urgent queue first, each from its front. */
	*entries(): Generator<T> {
		for (let priority = PRIORITIES - 1; priority >= 0; priority--) {
			for (let entry = this.#heads[priority]; entry !== undefined; entry = entry.next) yield entry;
		}
	}
}
