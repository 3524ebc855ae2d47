// Time lines as the trace format has them.
import { ChromeTraceWriter } from '@partita/trace';
import { expect, test } from 'vitest';
import { Timeline } from '../src/index.ts';

interface Event {
	readonly ph: string;
	readonly name: string;
	readonly ts?: number;
	readonly dur?: number;
	readonly pid: number;
	readonly tid: number;
	readonly args?: Readonly<Record<string, unknown>>;
}

function trace(action: (writer: ChromeTraceWriter) => void): Event[] {
	let text = '';
	const writer = new ChromeTraceWriter((piece) => {
		text += piece;
	});
	action(writer);
	writer.close();
	return (JSON.parse(text) as { traceEvents: Event[] }).traceEvents;
}

test('slices of whoever has the hart, entries of the kernel, budgets', () => {
	const events = trace((sink) => {
		const timeline = new Timeline({ sink, name: 'hypervisor', process: 2 });
		timeline.running(0, 'control', 1000);
		timeline.entered(0, 'timer', 'control', 3000, 400);
		timeline.exhausted(0, 'control', 3000);
		timeline.running(0, 'media', 3400);
		timeline.running(0, 'media', 3500);
		timeline.running(0, undefined, 5000);
		timeline.running(0, 'control', 6000);
		timeline.close(7000);
	});
	const slices = events.filter(({ ph }) => ph === 'X').map(({ name, ts, dur, tid }) => [name, ts, dur, tid]);
	expect(slices).toEqual([
		['timer', 3, 0.4, 0],
		['control', 1, 2.4, 1],
		['media', 3.4, 1.6, 2],
		['control', 6, 1, 1],
	]);
	expect(events.filter(({ ph }) => ph === 'i')).toMatchObject([{ name: 'budget exhausted', ts: 3, tid: 1 }]);
	expect(new Set(events.map(({ pid }) => pid))).toEqual(new Set([2]));
	const names = events.filter(({ name }) => name === 'thread_name').map(({ tid, args }) => [tid, args!.name]);
	expect(names).toEqual([
		[0, 'kernel'],
		[1, 'control'],
		[2, 'media'],
	]);
});
