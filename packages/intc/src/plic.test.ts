// By section of the PLIC specification 1.0.0. Where QEMU 7.2 differs (see the class), the specification is expected.
import { describe, expect, test } from 'vitest';
import {
	FU540_PLIC,
	PLIC_CLAIM,
	PLIC_CONTEXT_STRIDE,
	PLIC_ENABLE,
	PLIC_ENABLE_STRIDE,
	PLIC_PENDING,
	PLIC_PRIORITY,
	PLIC_THRESHOLD,
	Plic,
	type PlicLayout,
	StateError,
} from './index.ts';

function board(contexts = 2, layout?: PlicLayout) {
	const lines: boolean[] = [];
	const plic = new Plic({
		...(layout && { layout }),
		contexts: Array.from({ length: contexts }, (_, context) => ({
			set: (level: boolean) => {
				lines[context] = level;
			},
		})),
	});
	const priority = (source: number, value: number) => plic.write(PLIC_PRIORITY + 4 * source, 4, value);
	const enable = (context: number, ...sources: number[]) => {
		const words = [0, 0, 0];
		for (const source of sources) words[source >>> 5] |= 1 << (source & 31);
		words.forEach((word, index) => {
			plic.write(PLIC_ENABLE + PLIC_ENABLE_STRIDE * context + 4 * index, 4, word >>> 0);
		});
	};
	const threshold = (context: number, value: number) =>
		plic.write(PLIC_THRESHOLD + PLIC_CONTEXT_STRIDE * context, 4, value);
	const claim = (context: number) => plic.read(PLIC_CLAIM + PLIC_CONTEXT_STRIDE * context, 4);
	const complete = (context: number, source: number) =>
		plic.write(PLIC_CLAIM + PLIC_CONTEXT_STRIDE * context, 4, source);
	const pending = (source: number) => ((plic.read(PLIC_PENDING + 4 * (source >>> 5), 4) >>> (source & 31)) & 1) === 1;
	return { plic, lines, priority, enable, threshold, claim, complete, pending };
}

describe('memory map', () => {
	test('priorities are WARL with three bits; source 0 has none', () => {
		const { plic, priority } = board();
		priority(10, 0xffffffff);
		expect(plic.read(PLIC_PRIORITY + 40, 4)).toBe(7);
		priority(95, 5);
		expect(plic.read(PLIC_PRIORITY + 4 * 95, 4)).toBe(5);
		priority(0, 7);
		priority(96, 7);
		expect(plic.read(PLIC_PRIORITY, 4)).toBe(0);
		expect(plic.read(PLIC_PRIORITY + 4 * 96, 4)).toBe(0);
	});

	test('enable bits of each context are apart; bit 0 is hardwired to 0; words past the sources are not there', () => {
		const { plic } = board();
		for (let word = 0; word < 4; word++) plic.write(PLIC_ENABLE + PLIC_ENABLE_STRIDE + 4 * word, 4, 0xffffffff);
		expect([0, 1, 2, 3].map((word) => plic.read(PLIC_ENABLE + PLIC_ENABLE_STRIDE + 4 * word, 4))).toEqual([
			0xfffffffe, 0xffffffff, 0xffffffff, 0,
		]);
		expect(plic.read(PLIC_ENABLE, 4)).toBe(0);
	});

	test('the FU540 has 53 sources', () => {
		const { plic } = board(9, FU540_PLIC);
		plic.write(PLIC_ENABLE + 4 + 8 * PLIC_ENABLE_STRIDE, 4, 0xffffffff);
		expect(plic.read(PLIC_ENABLE + 4 + 8 * PLIC_ENABLE_STRIDE, 4)).toBe(0x003fffff);
		expect(() => plic.source(54)).toThrow(RangeError);
		expect(plic.size).toBe(0x209000);
	});

	test('thresholds are WARL; accesses out of specification read 0 and change nothing', () => {
		const { plic, threshold } = board();
		threshold(1, 0xff);
		expect(plic.read(PLIC_THRESHOLD + PLIC_CONTEXT_STRIDE, 4)).toBe(7);
		const before = structuredClone(plic.state);
		for (const offset of [1, PLIC_PENDING, 0x2100, 0x1fff00, 0x200008, 0x202000, 0x3fffffc, 0xfffffffc]) {
			plic.write(offset, 4, 0xffffffff);
			expect(plic.read(offset, 4)).toBe(0);
		}
		plic.write(PLIC_THRESHOLD, 1, 3);
		expect(plic.read(PLIC_THRESHOLD + PLIC_CONTEXT_STRIDE, 2)).toBe(0);
		expect(plic.state).toEqual(before);
	});
});

