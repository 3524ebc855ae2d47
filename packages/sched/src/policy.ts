// What a kernel asks of a scheduler: the interface that every policy is behind. A policy knows entities by number and
// time by what it is told; it does not know what an entity is (a thread, a vCPU), reads no clock and arms no timer.
// All times are integer nanoseconds of virtual time, all durations integer nanoseconds.

/** Who is scheduled: a thread, a virtual CPU. The kernel's own number for it, a non-negative integer. */
export type EntityId = number;

/** A scheduling context: the right to processor time, apart from who uses it. A non-negative integer. */
export type ContextId = number;

/**
 * When used budget comes back.
 *
 * - `sporadic`: a period after the context *became eligible* (woke with budget, or its refill came due), even if more
 *   urgent work kept it waiting. It then interferes and is served like a periodic task (budget, period), which is what
 *   response-time analysis assumes. Budget is not saved up: what waits longer than period - budget is moved on.
 *   (seL4's `seL4_SchedContext_Sporadic`.)
 * - `constant-bandwidth`: a period after it *began to run*. No window of one period ever holds more than the budget, but a
 *   context that is kept waiting loses that time.
 */
export type RefillRule = 'sporadic' | 'constant-bandwidth';

/** Processor time that a context grants. */
export interface ContextParameters {
	/** Nanoseconds of processor time for each period; without it, the time is unlimited. Needs `period`. */
	readonly budget?: number;
	/** Nanoseconds after which used budget comes back, at least `budget`. If equal, `budget` is a round-robin slice. */
	readonly period?: number;
	/** Nanoseconds after which a ready equal gets its turn; without it, the policy's own, if any. */
	readonly slice?: number;
	/** How many refills may be pending at once, 2 to 4,096; 8 if not given. Past that, budget comes back later. */
	readonly refills?: number;
	/** When used budget comes back; `sporadic` if not given. */
	readonly rule?: RefillRule;
}

/** How an entity is scheduled. */
export interface EntityParameters extends ContextParameters {
	/** 0 to 255; larger is more urgent. */
	readonly priority: number;
	/** Has no context of its own: it runs only on one that is bound to it (see {@link SchedulingContexts}). */
	readonly passive?: boolean;
}

/** Whom to run, and for how long at most. */
export interface Decision {
	/** Who is to run; `undefined`: nobody is ready. */
	readonly entity: EntityId | undefined;
	/**
	 * The time at which `pick` must be asked again at the latest, after charging what was used. `undefined`: only when
	 * something changes. Asking earlier is always right.
	 */
	readonly until: number | undefined;
}

/** Where a woken entity enters the queue of its equals. `front` is for one that continues the turn of another. */
export type QueueEnd = 'front' | 'back';

/**
 * A scheduling policy for one hart.
 *
 * The kernel's loop: `charge` the running entity for the time since the last call, apply what happened (`wake`, `block`,
 * `yield`, …), then `pick`, run the entity that it names, and come back at `until` or when something happens.
 * `now` must not go back from call to call.
 *
 * Unknown or repeated entities and impossible parameters throw a `RangeError` and change nothing: they are errors of the
 * kernel, which checks what guests ask for.
 *
 * @typeParam P - parameters of an entity
 * @typeParam S - plain data that says everything about the policy
 */
export interface SchedulingPolicy<P = EntityParameters, S = unknown> {
	/** Which policy it is, for reports. */
	readonly name: string;
	/** A copy of the state: plain data that can be cloned or written as JSON. Equal policies have equal states. */
	readonly state: S;
	/** Goes on from a state that a policy of this kind gave. Throws a `RangeError` and changes nothing if it is broken. */
	restore(state: S): void;
	/** Makes an entity known; it is not ready. */
	add(entity: EntityId, parameters: P, now: number): void;
	/** Forgets an entity. */
	remove(entity: EntityId): void;
	/** Gives an entity other parameters; what it has used stays used. */
	change(entity: EntityId, parameters: P, now: number): void;
	/** The entity is ready to run from now on. No effect if it was. */
	wake(entity: EntityId, now: number, end?: QueueEnd): void;
	/** The entity is not ready any more. No effect if it was not. Charge it first. */
	block(entity: EntityId, now: number): void;
	/** The entity gives up what is left of its current refill or slice: equals first, or nothing until the next refill. */
	yield(entity: EntityId, now: number): void;
	/**
	 * The entity, or the kernel on its behalf, used `nanos` of processor time up to `now`.
	 * @returns whether its budget has run out, so that it waits for a refill (a kernel may raise a timeout fault then)
	 */
	charge(entity: EntityId, nanos: number, now: number): boolean;
	/** Who is to run from `now` on. */
	pick(now: number): Decision;
}

/**
 * Scheduling contexts apart from entities, for kernels in which processor time is an object of its own: passive servers
 * that run on the context of their client (donation), threads that get a context later, or lose it.
 *
 * An entity that was not added as `passive` has a context of its own, under its own number.
 *
 * To donate on a call: `bind(server, context, now)`, `wake(server, now, 'front')`, `block(client, now)`; on the reply,
 * `bind(client, context, now)` and `wake(client, now, 'front')`. The budget that is left and the slice travel along.
 */
export interface SchedulingContexts {
	/** Makes a context; nobody has it. Without `budget`, its time is unlimited. */
	addContext(context: ContextId, parameters: ContextParameters, now: number): void;
	/** Forgets a context. Who had it has none. */
	removeContext(context: ContextId): void;
	/** Gives a context other parameters; what was used stays used. */
	changeContext(context: ContextId, parameters: ContextParameters, now: number): void;
	/** Gives a context to an entity, taking it from whoever had it; `undefined` takes away the entity's. */
	bind(entity: EntityId, context: ContextId | undefined, now: number): void;
	/** The context that the entity runs on, if it has one. */
	contextOf(entity: EntityId): ContextId | undefined;
	/** Who has the context, if anybody. */
	ownerOf(context: ContextId): EntityId | undefined;
	/** Nanoseconds charged to a context since it was made; not reset. */
	consumed(context: ContextId): number;
	/** From when on a context has budget; 0 if its time is unlimited. */
	due(context: ContextId): number;
}
