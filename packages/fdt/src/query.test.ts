import { describe, expect, test } from 'vitest';
import { board } from '../test/board.ts';
import { cells, node, root } from './build.ts';
import { FdtError } from './error.ts';
import {
	ensureChild,
	findByCompatible,
	findByPath,
	findByPhandle,
	getCells,
	getProperty,
	getStrings,
	getU32,
	getU64,
	readReg,
	walk,
} from './query.ts';
import { readFdt } from './read.ts';
import { writeFdt } from './write.ts';

const tree = readFdt(writeFdt(board())).root;

describe('finding nodes', () => {
	test('walk visits parents before children, in order', () => {
		expect([...walk(tree)].map(({ path }) => path)).toEqual([
			'/',
			'/chosen',
			'/aliases',
			'/memory@80000000',
			'/cpus',
			'/cpus/cpu@0',
			'/cpus/cpu@0/interrupt-controller',
			'/soc',
			'/soc/interrupt-controller@c000000',
			'/soc/serial@10000000',
		]);
	});

	test.each([
		['/', '/'],
		['/soc/serial@10000000', '/soc/serial@10000000'],
		['/soc/serial', '/soc/serial@10000000'],
		['//soc/serial@10000000/', '/soc/serial@10000000'],
		['serial0', '/soc/serial@10000000'],
		['/cpus/cpu/interrupt-controller', '/cpus/cpu@0/interrupt-controller'],
		['/nowhere', undefined],
		['/soc/serial@1', undefined],
		['serial1', undefined],
		['', undefined],
	])('findByPath %s', (path, expected) => {
		expect(findByPath(tree, path)?.path).toBe(expected);
	});

	test('a name without unit address must be unique', () => {
		const two = root({}, [node('a@1'), node('a@2')]);
		expect(findByPath(two, '/a')).toBeUndefined();
		expect(findByPath(two, '/a@2')?.path).toBe('/a@2');
	});

	test('an alias that names no path leads nowhere', () => {
		expect(findByPath(root({}, [node('aliases', { a: 'a', b: 5 })]), 'a')).toBeUndefined();
	});

	test('by compatible, any of the strings', () => {
		expect(findByCompatible(tree, 'riscv,plic0').map(({ path }) => path)).toEqual([
			'/soc/interrupt-controller@c000000',
		]);
		expect(findByCompatible(tree, 'riscv')).toHaveLength(1);
		expect(findByCompatible(tree, 'ns16550')).toEqual([]);
	});

	test('by phandle', () => {
		expect(findByPhandle(tree, 3)?.path).toBe('/soc/serial@10000000');
		expect(findByPhandle(tree, 4)).toBeUndefined();
	});

	test('ensureChild adds once', () => {
		const empty = root();
		expect(ensureChild(empty, 'chosen')).toBe(ensureChild(empty, 'chosen'));
		expect(empty.children).toHaveLength(1);
	});
});

describe('values', () => {
	const uart = findByPath(tree, 'serial0')!.node;

	test('cells, strings, 64 bits', () => {
		expect(getU32(uart, 'clock-frequency')).toBe(3_686_400);
		expect(getStrings(uart, 'compatible')).toEqual(['ns16550a']);
		expect(getCells(uart, 'reg')).toEqual([0, 0x10000000, 0, 0x100]);
		expect(getU64(node('x', { big: 1n << 63n }), 'big')).toBe(1n << 63n);
		expect(getProperty(findByPath(tree, '/soc')!.node, 'ranges')).toEqual(new Uint8Array(0));
		expect(getStrings(node('x', { s: ['a', '', 'b'] }), 's')).toEqual(['a', '', 'b']);
		expect(getStrings(node('x', { s: true }), 's')).toEqual([]);
		expect(getStrings(node('x', { s: Uint8Array.of(0x61) }), 's')).toEqual(['a']);
	});

	test('what is missing is undefined', () => {
		for (const get of [getProperty, getU32, getU64, getCells, getStrings]) expect(get(uart, 'missing')).toBeUndefined();
		expect(readReg(findByPath(tree, '/soc')!)).toBeUndefined();
	});

	test('what has the wrong length is an error that names node and property', () => {
		for (const get of [getU32, getU64, getCells])
			expect(() => get(uart, 'compatible')).toThrow(/serial@10000000: property compatible/);
		expect(() => getU32(uart, 'compatible')).toThrow(FdtError);
	});
});

describe('readReg', () => {
	test('goes by the cells of the parent', () => {
		expect(readReg(findByPath(tree, 'serial0')!)).toEqual([{ address: 0x10000000n, size: 0x100n }]);
		expect(readReg(findByPath(tree, '/cpus/cpu@0')!)).toEqual([{ address: 0n, size: 0n }]);
	});

	test('where the parent says nothing, addresses have 2 cells and sizes 1', () => {
		const plain = root({}, [node('a', { reg: cells(1, 2, 3, 4, 5, 6) })]);
		expect(readReg(findByPath(plain, '/a')!)).toEqual([
			{ address: 0x1_0000_0002n, size: 3n },
			{ address: 0x4_0000_0005n, size: 6n },
		]);
	});

	test('three cells, as PCI has', () => {
		const pci = root({ '#address-cells': 3, '#size-cells': 2 }, [node('a', { reg: cells(1, 2, 3, 4, 5) })]);
		expect(readReg(findByPath(pci, '/a')!)).toEqual([{ address: (1n << 64n) | 0x2_0000_0003n, size: 0x4_0000_0005n }]);
	});

	test.each([
		['a length that does not fit', { '#address-cells': 2, '#size-cells': 2 }],
		['no cells at all', { '#address-cells': 0, '#size-cells': 0 }],
		['too many cells', { '#address-cells': 5, '#size-cells': 0 }],
		['a count that is no cell', { '#address-cells': 'two' }],
	])('refuses %s', (_, properties) => {
		const bad = root(properties, [node('a', { reg: cells(1, 2, 3, 4, 5) })]);
		expect(() => readReg(findByPath(bad, '/a')!)).toThrow(FdtError);
	});
});
