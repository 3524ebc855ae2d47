// A binary heap of entries that know their place in it, so that any of them can be taken out in O(log n).
// Ordered by (time, sequence): entries of equal time come in the order in which they were put in.

/** What the heap holds. `index` and `sequence` are the heap's own; `index` is -1 while the entry is in no heap. */
export interface HeapEntry {
	time: number;
	sequence: number;
	index: number;
}

function before(a: HeapEntry, b: HeapEntry): boolean {
	return a.time < b.time || (a.time === b.time && a.sequence < b.sequence);
}

/** The earliest entry first. */
export class Heap<T extends HeapEntry> {
	readonly #entries: T[] = [];
	#sequence = 0;

	/** The earliest entry, if there is any. */
	get first(): T | undefined {
		return this.#entries[0];
	}

	/** Puts an entry in at a time; it must be in no heap. */
	push(entry: T, time: number): void {
		entry.time = time;
		entry.sequence = this.#sequence++;
		this.#up(this.#entries.push(entry) - 1, entry);
	}

	/** Takes an entry out; it must be in this heap. */
	remove(entry: T): void {
		const hole = entry.index;
		const last = this.#entries.pop()!;
		entry.index = -1;
		if (last === entry) return;
		if (hole > 0 && before(last, this.#entries[(hole - 1) >> 1]!)) this.#up(hole, last);
		else this.#down(hole, last);
	}

	/** All entries, the earliest first. */
	sorted(): T[] {
		return this.#entries.toSorted((a, b) => a.time - b.time || a.sequence - b.sequence);
	}

	#up(hole: number, entry: T): void {
		const entries = this.#entries;
		while (hole > 0) {
			const parent = entries[(hole - 1) >> 1]!;
			if (!before(entry, parent)) break;
			entries[hole] = parent;
			parent.index = hole;
			hole = (hole - 1) >> 1;
		}
		entries[hole] = entry;
		entry.index = hole;
	}

	#down(hole: number, entry: T): void {
		const entries = this.#entries;
		for (;;) {
			let child = 2 * hole + 1;
			if (child >= entries.length) break;
			if (child + 1 < entries.length && before(entries[child + 1]!, entries[child]!)) child++;
			const next = entries[child]!;
			if (!before(next, entry)) break;
			entries[hole] = next;
			next.index = hole;
			hole = child;
		}
		entries[hole] = entry;
		entry.index = hole;
	}
}
