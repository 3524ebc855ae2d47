// Writes events as Chrome's JSON trace ("Trace Event Format"), which ui.perfetto.dev and chrome://tracing open.
// Streaming: each event is written when it comes, nothing is kept. It does not sort: viewers do.

import type { TraceArgs, TraceEvent, TraceSink } from './sink.ts';

const PHASES = {
	begin: 'B',
	end: 'E',
	complete: 'X',
	instant: 'i',
	counter: 'C',
	'flow-start': 's',
	'flow-step': 't',
	'flow-end': 'f',
} as const;

const SCOPES = { thread: 't', process: 'p', global: 'g' } as const;

/** The format counts microseconds; the fraction is written out, since a division would round. */
function micros(nanos: number): string {
	const fraction = nanos % 1000;
	return `${(nanos - fraction) / 1000}.${String(fraction).padStart(3, '0')}`;
}

/** JSON knows neither bigints nor NaN and the infinities: the former become hexadecimal, the latter text. */
function jsonValue(value: TraceArgs[string]): string {
	if (typeof value === 'bigint') return value < 0n ? `"-0x${(-value).toString(16)}"` : `"0x${value.toString(16)}"`;
	if (typeof value === 'number' && !Number.isFinite(value)) return `"${value}"`;
	return JSON.stringify(value);
}

function jsonArgs(args: TraceArgs): string {
	return `{${Object.entries(args)
		.map(([key, value]) => `${JSON.stringify(key)}:${jsonValue(value)}`)
		.join(',')}}`;
}

/**
 * A {@link TraceSink} that writes a Chrome JSON trace as text, piece by piece. Call {@link close} at the end; viewers
 * also open a trace that was cut off.
 */
export class ChromeTraceWriter implements TraceSink {
	readonly #write: (text: string) => void;
	#separator = '{"displayTimeUnit":"ns","traceEvents":[\n';
	#closed = false;

	/** @param write - takes each piece of text, in order; it should buffer, since pieces are one event each */
	constructor(write: (text: string) => void) {
		this.#write = write;
	}

	/** Names a process track; tracks are shown by ascending `order`, where given. */
	nameProcess(process: number, name: string, order?: number): void {
		this.#metadata('process_name', process, 0, { name });
		if (order !== undefined) this.#metadata('process_sort_index', process, 0, { sort_index: order });
	}

	/** Names a thread track; tracks are shown by ascending `order`, where given. */
	nameThread(process: number, thread: number, name: string, order?: number): void {
		this.#metadata('thread_name', process, thread, { name });
		if (order !== undefined) this.#metadata('thread_sort_index', process, thread, { sort_index: order });
	}

	/** Writes one event. */
	emit(event: TraceEvent): void {
		const { phase, time, process, thread, name, category, args } = event;
		let text = `{"ph":"${PHASES[phase]}","ts":${micros(time)},"pid":${process},"tid":${thread},"name":${JSON.stringify(name)}`;
		// Flows are matched by category too: the viewer wants one.
		if (category !== undefined) text += `,"cat":${JSON.stringify(category)}`;
		else if ('id' in event) text += ',"cat":"flow"';
		if ('duration' in event) text += `,"dur":${micros(event.duration)}`;
		if ('id' in event) text += `,"id":${event.id}`;
		// A flow ends in the slice that encloses its end, not in the next one.
		if (phase === 'flow-end') text += ',"bp":"e"';
		if (phase === 'instant') text += `,"s":"${SCOPES[event.scope ?? 'thread']}"`;
		if (phase === 'counter') text += `,"args":${jsonArgs(event.values)}`;
		else if (args !== undefined) text += `,"args":${jsonArgs(args)}`;
		this.#record(`${text}}`);
	}

	/** Ends the JSON text. What is emitted afterwards is dropped. */
	close(): void {
		if (this.#closed) return;
		// Without any event the opening has not been written yet.
		this.#write(this.#separator === ',\n' ? '\n]}\n' : `${this.#separator}]}\n`);
		this.#closed = true;
	}

	#metadata(what: string, process: number, thread: number, args: TraceArgs): void {
		this.#record(`{"ph":"M","pid":${process},"tid":${thread},"name":"${what}","args":${jsonArgs(args)}}`);
	}

	#record(text: string): void {
		if (this.#closed) return;
		this.#write(this.#separator + text);
		this.#separator = ',\n';
	}
}
