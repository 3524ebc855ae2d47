// Response-time analysis for preemptive fixed priorities on one processor: exact for arbitrary deadlines and jitter, by
// level-i busy periods. J. Lehoczky, "Fixed priority scheduling of periodic task sets with arbitrary deadlines", RTSS 1990;
// K. Tindell, A. Burns, A. Wellings, "An extendible approach for analyzing fixed priority hard real-time tasks", 1994.
// Not exact, but safe: equals count as more urgent (whatever their order), blocking, and tasks in a server.

import { checkInteger } from './check.ts';
import { checkResource, type PeriodicResource, supplyTime } from './supply.ts';
import { checkTask, type Task, utilisation } from './task.ts';

/** A task to analyse. */
export interface AnalysedTask extends Task {
	/** The longest time for which less urgent work holds it up (critical sections, kernel paths); 0 if not given. */
	readonly blocking?: number;
}

/** What analysis says of a task. */
export interface ResponseTime {
	/** The bound, from arrival to completion. `Infinity`: none, or none found within {@link ANALYSIS_STEPS} steps. */
	readonly response: number;
	/** Whether the bound is within the deadline. */
	readonly schedulable: boolean;
}

/** Steps of iteration after which the analysis of one task gives up, and says that it has no bound. */
export const ANALYSIS_STEPS = 1_000_000;

/** Options of {@link responseTimes}. */
export interface ResponseTimeOptions {
	/** The resource in which the tasks share; without it, they have the whole processor. */
	readonly resource?: PeriodicResource;
	/** Whether to stop at the first bound beyond a task's deadline and call it `Infinity`, which is faster. */
	readonly stopAtDeadline?: boolean;
}

/**
 * Bounds on the response times of sporadic or periodic tasks under preemptive fixed priorities, in the order of the tasks.
 * For tasks of distinct priorities without blocking that have a whole processor, the bounds are exact: they occur when all
 * tasks are released at once after their full jitter, and then as early as may be.
 * Throws a `RangeError` for tasks that cannot be.
 */
export function responseTimes(tasks: readonly AnalysedTask[], options: ResponseTimeOptions = {}): ResponseTime[] {
	const { resource, stopAtDeadline = false } = options;
	for (const task of tasks) {
		checkTask(task);
		checkInteger('the blocking', task.blocking ?? 0);
	}
	if (resource) checkResource(resource);
	return tasks.map((task, index) => {
		const rivals = tasks.filter((each, other) => other !== index && each.priority >= task.priority);
		const deadline = task.deadline ?? task.period;
		const response = responseTime(task, rivals, resource, stopAtDeadline ? deadline : Number.POSITIVE_INFINITY);
		return { response, schedulable: response <= deadline };
	});
}

/** Whether every task surely meets its deadlines: {@link responseTimes}, stopping at the first that might not. */
export function isSchedulable(tasks: readonly AnalysedTask[], resource?: PeriodicResource): boolean {
	const bounds = responseTimes(tasks, { stopAtDeadline: true, ...(resource && { resource }) });
	return bounds.every(({ schedulable }) => schedulable);
}

function responseTime(
	task: AnalysedTask,
	rivals: readonly Task[],
	resource: PeriodicResource | undefined,
	limit: number,
): number {
	const { wcet, period, jitter = 0, blocking = 0 } = task;
	const bandwidth = resource ? resource.budget / resource.period : 1;
	// Sums of fractions are rounded; what is over the limit by less than that runs into the step limit.
	if (utilisation([task, ...rivals]) > bandwidth + 1e-9) return Number.POSITIVE_INFINITY;
	let worst = 0;
	let window = 0;
	let steps = 0;
	for (let job = 0; ; job++) {
		// The longest time from the start of a busy period until this many jobs are complete: the least fixed point.
		const own = blocking + (job + 1) * wcet;
		for (let next = Math.max(window, own); ; ) {
			window = next;
			let demand = own;
			for (const rival of rivals) demand += Math.ceil((window + (rival.jitter ?? 0)) / rival.period) * rival.wcet;
			if (demand > Number.MAX_SAFE_INTEGER || ++steps > ANALYSIS_STEPS) return Number.POSITIVE_INFINITY;
			next = resource ? supplyTime(resource, demand) : demand;
			if (next - job * period + jitter > limit) return Number.POSITIVE_INFINITY;
			if (next <= window) break;
		}
		worst = Math.max(worst, window - job * period + jitter);
		// Over before the next job can be released.
		if (window <= (job + 1) * period - jitter) return worst;
	}
}

/** The utilisation up to which any `count` periodic tasks meet implicit deadlines under rate-monotonic priorities. */
export function liuLaylandBound(count: number): number {
	checkInteger('the number of tasks', count, 1);
	return count * (2 ** (1 / count) - 1);
}

/**
 * The least budget with which a server of the given period surely meets all deadlines of its tasks, or `undefined` if not
 * even the whole processor does.
 */
export function leastBudget(tasks: readonly AnalysedTask[], period: number): number | undefined {
	if (!isSchedulable(tasks, { budget: period, period })) return undefined;
	let least = 1;
	let enough = period;
	while (least < enough) {
		const budget = Math.floor((least + enough) / 2);
		if (isSchedulable(tasks, { budget, period })) enough = budget;
		else least = budget + 1;
	}
	return enough;
}
