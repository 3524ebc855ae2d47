import { describe, expect, test } from 'vitest';
import {
	cells,
	join,
	node,
	type PropertyInput,
	pathOf,
	ref,
	reg32,
	reg64,
	root,
	setProperty,
	strings,
	u32,
	u64,
} from './build.ts';
import { getCells, getProperty } from './query.ts';
import { writeFdt } from './write.ts';

const hex = (input: PropertyInput): string => Buffer.from(getProperty(root({ x: input }), 'x')!).toString('hex');

describe('values', () => {
	test.each<[string, PropertyInput, string]>([
		['a number is a cell', 0x12345678, '12345678'],
		['u32', u32(0xffffffff), 'ffffffff'],
		['a bigint is 64 bits', 0x123456789an, '000000123456789a'],
		['u64 of numbers and bigints', u64(1, 2n ** 64n - 1n), '0000000000000001ffffffffffffffff'],
		['a string ends in NUL', 'ab', '616200'],
		['strings stand one after the other', ['a', '', 'b'], '6100006200'],
		['strings()', strings('a', 'b'), '61006200'],
		['text is UTF-8', 'é', 'c3a900'],
		['true is empty', true, ''],
		['bytes are bytes', Uint8Array.of(1, 2, 3), '010203'],
		['cells', cells(1, 2), '0000000100000002'],
		['reg64', reg64(0x10000000, 0x100), '00000000100000000000000000000100'],
		['reg32', reg32(0x10000000, 0x100), '1000000000000100'],
		['join', join(u32(1), strings('a')), '000000016100'],
	])('%s', (_, input, expected) => {
		expect(hex(input)).toBe(expected);
	});

	test('false and undefined leave a property out', () => {
		expect(root({ a: false, b: undefined }).properties).toEqual([]);
	});

	test.each<[string, () => unknown]>([
		['a negative cell', () => cells(-1)],
		['a cell of 33 bits', () => u32(2 ** 32)],
		['a fraction', () => u32(0.5)],
		['65 bits', () => u64(2n ** 64n)],
		['a number that is not exact', () => u64(2 ** 53)],
		['a string with NUL', () => strings('a\0b')],
		['half a pair', () => reg64(1)],
		['half a pair of cells', () => reg32(1)],
		['a node name with a slash', () => node('a/b')],
		['an empty node name', () => node('')],
		['two unit addresses', () => node('a@1@2')],
		['a label that is none', () => node('1a: b')],
		['a property name with a space', () => root({ 'a b': 1 })],
		['a name that is too long', () => node('a'.repeat(256))],
	])('refuses %s', (_, build) => {
		expect(build).toThrow(RangeError);
	});
});

describe('setProperty', () => {
	test('replaces in place, appends, removes', () => {
		const chosen = node('chosen', { a: 1, b: 2 });
		setProperty(chosen, 'a', 'x');
		setProperty(chosen, 'c', 3);
		expect(chosen.properties.map((p) => p.name)).toEqual(['a', 'b', 'c']);
		setProperty(chosen, 'b', undefined);
		setProperty(chosen, 'unknown', undefined);
		expect(chosen.properties.map((p) => p.name)).toEqual(['a', 'c']);
		expect(getCells(chosen, 'c')).toEqual([3]);
	});
});

describe('references', () => {
	test('keep their place when values are joined', () => {
		const value = join(cells(1, ref('a')), ref('b'), pathOf('c'));
		expect(value.references).toEqual([
			{ offset: 4, label: 'a', kind: 'phandle' },
			{ offset: 8, label: 'b', kind: 'phandle' },
			{ offset: 12, label: 'c', kind: 'path' },
		]);
	});

	test.each<[string, RegExp, () => ReturnType<typeof root>]>([
		['an unknown label', /'nowhere'/, () => root({ x: ref('nowhere') })],
		['a label twice', /same label a/, () => root({}, [node('a: x'), node('a: y')])],
		['a phandle twice', /same phandle 7/, () => root({}, [node('x', { phandle: 7 }), node('y', { phandle: 7 })])],
		['a child twice', /child x twice/, () => root({}, [node('x'), node('x')])],
		['a root with a name', /root's name/, () => node('x')],
		[
			'a property twice',
			/property p twice/,
			() => ({ name: '', properties: ['p', 'p'].map((name) => ({ name, value: new Uint8Array(0) })), children: [] }),
		],
		[
			'a property name made by hand',
			/"a b"/,
			() => ({ name: '', properties: [{ name: 'a b', value: new Uint8Array() }], children: [] }),
		],
		['a node name made by hand', /"a b"/, () => root({}, [{ name: 'a b', properties: [], children: [] }])],
		[
			'a tree that is too deep',
			/64 deep/,
			() =>
				root({}, [
					Array.from({ length: 63 }).reduce((inner: ReturnType<typeof node>) => node('x', {}, [inner]), node('x')),
				]),
		],
	])('writing refuses %s', (_, message, build) => {
		expect(() => writeFdt(build())).toThrow(RangeError);
		expect(() => writeFdt(build())).toThrow(message);
	});
});
