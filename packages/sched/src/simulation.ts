// A schedule simulator: what happens to tasks under a policy, by events. It is a small kernel without costs: it wakes,
// charges and blocks entities, and runs whom the policy picks. One processor.
//
// A task at the top level is an entity of its own. A server is one entity with a budget, in which tasks share its time by
// local priorities. Jobs of one task are served in the order of their arrival.

import { checkInteger } from './check.ts';
import { Heap, type HeapEntry } from './heap.ts';
import type { EntityId, EntityParameters, SchedulingPolicy } from './policy.ts';
import { Random, type RandomState } from './random.ts';
import { checkTask, type Task } from './task.ts';

/** A task to simulate. */
export interface SimulatedTask extends Task {
	/** When the first job arrives; 0 if not given. */
	readonly phase?: number;
	/** Largest random time by which an arrival is later than a period after the one before (a sporadic task); 0 if not given. */
	readonly spread?: number;
	/** Best-case execution time: jobs need a random time from this to `wcet`; `wcet` if not given. */
	readonly bcet?: number;
	/** Round-robin slice among equals, for a task that is in no server. */
	readonly slice?: number;
}

/** An entity that shares its processor time among tasks, by their priorities. */
export interface SimulatedServer extends EntityParameters {
	/** What to call it in reports. */
	readonly name?: string;
	/** The tasks in it. */
	readonly tasks: readonly SimulatedTask[];
}

/** What to simulate. */
export interface SimulationConfig {
	/** Tasks that the policy schedules. */
	readonly tasks?: readonly SimulatedTask[];
	/** Servers that the policy schedules, with their tasks. */
	readonly servers?: readonly SimulatedServer[];
	/** The policy, without entities: task i of `tasks` becomes entity i, the servers follow. */
	readonly policy: SchedulingPolicy;
	/** Seed of all random times; 0 if not given. */
	readonly seed?: number;
	/**
	 * `random`: each release is late by a random time up to the task's jitter. `first`: the first one by all of it, the
	 * others as little as follows from that, which is the worst case. `random` if not given.
	 */
	readonly jitter?: 'random' | 'first';
	/** Whether to keep the schedule as slices; `true` if not given. */
	readonly slices?: boolean;
	/** Whether to keep each response time; `false` if not given. */
	readonly responses?: boolean;
}

/** An interval in which one job ran. */
export interface Slice {
	/** The task: its index among all tasks, those of the servers after those of the top level. */
	readonly task: number;
	/** Which of the task's jobs, from 0. */
	readonly job: number;
	/** From when on it ran. */
	readonly start: number;
	/** Until when it ran. */
	readonly end: number;
}

/** What happened to a task. */
export interface TaskResult {
	/** Its name, or `task` and its index. */
	readonly name: string;
	/** The index of its server, if it is in one. */
	readonly server?: number;
	/** Jobs released. */
	readonly released: number;
	/** Jobs completed. */
	readonly completed: number;
	/** Jobs that were not complete at their deadline. */
	readonly missed: number;
	/** How often a job was interrupted for another one; running out of budget does not count. */
	readonly preemptions: number;
	/** Processor time used. */
	readonly executed: number;
	/** Least and largest response time of completed jobs; absent if there is none. */
	readonly response?: { readonly min: number; readonly max: number };
	/** Each response time in order of completion, if they were to be kept. */
	readonly responses?: readonly number[];
}

/** What happened to a server. */
export interface ServerResult {
	/** Its name, or `server` and its index. */
	readonly name: string;
	/** Processor time used. */
	readonly executed: number;
	/** How often its budget ran out while it had work. */
	readonly exhausted: number;
}

/** What happened up to a time. */
export interface SimulationResult {
	/** Simulated time. */
	readonly end: number;
	/** Each task: those of the top level, then those of the servers. */
	readonly tasks: readonly TaskResult[];
	/** Each server. */
	readonly servers: readonly ServerResult[];
	/** The schedule in order of time; empty if it was not to be kept. */
	readonly slices: readonly Slice[];
	/** Time in which nothing ran. */
	readonly idle: number;
}

