// The boot contract's data: blocks of untyped memory, and the bytes that the root task reads. Offsets are those of libsel4's
// structures.
import { describe, expect, test } from 'vitest';
import { BOOTINFO_BYTES, encodeBootInfo, encodeExtraBootInfo, MOST_UNTYPEDS } from '../src/boot/bootinfo.ts';
import { rangesWithout, untypedBlocks } from '../src/boot/untypeds.ts';

describe('blocks of untyped memory', () => {
	test('are aligned powers of two, and as few as there can be', () => {
		expect(untypedBlocks({ start: 0x8000_1000, end: 0x8001_0000 }, false)).toEqual([
			{ address: 0x8000_1000, bits: 12, device: false },
			{ address: 0x8000_2000, bits: 13, device: false },
			{ address: 0x8000_4000, bits: 14, device: false },
			{ address: 0x8000_8000, bits: 15, device: false },
		]);
	});

	test('are at least of 16 bytes, at most of 256 GiB', () => {
		expect(untypedBlocks({ start: 8, end: 0x35 }, true)).toEqual([
			{ address: 0x10, bits: 4, device: true },
			{ address: 0x20, bits: 4, device: true },
		]);
		expect(untypedBlocks({ start: 0, end: 2 ** 39 }, true).map(({ address, bits }) => [address, bits])).toEqual([
			[0, 38],
			[2 ** 38, 38],
		]);
		expect(untypedBlocks({ start: 0x1008, end: 0x1010 }, false)).toEqual([]);
	});
});

test('ranges without those that are taken', () => {
	const range = { start: 0x1000, end: 0x9000 };
	expect(rangesWithout(range, [])).toEqual([range]);
	expect(
		rangesWithout(range, [
			{ start: 0x8000, end: 0xa000 },
			{ start: 0x3000, end: 0x4000 },
			{ start: 0, end: 0x2000 },
			{ start: 0x3800, end: 0x5000 },
			{ start: 0xb000, end: 0xc000 },
		]),
	).toEqual([
		{ start: 0x2000, end: 0x3000 },
		{ start: 0x5000, end: 0x8000 },
	]);
	expect(rangesWithout(range, [{ start: 0, end: 0x10000 }])).toEqual([]);
});

test('the boot information frame', () => {
	const bytes = encodeBootInfo({
		extraBytes: 0x2000,
		ipcBuffer: 0x43_6000,
		cnodeBits: 13,
		empty: { start: 900, end: 8192 },
		imageFrames: { start: 20, end: 800 },
		imagePaging: { start: 16, end: 18 },
		extraFrames: { start: 18, end: 19 },
		schedControl: { start: 19, end: 20 },
		untypeds: { start: 800, end: 802 },
		untypedBlocks: [
			{ address: 0, bits: 25, device: true },
			{ address: 0x1_0000_0000, bits: 30, device: false },
		],
	});
	const view = new DataView(bytes.buffer);
	const words = Array.from({ length: 23 }, (_, index) => Number(view.getBigUint64(8 * index, true)));
	expect(words).toEqual([
		...[0x2000, 0, 1, 0, 0x43_6000],
		...[900, 8192, 0, 0, 20, 800, 16, 18, 0, 0, 18, 19],
		...[13, 0, 19, 20, 800, 802],
	]);
	expect(bytes.subarray(184, 194)).toEqual(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 25, 1));
	expect(bytes.subarray(200, 210)).toEqual(Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0, 30, 0));
	expect(184 + 16 * MOST_UNTYPEDS).toBeLessThanOrEqual(BOOTINFO_BYTES);
});

test('the chunks behind it: the devicetree, then padding', () => {
	const tree = Uint8Array.from({ length: 5001 }, (_, index) => index);
	const bytes = encodeExtraBootInfo(tree);
	const view = new DataView(bytes.buffer);
	const header = (at: number): number[] => [
		Number(view.getBigUint64(at, true)),
		Number(view.getBigUint64(at + 8, true)),
	];
	expect(bytes.length).toBe(0x2000);
	expect(header(0)).toEqual([6, 16 + 5008]);
	expect(bytes.subarray(16, 16 + 5001)).toEqual(tree);
	expect(header(16 + 5008)).toEqual([0, 0x2000 - 16 - 5008]);
	// What ends at a page's end leaves no room for a header: there is another page.
	expect(encodeExtraBootInfo(new Uint8Array(4096 - 16)).length).toBe(0x2000);
	expect(encodeExtraBootInfo(undefined).length).toBe(0);
});
