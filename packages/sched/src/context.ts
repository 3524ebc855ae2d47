// A scheduling context: how much processor time it still grants. Who has it, and queues, are the policy's.

import { checkInteger } from './check.ts';
import type { ContextId, ContextParameters, EntityId, RefillRule } from './policy.ts';
import { RefillList, type RefillListState } from './refills.ts';

/** Refills that may be pending at once unless parameters say otherwise. */
export const DEFAULT_REFILLS = 8;

/** State of one scheduling context. Plain data. */
export interface ContextState {
	/** Its number. */
	readonly id: ContextId;
	/** Whether it was made with the entity of the same number, and goes with it. */
	readonly own: boolean;
	/** Budget and refills, if its time is limited. */
	readonly refills?: RefillListState;
	/** When used budget comes back. */
	readonly rule: RefillRule;
	/** Nanoseconds after which a ready equal gets its turn. */
	readonly slice?: number;
	/** Nanoseconds left of the current slice. */
	readonly sliceLeft?: number;
	/** Nanoseconds charged so far. */
	readonly consumed: number;
	/** Since when nobody has been ready on it; absent while somebody is. */
	readonly idleSince?: number;
	/** Who has it. */
	readonly owner?: EntityId;
}

/** What the policy wants done with the entity after a charge. */
export type ChargeEffect = 'continue' | 'turn over' | 'exhausted';

/** A scheduling context. */
export class Context<Owner extends { readonly id: EntityId }> {
	readonly id: ContextId;
	readonly own: boolean;
	readonly #minimum: number;
	#refills: RefillList | undefined;
	#rule: RefillRule = 'sporadic';
	#slice: number | undefined;
	#sliceLeft: number | undefined;
	#consumed = 0;
	#idleSince: number | undefined;
	owner: Owner | undefined;

	constructor(id: ContextId, own: boolean, minimum: number) {
		this.id = id;
		this.own = own;
		this.#minimum = minimum;
	}

	/** A context as a state says, owner aside. Throws a `RangeError` for a broken state. */
	static from<Owner extends { readonly id: EntityId }>(state: ContextState, minimum: number): Context<Owner> {
		checkInteger('the number of a context', state.id);
		const context = new Context<Owner>(state.id, state.own === true, minimum);
		const { refills, rule, slice, sliceLeft } = state;
		checkRule(rule);
		if (refills !== undefined) {
			if (refills.minimum !== minimum) throw new RangeError(`context ${state.id} has another minimum budget`);
			context.#refills = new RefillList(refills);
		}
		if (slice !== undefined) {
			checkInteger('the slice', slice, 1);
			checkInteger('what is left of the slice', sliceLeft, 1, slice);
		} else if (sliceLeft !== undefined) throw new RangeError(`context ${state.id} has the rest of no slice`);
		checkInteger('the time consumed', state.consumed);
		if (state.idleSince !== undefined) checkInteger('the time since which a context is idle', state.idleSince);
		context.#rule = rule;
		context.#slice = slice;
		context.#sliceLeft = sliceLeft;
		context.#consumed = state.consumed;
		context.#idleSince = state.idleSince;
		return context;
	}

	/** A copy of the state. */
	get state(): ContextState {
		return {
			id: this.id,
			own: this.own,
			...(this.#refills && { refills: this.#refills.state }),
			rule: this.#rule,
			...(this.#slice !== undefined && { slice: this.#slice, sliceLeft: this.#sliceLeft! }),
			consumed: this.#consumed,
			...(this.#idleSince !== undefined && { idleSince: this.#idleSince }),
			...(this.owner && { owner: this.owner.id }),
		};
	}

	/** Sets the parameters at `now`. Throws a `RangeError` and changes nothing if they are impossible. */
	configure(parameters: ContextParameters, slice: number | undefined, now: number): void {
		const { budget, period, refills = DEFAULT_REFILLS, rule = 'sporadic' } = parameters;
		checkRule(rule);
		if ((budget === undefined) !== (period === undefined)) throw new RangeError('a budget and a period go together');
		let turn = parameters.slice ?? slice;
		if (turn !== undefined) checkInteger('the slice', turn, 1);
		if (budget !== undefined && period !== undefined && budget !== period) {
			// A budget is not cut into the policy's slices, only into its own.
			turn = parameters.slice;
			if (this.#refills) this.#refills.change(budget, period, refills);
			else this.#refills = new RefillList({ budget, period, limit: refills, minimum: this.#minimum, time: now });
		} else {
			if (budget !== undefined) {
				checkInteger('the budget', budget, this.#minimum);
				turn = budget;
			}
			this.#refills = undefined;
		}
		this.#rule = rule;
		if (turn !== this.#slice) this.#sliceLeft = turn;
		this.#slice = turn;
	}

	/** Nanoseconds charged so far. */
	get consumed(): number {
		return this.#consumed;
	}

	/** From when on it may be used; 0 if its time is unlimited. */
	get time(): number {
		return this.#refills?.time ?? 0;
	}

	/** The nanoseconds for which it may be used without asking again, once {@link time} has come. */
	get grant(): number | undefined {
		const amount = this.#refills?.amount;
		if (amount === undefined || this.#sliceLeft === undefined) return amount ?? this.#sliceLeft;
		return Math.min(amount, this.#sliceLeft);
	}

	/** Nobody is ready on it from `now` on. */
	rest(now: number): void {
		this.#idleSince ??= now;
	}

	/** Somebody is ready on it from `now` on. */
	resume(now: number): void {
		// Idle for no time at all: still the same busy period.
		if (this.#idleSince !== undefined && this.#idleSince < now) this.#refills?.begin(now);
		this.#idleSince = undefined;
	}

	/** It begins to run at `now`, after another. */
	run(now: number): void {
		if (this.#rule === 'constant-bandwidth') this.#refills?.begin(now);
		else this.#refills?.delay(now);
	}

	/** Takes time that was used up to `now`. */
	charge(nanos: number, now: number): ChargeEffect {
		this.#consumed += nanos;
		let turnOver = false;
		if (this.#sliceLeft !== undefined) {
			this.#sliceLeft -= nanos;
			if (this.#sliceLeft <= 0) {
				this.#sliceLeft = this.#slice;
				turnOver = true;
			}
		}
		if (this.#refills) {
			if (this.#refills.charge(nanos)) turnOver = true;
			if (this.#refills.time > now) return 'exhausted';
		}
		return turnOver ? 'turn over' : 'continue';
	}

	/** Gives up what is left of the current refill or slice. */
	forfeit(now: number): ChargeEffect {
		this.#sliceLeft = this.#slice;
		if (this.#refills) {
			this.#refills.charge(this.#refills.amount);
			if (this.#refills.time > now) return 'exhausted';
		}
		return 'turn over';
	}
}

function checkRule(rule: unknown): void {
	if (rule !== 'sporadic' && rule !== 'constant-bandwidth')
		throw new RangeError(`unknown refill rule '${String(rule)}'`);
}