/** A job that has been released. */
export interface JobState {
	/** When it arrived. */
	readonly arrival: number;
	/** Processor time that it still needs. */
	readonly remaining: number;
}

/** State of one simulated task. Plain data. */
export interface SimulatedTaskState {
	/** When the next job arrives. */
	readonly arrival: number;
	/** When it is released. */
	readonly release: number;
	/** Jobs that are not complete, in the order of their arrival. */
	readonly jobs: readonly JobState[];
	/** Jobs completed. */
	readonly completed: number;
	/** Completed jobs that were late. */
	readonly late: number;
	/** How often a job was interrupted. */
	readonly preemptions: number;
	/** Processor time used. */
	readonly executed: number;
	/** Least response time; 0 if no job is complete. */
	readonly min: number;
	/** Largest response time. */
	readonly max: number;
	/** All response times, if they are kept. */
	readonly responses: readonly number[];
}

/** State of a {@link Simulation}, its policy included. Plain data. */
export interface SimulationState {
	/** Simulated time. */
	readonly now: number;
	/** State of the random numbers. */
	readonly random: RandomState;
	/** State of the policy. */
	readonly policy: unknown;
	/** All tasks. */
	readonly tasks: readonly SimulatedTaskState[];
	/** How often each server ran out of budget. */
	readonly exhausted: readonly number[];
	/** Tasks in the order of their next releases. */
	readonly releases: readonly number[];
	/** The task that ran last and was not complete, nor out of budget. */
	readonly running?: number;
	/** Time in which nothing ran. */
	readonly idle: number;
	/** The schedule so far. */
	readonly slices: readonly Slice[];
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface Entity {
	readonly id: EntityId;
	readonly server: number | undefined;
	/** The tasks, the most urgent first. */
	readonly tasks: SimTask[];
	/** How many jobs are pending. */
	pending: number;
}

interface SimTask extends HeapEntry {
	readonly number: number;
	readonly task: SimulatedTask;
	readonly entity: Entity;
	arrival: number;
	jobs: Mutable<JobState>[];
	completed: number;
	late: number;
	preemptions: number;
	executed: number;
	min: number;
	max: number;
	responses: number[];
}

/** Simulates tasks under a policy, step by step; {@link simulate} does it at once. */
export class Simulation {
	readonly #config: SimulationConfig;
	readonly #policy: SchedulingPolicy;
	readonly #tasks: SimTask[] = [];
	readonly #entities: Entity[] = [];
	#releases = new Heap<SimTask>();
	#random: Random;
	#now = 0;
	#idle = 0;
	#exhausted: number[];
	#running: SimTask | undefined;
	#slices: Mutable<Slice>[] = [];

	/** Throws a `RangeError` for impossible tasks or servers. */
	constructor(config: SimulationConfig) {
		const { tasks = [], servers = [], policy, seed = 0 } = config;
		this.#config = config;
		this.#policy = policy;
		this.#random = new Random(seed);
		this.#exhausted = servers.map(() => 0);
		for (const task of tasks) {
			const { priority, slice } = task;
			this.#addEntity({ priority, ...(slice !== undefined && { slice }) }, [task], undefined);
		}
		servers.forEach((server, index) => {
			this.#addEntity(server, server.tasks, index);
		});
	}

	/** Simulated time. */
	get now(): number {
		return this.#now;
	}

