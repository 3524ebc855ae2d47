import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AddressMap, type MmioDevice } from './index.ts';

const device: MmioDevice = { read: () => 0, write: () => {} };

describe('AddressMap', () => {
	test('windows come in order of their addresses', () => {
		const map = new AddressMap();
		map.add({ name: 'b', base: 0x2000, size: 0x100, device });
		map.add({ name: 'a', base: 0x1000, size: 0x1000, device });
		map.add({ name: 'c', base: 0x2100, size: 4, device });
		expect(map.windows.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
	});

	test.each([
		[0x1000, 4],
		[0x10fc, 8],
		[0xffc, 8],
		[0x0, 0x1_0000],
		[0x1080, 1],
	])('a window at %i of %i bytes overlaps 0x1000 to 0x1100', (base, size) => {
		const map = new AddressMap();
		map.add({ name: 'first', base: 0x1000, size: 0x100, device });
		expect(() => map.add({ name: 'second', base, size, device })).toThrow(/second overlaps first/);
		expect(map.windows).toHaveLength(1);
	});

	test.each([
		[-4, 8],
		[0, 0],
		[0, -1],
		[Number.NaN, 4],
		[0.5, 1],
		[Number.MAX_SAFE_INTEGER, 4],
	])('base %d and size %d are no range', (base, size) => {
		expect(() => new AddressMap().add({ name: 'w', base, size, device })).toThrow(/are no range/);
	});

	test('an access that leaves its window finds nothing, even where another window follows', () => {
		const map = new AddressMap();
		map.add({ name: 'a', base: 0x1000, size: 0x10, device });
		map.add({ name: 'b', base: 0x1010, size: 0x10, device });
		expect(map.find(0x100c, 4)?.name).toBe('a');
		expect(map.find(0x100e, 4)).toBeUndefined();
		expect(map.find(0xfff, 2)).toBeUndefined();
		expect(map.find(0x1020, 1)).toBeUndefined();
	});

	test('find says what a search through all windows says', () => {
		const sizes = fc.array(fc.tuple(fc.integer({ min: 0, max: 16 }), fc.integer({ min: 1, max: 16 })), {
			maxLength: 20,
		});
		fc.assert(
			fc.property(sizes, fc.array(fc.tuple(fc.nat(700), fc.constantFrom(1, 2, 4, 8))), (gaps, accesses) => {
				const map = new AddressMap();
				let base = 0;
				const windows = gaps.map(([gap, size], index) => {
					const window = { name: `${index}`, base: base + gap, size, device };
					base += gap + size;
					return window;
				});
				for (const window of windows.toReversed()) map.add(window);
				for (const [address, size] of accesses) {
					const expected = windows.find((w) => address >= w.base && address + size <= w.base + w.size);
					expect(map.find(address, size)).toBe(expected);
				}
			}),
		);
	});
});
