import { describe, expect, test } from 'vitest';
import { nullSink, RingBufferSink, type TraceEvent, tee } from './sink.ts';

const at = (time: number): TraceEvent => ({ phase: 'instant', time, process: 1, thread: 2, name: 'tick' });
const times = (sink: RingBufferSink): number[] => sink.events().map((event) => event.time);

describe('RingBufferSink', () => {
	test('keeps the newest events, oldest first, and counts what it dropped', () => {
		const ring = new RingBufferSink(3);
		ring.emit(at(0));
		expect([times(ring), ring.dropped]).toEqual([[0], 0]);
		for (let i = 1; i < 8; i++) ring.emit(at(i));
		expect([times(ring), ring.dropped]).toEqual([[5, 6, 7], 5]);
	});

	test('continues from its state', () => {
		const ring = new RingBufferSink(3);
		for (let i = 0; i < 5; i++) ring.emit(at(i));
		const resumed = new RingBufferSink(3, structuredClone(ring.state));
		ring.emit(at(5));
		resumed.emit(at(5));
		expect(resumed.state).toEqual(ring.state);
		expect(resumed.state).toEqual({ events: [at(3), at(4), at(5)], dropped: 3 });
	});

	test('refuses a capacity below one, and a state that does not fit', () => {
		for (const capacity of [0, -1, 1.5, Number.NaN]) expect(() => new RingBufferSink(capacity)).toThrow(RangeError);
		expect(() => new RingBufferSink(1, { events: [at(0), at(1)], dropped: 0 })).toThrow(/capacity of 1/);
	});
});

test('tee passes events to every sink', () => {
	const [a, b] = [new RingBufferSink(2), new RingBufferSink(2)];
	tee(a, nullSink, b).emit(at(7));
	expect([times(a), times(b)]).toEqual([[7], [7]]);
});
