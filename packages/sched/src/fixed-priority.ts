// Preemptive fixed priorities with budgets: the most urgent ready entity runs, equals take turns, and an entity whose
// budget is used up waits for its next refill. The semantics are those of seL4's MCS scheduler (reference manual, "Threads
// and Execution", scheduling contexts); where a list of refills is full, budget is delayed.
//
// An entity is in at most one queue: ready (it is awake, has a context, and the context's first refill is due) or release
// (the same, but the refill is not due). The running entity stays at the front of its ready queue.

import { checkInteger } from './check.ts';
import { Context, type ContextState } from './context.ts';
import { Heap, type HeapEntry } from './heap.ts';
import type {
	ContextId,
	ContextParameters,
	Decision,
	EntityId,
	EntityParameters,
	QueueEnd,
	SchedulingContexts,
	SchedulingPolicy,
} from './policy.ts';
import { PRIORITIES, type QueueEntry, ReadyQueues } from './ready-queues.ts';

/** Options of {@link FixedPriority}. */
export interface FixedPriorityOptions {
	/** The least budget that a context may have, and the least that it runs at once, in nanoseconds; 1 if not given. */
	readonly minimumBudget?: number;
	/** Slice of contexts without budget whose parameters name none, in nanoseconds; without it, equals run in FIFO order. */
	readonly slice?: number;
}

/** State of one entity of a {@link FixedPriority}. Plain data. */
export interface EntityState {
	/** Its number. */
	readonly id: EntityId;
	/** Its priority. */
	readonly priority: number;
	/** Whether it is ready to run, budget aside. */
	readonly awake: boolean;
}

/** State of a {@link FixedPriority}. Plain data. */
export interface FixedPriorityState {
	/** See {@link FixedPriorityOptions}. */
	readonly minimumBudget: number;
	/** See {@link FixedPriorityOptions}. */
	readonly slice?: number;
	/** All entities, in the order in which they were added. */
	readonly entities: readonly EntityState[];
	/** All contexts, in the order in which they were added. */
	readonly contexts: readonly ContextState[];
	/** Who is ready: the most urgent first, equals in the order of their turns. */
	readonly ready: readonly EntityId[];
	/** Who waits for budget, in the order in which they will get it. */
	readonly release: readonly EntityId[];
	/** The context that was picked last, if one was and it still exists. */
	readonly running?: ContextId;
}

interface Entity extends HeapEntry, QueueEntry<Entity> {
	readonly id: EntityId;
	priority: number;
	awake: boolean;
	context: Context<Entity> | undefined;
}

function newEntity(id: EntityId, priority: number, awake: boolean): Entity {
	return {
		id,
		priority,
		awake,
		context: undefined,
		time: 0,
		sequence: 0,
		index: -1,
		next: undefined,
		previous: undefined,
		queue: -1,
	};
}

/** The minimum budget of seL4's MCS kernel in nanoseconds: 20 µs, as its RISC-V configurations have it. */
export const SEL4_MINIMUM_BUDGET = 20_000;

/** Preemptive fixed-priority scheduling with 256 priorities, round robin among equals, and budgets. See this file's head. */
export class FixedPriority implements SchedulingPolicy<EntityParameters, FixedPriorityState>, SchedulingContexts {
	readonly name: string = 'fixed-priority';
	#minimumBudget: number;
	#slice: number | undefined;
	#entities = new Map<EntityId, Entity>();
	#contexts = new Map<ContextId, Context<Entity>>();
	#ready = new ReadyQueues<Entity>();
	#release = new Heap<Entity>();
	#running: Context<Entity> | undefined;

	/** Throws a `RangeError` for impossible options. */
	constructor(options: FixedPriorityOptions = {}) {
		const { minimumBudget = 1, slice } = options;
		checkInteger('the minimum budget', minimumBudget, 1);
		if (slice !== undefined) checkInteger('the slice', slice, 1);
		this.#minimumBudget = minimumBudget;
		this.#slice = slice;
	}

