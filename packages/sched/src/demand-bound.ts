// Demand-bound test for preemptive EDF on one processor, by quick processor-demand analysis: S. Baruah, L. Rosier,
// R. Howell, "Algorithms and complexity concerning the preemptive scheduling of periodic, real-time tasks on one
// processor", 1990; F. Zhang, A. Burns, "Schedulability Analysis for Real-Time Systems with EDF Scheduling", 2009.

import { checkTask, type Task, utilisation } from './task.ts';

/** A task under EDF: it needs no priority. */
export type DeadlineTask = Omit<Task, 'priority'>;

/** What the demand-bound test says. */
export interface DemandBoundResult {
	/** Whether EDF meets all deadlines. */
	readonly schedulable: boolean;
	/** If not: the length of an interval in which more must be complete than fits. Absent if the test gave up. */
	readonly interval?: number;
	/** If not: what must be complete in it. */
	readonly demand?: number;
}

/** Steps after which the test gives up and calls a set not schedulable. */
export const DEMAND_STEPS = 1_000_000;

/** Release to deadline, in the worst case. */
function span({ deadline, period, jitter = 0 }: DeadlineTask): number {
	return (deadline ?? period) - jitter;
}

/** The demand bound function: the most processor time of jobs that are released and due in an interval of length `time`. */
export function demandBound(tasks: readonly DeadlineTask[], time: number): number {
	let sum = 0;
	for (const task of tasks) {
		const room = time - span(task);
		if (room >= 0) sum += (Math.floor(room / task.period) + 1) * task.wcet;
	}
	return sum;
}

/**
 * Whether sporadic (or synchronous periodic) tasks meet all deadlines under EDF; exact, for arbitrary deadlines.
 * Throws a `RangeError` for tasks that cannot be.
 */
export function edfTest(tasks: readonly DeadlineTask[]): DemandBoundResult {
	for (const task of tasks) checkTask({ ...task, priority: 0 });
	for (const task of tasks) {
		const interval = Math.max(0, span(task));
		const demand = demandBound(tasks, interval);
		if (demand > interval) return { schedulable: false, interval, demand };
	}
	const first = Math.min(...tasks.map(span));
	const horizon = longestInterval(tasks);
	if (horizon === undefined) return { schedulable: false };
	let interval = lastDeadline(tasks, horizon + 1);
	for (let step = 0; step < DEMAND_STEPS; step++) {
		const demand = demandBound(tasks, interval);
		if (demand > interval) return { schedulable: false, interval, demand };
		if (demand <= first) return { schedulable: true };
		interval = demand < interval ? demand : lastDeadline(tasks, interval);
	}
	return { schedulable: false };
}

/** The latest deadline before `time`; 0 if there is none. */
function lastDeadline(tasks: readonly DeadlineTask[], time: number): number {
	let last = 0;
	for (const task of tasks) {
		const room = time - 1 - span(task);
		if (room >= 0) last = Math.max(last, Math.floor(room / task.period) * task.period + span(task));
	}
	return last;
}

/** No interval longer than this can be the first with too much demand; `undefined` if there is no such length, or none found. */
function longestInterval(tasks: readonly DeadlineTask[]): number | undefined {
	const used = utilisation(tasks);
	// Sums of fractions are rounded; what is over 1 by less than that runs into the step limit.
	if (used > 1 + 1e-9) return undefined;
	let bound = Number.POSITIVE_INFINITY;
	if (used < 1 - 1e-9) {
		let excess = 0;
		for (const task of tasks) excess += ((task.period - span(task)) * task.wcet) / task.period;
		bound = Math.ceil(Math.max(excess / (1 - used), ...tasks.map((task) => span(task) - task.period)) + 1);
	}
	let busy = 0;
	let next = tasks.reduce((sum, { wcet }) => sum + wcet, 0);
	for (let step = 0; next !== busy && next < bound; step++) {
		if (step >= DEMAND_STEPS || next > Number.MAX_SAFE_INTEGER)
			return bound === Number.POSITIVE_INFINITY ? undefined : bound;
		busy = next;
		next = 0;
		for (const { wcet, period, jitter = 0 } of tasks) next += Math.ceil((busy + jitter) / period) * wcet;
	}
	return Math.min(bound, next);
}
