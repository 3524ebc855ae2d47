// A bounded list of sporadic refills: how much of a budget may be used from when on. Who uses it is not known here.
//
// A refill (time, amount) grants `amount` nanoseconds from `time` on. Use is taken from the first refill and comes back one
// period after that refill's time. This is the sporadic server of Sprunt, Sha and Lehoczky as corrected by Stanovich,
// Baker, Wang and Harbour ("Defects of the POSIX Sporadic Server and How to Correct Them", RTAS 2010): overruns are
// charged to later refills, small fragments are merged, and a full list delays budget instead of losing or advancing it.
//
// Invariants: amounts are positive and sum to the budget; refills are in order and do not overlap
// (time + amount <= next time).

import { checkInteger } from './check.ts';

/** Budget that may be used from some time on. */
export interface Refill {
	/** Nanoseconds of virtual time. */
	readonly time: number;
	/** Nanoseconds of processor time. */
	readonly amount: number;
}

/** State of a {@link RefillList}. Plain data. */
export interface RefillListState {
	/** Nanoseconds for each period. */
	readonly budget: number;
	/** Nanoseconds after which use comes back. */
	readonly period: number;
	/** How many refills there may be. */
	readonly limit: number;
	/** The least amount, in nanoseconds, that the first refill has. */
	readonly minimum: number;
	/** The pending refills, the next first. */
	readonly refills: readonly Refill[];
}

interface MutableRefill {
	time: number;
	amount: number;
}

/** Most refills that a list may be given. */
export const REFILL_LIMIT = 4096;

// Times stay exact integers: what lies beyond is never due.
function later(time: number, span: number): number {
	return Math.min(time + span, Number.MAX_SAFE_INTEGER);
}

/** A budget, what of it is left, and when the rest comes back. */
export class RefillList {
	#budget: number;
	#period: number;
	#limit: number;
	readonly #minimum: number;
	#refills: MutableRefill[];

	/**
	 * Starts with the whole budget from `time` on, or from a state.
	 * Throws a `RangeError` for an impossible or broken one.
	 */
	constructor(config: Omit<RefillListState, 'refills'> & ({ readonly time: number } | RefillListState)) {
		const { budget, period, limit, minimum } = config;
		checkRefillParameters(budget, period, limit, minimum);
		this.#budget = budget;
		this.#period = period;
		this.#limit = limit;
		this.#minimum = minimum;
		if ('time' in config) {
			checkInteger('the time', config.time);
			this.#refills = [{ time: config.time, amount: budget }];
			return;
		}
		this.#refills = config.refills.map(({ time, amount }) => ({ time, amount }));
		let sum = 0;
		let end = 0;
		for (const { time, amount } of this.#refills) {
			checkInteger('the time of a refill', time, Math.min(end, Number.MAX_SAFE_INTEGER));
			checkInteger('the amount of a refill', amount, 1, budget);
			end = time + amount;
			sum += amount;
		}
		if (sum !== budget) throw new RangeError(`the refills sum to ${sum} ns, not to the budget of ${budget} ns`);
		if (this.#refills.length > limit) throw new RangeError(`${this.#refills.length} refills, but at most ${limit} fit`);
		if (this.#refills[0]!.amount < minimum) throw new RangeError('the first refill is below the minimum');
	}

	/** A copy of the state. */
	get state(): RefillListState {
		return {
			budget: this.#budget,
			period: this.#period,
			limit: this.#limit,
			minimum: this.#minimum,
			refills: this.#refills.map(({ time, amount }) => ({ time, amount })),
		};
	}

	/** When the first refill may be used, in nanoseconds of virtual time. */
	get time(): number {
		return this.#refills[0]!.time;
	}

	/** What the first refill holds, in nanoseconds. */
	get amount(): number {
		return this.#refills[0]!.amount;
	}

	/**
	 * Takes `usage` nanoseconds, from the first refill on. More than was due is an overrun: it is taken from later refills,
	 * which come back later.
	 * @returns whether the first refill was used up, or was merged with a later one since too little was left of it
	 */
	charge(usage: number): boolean {
		const refills = this.#refills;
		let changed = false;
		if (usage >= this.#budget) {
			// Each whole budget takes every refill once: all of them come back a period later. No loop over a huge overrun.
			const rounds = Math.floor(usage / this.#budget);
			for (const refill of refills) refill.time = later(refill.time, rounds * this.#period);
			usage %= this.#budget;
			changed = true;
		}
		while (usage > 0 && usage >= refills[0]!.amount) {
			const { time, amount } = refills.shift()!;
			usage -= amount;
			this.#schedule(later(time, this.#period), amount);
			changed = true;
		}
		if (usage > 0) {
			const first = refills[0]!;
			const time = first.time;
			first.time = later(time, usage);
			first.amount -= usage;
			this.#schedule(later(time, this.#period), usage);
		}
		// A fragment that is too short to be worth a switch waits for the next refill, and is used just before it.
		while (refills[0]!.amount < this.#minimum) {
			const { time, amount } = refills.shift()!;
			const next = refills[0]!;
			next.time = Math.max(time, next.time - amount);
			next.amount += amount;
			changed = true;
		}
		return changed;
	}

	/** Becomes eligible at `now`: budget that was not used before is counted from now on, and what is due then is merged. */
	begin(now: number): void {
		const refills = this.#refills;
		const first = refills[0]!;
		if (first.time > now) return;
		first.time = now;
		let merged = 0;
		while (merged + 1 < refills.length && refills[merged + 1]!.time <= now + first.amount) {
			merged++;
			first.amount += refills[merged]!.amount;
		}
		if (merged > 0) refills.splice(1, merged);
	}

	/**
	 * Runs at `now` after it had to wait: budget that waited so long that it cannot be used within its period is counted from
	 * then on that it could, and so is not saved up. No effect if the server is schedulable: it never waits that long.
	 */
	delay(now: number): void {
		this.begin(now - (this.#period - this.#budget));
	}

	/**
	 * Changes budget, period and limit. What is left of the first refill stays, up to the new budget; the rest of the new
	 * budget comes one new period after it. Throws a `RangeError` and changes nothing if they are impossible.
	 */
	change(budget: number, period: number, limit: number): void {
		checkRefillParameters(budget, period, limit, this.#minimum);
		const { time, amount } = this.#refills[0]!;
		this.#budget = budget;
		this.#period = period;
		this.#limit = limit;
		this.#refills = [{ time, amount: Math.min(amount, budget) }];
		if (amount < budget) this.#schedule(later(time, period), budget - amount);
	}

	#schedule(time: number, amount: number): void {
		const refills = this.#refills;
		const last = refills.at(-1);
		if (last !== undefined && last.time + last.amount >= time) {
			last.amount += amount;
		} else if (last !== undefined && refills.length >= this.#limit) {
			last.time = time - last.amount;
			last.amount += amount;
		} else {
			refills.push({ time, amount });
		}
	}
}

function checkRefillParameters(budget: number, period: number, limit: number, minimum: number): void {
	checkInteger('the minimum budget', minimum, 1);
	checkInteger('the period', period, 1);
	checkInteger('the budget', budget, minimum, period);
	checkInteger('the number of refills', limit, 2, REFILL_LIMIT);
}