describe('notification', () => {
	test('needs pending, enabled, and a priority above the threshold; priority 0 never interrupts', () => {
		const { plic, lines, priority, enable, threshold, pending } = board();
		plic.source(10).set(true);
		expect(pending(10)).toBe(true);
		expect(lines).toEqual([false, false]);
		enable(1, 10);
		expect(lines).toEqual([false, false]);
		priority(10, 3);
		expect(lines).toEqual([false, true]);
		threshold(1, 3);
		expect(lines).toEqual([false, false]);
		threshold(1, 2);
		expect(lines).toEqual([false, true]);
		enable(1);
		expect(lines).toEqual([false, false]);
	});

	test('goes to every context that enabled the source; the first claim takes it', () => {
		const { plic, lines, priority, enable, claim } = board();
		priority(33, 1);
		enable(0, 33);
		enable(1, 33);
		plic.source(33).set(true);
		expect(lines).toEqual([true, true]);
		expect(claim(1)).toBe(33);
		expect(lines).toEqual([false, false]);
		expect(claim(0)).toBe(0);
	});
});

describe('claim', () => {
	test('the highest priority first, then the lowest number', () => {
		const { plic, priority, enable, claim } = board();
		const sources = [64, 7, 31, 32, 90];
		enable(0, ...sources);
		for (const source of sources) priority(source, source === 90 ? 5 : source === 7 ? 1 : 4);
		for (const source of sources) plic.source(source).set(true);
		expect([claim(0), claim(0), claim(0), claim(0), claim(0), claim(0)]).toEqual([90, 31, 32, 64, 7, 0]);
	});

	test('is not affected by the threshold', () => {
		const { plic, lines, priority, enable, threshold, claim } = board();
		enable(0, 5);
		priority(5, 2);
		threshold(0, 7);
		plic.source(5).set(true);
		expect(lines[0]).toBe(false);
		expect(claim(0)).toBe(5);
	});

	test('clears the pending bit', () => {
		const { plic, priority, enable, claim, pending } = board();
		enable(0, 5);
		priority(5, 2);
		plic.source(5).set(true);
		claim(0);
		expect(pending(5)).toBe(false);
	});
});

describe('gateway', () => {
	test('forwards one request until completion, then again while the line is up', () => {
		const { plic, lines, priority, enable, claim, complete, pending } = board();
		enable(0, 5);
		priority(5, 2);
		const line = plic.source(5);
		line.set(true);
		expect(claim(0)).toBe(5);
		line.set(false);
		line.set(true);
		expect(pending(5)).toBe(false);
		complete(0, 5);
		expect(pending(5)).toBe(true);
		expect(lines[0]).toBe(true);
		expect(claim(0)).toBe(5);
		line.set(false);
		complete(0, 5);
		expect(lines[0]).toBe(false);
		expect(claim(0)).toBe(0);
	});

	test('edge-triggered: one request for each edge, and one more for those during its handling', () => {
		const { plic, lines, priority, enable, claim, complete, pending } = board(1, {
			sources: 96,
			maxPriority: 7,
			edgeTriggered: [10],
		});
		priority(10, 1);
		enable(0, 10);
		const source = plic.source(10);
		source.set(true);
		expect([lines[0], claim(0)]).toEqual([true, 10]);
		// The line is still up: that is no edge.
		complete(0, 10);
		expect([pending(10), lines[0]]).toEqual([false, false]);
		source.set(false);
		expect(pending(10)).toBe(false);
		source.set(true);
		source.set(true);
		expect(claim(0)).toBe(10);
		source.set(true);
		source.set(false);
		source.set(true);
		// "The next interrupt request will not be forwarded to the PLIC core until the previous completion message".
		expect([pending(10), claim(0)]).toEqual([false, 0]);
		complete(0, 10);
		expect([pending(10), claim(0)]).toEqual([true, 10]);
		complete(0, 10);
		expect(pending(10)).toBe(false);
	});

	test('edge-triggered: an edge that waits for completion is pending after a reset, once', () => {
		const { plic, priority, enable, claim, complete, pending } = board(1, {
			sources: 96,
			maxPriority: 7,
			edgeTriggered: [10],
		});
		priority(10, 1);
		enable(0, 10);
		plic.source(10).set(true);
		claim(0);
		plic.source(10).set(true);
		plic.reset();
		expect(pending(10)).toBe(true);
		priority(10, 1);
		enable(0, 10);
		expect(claim(0)).toBe(10);
		complete(0, 10);
		expect(pending(10)).toBe(false);
	});

	test('does not retract a request whose line fell', () => {
		const { plic, priority, enable, claim } = board();
		enable(0, 5);
		priority(5, 2);
		plic.source(5).set(true);
		plic.source(5).set(false);
		expect(claim(0)).toBe(5);
	});
});

