import { describe, expect, test } from 'vitest';
import {
	decodeHgatp,
	decodeSatp,
	encodeHgatp,
	encodeSatp,
	firstStageFormat,
	isCanonical,
	type PagingFormat,
	rootTableBytes,
	SV39,
	SV39X4,
	SV48,
	SV48X4,
	SV57,
	SV57X4,
	secondStageFormat,
	tableIndex,
} from './paging-mode.ts';

describe('satp, vsatp and hgatp', () => {
	test('satp: MODE 63:60, ASID 59:44, PPN 43:0', () => {
		const value = 0x9abc_d123_4567_89abn;
		const fields = { mode: 9, asid: 0xabcd, root: 0x1234_5678_9ab0_00n };
		expect(decodeSatp(value)).toEqual(fields);
		expect(encodeSatp(fields)).toBe(value);
	});

	test('hgatp: VMID 57:44; PPN[1:0] read as zero in the paged modes', () => {
		expect(decodeHgatp(0x8fff_f000_0008_0003n)).toEqual({ mode: 8, vmid: 0x3fff, root: 0x8000_0000n });
		expect(encodeHgatp({ mode: 10, vmid: 0x1234, root: 0x8000_4000n })).toBe(0xa123_4000_0008_0004n);
	});

	test('MODE', () => {
		const first = Array.from({ length: 16 }, (_, mode) => firstStageFormat(mode));
		const second = Array.from({ length: 16 }, (_, mode) => secondStageFormat(mode));
		const r = 'reserved';
		expect(first).toEqual(['bare', r, r, r, r, r, r, r, SV39, SV48, SV57, r, r, r, r, r]);
		expect(second).toEqual(['bare', r, r, r, r, r, r, r, SV39X4, SV48X4, SV57X4, r, r, r, r, r]);
	});
});

describe('address widths', () => {
	const signed: [PagingFormat, bigint, bigint][] = [
		[SV39, 0x3f_ffff_ffffn, 0xffff_ffc0_0000_0000n],
		[SV48, 0x7fff_ffff_ffffn, 0xffff_8000_0000_0000n],
		[SV57, 0xff_ffff_ffff_ffffn, 0xff00_0000_0000_0000n],
	];
	test.each(signed)('$name: the bits above equal the highest one', (format, lowEnd, highStart) => {
		for (const [address, canonical] of [
			[0n, true],
			[lowEnd, true],
			[lowEnd + 1n, false],
			[highStart - 1n, false],
			[highStart, true],
			[(1n << 64n) - 1n, true],
		] as const) {
			expect(isCanonical(format, address)).toBe(canonical);
		}
		expect(rootTableBytes(format)).toBe(4096);
	});

	const unsigned: [PagingFormat, bigint][] = [
		[SV39X4, 1n << 41n],
		[SV48X4, 1n << 50n],
		[SV57X4, 1n << 59n],
	];
	test.each(unsigned)('$name: the bits above are zero', (format, end) => {
		expect(isCanonical(format, end - 1n)).toBe(true);
		expect(isCanonical(format, end)).toBe(false);
		expect(isCanonical(format, (1n << 64n) - 1n)).toBe(false);
		expect(rootTableBytes(format)).toBe(16384);
	});

	test('VPN fields have 9 bits, the root of the x4 schemes 11', () => {
		const ones = (1n << 64n) - 1n;
		expect([2, 1, 0].map((level) => tableIndex(SV39, level, ones))).toEqual([511n, 511n, 511n]);
		expect([2, 1, 0].map((level) => tableIndex(SV39X4, level, ones))).toEqual([2047n, 511n, 511n]);
		expect(tableIndex(SV57X4, 4, 0x7ff_ffff_ffff_ffffn)).toBe(2047n);
		expect(tableIndex(SV48, 3, 0x8000_0000_0000n)).toBe(256n);
		expect(tableIndex(SV39, 0, 0x1f_f000n)).toBe(511n);
	});
});
