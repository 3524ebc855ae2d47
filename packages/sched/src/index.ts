// Scheduling: policies with budgets behind one interface, a schedule simulator over any of them, and schedulability
// analysis. Knows nothing of threads, virtual machines or kernels, reads no clock, and depends on nothing.

export { type ContextState, DEFAULT_REFILLS } from './context.ts';
export { DEMAND_STEPS, type DeadlineTask, type DemandBoundResult, demandBound, edfTest } from './demand-bound.ts';
export {
	type EntityState,
	FixedPriority,
	type FixedPriorityOptions,
	type FixedPriorityState,
	SEL4_MINIMUM_BUDGET,
} from './fixed-priority.ts';
export {
	assignPriorities,
	generateTasks,
	logUniformPeriods,
	type PeriodRange,
	type PriorityOrder,
	type TaskSetOptions,
	uunifast,
	uunifastDiscard,
} from './generate.ts';
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
export { Random, type RandomState } from './random.ts';
export { PRIORITIES } from './ready-queues.ts';
export { REFILL_LIMIT, type Refill, RefillList, type RefillListState } from './refills.ts';
export {
	ANALYSIS_STEPS,
	type AnalysedTask,
	isSchedulable,
	leastBudget,
	liuLaylandBound,
	type ResponseTime,
	type ResponseTimeOptions,
	responseTimes,
} from './response-time.ts';
export { RoundRobin, type RoundRobinOptions } from './round-robin.ts';
export {
	type JobState,
	type ServerResult,
	type SimulatedServer,
	type SimulatedTask,
	type SimulatedTaskState,
	Simulation,
	type SimulationConfig,
	type SimulationResult,
	type SimulationState,
	type Slice,
	simulate,
	type TaskResult,
} from './simulation.ts';
export { type PeriodicResource, supplyBound, supplyTime } from './supply.ts';
export { type Task, utilisation } from './task.ts';
