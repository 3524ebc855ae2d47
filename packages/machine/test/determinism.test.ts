/// <reference types="node" />
/** Equal input gives equal runs: how a run is cut, watched, hashed or restored changes nothing. */
import { createHash } from 'node:crypto';
import { Slot } from '@partita/cpu';
import { describe, expect, test } from 'vitest';
import type { Machine, MachineOptions, MachineState, VirtioDescription } from '../src/index.ts';
import { BUSY } from './support/busy.ts';
import { elf, type Guest, guestOf, RAM, supervisorGuest, word } from './support/guest.ts';

const entropy: readonly VirtioDescription[] = [{ kind: 'entropy' }];

const busy = (harts: number, options: Partial<MachineOptions> = {}): Guest =>
	guestOf({
		harts,
		traceHash: true,
		virtio: entropy,
		images: { firmware: 'none', kernel: elf(`.equ HARTS, ${harts}\n${BUSY}`) },
		...options,
	});

/** A value as text, the same for equal values: typed arrays by digest, since states hold megabytes. */
function text(value: unknown): string {
	return JSON.stringify(value, (_, part: unknown) => {
		if (typeof part === 'bigint') return `${part}n`;
		if (part === undefined) return 'undefined';
		if (ArrayBuffer.isView(part)) {
			const bytes = new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
			return createHash('sha256').update(bytes).digest('hex');
		}
		if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
		return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
	});
}

/** A state by its parts. Words that the engine keeps for itself behind the architectural state are not compared. */
function parts(state: MachineState): Record<string, string> {
	const { engine, ...rest } = state;
	const harts = engine.harts.map((words) => words.slice(0, Slot.engine));
	return Object.fromEntries(
		Object.entries({ ...rest, engine: { ...engine, harts } }).map(([name, part]) => [name, text(part)]),
	);
}

/**
 * Everything that a guest could tell: not the trace hash, which pages it has seen, and when a single hart's time was last
 * looked at.
 */
function visible(machine: Machine): Record<string, string> {
	const { hash: _, memory: __, timeFloor: ___, ...rest } = parts(machine.save());
	return { ...rest, contents: text(machine.save().memory.frames) };
}

/** Runs to the first turn's end at or after `end`. */
function runTo(machine: Machine, end: number, chunk: number): void {
	let result = machine.run(0);
	while (result.reason === 'limit' && machine.executed < end)
		result = machine.run(Math.min(chunk, end - machine.executed));
}

const END = 2_400_000;

describe('two runs', () => {
	test.each([1, 3])('%i harts: the same hash, the same state', (harts) => {
		const [a, b] = [busy(harts), busy(harts)];
		for (const { machine } of [a, b]) {
			machine.receive(new TextEncoder().encode('typed'));
			runTo(machine, END, 1_000_000);
		}
		expect(a.machine.traceHash).toMatch(/^[0-9a-f]+$/);
		expect(b.machine.traceHash).toBe(a.machine.traceHash);
		expect(parts(b.machine.save())).toEqual(parts(a.machine.save()));
		expect(a.printed()).toBe('typed');
		// The guest did what it is for: the lock, timers, messages.
		const { symbols } = a.machine.boot;
		expect(word(a.machine, symbols.get('shared')!)).toBeGreaterThan(1000n);
		for (let hart = 0; hart < harts; hart++) {
			const page = symbols.get('pages')! + BigInt(hart) * 16384n;
			expect(word(a.machine, page + 16n)).toBeGreaterThan(10n);
			expect(word(a.machine, page + 24n)).toBeGreaterThan(10n);
		}
	});

	test.each([1, 3])('%i harts: another division of the run, the same guest', (harts) => {
		const [a, b] = [busy(harts), busy(harts)];
		runTo(a.machine, END, 1_000_000);
		runTo(b.machine, END, 7_919);
		expect(b.machine.executed).toBe(a.machine.executed);
		expect(b.machine.traceHash).toBe(a.machine.traceHash);
		expect(visible(b.machine)).toEqual(visible(a.machine));
	});

	test('another seed, and input at another time, are other runs', () => {
		const hash = (options: Partial<MachineOptions>, inputAt: number): string => {
			const { machine } = busy(1, options);
			runTo(machine, inputAt, inputAt);
			machine.receive(Uint8Array.of(65));
			runTo(machine, END, 1_000_000);
			return machine.traceHash!;
		};
		const first = hash({}, 500_000);
		expect(hash({}, 500_000)).toBe(first);
		expect(hash({ seed: 2 }, 500_000)).not.toBe(first);
		expect(hash({}, 700_000)).not.toBe(first);
	});

	test.each([1, 3])('%i harts: the trace hash makes no difference to the guest', (harts) => {
		const [a, b] = [busy(harts), busy(harts, { traceHash: false })];
		for (const { machine } of [a, b]) runTo(machine, END, 1_000_000);
		expect(b.machine.traceHash).toBeUndefined();
		expect(visible(b.machine)).toEqual(visible(a.machine));
	});

	test('an observer of instructions makes no difference, and a method of a class is one', () => {
		class Counter {
			count = 0;
			instruction(): void {
				this.count++;
			}
		}
		const counter = new Counter();
		const [a, b] = [busy(2), busy(2, { observer: counter })];
		for (const { machine } of [a, b]) runTo(machine, 60_000, 60_000);
		expect(b.machine.traceHash).toBe(a.machine.traceHash);
		expect(visible(b.machine)).toEqual(visible(a.machine));
		expect(counter.count).toBeGreaterThan(100_000);
	});
});

