// Round robin: everybody who is ready gets a slice in turn, whatever its priority. Budgets, if given, still hold.

import { FixedPriority, type FixedPriorityState } from './fixed-priority.ts';
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

/** Options of {@link RoundRobin}. */
export interface RoundRobinOptions {
	/** Nanoseconds after which the next one gets its turn, unless an entity's parameters name its own. */
	readonly slice: number;
	/** The least budget that an entity may have, in nanoseconds; 1 if not given. */
	readonly minimumBudget?: number;
}

/** Takes turns among all ready entities. Priorities are ignored. */
export class RoundRobin implements SchedulingPolicy<EntityParameters, FixedPriorityState>, SchedulingContexts {
	readonly name: string = 'round-robin';
	// Round robin is what fixed priorities do among equals.
	readonly #equals: FixedPriority;

	/** Throws a `RangeError` for impossible options. */
	constructor(options: RoundRobinOptions) {
		this.#equals = new FixedPriority(options);
	}

	get state(): FixedPriorityState {
		return this.#equals.state;
	}

	restore(state: FixedPriorityState): void {
		this.#equals.restore(state);
	}

	add(entity: EntityId, parameters: EntityParameters, now: number): void {
		this.#equals.add(entity, { ...parameters, priority: 0 }, now);
	}

	remove(entity: EntityId): void {
		this.#equals.remove(entity);
	}

	change(entity: EntityId, parameters: EntityParameters, now: number): void {
		this.#equals.change(entity, { ...parameters, priority: 0 }, now);
	}

	wake(entity: EntityId, now: number, end?: QueueEnd): void {
		this.#equals.wake(entity, now, end);
	}

	block(entity: EntityId, now: number): void {
		this.#equals.block(entity, now);
	}

	yield(entity: EntityId, now: number): void {
		this.#equals.yield(entity, now);
	}

	charge(entity: EntityId, nanos: number, now: number): boolean {
		return this.#equals.charge(entity, nanos, now);
	}

	pick(now: number): Decision {
		return this.#equals.pick(now);
	}

	addContext(context: ContextId, parameters: ContextParameters, now: number): void {
		this.#equals.addContext(context, parameters, now);
	}

	removeContext(context: ContextId): void {
		this.#equals.removeContext(context);
	}

	changeContext(context: ContextId, parameters: ContextParameters, now: number): void {
		this.#equals.changeContext(context, parameters, now);
	}

	bind(entity: EntityId, context: ContextId | undefined, now: number): void {
		this.#equals.bind(entity, context, now);
	}

	contextOf(entity: EntityId): ContextId | undefined {
		return this.#equals.contextOf(entity);
	}

	ownerOf(context: ContextId): EntityId | undefined {
		return this.#equals.ownerOf(context);
	}

	consumed(context: ContextId): number {
		return this.#equals.consumed(context);
	}

	due(context: ContextId): number {
		return this.#equals.due(context);
	}
}
