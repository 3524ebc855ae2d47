// By section of the ACLINT specification; the reset values and the register map were checked against QEMU 7.2's `virt`
// (qtest: mtime and mtimecmp read 0 after reset; `info registers`: mip 0x80).
import { describe, expect, test } from 'vitest';
import { ACLINT_MSIP, ACLINT_MTIME, ACLINT_MTIMECMP, Aclint, StateError } from './index.ts';

function board(harts = 2) {
	const software: boolean[] = [];
	const timer: boolean[] = [];
	const deadlines: (number | undefined)[] = [];
	const clock = { nanos: 0 };
	const lines = (levels: boolean[]) =>
		Array.from({ length: harts }, (_, hart) => ({
			set: (level: boolean) => {
				levels[hart] = level;
			},
		}));
	const aclint = new Aclint({
		now: () => clock.nanos,
		software: lines(software),
		timer: lines(timer),
		setDeadline: (hart, nanos) => {
			deadlines[hart] = nanos;
		},
	});
	const write64 = (offset: number, value: bigint) => {
		aclint.write(offset, 4, Number(value & 0xffffffffn));
		aclint.write(offset + 4, 4, Number(value >> 32n));
	};
	const read64 = (offset: number) => BigInt(aclint.read(offset, 4)) | (BigInt(aclint.read(offset + 4, 4)) << 32n);
	return { aclint, software, timer, deadlines, clock, write64, read64 };
}

describe('MTIMER', () => {
	test('mtime counts at 10 MHz', () => {
		const { clock, read64 } = board();
		expect(read64(ACLINT_MTIME)).toBe(0n);
		clock.nanos = 99;
		expect(read64(ACLINT_MTIME)).toBe(0n);
		clock.nanos = 100;
		expect(read64(ACLINT_MTIME)).toBe(1n);
		clock.nanos = 100 * 2 ** 40 + 50;
		expect(read64(ACLINT_MTIME)).toBe(1n << 40n);
	});

	test('after reset mtimecmp is 0 and MTIP is up, as on QEMU', () => {
		const { aclint, timer, deadlines, read64 } = board();
		expect(read64(ACLINT_MTIMECMP)).toBe(0n);
		expect(timer).toEqual([true, true]);
		expect(deadlines).toEqual([undefined, undefined]);
		expect(aclint.harts).toBe(2);
	});

	test('the line is up exactly while mtime >= mtimecmp, and the deadline is that instant', () => {
		const { aclint, timer, deadlines, clock, write64 } = board();
		clock.nanos = 250;
		write64(ACLINT_MTIMECMP + 8, 5n);
		expect(timer).toEqual([true, false]);
		expect(deadlines[1]).toBe(500);
		clock.nanos = 499;
		aclint.expire(1);
		expect(timer[1]).toBe(false);
		expect(deadlines[1]).toBe(500);
		clock.nanos = 500;
		aclint.expire(1);
		expect(timer[1]).toBe(true);
		write64(ACLINT_MTIMECMP + 8, 6n);
		expect(timer[1]).toBe(false);
		expect(deadlines[1]).toBe(600);
	});

	test('the comparison is unsigned over 64 bits; the far future has no deadline', () => {
		const { timer, deadlines, write64, read64 } = board();
		write64(ACLINT_MTIMECMP, (1n << 64n) - 1n);
		expect(read64(ACLINT_MTIMECMP)).toBe((1n << 64n) - 1n);
		expect(timer[0]).toBe(false);
		expect(deadlines[0]).toBeUndefined();
	});

	test('mtime is writable: timers follow, and time goes on from there', () => {
		const { timer, deadlines, clock, write64, read64 } = board();
		write64(ACLINT_MTIMECMP, 0x1_0000_0010n);
		expect(deadlines[0]).toBe(0x1_0000_0010 * 100);
		clock.nanos = 1000;
		write64(ACLINT_MTIME, 0x1_0000_0000n);
		expect(read64(ACLINT_MTIME)).toBe(0x1_0000_0000n);
		expect(deadlines[0]).toBe(1000 + 1600);
		clock.nanos = 1100;
		expect(read64(ACLINT_MTIME)).toBe(0x1_0000_0001n);
		write64(ACLINT_MTIME, 0x1_0000_0010n);
		expect(timer[0]).toBe(true);
		write64(ACLINT_MTIME, 0n);
		expect(timer[0]).toBe(false);
	});

	test('mtime wraps at 2^64: the line falls then', () => {
		const { aclint, timer, deadlines, clock, write64 } = board();
		write64(ACLINT_MTIMECMP, 1n << 63n);
		write64(ACLINT_MTIME, (1n << 64n) - 2n);
		expect(timer[0]).toBe(true);
		expect(deadlines[0]).toBe(200);
		clock.nanos = 200;
		aclint.expire(0);
		expect(timer[0]).toBe(false);
	});
});

