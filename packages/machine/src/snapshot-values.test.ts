import { describe, expect, test } from 'vitest';
import { decodeValue, encodeValue, MOST_DEPTH, type PlainValue, ValueError } from './snapshot-values.ts';

const SAMPLE: PlainValue = {
	nothing: [undefined, null],
	truth: [true, false],
	numbers: [0, -0, 1.5, -3, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY],
	bigints: [0n, 2n ** 64n - 1n, -(2n ** 63n)],
	text: ['', 'grün "quoted" \\ \n'],
	'a "key" \\ with \n escapes': 1,
	arrays: [
		new Uint8Array([1, 2, 255]),
		new Int32Array([-1, 2]),
		new Uint32Array([2 ** 32 - 1]),
		new BigUint64Array([2n ** 64n - 1n, 0n]),
		new Uint8Array(5000).fill(7),
	],
	nested: [[[{ deep: [] }]]],
	__proto__of: {},
};

test('what is read is what was written', () => {
	expect(decodeValue(encodeValue(SAMPLE))).toEqual(SAMPLE);
});

test('a key __proto__ is a key', () => {
	const value = decodeValue(encodeValue(Object.fromEntries([['__proto__', { polluted: true }]])));
	expect(Object.keys(value as object)).toEqual(['__proto__']);
	expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
});

test('what is no plain value is a bug of its owner', () => {
	for (const value of [() => 1, new Map(), new Date(), 2n ** 64n, Symbol('x'), new Float64Array(1)])
		expect(() => encodeValue(value as unknown as PlainValue)).toThrow(TypeError);
});

describe('hostile bytes', () => {
	test('every truncation is refused', () => {
		const bytes = encodeValue(SAMPLE);
		for (let length = 0; length < bytes.length; length += length < 1000 ? 1 : 997)
			expect(() => decodeValue(bytes.subarray(0, length))).toThrow(ValueError);
	});

	test.each<[string, number[]]>([
		['nothing', []],
		['an unknown tag', [99]],
		['bytes left over', [1, 1]],
		['an array longer than the input', [8, 255, 255, 255, 255, 1]],
		['an object longer than the input', [9, 255, 255, 255, 255, 0, 0, 0, 0, 1]],
		['a typed array longer than the input', [13, 255, 255, 255, 31, 0]],
		['a string longer than the input', [7, 255, 255, 255, 255, 65]],
	])('%s', (_, bytes) => {
		expect(() => decodeValue(Uint8Array.from(bytes))).toThrow(ValueError);
	});

	test('nesting without end is refused', () => {
		const deep = Uint8Array.from({ length: (MOST_DEPTH + 2) * 5 }, (_, i) => [8, 1, 0, 0, 0][i % 5]!);
		expect(() => decodeValue(deep)).toThrow('nested too deeply');
	});
});
