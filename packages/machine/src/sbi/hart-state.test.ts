// Expected values: RISC-V SBI 2.0, "Hart State Management Extension".
import { Slot } from '@partita/cpu';
import { describe, expect, test } from 'vitest';
import { A0 } from './entry.ts';
import { RAM, RAM_BYTES, SbiBoard } from './testing/sbi-board.ts';

const HSM = 0x48_534d;
const IPI = 0x73_5049;
const ENTRY = BigInt(RAM);
const NONE = 0xffff_ffff_ffff_ffffn;
const status = (board: SbiBoard, hart: bigint) => board.call(HSM, 2, [hart]);

describe('start, stop, status', () => {
	test('a started hart is in S-mode with its registers; what it was before is gone', () => {
		const board = new SbiBoard(2);
		const { state } = board.harts[1]!;
		state[Slot.satp] = 8n << 60n;
		state[Slot.mstatus] |= 2n;
		state[Slot.mip] = 2n;
		state[Slot.mie] = 0x222n;
		state[Slot.lines] = 0x200n;
		state[Slot.retired] = 77n;
		expect(status(board, 1n)).toEqual([0n, 1n]);
		expect(board.call(HSM, 0, [1n, ENTRY + 2n, 0xabcdn])).toEqual([0n, 0n]);
		expect(status(board, 1n)).toEqual([0n, 0n]);
		expect([state[A0], state[A0 + 1], state[Slot.pc]]).toEqual([1n, 0xabcdn, ENTRY + 2n]);
		expect([state[Slot.satp], state[Slot.mstatus]! & 2n, state[Slot.mip], state[Slot.mie]]).toEqual([0n, 0n, 0n, 0n]);
		// Controllers go on driving their lines, and instructions are counted since reset.
		expect([state[Slot.lines], state[Slot.retired], state[Slot.privilege]]).toEqual([0x200n, 77n, 1n]);
		expect(board.sbi.isRunning(1)).toBe(true);
	});

	test('errors of start', () => {
		const board = new SbiBoard(2);
		const start = (...args: bigint[]) => board.call(HSM, 0, args);
		for (const hart of [2n, 64n, 1n << 32n, NONE]) expect(start(hart, ENTRY, 0n)).toEqual([-3n, 0n]);
		const end = BigInt(RAM + RAM_BYTES);
		for (const address of [0n, ENTRY - 2n, ENTRY + 1n, end, end - 1n, 1n << 53n, (1n << 63n) + ENTRY, NONE]) {
			expect(start(1n, address, 0n)).toEqual([-5n, 0n]);
		}
		expect(status(board, 1n)).toEqual([0n, 1n]);
		expect(start(0n, ENTRY, 0n)).toEqual([-6n, 0n]);
		expect(start(1n, ENTRY, 0n)).toEqual([0n, 0n]);
		expect(start(1n, ENTRY, 0n)).toEqual([-6n, 0n]);
		expect(status(board, 2n)).toEqual([-3n, 0n]);
		expect(status(board, NONE)).toEqual([-3n, 0n]);
	});

	test('harts start each other, and stop', () => {
		const board = new SbiBoard(4);
		board.start(`
			li    s0, 1
		1:	mv    a0, s0
			la    a1, secondary
			addi  a2, s0, 0x40
			li    a6, 0
			li    a7, ${HSM}
			ecall
			bnez  a0, 1b
			addi  s0, s0, 1
			li    t0, 4
			bne   s0, t0, 1b
			la    t1, count
		2:	lw    t2, (t1)
			li    t0, 3
			bne   t2, t0, 2b
			li    s0, 1
		3:	mv    a0, s0
			li    a6, 2
			ecall
			li    t0, 1
			bne   a1, t0, 3b
			addi  s0, s0, 1
			li    t0, 4
			bne   s0, t0, 3b
			li    a7, 8
			ecall
		secondary:
			mv    s2, a0
			mv    s3, a1
			la    t1, count
			li    t0, 1
			amoadd.w zero, t0, (t1)
			li    a6, 1
			li    a7, ${HSM}
			ecall
			li    s4, 1           # never comes here
		4:	j     4b
			.align 3
		count:	.dword 0
		`);
		board.run();
		expect(board.harts.slice(1).map(({ state }) => [state[18], state[19], state[20]])).toEqual([
			[1n, 0x41n, 0n],
			[2n, 0x42n, 0n],
			[3n, 0x43n, 0n],
		]);
		expect([0, 1, 2, 3].map((id) => board.sbi.isRunning(id))).toEqual([true, false, false, false]);
	});

	test('a hart that was stopped starts afresh', () => {
		const board = new SbiBoard(2);
		board.start(`
			la    t0, 2f
			csrw  stvec, t0
			fadd.s f0, f0, f0     # illegal: FS is Off, whatever it was before
			li    s2, 7
		1:	j     1b
			.align 2
		2:	csrr  s3, scause
			li    t0, 0x6000
			csrs  sstatus, t0
			fadd.s f0, f0, f0
		3:	j     3b
		`);
		const causes = [0, 1].map(() => {
			expect(board.call(HSM, 0, [1n, ENTRY, 0n])).toEqual([0n, 0n]);
			expect(board.harts[1]!.state[19]).toBe(0n);
			board.engine.select(1).run(20);
			const cause = board.harts[1]!.state[19];
			expect(board.call(HSM, 1, [], 1)).toBeUndefined();
			return cause;
		});
		expect(causes).toEqual([2n, 2n]);
	});
});

