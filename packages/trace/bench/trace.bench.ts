import { ChromeTraceWriter, Histogram, TraceHash } from '@partita/trace';
import { test } from 'vitest';

test('trace hash', async ({ bench }) => {
	const frames = new Uint8Array(1 << 20).map((_, i) => i * 7);
	const hash = new TraceHash();
	await bench('hash 1 MiB in frames of 4 KiB', () => {
		for (let at = 0; at < frames.length; at += 4096) hash.addBytes(frames.subarray(at, at + 4096), at);
	}).run();
	await bench('hash 1 MiB, unaligned', () => hash.addBytes(frames.subarray(1))).run();
	await bench('hash 10000 events', () => {
		for (let i = 0; i < 10_000; i++) hash.event(0, i, 0, i << 2, 0, 8, 0, 0);
	}).run();
});

test('histogram', async ({ bench }) => {
	const histogram = new Histogram();
	await bench('record 10000 values', () => {
		for (let i = 0; i < 10_000; i++) histogram.record((i * 7919) & 0xffffff);
	}).run();
});

test('Chrome trace', async ({ bench }) => {
	const pieces: string[] = [];
	const writer = new ChromeTraceWriter((text) => pieces.push(text));
	await bench('write 1000 slices', () => {
		pieces.length = 0;
		for (let i = 0; i < 1000; i++) {
			writer.emit({
				phase: 'complete',
				time: i,
				duration: 5,
				process: 1,
				thread: 0,
				name: 'ecall',
				args: { cause: 8 },
			});
		}
	}).run();
});