describe('completion', () => {
	test('is ignored where the source is not enabled for the context', () => {
		const { plic, priority, enable, claim, complete, pending } = board();
		enable(0, 5);
		priority(5, 2);
		plic.source(5).set(true);
		claim(0);
		complete(1, 5);
		complete(0, 6);
		complete(0, 0);
		complete(0, 0x80000005);
		expect(pending(5)).toBe(false);
		complete(0, 5);
		expect(pending(5)).toBe(true);
	});

	test('need not come from the context that claimed', () => {
		const { plic, priority, enable, claim, complete, pending } = board();
		enable(0, 5);
		enable(1, 5);
		priority(5, 2);
		plic.source(5).set(true);
		claim(0);
		complete(1, 5);
		expect(pending(5)).toBe(true);
	});
});

test('a state moves to another controller with its lines; reset keeps the source levels', () => {
	const one = board();
	one.enable(1, 8, 9);
	one.priority(8, 1);
	one.priority(9, 2);
	one.plic.source(8).set(true);
	one.plic.source(9).set(true);
	expect(one.claim(1)).toBe(9);
	const two = board();
	two.plic.restore(structuredClone(one.plic.state));
	expect(two.lines).toEqual([false, true]);
	expect(two.claim(1)).toBe(8);
	two.complete(1, 9);
	expect(two.claim(1)).toBe(9);
	two.plic.reset();
	expect(two.lines).toEqual([false, false]);
	expect(two.pending(8)).toBe(true);
	expect(two.plic.read(PLIC_PRIORITY + 32, 4)).toBe(0);
});

test('refuses a state that does not fit, and keeps its own', () => {
	const { plic } = board();
	const good = structuredClone(plic.state);
	const bad = [
		{ ...good, threshold: new Uint32Array(3) },
		{ ...good, pending: new Uint32Array([1, 0, 0]) },
		{ ...good, priority: new Uint32Array(96).fill(8) },
		{ ...good, priority: new Uint32Array(96).fill(1) },
		{ ...good, level: [0, 0, 0] as unknown as Uint32Array },
		undefined as never,
	];
	for (const state of bad) expect(() => plic.restore(state)).toThrow(StateError);
	expect(plic.state).toEqual(good);
	expect(() => board(2, { sources: 96, maxPriority: 6 })).toThrow(RangeError);
	expect(() => board(2, { sources: 1, maxPriority: 7 })).toThrow(RangeError);
	expect(() => board(0)).toThrow(RangeError);
});

test('random traffic: notifications always agree with a plain model', () => {
	let seed = 0x1234567;
	const random = (bound: number) => {
		seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
		return Math.floor((seed / 2 ** 32) * bound);
	};
	const { plic, lines } = board(4);
	const sources = Array.from({ length: 95 }, (_, index) => plic.source(index + 1));
	for (let step = 0; step < 20_000; step++) {
		const context = random(4);
		const choice = random(6);
		if (choice < 2) sources[random(95)].set(random(2) === 1);
		else if (choice === 2) plic.write(4 * random(96), 4, random(16));
		else if (choice === 3) plic.write(PLIC_ENABLE + 0x80 * context + 4 * random(3), 4, random(2 ** 32));
		else if (choice === 4) plic.read(PLIC_CLAIM + 0x1000 * context, 4);
		else if (random(2)) plic.write(PLIC_CLAIM + 0x1000 * context, 4, random(100));
		else plic.write(PLIC_THRESHOLD + 0x1000 * context, 4, random(16));
		const bit = (set: Uint32Array, index: number, base = 0) => (set[base + (index >>> 5)] >>> (index & 31)) & 1;
		const { pending, claimed, enable, priority, threshold, level } = plic.state;
		for (let target = 0; target < 4; target++) {
			let expected = false;
			for (let source = 1; source < 96; source++)
				if (bit(pending, source) && bit(enable, source, target * 3) && priority[source] > threshold[target])
					expected = true;
			expect(lines[target]).toBe(expected);
		}
		for (let word = 0; word < 3; word++) {
			expect(pending[word] & claimed[word]).toBe(0);
			// An asserted line is always pending or in service.
			expect(level[word] & ~(pending[word] | claimed[word])).toBe(0);
		}
	}
});