describe('suspend', () => {
	test.each([1n, 0xfff_ffffn, 0x1000_0000n, 0x7fff_ffffn, 0x8000_0001n, 0x9000_0000n, NONE])(
		'type %s is reserved, or not implemented',
		(type) => {
			expect(new SbiBoard().call(HSM, 3, [type, ENTRY, 0n])).toEqual([-3n, 0n]);
		},
	);

	test('a non-retentive one needs an address to resume at, a retentive one does not look at it', () => {
		const board = new SbiBoard();
		expect(board.call(HSM, 3, [0x8000_0000n, 3n, 0n])).toEqual([-5n, 0n]);
		expect(board.call(HSM, 3, [0n, 3n, 0n])).toEqual([0n, 0n]);
	});

	test('a non-retentive one turns off translation and interrupts, but what is to wake the hart', () => {
		const board = new SbiBoard();
		const { state } = board.harts[0]!;
		state[Slot.satp] = 8n << 60n;
		state[Slot.mstatus] |= 2n;
		state[Slot.mie] = 0x20n;
		state.set([0x8000_0000n, ENTRY, 99n], A0);
		state.set([3n, BigInt(HSM)], A0 + 6);
		board.sbi.handleTrap(0, { cause: 9, interrupt: false, value: 0n, guest: undefined });
		expect([state[Slot.satp], state[Slot.mstatus]! & 2n, state[Slot.mie]]).toEqual([0n, 0n, 0x20n]);
		expect([state[Slot.pc], state[A0], state[A0 + 1]]).toEqual([ENTRY, 0n, 99n]);
		expect([board.sbi.isRunning(0), board.engine.select(0).run(10)]).toEqual([true, { reason: 'wait' }]);
	});

	const sleeper = (type: string, then: string) => `
			bnez  a0, secondary
			li    a0, 1
			la    a1, secondary
			li    a2, 0
			li    a6, 0
			li    a7, ${HSM}
			ecall
		1:	li    a0, 1
			li    a6, 2
			ecall
			mv    s2, a1
			li    t0, 4            # SUSPENDED
			bne   s2, t0, 1b
			li    a0, 2
			li    a1, 0
			li    a6, 0
			li    a7, ${IPI}
			ecall
			li    a7, ${HSM}
		2:	li    a0, 1
			li    a6, 2
			ecall
			bnez  a1, 2b
			la    t1, flag
		3:	lw    t0, (t1)
			beqz  t0, 3b
			li    a0, 1
			li    a6, 2
			ecall
			mv    s3, a1
			li    a7, 8
			ecall
		secondary:
			li    t0, 2
			csrw  sie, t0
			li    s4, 0x55
			li    a0, ${type}
			la    a1, resumed
			li    a2, 0x1234
			li    a6, 3
			li    a7, ${HSM}
			ecall
			mv    s5, a0
			mv    s6, a1
			${then}
		resumed:
			mv    s7, a0
			mv    s8, a1
			csrr  s9, satp
			csrr  s10, sip
		wait:
			csrci sip, 2
			la    t1, flag
			li    t0, 1
			sw    t0, (t1)
			wfi                    # waits, but is not suspended
		4:	j     4b
			.align 3
		flag:	.dword 0
		`;

	test('retentive: the call returns when an interrupt is pending', () => {
		const board = new SbiBoard(2);
		board.start(sleeper('0', 'csrr s10, sip\nj wait'));
		board.run();
		const { state } = board.harts[1]!;
		expect([state[20], state[21], state[22], state[26]]).toEqual([0x55n, 0n, 0n, 2n]);
		expect([board.harts[0]!.state[18], board.harts[0]!.state[19]]).toEqual([4n, 0n]);
	});

	test('non-retentive: it resumes at the address, with hart id and opaque', () => {
		const board = new SbiBoard(2);
		board.start(sleeper('0x80000000', 'ebreak'));
		board.run();
		const { state } = board.harts[1]!;
		expect([state[23], state[24], state[25], state[26]]).toEqual([1n, 0x1234n, 0n, 2n]);
		expect([board.harts[0]!.state[18], board.harts[0]!.state[19]]).toEqual([4n, 0n]);
	});
});
