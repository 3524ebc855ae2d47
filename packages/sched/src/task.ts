// The task model that simulation and analysis share: a task releases jobs, each with an execution time and a deadline.

import { checkInteger } from './check.ts';
import { PRIORITIES } from './ready-queues.ts';

/**
 * A task. Its jobs *arrive* at least one period apart, are *released* up to `jitter` after they arrived, need up to `wcet`
 * of processor time, and should be complete `deadline` after they arrived. Response times also count from the arrival.
 * All times are integer nanoseconds (or any other unit, the same for all).
 */
export interface Task {
	/** What to call it in reports. */
	readonly name?: string;
	/** 0 to 255; larger is more urgent. */
	readonly priority: number;
	/** Least time between arrivals. */
	readonly period: number;
	/** Worst-case execution time of a job, at least 1. */
	readonly wcet: number;
	/** From arrival; the period if not given. May be larger than the period. */
	readonly deadline?: number;
	/** Largest time from arrival to release; 0 if not given. */
	readonly jitter?: number;
}

/** Throws a `RangeError` for a task that cannot be. */
export function checkTask(task: Task): void {
	const of = task.name === undefined ? '' : ` of ${task.name}`;
	checkInteger(`the priority${of}`, task.priority, 0, PRIORITIES - 1);
	checkInteger(`the period${of}`, task.period, 1);
	checkInteger(`the wcet${of}`, task.wcet, 1);
	checkInteger(`the deadline${of}`, task.deadline ?? 1, 1);
	checkInteger(`the jitter${of}`, task.jitter ?? 0);
}

/** Share of a processor that tasks use at most: the sum of wcet / period. */
export function utilisation(tasks: Iterable<Pick<Task, 'wcet' | 'period'>>): number {
	let sum = 0;
	for (const { wcet, period } of tasks) sum += wcet / period;
	return sum;
}
