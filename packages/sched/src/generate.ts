// Random task sets for experiments: utilisations by UUniFast (E. Bini, G. Buttazzo, "Measuring the Performance of
// Schedulability Tests", 2005), with discarding for more than one processor (R. Davis, A. Burns, 2009), and log-uniform
// periods (P. Emberson, R. Stafford, R. Davis, WATERS 2010). The same seed gives the same set; logarithms and powers may
// differ in their last bit between JavaScript engines, and then so may a set.

import { checkInteger } from './check.ts';
import { Random } from './random.ts';
import { PRIORITIES } from './ready-queues.ts';
import type { Task } from './task.ts';

/** `count` utilisations that sum to `total`, uniformly distributed over all such. */
export function uunifast(random: Random, count: number, total: number): number[] {
	checkInteger('the number of tasks', count, 1);
	if (!(total > 0)) throw new RangeError(`the utilisation must be positive, not ${total}`);
	const result: number[] = [];
	let sum = total;
	for (let left = count - 1; left > 0; left--) {
		const next = sum * random.next() ** (1 / left);
		result.push(sum - next);
		sum = next;
	}
	result.push(sum);
	return result;
}

/**
 * As {@link uunifast}, but none above `most`: sets with one are discarded, so that the rest stays uniform. Throws an `Error`
 * after 1,000 attempts, and a `RangeError` if there can be none.
 */
export function uunifastDiscard(random: Random, count: number, total: number, most = 1): number[] {
	if (total > count * most) throw new RangeError(`${count} tasks of at most ${most} cannot sum to ${total}`);
	for (let attempt = 0; attempt < 1000; attempt++) {
		const result = uunifast(random, count, total);
		if (result.every((each) => each <= most)) return result;
	}
	throw new Error(`no set of ${count} tasks of at most ${most} that sum to ${total} in 1,000 attempts`);
}

/** Which periods to draw. */
export interface PeriodRange {
	/** Least period. */
	readonly least: number;
	/** Largest period. */
	readonly most: number;
	/** Periods are multiples of this; 1 if not given. */
	readonly granularity?: number;
}

/** `count` periods, log-uniformly distributed: each order of magnitude is as likely as another. */
export function logUniformPeriods(random: Random, count: number, range: PeriodRange): number[] {
	const { least, most, granularity = 1 } = range;
	checkInteger('the granularity', granularity, 1);
	checkInteger('the least period', least, granularity);
	checkInteger('the largest period', most, least);
	// Up to a granule past the largest, since the rounding is downwards.
	const low = Math.log(least);
	const high = Math.log(most + granularity);
	return Array.from({ length: count }, () => {
		const period = Math.exp(low + random.next() * (high - low));
		return Math.min(most, Math.max(least, Math.floor(period / granularity) * granularity));
	});
}

/** What to generate. */
export interface TaskSetOptions {
	/** Seed, or a source of random numbers to go on with. */
	readonly seed: number | Random;
	/** How many tasks; at most 256, so that each has a priority of its own. */
	readonly count: number;
	/** Sum of wcet / period, up to rounding to whole nanoseconds and to 1 at least. */
	readonly utilisation: number;
	/** Range of the periods. */
	readonly periods: PeriodRange;
	/**
	 * `implicit`: deadlines are periods. `constrained`: uniform from wcet to the period. `arbitrary`: uniform from wcet to
	 * twice the period. `implicit` if not given.
	 */
	readonly deadlines?: 'implicit' | 'constrained' | 'arbitrary';
	/** Jitter is uniform up to this share of the period; 0 if not given. */
	readonly jitter?: number;
	/** The order of priorities; `deadline-monotonic` if not given. */
	readonly priorities?: PriorityOrder;
}

/** `rate-monotonic`: the shorter the period, the more urgent. `deadline-monotonic`: the shorter the deadline. */
export type PriorityOrder = 'rate-monotonic' | 'deadline-monotonic';

/** A random task set, by {@link uunifastDiscard} and {@link logUniformPeriods}. */
export function generateTasks(options: TaskSetOptions): Required<Task>[] {
	const { seed, count, utilisation, deadlines = 'implicit', jitter: share = 0 } = options;
	const random = typeof seed === 'number' ? new Random(seed) : seed;
	const shares = uunifastDiscard(random, count, utilisation);
	const tasks = logUniformPeriods(random, count, options.periods).map((period, index) => {
		const wcet = Math.min(period, Math.max(1, Math.round(shares[index]! * period)));
		const latest = deadlines === 'arbitrary' ? 2 * period : period;
		const deadline = deadlines === 'implicit' ? period : random.integer(wcet, latest);
		const jitter = share === 0 ? 0 : random.integer(0, Math.floor(share * period));
		return { name: `task ${index}`, priority: 0, period, wcet, deadline, jitter };
	});
	return assignPriorities(tasks, options.priorities);
}

/**
 * The tasks with a priority each, from 255 down; ties go to the first. Throws a `RangeError` for more than 256 tasks.
 */
export function assignPriorities<T extends Omit<Task, 'priority'>>(
	tasks: readonly T[],
	order: PriorityOrder = 'deadline-monotonic',
): (T & { priority: number })[] {
	checkInteger('the number of tasks', tasks.length, 0, PRIORITIES);
	const key = ({ period, deadline = period }: T): number => (order === 'rate-monotonic' ? period : deadline);
	const priorities = new Map(
		[...tasks.keys()]
			.sort((a, b) => key(tasks[a]!) - key(tasks[b]!))
			.map((task, rank) => [task, PRIORITIES - 1 - rank]),
	);
	return tasks.map((task, index) => ({ ...task, priority: priorities.get(index)! }));
}
