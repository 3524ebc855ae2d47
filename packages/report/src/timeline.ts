/**
 * A kernel's time line for Perfetto: who had the hart, when the kernel was entered and for what, when budgets ran out. It has
 * the shape of the kernels' trace port, and writes to a sink of `@partita/trace`, event by event; it keeps one slice.
 */
import type { TraceSink } from '@partita/trace';

/** Names tracks; `ChromeTraceWriter` of `@partita/trace` does. */
export interface TrackNames {
	/** Names a process track. */
	nameProcess(process: number, name: string, order?: number): void;
	/** Names a thread track. */
	nameThread(process: number, thread: number, name: string, order?: number): void;
}

/** Where a {@link Timeline} writes to. */
export interface TimelineOptions {
	readonly sink: TraceSink & TrackNames;
	/** Name of the process track: the composition. */
	readonly name: string;
	/** Number of the process track; one for each time line in a trace. Default 1. */
	readonly process?: number;
}

/** Thread tracks of a time line: one for the kernel, one for each entity. */
const KERNEL = 0;

/** Takes what a kernel reports, and writes slices. Call {@link close} at the end. */
export class Timeline {
	readonly #sink: TraceSink & TrackNames;
	readonly #process: number;
	readonly #threads = new Map<string, number>();
	#running: { readonly entity: string; readonly since: number } | undefined;

	constructor({ sink, name, process = 1 }: TimelineOptions) {
		this.#sink = sink;
		this.#process = process;
		sink.nameProcess(process, name, process);
		sink.nameThread(process, KERNEL, 'kernel', KERNEL);
	}

	/** From `time` on, an entity has the hart; undefined: nobody. */
	running(_hart: number, entity: string | undefined, time: number): void {
		if (this.#running?.entity === entity) return;
		this.close(time);
		if (entity !== undefined) this.#running = { entity, since: time };
	}

	/** The kernel was entered, and worked for `nanos`. */
	entered(_hart: number, reason: string, entity: string | undefined, time: number, nanos: number): void {
		this.#sink.emit({
			phase: 'complete',
			time,
			duration: nanos,
			process: this.#process,
			thread: KERNEL,
			name: reason,
			category: 'kernel',
			...(entity === undefined ? {} : { args: { entity } }),
		});
	}

	/** An entity's budget has run out. */
	exhausted(_hart: number, entity: string, time: number): void {
		const thread = this.#thread(entity);
		this.#sink.emit({
			phase: 'instant',
			time,
			process: this.#process,
			thread,
			name: 'budget exhausted',
			category: 'kernel',
		});
	}

	/** Ends the slice of whoever runs. */
	close(time: number): void {
		if (!this.#running) return;
		const { entity, since } = this.#running;
		this.#running = undefined;
		if (time <= since) return;
		this.#sink.emit({
			phase: 'complete',
			time: since,
			duration: time - since,
			process: this.#process,
			thread: this.#thread(entity),
			name: entity,
			category: 'running',
		});
	}

	#thread(entity: string): number {
		let thread = this.#threads.get(entity);
		if (thread === undefined) {
			thread = this.#threads.size + 1;
			this.#threads.set(entity, thread);
			this.#sink.nameThread(this.#process, thread, entity, thread);
		}
		return thread;
	}
}
