// Expected values: RISC-V SBI 2.0, "Performance Monitoring Unit Extension".
import { Slot } from '@partita/cpu';
import { describe, expect, test } from 'vitest';
import { SbiBoard } from './testing/sbi-board.ts';

const PMU = 0x50_4d55;
const NONE = 0xffff_ffff_ffff_ffffn;
const CYCLES = 1n;
const INSTRUCTIONS = 2n;

/** A board whose counters are stopped, as Linux stops them when it starts a hart. */
function stopped(): SbiBoard {
	const board = new SbiBoard();
	expect(board.call(PMU, 4, [0n, 0b101n, 0n])).toEqual([0n, 0n]);
	return board;
}

test('two hardware counters of 64 bits, cycle and instret, with a gap at time', () => {
	const board = new SbiBoard();
	expect(board.call(PMU, 0, [])).toEqual([0n, 3n]);
	expect(board.call(PMU, 1, [0n])).toEqual([0n, 0x3f_c00n]);
	expect(board.call(PMU, 1, [2n])).toEqual([0n, 0x3f_c02n]);
	for (const index of [1n, 3n, 64n, NONE]) expect(board.call(PMU, 1, [index])).toEqual([-3n, 0n]);
});

test('there are no firmware counters, and there is no snapshot memory', () => {
	const board = stopped();
	for (const index of [0n, 1n, 2n, 3n, NONE]) {
		expect(board.call(PMU, 5, [index])).toEqual([-3n, 0n]);
		expect(board.call(PMU, 6, [index])).toEqual([-3n, 0n]);
	}
	expect(board.call(PMU, 7, [0x8000_0000n, 0n, 0n])).toEqual([-2n, 0n]);
	expect(board.call(PMU, 3, [0n, 1n, 2n, 0n])).toEqual([-9n, 0n]);
	expect(board.call(PMU, 4, [0n, 1n, 2n])).toEqual([-9n, 0n]);
});