describe('snapshots', () => {
	/** Some end turns, most do not; one is a checkpoint, one just before. */
	const savedAt = [0, 4, 777, 123_457, 1_000_003, 1_048_575, 1_048_576];

	test.each([1, 2, 3])('%i harts: saved anywhere, the run goes on to the same end', (harts) => {
		const whole = busy(harts);
		whole.machine.receive(new TextEncoder().encode('typed ahead'));
		const states: { at: number; state: MachineState }[] = [];
		for (const point of savedAt) {
			runTo(whole.machine, point, 1_000_000);
			states.push({ at: whole.machine.executed, state: structuredClone(whole.machine.save()) });
		}
		runTo(whole.machine, END, 1_000_000);
		const expected = { ...parts(whole.machine.save()), timeFloor: 'when it was last looked at' };
		for (const { at, state } of states) {
			// The machine that takes it over has run already, and is elsewhere.
			const other = busy(harts);
			other.machine.run(31_337);
			other.machine.restore(state);
			expect(parts(other.machine.save())).toEqual(parts(state));
			expect(other.machine.executed).toBe(at);
			runTo(other.machine, END, 90_001);
			expect(other.machine.traceHash).toBe(whole.machine.traceHash);
			expect({ ...parts(other.machine.save()), timeFloor: expected.timeFloor }).toEqual(expected);
		}
	});

	test('under the SBI: input that waits, harts that are stopped', () => {
		const program = `
			li a7, 0x4442434e
			li a6, 1
		1:	li a0, 1
			li a1, 0x80400000
			li a2, 0
			ecall
			addi s0, s0, 1
			j 1b`;
		const a = supervisorGuest(program, { harts: 2, traceHash: true });
		a.machine.receive(new TextEncoder().encode('x'.repeat(3000)));
		a.machine.run(20_000);
		const b = supervisorGuest(program, { harts: 2, traceHash: true });
		b.machine.restore(structuredClone(a.machine.save()));
		for (const { machine } of [a, b]) runTo(machine, 60_000, 10_000);
		expect(b.machine.traceHash).toBe(a.machine.traceHash);
		expect(parts(b.machine.save())).toEqual(parts(a.machine.save()));
		expect(word(b.machine, RAM + 0x40_0000n)).toBe(0x78n);
	});

	test.each([
		['other harts', { harts: 2 }],
		['more memory', { memory: 16 << 20 }],
		['without a trace hash', { traceHash: false }],
		['no virtio device', { virtio: [] }],
	])('of a machine with %s: refused', (_, options) => {
		const { machine } = busy(1);
		machine.run(1000);
		const { machine: other } = busy(1, options);
		other.run(1000);
		expect(() => machine.restore(other.save())).toThrow();
	});
});