	/** A copy of the state, the policy's included. */
	get state(): SimulationState {
		return {
			now: this.#now,
			random: this.#random.state,
			policy: this.#policy.state,
			tasks: this.#tasks.map((each) => ({
				arrival: each.arrival,
				release: each.time,
				jobs: each.jobs.map((job) => ({ ...job })),
				completed: each.completed,
				late: each.late,
				preemptions: each.preemptions,
				executed: each.executed,
				min: each.min,
				max: each.max,
				responses: [...each.responses],
			})),
			exhausted: [...this.#exhausted],
			releases: this.#releases.sorted().map(({ number }) => number),
			...(this.#running && { running: this.#running.number }),
			idle: this.#idle,
			slices: this.#slices.map((slice) => ({ ...slice })),
		};
	}

	/** Goes on from a state of a simulation of the same configuration. Throws a `RangeError` if it is of another one. */
	restore(state: SimulationState): void {
		const everyTask = new Set(state.releases);
		if (
			state.tasks.length !== this.#tasks.length ||
			state.exhausted.length !== this.#exhausted.length ||
			state.releases.length !== this.#tasks.length ||
			!this.#tasks.every(({ number }) => everyTask.has(number)) ||
			(state.running !== undefined && this.#tasks[state.running] === undefined)
		) {
			throw new RangeError('the state is not one of this simulation');
		}
		const random = new Random(state.random);
		this.#policy.restore(state.policy);
		this.#random = random;
		this.#now = state.now;
		this.#idle = state.idle;
		this.#exhausted = [...state.exhausted];
		this.#running = state.running === undefined ? undefined : this.#tasks[state.running];
		this.#slices = state.slices.map((slice) => ({ ...slice }));
		for (const entity of this.#entities) entity.pending = 0;
		state.tasks.forEach(({ release: _, jobs, responses, ...rest }, number) => {
			const task = this.#tasks[number]!;
			Object.assign(task, rest);
			task.jobs = jobs.map((job) => ({ ...job }));
			task.responses = [...responses];
			task.entity.pending += jobs.length;
		});
		this.#releases = new Heap();
		for (const number of state.releases) {
			this.#releases.push(this.#tasks[number]!, state.tasks[number]!.release);
		}
	}

	/** Simulates up to `end`; what is released at `end` itself is not seen yet. */
	advanceTo(end: number): void {
		checkInteger('the end', end);
		while (this.#now < end) {
			this.#release();
			const { entity, until } = this.#policy.pick(this.#now);
			const stop = Math.min(end, this.#releases.first?.time ?? end, until ?? end);
			if (stop <= this.#now) throw new Error(`${this.#policy.name} asks at ${this.#now} to be asked again at ${stop}`);
			if (entity === undefined) {
				this.#idle += stop - this.#now;
				this.#now = stop;
			} else {
				this.#run(this.#entities[entity], stop);
			}
		}
	}

	/** What happened so far. */
	get result(): SimulationResult {
		const servers = this.#config.servers ?? [];
		return {
			end: this.#now,
			tasks: this.#tasks.map((each) => {
				const { task, entity, completed, jobs } = each;
				const deadline = task.deadline ?? task.period;
				const overdue = jobs.filter(({ arrival }) => arrival + deadline <= this.#now).length;
				return {
					name: task.name ?? `task ${each.number}`,
					...(entity.server !== undefined && { server: entity.server }),
					released: completed + jobs.length,
					completed,
					missed: each.late + overdue,
					preemptions: each.preemptions,
					executed: each.executed,
					...(completed > 0 && { response: { min: each.min, max: each.max } }),
					...(this.#config.responses === true && { responses: [...each.responses] }),
				};
			}),
			servers: servers.map(({ name }, server) => ({
				name: name ?? `server ${server}`,
				executed: this.#tasks.reduce((sum, each) => sum + (each.entity.server === server ? each.executed : 0), 0),
				exhausted: this.#exhausted[server]!,
			})),
			slices: this.#slices.map((slice) => ({ ...slice })),
			idle: this.#idle,
		};
	}

	#addEntity(parameters: EntityParameters, tasks: readonly SimulatedTask[], server: number | undefined): void {
		const entity: Entity = { id: this.#entities.length, server, tasks: [], pending: 0 };
		this.#policy.add(entity.id, parameters, 0);
		this.#entities.push(entity);
		for (const task of tasks) {
			checkTask(task);
			checkInteger('the phase', task.phase ?? 0);
			checkInteger('the spread of arrivals', task.spread ?? 0);
			checkInteger('the best-case execution time', task.bcet ?? 1, 1, task.wcet);
			const each: SimTask = {
				number: this.#tasks.length,
				task,
				entity,
				arrival: task.phase ?? 0,
				jobs: [],
				completed: 0,
				late: 0,
				preemptions: 0,
				executed: 0,
				min: 0,
				max: 0,
				responses: [],
				time: 0,
				sequence: 0,
				index: -1,
			};
			this.#tasks.push(each);
			entity.tasks.push(each);
			this.#releases.push(each, this.#releaseTime(each));
		}
		entity.tasks.sort((a, b) => b.task.priority - a.task.priority);
	}

	#releaseTime({ task, arrival, time }: SimTask): number {
		const { jitter = 0, phase = 0 } = task;
		if (jitter === 0) return arrival;
		if (this.#config.jitter === 'first') return Math.max(arrival, phase + jitter);
		return Math.max(time, arrival + this.#random.integer(0, jitter));
	}

	#release(): void {
		for (;;) {
			const each = this.#releases.first;
			if (each === undefined || each.time > this.#now) return;
			const { task, entity, arrival } = each;
			const { wcet, bcet = wcet, spread = 0 } = task;
			this.#releases.remove(each);
			each.jobs.push({ arrival, remaining: bcet === wcet ? wcet : this.#random.integer(bcet, wcet) });
			each.arrival += task.period + (spread === 0 ? 0 : this.#random.integer(0, spread));
			this.#releases.push(each, this.#releaseTime(each));
			if (entity.pending++ === 0) this.#policy.wake(entity.id, this.#now);
		}
	}

	#run(entity: Entity | undefined, stop: number): void {
		const each = entity?.tasks.find(({ jobs }) => jobs.length > 0);
		if (entity === undefined || each === undefined) {
			throw new Error(`${this.#policy.name} picks an entity at ${this.#now} that is not ready`);
		}
		if (this.#running !== undefined && this.#running !== each) this.#running.preemptions++;
		this.#running = each;
		const job = each.jobs[0]!;
		const start = this.#now;
		const end = Math.min(stop, start + job.remaining);
		this.#now = end;
		job.remaining -= end - start;
		each.executed += end - start;
		if (this.#config.slices !== false) {
			const last = this.#slices.at(-1);
			if (last?.task === each.number && last.job === each.completed && last.end === start) last.end = end;
			else this.#slices.push({ task: each.number, job: each.completed, start, end });
		}
		const exhausted = this.#policy.charge(entity.id, end - start, end);
		if (job.remaining === 0) this.#complete(each, job);
		else if (exhausted) this.#running = undefined;
		if (entity.pending === 0) this.#policy.block(entity.id, end);
		else if (exhausted && entity.server !== undefined) this.#exhausted[entity.server]!++;
	}

	#complete(each: SimTask, { arrival }: JobState): void {
		const response = this.#now - arrival;
		each.jobs.shift();
		each.entity.pending--;
		if (response > (each.task.deadline ?? each.task.period)) each.late++;
		each.min = each.completed === 0 ? response : Math.min(each.min, response);
		each.max = Math.max(each.max, response);
		each.completed++;
		if (this.#config.responses === true) each.responses.push(response);
		this.#running = undefined;
	}
}

/**
 * Simulates tasks and servers under a policy from time 0 to `until`.
 * Throws a `RangeError` for impossible tasks, servers or times.
 */
export function simulate(config: SimulationConfig & { readonly until: number }): SimulationResult {
	const simulation = new Simulation(config);
	simulation.advanceTo(config.until);
	return simulation.result;
}
