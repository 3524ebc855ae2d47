// The periodic resource model: how much processor time a budgeted server gets at least. I. Shin, I. Lee, "Periodic Resource
// Model for Compositional Real-Time Guarantees", RTSS 2003.

import { checkInteger } from './check.ts';

/** A resource that supplies `budget` of processor time in each period, somewhere in it. */
export interface PeriodicResource {
	/** Processor time for each period. */
	readonly budget: number;
	/** The period, at least `budget`. */
	readonly period: number;
}

/** Throws a `RangeError` for a resource that cannot be. */
export function checkResource({ budget, period }: PeriodicResource): void {
	checkInteger('the period', period, 1);
	checkInteger('the budget', budget, 1, period);
}

/**
 * The supply bound function: the least processor time that the resource supplies in any interval of length `time`. The worst
 * interval begins just after a budget was used up at once, and the next one comes at the end of its period.
 */
export function supplyBound(resource: PeriodicResource, time: number): number {
	checkResource(resource);
	checkInteger('the length of the interval', time);
	const { budget, period } = resource;
	const gap = period - budget;
	const after = time - 2 * gap;
	if (after <= 0) return 0;
	const whole = Math.floor(after / period);
	return whole * budget + Math.min(budget, after - whole * period);
}

/** The least length of an interval in which the resource surely supplies `amount`: the inverse of {@link supplyBound}. */
export function supplyTime(resource: PeriodicResource, amount: number): number {
	checkResource(resource);
	checkInteger('the amount', amount);
	if (amount === 0) return 0;
	const gap = resource.period - resource.budget;
	return gap + Math.ceil(amount / resource.budget) * gap + amount;
}
