/**
 * Scheduling domains: which domain a thread is in, and the schedule, as the Domain capability sets them. There is one
 * domain at a time; a schedule of several is kept, and the kernel switches where it says.
 */

/** An entry of the schedule; a duration of 0 ends it. */
export interface DomainEntry {
	readonly domain: number;
	/** Ticks of the timer. */
	readonly duration: bigint;
}

/** State of a {@link DomainSchedule}. Plain data. */
export interface DomainState {
	readonly entries: readonly DomainEntry[];
	readonly start: number;
}

/** See the file's head. */
export class DomainSchedule {
	/** How many domains there are. */
	readonly domains: number;
	#entries: DomainEntry[];
	#start = 0;

	/** @param entries - how many the schedule has */
	constructor(domains: number, entries: number) {
		this.domains = domains;
		this.#entries = Array.from({ length: entries }, () => ({ domain: 0, duration: 0n }));
	}

	get state(): DomainState {
		return { entries: this.#entries.map((entry) => ({ ...entry })), start: this.#start };
	}

	restore({ entries, start }: DomainState): void {
		this.#entries = entries.map((entry) => ({ ...entry }));
		this.#start = start;
	}

	/** How many entries the schedule has. */
	get length(): number {
		return this.#entries.length;
	}

	/** Whether an entry can be where the schedule starts. */
	canStart(index: number): boolean {
		return (this.#entries[index]?.duration ?? 0n) !== 0n;
	}

	set(index: number, entry: DomainEntry): void {
		this.#entries[index] = entry;
	}

	start(index: number): void {
		this.#start = index;
	}
}