describe('MSWI', () => {
	test('bit 0 drives the line of its hart; the other bits are not there', () => {
		const { aclint, software } = board();
		expect(software).toEqual([false, false]);
		aclint.write(ACLINT_MSIP + 4, 4, 0xffffffff);
		expect(software).toEqual([false, true]);
		expect(aclint.read(ACLINT_MSIP + 4, 4)).toBe(1);
		aclint.write(ACLINT_MSIP + 4, 4, 0xfffffffe);
		expect(software).toEqual([false, false]);
	});
});

test('accesses that are out of specification read 0 and change nothing', () => {
	const { aclint, clock } = board();
	clock.nanos = 1e9;
	const before = structuredClone(aclint.state);
	for (const offset of [8, 0x3ffc, 0x4010, 0xbff4, 0xc000, 0xfffc, 0x10000, 0x4001, 2]) {
		expect(aclint.read(offset, 4)).toBe(0);
		aclint.write(offset, 4, 0xffffffff);
	}
	for (const size of [1, 2] as const) {
		expect(aclint.read(ACLINT_MTIME, size)).toBe(0);
		aclint.write(ACLINT_MTIME, size, 1);
	}
	aclint.expire(7);
	expect(aclint.state).toEqual(before);
});

test('a state moves to another controller with its lines and deadlines', () => {
	const one = board();
	one.aclint.write(ACLINT_MSIP, 4, 1);
	one.clock.nanos = 300;
	one.write64(ACLINT_MTIME, 77n);
	one.write64(ACLINT_MTIMECMP, 100n);
	const two = board();
	two.clock.nanos = 300;
	two.aclint.restore(structuredClone(one.aclint.state));
	expect(two.aclint.state).toEqual(one.aclint.state);
	expect(two.software).toEqual([true, false]);
	expect(two.timer).toEqual([false, true]);
	expect(two.deadlines[0]).toBe(300 + 2300);
	two.aclint.reset();
	expect(two.read64(ACLINT_MTIME)).toBe(0n);
	expect(two.software).toEqual([false, false]);
});

test.each([
	['another number of harts', { msip: [0], mtimecmp: [0n], mtimeOffset: 0n }],
	['an msip that is no bit', { msip: [0, 2], mtimecmp: [0n, 0n], mtimeOffset: 0n }],
	['a negative mtimecmp', { msip: [0, 0], mtimecmp: [0n, -1n], mtimeOffset: 0n }],
	['an offset of 65 bits', { msip: [0, 0], mtimecmp: [0n, 0n], mtimeOffset: 1n << 64n }],
	['a hole', { msip: [0, 0] }],
])('refuses a state with %s', (_, state) => {
	const { aclint } = board();
	const before = structuredClone(aclint.state);
	expect(() => aclint.restore(state as never)).toThrow(StateError);
	expect(aclint.state).toEqual(before);
});

test('refuses options that make no controller', () => {
	const line = { set: () => {} };
	expect(() => new Aclint({ now: () => 0, software: [], timer: [] })).toThrow(RangeError);
	expect(() => new Aclint({ now: () => 0, software: [line], timer: [] })).toThrow(RangeError);
	expect(() => new Aclint({ now: () => 0, software: [line], timer: [line], tickNanos: 0 })).toThrow(RangeError);
});