describe('matching', () => {
	const match = (board: SbiBoard, ...args: bigint[]) => board.call(PMU, 2, args);

	test('each counter has its event', () => {
		const board = stopped();
		expect(match(board, 0n, 0b101n, 0n, CYCLES, 0n)).toEqual([0n, 0n]);
		expect(match(board, 0n, 0b101n, 0n, INSTRUCTIONS, 0n)).toEqual([0n, 2n]);
		expect(match(board, 2n, 0b1n, 0xf8n, INSTRUCTIONS, 0n)).toEqual([0n, 2n]);
		expect(match(board, 2n, 0b1n, 0n, CYCLES, 0n)).toEqual([-2n, 0n]);
		expect(match(board, 0n, 0n, 0n, CYCLES, 0n)).toEqual([-2n, 0n]);
	});

	test('no other event is pretended', () => {
		const board = stopped();
		// General: none, cache to reference cycles; cache, raw and firmware events; data and bits that are reserved.
		const events = [0n, 3n, 4n, 5n, 6n, 7n, 8n, 9n, 10n, 0x1_0000n, 0x2_0000n, 0xf_0005n, 0xf_ffffn, 0x10_0001n, NONE];
		for (const event of events) expect(match(board, 0n, 0b101n, 0n, event, 0n)).toEqual([-2n, 0n]);
		expect(match(board, 0n, 0b101n, 0n, CYCLES, 1n)).toEqual([-2n, 0n]);
	});

	test('a counter that runs is not free, unless matching is skipped', () => {
		const board = new SbiBoard();
		expect(match(board, 0n, 0b101n, 0n, CYCLES, 0n)).toEqual([-2n, 0n]);
		expect(match(board, 0n, 0b101n, 1n, CYCLES, 0n)).toEqual([0n, 0n]);
		expect(match(board, 0n, 0b100n, 1n, INSTRUCTIONS, 0n)).toEqual([0n, 2n]);
		expect(match(board, 0n, 0b101n, 1n, INSTRUCTIONS, 0n)).toEqual([-2n, 0n]);
	});

	test('a counter is cleared, whether it runs or not', () => {
		const board = new SbiBoard();
		const { state } = board.harts[0]!;
		state[Slot.retired] = 1000n;
		expect(match(board, 0n, 0b1n, 3n, CYCLES, 0n)).toEqual([0n, 0n]);
		expect(BigInt.asUintN(64, state[Slot.mcycleOffset]! + state[Slot.retired]!)).toBe(0n);
		board.call(PMU, 4, [0n, 1n, 0n]);
		state[Slot.mcycleOffset] = 5n;
		expect(match(board, 0n, 0b1n, 2n, CYCLES, 0n)).toEqual([0n, 0n]);
		expect([state[Slot.mcycleOffset], state[Slot.mcountinhibit]]).toEqual([0n, 1n]);
	});

	test.each<[bigint, bigint]>([
		[0n, 0b111n],
		[0n, 0b10n],
		[1n, 0b1n],
		[0n, 0b1000n],
		[0n, NONE],
		[3n, 1n],
		[64n, 1n],
		[NONE, 0b10n],
	])('a set of %s and %s holds a counter that there is not', (base, mask) => {
		const board = stopped();
		expect(match(board, base, mask, 0n, CYCLES, 0n)).toEqual([-3n, 0n]);
		expect(board.call(PMU, 3, [base, mask, 0n, 0n])).toEqual([-3n, 0n]);
		expect(board.call(PMU, 4, [base, mask, 0n])).toEqual([-3n, 0n]);
	});

	test('flags that are reserved are refused', () => {
		const board = stopped();
		expect(match(board, 0n, 1n, 0x100n, CYCLES, 0n)).toEqual([-3n, 0n]);
		expect(board.call(PMU, 3, [0n, 1n, 4n, 0n])).toEqual([-3n, 0n]);
		expect(board.call(PMU, 4, [0n, 1n, 1n << 63n])).toEqual([-3n, 0n]);
	});
});

test('starting what runs and stopping what does not is said', () => {
	const board = new SbiBoard();
	expect(board.call(PMU, 3, [0n, 1n, 0n, 0n])).toEqual([-7n, 0n]);
	expect(board.call(PMU, 4, [0n, 1n, 0n])).toEqual([0n, 0n]);
	expect(board.call(PMU, 4, [0n, 0b101n, 1n])).toEqual([-8n, 0n]);
	expect(board.call(PMU, 3, [2n, 1n, 0n, 0n])).toEqual([0n, 0n]);
});

test('a program measures itself', () => {
	const board = new SbiBoard();
	board.start(`
		li    a7, ${PMU}
		li    a6, 4
		li    a0, 0
		li    a1, 5
		li    a2, 0
		ecall
		rdcycle s2
		rdcycle s3
		li    a6, 2              # instructions, cleared and started
		li    a0, 0
		li    a1, 5
		li    a2, 6
		li    a3, 2
		li    a4, 0
		ecall
		rdinstret s4
		nop
		nop
		rdinstret s5
		li    a6, 4
		li    a0, 2
		li    a1, 1
		li    a2, 0
		ecall
		rdinstret s6
		nop
		rdinstret s7
		li    a6, 3              # cycles, from a value
		li    a0, 0
		li    a1, 1
		li    a2, 1
		li    a3, 1000
		ecall
		rdcycle s8
		rdcycle s9
		li    a7, 8
		ecall
	`);
	board.run();
	const s = Array.from(board.harts[0]!.state.subarray(18, 26));
	expect(s[0]).toBe(s[1]);
	expect([s[2], s[3]]).toEqual([0n, 3n]);
	// rdinstret, nop, nop, rdinstret and four of the arguments; the ECALL does not retire.
	expect([s[4], s[5]]).toEqual([8n, 8n]);
	expect([s[6], s[7]]).toEqual([1000n, 1001n]);
});
