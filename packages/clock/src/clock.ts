// Virtual time, and the models that say how much of it passes when instructions retire.
// Nothing here reads a wall clock: time moves only when its owner says so. Keeping pace with real time is in pacing.ts.

import { checkTime, NEVER, Ratio } from './ratio.ts';

/** State of a {@link ClockModel}: what it carries from one charge to the next. Plain data. */
export interface ClockModelState {
	/** Fraction of a nanosecond not yet shown, in units that the model defines. */
	readonly remainder: number;
}

/**
 * How instructions become time. `VirtualClock` needs one; {@link InstructionClock} is the plain one. A model that also
 * charges other things (TLB refills, say) implements the same port, and may then answer {@link instructionsUntil} with
 * a bound: never more instructions than the deadline allows, at least 1 while it lies ahead. Callers loop anyway.
 */
export interface ClockModel {
	/** What the model carries over, as plain data. */
	readonly state: ClockModelState;
	/** Nanoseconds by which the clock will have moved after `instructions` more have retired. Changes nothing. */
	nanosAfter(instructions: number): number;
	/** The least number of instructions after which the clock has moved by at least `nanos`. Changes nothing. */
	instructionsUntil(nanos: number): number;
	/** Charges `instructions`, and returns the nanoseconds by which the clock moves. */
	retire(instructions: number): number;
	/** Takes over a state. Throws a RangeError where it is none of this model's. */
	restore(state: ClockModelState): void;
}

/** The rate of an {@link InstructionClock}: so many instructions take so many nanoseconds. */
export interface InstructionRate {
	/** Instructions, a positive integer. */
	readonly instructions: number;
	/** The nanoseconds that they take together, a positive integer. */
	readonly nanoseconds: number;
}

/**
 * The `instructions` model: every instruction takes the same rational number of nanoseconds, by default exactly 1.
 * Arithmetic is exact; the fraction of a nanosecond is carried, so that the sum of many small charges equals one large
 * charge.
 */
export class InstructionClock implements ClockModel {
	readonly #ratio: Ratio;
	#remainder = 0;

	/** @throws RangeError for a rate that is not positive, or too fine (see {@link Ratio}). */
	constructor(rate: InstructionRate = { instructions: 1, nanoseconds: 1 }, state?: ClockModelState) {
		this.#ratio = new Ratio(rate.nanoseconds, rate.instructions);
		if (state) this.restore(state);
	}

	get state(): ClockModelState {
		return { remainder: this.#remainder };
	}

	restore(state: ClockModelState): void {
		const { remainder } = state;
		if (!(Number.isSafeInteger(remainder) && remainder >= 0 && remainder < this.#ratio.denominator)) {
			throw new RangeError(
				`clock model state: remainder ${remainder} is not an integer from 0 to ${this.#ratio.denominator - 1}`,
			);
		}
		this.#remainder = remainder;
	}

	nanosAfter(instructions: number): number {
		return this.#ratio.floor(instructions, this.#remainder);
	}

	instructionsUntil(nanos: number): number {
		return nanos <= 0 ? 0 : this.#ratio.leastReaching(nanos, this.#remainder);
	}

	retire(instructions: number): number {
		checkTime('instructions', instructions);
		const nanos = this.#ratio.floor(instructions, this.#remainder);
		this.#remainder = this.#ratio.remainder(instructions, this.#remainder);
		return nanos;
	}
}

/** State of a {@link VirtualClock}. Plain data: it can be cloned, stored and compared. */
export interface VirtualClockState {
	/** Nanoseconds since reset. */
	readonly now: number;
	/** What the model carries. */
	readonly model: ClockModelState;
}

/** What a {@link VirtualClock} is made of. */
export interface VirtualClockOptions {
	/** How instructions become time; by default 1 instruction takes 1 ns. */
	readonly model?: ClockModel;
	/** Where to continue from; by default time starts at 0. */
	readonly state?: VirtualClockState;
}

/**
 * Virtual time: integer nanoseconds since reset, as a `number`, exact up to 2^53 - 1 (104 days). Time that would pass
 * that end stays at {@link NEVER}; it never runs backwards.
 */
export class VirtualClock {
	readonly #model: ClockModel;
	#now = 0;

	constructor(options: VirtualClockOptions = {}) {
		this.#model = options.model ?? new InstructionClock();
		if (options.state) this.restore(options.state);
	}

	/** Nanoseconds since reset. */
	now(): number {
		return this.#now;
	}

	/** A copy of the state. */
	get state(): VirtualClockState {
		return { now: this.#now, model: this.#model.state };
	}

	/** Takes over a state. Throws a RangeError, and changes nothing, where it is not valid. */
	restore(state: VirtualClockState): void {
		checkTime('clock state: now', state.now);
		this.#model.restore(state.model);
		this.#now = state.now;
	}

	/** What {@link now} will be after `instructions` more have retired. Changes nothing. */
	nanosAfter(instructions: number): number {
		return Math.min(this.#now + this.#model.nanosAfter(instructions), NEVER);
	}

	/** The least number of instructions after which {@link now} is at least `deadline`; 0 where it is due already. */
	instructionsUntil(deadline: number): number {
		return deadline <= this.#now ? 0 : this.#model.instructionsUntil(deadline - this.#now);
	}

	/** Lets the time of `instructions` pass, and returns the new {@link now}. */
	retire(instructions: number): number {
		return this.advance(this.#model.retire(instructions));
	}

	/** Lets `nanos` pass without instructions (a modelled cost, an idle hart), and returns the new {@link now}. */
	advance(nanos: number): number {
		checkTime('nanoseconds', nanos);
		this.#now = Math.min(this.#now + nanos, NEVER);
		return this.#now;
	}

	/** Jumps ahead to `deadline`, as an idle machine does; a deadline in the past changes nothing. */
	advanceTo(deadline: number): number {
		return deadline <= this.#now ? this.#now : this.advance(deadline - this.#now);
	}
}
