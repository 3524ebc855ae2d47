// What happened in a run, event by event: the events as plain data, and where they go. Parts that emit take a TraceSink
// (nullSink by default); what becomes of the events is the composition's choice. Events carry virtual time only.

/** Values attached to an event. A bigint is shown in hexadecimal: it is an address or a register. */
export type TraceArgs = Readonly<Record<string, string | number | boolean | bigint>>;

/** What every event has. */
export interface TraceEventBase {
	/** Virtual time in nanoseconds: an integer from 0 to 2^53 - 1. */
	readonly time: number;
	/** The process track: a machine, a VM, a protection domain. */
	readonly process: number;
	/** The thread track in that process: a hart, a vCPU, a thread. */
	readonly thread: number;
	/** What happened. */
	readonly name: string;
	/** Groups events so that a viewer can filter them. */
	readonly category?: string;
	/** Details. */
	readonly args?: TraceArgs;
}

/** A slice of a thread begins, or ends: slices nest, an end closes the one that began last. */
export interface SliceEvent extends TraceEventBase {
	/** Which of the two. */
	readonly phase: 'begin' | 'end';
}

/** A slice that is over already. */
export interface CompleteEvent extends TraceEventBase {
	/** Marks this kind of event. */
	readonly phase: 'complete';
	/** How long it took, in nanoseconds; `time` is its beginning. */
	readonly duration: number;
}

/** A moment. */
export interface InstantEvent extends TraceEventBase {
	/** Marks this kind of event. */
	readonly phase: 'instant';
	/** Whom it concerns; by default its thread. */
	readonly scope?: 'thread' | 'process' | 'global';
}

/** Values that hold from now on; they belong to the process. */
export interface CounterEvent extends TraceEventBase {
	/** Marks this kind of event. */
	readonly phase: 'counter';
	/** Value by the name of its series. */
	readonly values: Readonly<Record<string, number>>;
}

/** A point of an arrow between slices: its start, any steps and its end share category, name and id. */
export interface FlowEvent extends TraceEventBase {
	/** Which point. */
	readonly phase: 'flow-start' | 'flow-step' | 'flow-end';
	/** Tells arrows of the same name apart. */
	readonly id: number;
}

/** One event. */
export type TraceEvent = SliceEvent | CompleteEvent | InstantEvent | CounterEvent | FlowEvent;

/** Takes events. */
export interface TraceSink {
	/** Takes one event. It must not throw: tracing changes nothing about the run. */
	emit(event: TraceEvent): void;
}

/** Drops everything: the default where nobody observes. */
export const nullSink: TraceSink = { emit() {} };

/** Passes each event to all of `sinks`, in order. */
export function tee(...sinks: readonly TraceSink[]): TraceSink {
	return {
		emit(event) {
			for (const sink of sinks) sink.emit(event);
		},
	};
}

/** State of a {@link RingBufferSink}. Plain data. */
export interface RingBufferState {
	/** The events held, oldest first. */
	readonly events: readonly TraceEvent[];
	/** How many older events were dropped. */
	readonly dropped: number;
}

/** Keeps the newest `capacity` events, whatever a guest does: a flight recorder. */
export class RingBufferSink implements TraceSink {
	readonly #capacity: number;
	readonly #ring: TraceEvent[] = [];
	/** Where the oldest event is, once the ring is full. */
	#oldest = 0;
	#dropped = 0;

	/** @throws RangeError where capacity is not a positive integer, or the state holds more events than that */
	constructor(capacity: number, state?: RingBufferState) {
		if (!Number.isSafeInteger(capacity) || capacity < 1) {
			throw new RangeError(`capacity must be a positive integer, got ${capacity}`);
		}
		this.#capacity = capacity;
		if (state) {
			if (state.events.length > capacity) {
				throw new RangeError(`ring buffer state: ${state.events.length} events exceed the capacity of ${capacity}`);
			}
			this.#ring.push(...state.events);
			this.#dropped = state.dropped;
		}
	}

	/** Takes one event, in place of the oldest where the ring is full. */
	emit(event: TraceEvent): void {
		if (this.#ring.length < this.#capacity) {
			this.#ring.push(event);
			return;
		}
		this.#ring[this.#oldest] = event;
		this.#oldest = (this.#oldest + 1) % this.#capacity;
		this.#dropped++;
	}

	/** How many events were dropped to make room. */
	get dropped(): number {
		return this.#dropped;
	}

	/** The events held, oldest first. */
	events(): TraceEvent[] {
		return [...this.#ring.slice(this.#oldest), ...this.#ring.slice(0, this.#oldest)];
	}

	/** A copy of the state. */
	get state(): RingBufferState {
		return { events: this.events(), dropped: this.#dropped };
	}
}
