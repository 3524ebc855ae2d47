import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TraceHash } from './hash.ts';

const frame = Uint8Array.from({ length: 4096 }, (_, i) => (i * 7 + (i >> 8)) & 0xff);
const event1 = [0, 0x1234, 0, 0x80000000, 0, 8, 0, 0] as const;
const event2 = [3, 0xffffffff, 1, 0xdeadbeef, 0xffffffff, 0x80000005, 0xcafebabe, 0xffffffc0] as const;

// Expected values: the words of each record, packed as the definition in hash.ts says, through the function for
// MurmurHash3_x86_128 of the Python package mmh3 5.3.0, an independent implementation.
describe('test vectors', () => {
	test.each<[string, string, (hash: TraceHash) => void]>([
		['nothing', '00000000000000000000000000000000', () => {}],
		['words 0', '63161a66638434dd55750132c59231cd', (h) => h.add(0)],
		['words 1 2 2^32-1', '5fdcbbd66b51bbd59e300e7e002a46a8', (h) => h.add(1, 2, 0xffffffff)],
		['words, signed', '5fdcbbd66b51bbd59e300e7e002a46a8', (h) => h.add(1, 2, -1)],
		['an event', '4a13a913bbcb391fd4d2218823352c13', (h) => h.event(...event1)],
		[
			'two events',
			'988547ae5c7a2593bf192f07aede3da2',
			(h) => {
				h.event(...event1);
				h.event(...event2);
			},
		],
		['no bytes', '681393f33ac61756527e0c329bd709a6', (h) => h.addBytes(new Uint8Array(0))],
		['one byte', 'b39b1dcdd58105d091f6c0dd18fefbcf', (h) => h.addBytes(Uint8Array.of(0x80))],
		[
			'17 bytes, labelled',
			'5a8d8214f3647c8bc018485129c702a4',
			(h) =>
				h.addBytes(
					Uint8Array.from({ length: 17 }, (_, i) => i),
					5,
					6,
				),
		],
		['a frame', '4bbcb0292a719082e0662f6a8d7d8219', (h) => h.addBytes(frame, 0x80000)],
		[
			'all kinds of records',
			'49e7c41390ac9cc9cedb1c2450a06a81',
			(h) => {
				h.event(...event1);
				h.addBytes(frame, 0x80000);
				h.event(...event2);
				h.add(7);
			},
		],
	])('%s', (_, expected, feed) => {
		const hash = new TraceHash();
		feed(hash);
		expect(hash.digest()).toBe(expected);
		expect(hash.digest()).toBe(expected);
	});
});

describe('TraceHash', () => {
	test('every argument of an event counts', () => {
		const digests = new Set<string>();
		for (let i = 0; i <= 8; i++) {
			const hash = new TraceHash();
			const args = event2.map((value, at) => (at === i ? value ^ 1 : value)) as unknown as typeof event2;
			hash.event(...args);
			digests.add(hash.digest());
		}
		expect(digests.size).toBe(9);
	});

	test('order and label count', () => {
		const digest = (...labels: number[]): string => {
			const hash = new TraceHash();
			for (const label of labels) hash.addBytes(frame, label);
			return hash.digest();
		};
		expect(new Set([digest(1, 2), digest(2, 1), digest(1, 1), digest(1)]).size).toBe(4);
	});

	test('bytes hash the same at every alignment', () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(15), (bytes, offset) => {
				const shifted = new Uint8Array(offset + bytes.length).subarray(offset);
				shifted.set(bytes);
				const [a, b] = [new TraceHash(), new TraceHash()];
				a.addBytes(bytes);
				b.addBytes(shifted);
				expect(b.state).toEqual(a.state);
			}),
		);
	});

	test('continues from its state at any point', () => {
		const records = fc.array(fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.integer()), { maxLength: 20 });
		const feed = (hash: TraceHash, list: (Uint8Array | number)[]): void => {
			for (const r of list) typeof r === 'number' ? hash.event(0, r, 0, r, 0, 8, 0, 0) : hash.addBytes(r);
		};
		fc.assert(
			fc.property(records, records, (first, second) => {
				const whole = new TraceHash();
				feed(whole, first);
				const resumed = new TraceHash(JSON.parse(JSON.stringify(whole.state)));
				feed(whole, second);
				feed(resumed, second);
				expect(resumed.digest()).toBe(whole.digest());
				expect(resumed.state).toEqual(whole.state);
			}),
		);
	});

	test.each([
		['three words', { words: [1, 2, 3], blocks: 0 }],
		['a word out of range', { words: [1, 2, 3, 2 ** 32], blocks: 0 }],
		['a negative word', { words: [1, 2, 3, -1], blocks: 0 }],
		['a fraction of a block', { words: [1, 2, 3, 4], blocks: 0.5 }],
	])('refuses a state with %s and stays as it was', (_, state) => {
		const hash = new TraceHash();
		hash.add(1);
		const before = hash.state;
		expect(() => hash.restore(state as unknown as typeof before)).toThrow(RangeError);
		expect(hash.state).toEqual(before);
	});
});
