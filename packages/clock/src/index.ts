// Virtual time: a clock that its owner moves, models that turn instructions into nanoseconds, a queue of events, and
// the decision how to keep pace with real time. Knows nothing of devices or kernels.

export {
	type ClockModel,
	type ClockModelState,
	InstructionClock,
	type InstructionRate,
	VirtualClock,
	type VirtualClockOptions,
	type VirtualClockState,
} from './clock.ts';
export { type PacingConfig, type PacingDecision, type PacingState, pace } from './pacing.ts';
export {
	EVENTS_PER_RUN,
	type EventDispatch,
	type EventEntry,
	type EventHandler,
	EventQueue,
	type EventQueueState,
	UnhandledEventError,
} from './queue.ts';
export { NEVER, Ratio } from './ratio.ts';