	get state(): FixedPriorityState {
		return {
			minimumBudget: this.#minimumBudget,
			...(this.#slice !== undefined && { slice: this.#slice }),
			entities: Array.from(this.#entities.values(), ({ id, priority, awake }) => ({ id, priority, awake })),
			contexts: Array.from(this.#contexts.values(), (context) => context.state),
			ready: Array.from(this.#ready.entries(), ({ id }) => id),
			release: this.#release.sorted().map(({ id }) => id),
			...(this.#running && { running: this.#running.id }),
		};
	}

	restore(state: FixedPriorityState): void {
		const restored = new FixedPriority(state);
		const { minimumBudget } = state;
		for (const { id, priority, awake } of state.entities) {
			checkInteger('the number of an entity', id);
			checkPriority(priority);
			if (restored.#entities.has(id)) throw new RangeError(`entity ${id} occurs twice`);
			restored.#entities.set(id, newEntity(id, priority, awake === true));
		}
		for (const each of state.contexts) {
			if (restored.#contexts.has(each.id)) throw new RangeError(`context ${each.id} occurs twice`);
			const context = Context.from<Entity>(each, minimumBudget);
			restored.#contexts.set(each.id, context);
			if (context.own) restored.#entity(context.id);
			if (each.owner === undefined) continue;
			const owner = restored.#entity(each.owner);
			if (owner.context !== undefined) throw new RangeError(`entity ${owner.id} has two contexts`);
			owner.context = context;
			context.owner = owner;
		}
		let queued = 0;
		for (const [ids, queue] of [
			[state.ready, 'ready'],
			[state.release, 'release'],
		] as const) {
			for (const id of ids) {
				const entity = restored.#entity(id);
				if (!entity.awake || entity.context === undefined || entity.queue >= 0 || entity.index >= 0) {
					throw new RangeError(`entity ${id} cannot be in the ${queue} queue`);
				}
				if (queue === 'ready') restored.#ready.push(entity, entity.priority, false);
				else restored.#release.push(entity, entity.context.time);
				queued++;
			}
		}
		for (const { awake, context } of restored.#entities.values()) if (awake && context) queued--;
		if (queued !== 0) throw new RangeError('an entity that is awake and has a context is in no queue');
		if (state.running !== undefined) restored.#running = restored.#context(state.running);
		this.#minimumBudget = restored.#minimumBudget;
		this.#slice = restored.#slice;
		this.#entities = restored.#entities;
		this.#contexts = restored.#contexts;
		this.#ready = restored.#ready;
		this.#release = restored.#release;
		this.#running = restored.#running;
	}

	add(id: EntityId, parameters: EntityParameters, now: number): void {
		checkInteger('the number of an entity', id);
		checkPriority(parameters.priority);
		if (this.#entities.has(id)) throw new RangeError(`entity ${id} is known already`);
		const entity = newEntity(id, parameters.priority, false);
		if (parameters.passive !== true) {
			const context = this.#newContext(id, true, parameters, now);
			context.owner = entity;
			entity.context = context;
		}
		this.#entities.set(id, entity);
	}

	remove(id: EntityId): void {
		const entity = this.#entity(id);
		this.#dequeue(entity);
		if (entity.context) entity.context.owner = undefined;
		entity.context = undefined;
		this.#entities.delete(id);
		if (this.#contexts.get(id)?.own) this.removeContext(id);
	}

	change(id: EntityId, parameters: EntityParameters, now: number): void {
		const entity = this.#entity(id);
		checkPriority(parameters.priority);
		const context = this.#contexts.get(id);
		const own = context?.own === true;
		if (own === (parameters.passive === true)) throw new RangeError(`entity ${id} cannot change whether it is passive`);
		if (own) this.changeContext(id, parameters, now);
		if (parameters.priority === entity.priority) return;
		this.#dequeue(entity);
		entity.priority = parameters.priority;
		this.#enqueue(entity, now, false);
	}

	wake(id: EntityId, now: number, end: QueueEnd = 'back'): void {
		const entity = this.#entity(id);
		if (entity.awake) return;
		entity.awake = true;
		entity.context?.resume(now);
		this.#enqueue(entity, now, end === 'front');
	}

	block(id: EntityId, now: number): void {
		const entity = this.#entity(id);
		if (!entity.awake) return;
		this.#dequeue(entity);
		entity.awake = false;
		entity.context?.rest(now);
	}

	yield(id: EntityId, now: number): void {
		const entity = this.#entity(id);
		if (entity.context?.forfeit(now) !== undefined) this.#requeue(entity, now);
	}

	charge(id: EntityId, nanos: number, now: number): boolean {
		const entity = this.#entity(id);
		checkInteger('the time used', nanos);
		const effect = entity.context?.charge(nanos, now);
		if (effect === undefined || effect === 'continue') return false;
		this.#requeue(entity, now);
		return effect === 'exhausted';
	}

	pick(now: number): Decision {
		let waiting = this.#release.first;
		while (waiting !== undefined && waiting.time <= now) {
			this.#release.remove(waiting);
			this.#ready.push(waiting, waiting.priority, false);
			waiting = this.#release.first;
		}
		const entity = this.#ready.first;
		let until = waiting?.time;
		if (entity === undefined) {
			this.#running = undefined;
			return { entity: undefined, until };
		}
		const context = entity.context!;
		if (context !== this.#running) {
			this.#running = context;
			context.run(now);
		}
		const grant = context.grant;
		if (grant !== undefined && (until === undefined || now + grant < until)) until = now + grant;
		return { entity: entity.id, until };
	}

	addContext(id: ContextId, parameters: ContextParameters, now: number): void {
		checkInteger('the number of a context', id);
		this.#newContext(id, false, parameters, now);
	}

	removeContext(id: ContextId): void {
		const context = this.#context(id);
		if (context.own && this.#entities.has(id)) throw new RangeError(`context ${id} goes with its entity`);
		const { owner } = context;
		if (owner) {
			this.#dequeue(owner);
			owner.context = undefined;
		}
		if (this.#running === context) this.#running = undefined;
		this.#contexts.delete(id);
	}

	changeContext(id: ContextId, parameters: ContextParameters, now: number): void {
		const context = this.#context(id);
		context.configure(parameters, this.#slice, now);
		const { owner } = context;
		if (owner === undefined || (owner.queue >= 0 && context.time <= now)) return;
		this.#dequeue(owner);
		this.#enqueue(owner, now, false);
	}

	bind(id: EntityId, contextId: ContextId | undefined, now: number): void {
		const entity = this.#entity(id);
		const context = contextId === undefined ? undefined : this.#context(contextId);
		if (entity.context === context) return;
		for (const former of [entity, context?.owner]) {
			if (former?.context === undefined) continue;
			this.#dequeue(former);
			// Not idle if it goes straight from one that is ready to another that is.
			if (former.context !== context || !entity.awake) former.context.rest(now);
			former.context.owner = undefined;
			former.context = undefined;
		}
		if (context === undefined) return;
		context.owner = entity;
		entity.context = context;
		if (!entity.awake) return;
		context.resume(now);
		this.#enqueue(entity, now, true);
	}

	contextOf(id: EntityId): ContextId | undefined {
		return this.#entity(id).context?.id;
	}

	ownerOf(id: ContextId): EntityId | undefined {
		return this.#context(id).owner?.id;
	}

	consumed(id: ContextId): number {
		return this.#context(id).consumed;
	}

	due(id: ContextId): number {
		return this.#context(id).time;
	}

	#entity(id: EntityId): Entity {
		const entity = this.#entities.get(id);
		if (entity === undefined) throw new RangeError(`there is no entity ${id}`);
		return entity;
	}

	#context(id: ContextId): Context<Entity> {
		const context = this.#contexts.get(id);
		if (context === undefined) throw new RangeError(`there is no context ${id}`);
		return context;
	}

	#newContext(id: ContextId, own: boolean, parameters: ContextParameters, now: number): Context<Entity> {
		checkInteger('the time', now);
		if (this.#contexts.has(id)) throw new RangeError(`context ${id} is known already`);
		const context = new Context<Entity>(id, own, this.#minimumBudget);
		context.configure(parameters, this.#slice, now);
		context.rest(now);
		this.#contexts.set(id, context);
		return context;
	}

	#enqueue(entity: Entity, now: number, front: boolean): void {
		const { awake, context } = entity;
		if (!awake || context === undefined) return;
		if (context.time <= now) this.#ready.push(entity, entity.priority, front);
		else this.#release.push(entity, context.time);
	}

	#dequeue(entity: Entity): void {
		if (entity.queue >= 0) this.#ready.remove(entity);
		else if (entity.index >= 0) this.#release.remove(entity);
	}

	/** Its context has changed: to the back of the queue where it now belongs. */
	#requeue(entity: Entity, now: number): void {
		this.#dequeue(entity);
		this.#enqueue(entity, now, false);
	}
}

function checkPriority(priority: unknown): void {
	checkInteger('the priority', priority, 0, PRIORITIES - 1);
}
