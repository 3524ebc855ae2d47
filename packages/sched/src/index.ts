// Scheduling: policies with budgets behind one interface, a schedule simulator over any of them, and schedulability
// analysis. Knows nothing of threads, virtual machines or kernels, reads no clock, and depends on nothing.

export { type ContextState, DEFAULT_REFILLS } from './context.ts';
export {
	type EntityState,
	FixedPriority,
	type FixedPriorityOptions,
	type FixedPriorityState,
	SEL4_MINIMUM_BUDGET,
} from './fixed-priority.ts';
export type {
	ContextId,
	ContextParameters,
	Decision,
	EntityId,
	EntityParameters,
	QueueEnd,
	RefillRule,
	SchedulingContexts,
	SchedulingPolicy,
} from './policy.ts';
export { PRIORITIES } from './ready-queues.ts';
export { REFILL_LIMIT, type Refill, RefillList, type RefillListState } from './refills.ts';
export { RoundRobin, type RoundRobinOptions } from './round-robin.ts';
