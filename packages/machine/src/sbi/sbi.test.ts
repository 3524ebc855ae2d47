// Expected values: RISC-V SBI 2.0, "Binary Encoding", "Base Extension", "Timer Extension", "IPI Extension", "System Reset
// Extension", "Debug Console Extension", "Legacy Extensions".
import { Slot } from '@partita/cpu';
import { asm } from '@partita/riscv';
import { describe, expect, test, vi } from 'vitest';
import { A0 } from './entry.ts';
import { RAM, RAM_BELOW_ROM, RAM_BYTES, ROM, SbiBoard } from './testing/sbi-board.ts';

const BASE = 0x10;
const TIME = 0x5449_4d45;
const IPI = 0x73_5049;
const RFENCE = 0x5246_4e43;
const HSM = 0x48_534d;
const SRST = 0x5352_5354;
const DBCN = 0x4442_434e;
const PMU = 0x50_4d55;
const NONE = 0xffff_ffff_ffff_ffffn;
const END = BigInt(RAM + RAM_BYTES);

describe('base', () => {
	test('version 2.0, an implementation id of no other implementation, zero machine ids', () => {
		const board = new SbiBoard();
		const values = [0, 1, 2, 4, 5, 6].map((id) => board.call(BASE, id, []));
		expect(values).toEqual([
			[0n, 0x200_0000n],
			[0n, 0x5041_5254n],
			[0n, 0x1_0000n],
			[0n, 0n],
			[0n, 0n],
			[0n, 0n],
		]);
	});

	test('probing finds what there is, and nothing else', () => {
		const board = new SbiBoard();
		const probe = (id: number) => board.call(BASE, 3, [BigInt(id)])?.[1];
		expect([BASE, TIME, IPI, RFENCE, HSM, SRST, DBCN, PMU, 0, 1, 2, 3, 8].map(probe)).toEqual(Array(13).fill(1n));
		// SUSP, NACL, STA, CPPC; legacy IPI and fences; reserved; experimental, vendor and firmware spaces.
		const absent = [0x5355_5350, 0x4e41_434c, 0x53_5441, 0x4350_5043, 4, 5, 6, 7, 9, 0xf];
		expect([...absent, 0x800_0000, 0x900_0000, 0xa00_0000].map(probe)).toEqual(Array(13).fill(0n));
	});

	test.each([BASE, TIME, IPI, RFENCE, HSM, SRST, DBCN, PMU])('extension %i has no function 99', (extension) => {
		const board = new SbiBoard();
		for (const id of [99, 8, -1, 2 ** 31]) expect(board.call(extension, id, [])).toEqual([-2n, 0n]);
	});

	test('an extension that there is not is not supported', () => {
		const board = new SbiBoard();
		for (const id of [0x4e41_434c, 0x5355_5350, 0x7fff_ffff, -1]) expect(board.call(id, 0, [])).toEqual([-2n, 0n]);
	});
});

describe('entry', () => {
	test('hart id, devicetree, S-mode, translation and interrupts off; the other harts are stopped', () => {
		const board = new SbiBoard(3);
		board.sbi.initialise(1, 0x8000_0100n, 0x8ffe_0000n);
		expect([0, 1, 2, 3, -1].map((id) => board.sbi.isRunning(id))).toEqual([false, true, false, false, false]);
		const { state } = board.harts[1]!;
		expect([state[Slot.pc], state[A0], state[A0 + 1], state[Slot.satp]]).toEqual([0x8000_0100n, 1n, 0x8ffe_0000n, 0n]);
		expect([state[Slot.privilege], state[Slot.virtual], state[Slot.mstatus]! & 2n]).toEqual([1n, 0n, 0n]);
	});

	test('what the supervisor may use works: counters, stimecmp, cache blocks; exceptions are its own', () => {
		const board = new SbiBoard();
		const symbols = board.start(`
			la    t0, handler
			csrw  stvec, t0
			rdcycle s2
			rdtime  s3
			rdinstret s4
			li    t0, -1
			csrw  stimecmp, t0
			csrw  menvcfg, t0         # the one illegal instruction
		back:
			la    t0, block
			cbo.zero (t0)
			cbo.inval (t0)
			cbo.flush (t0)
			ld    s5, (t0)
			li    a7, ${SRST}
			li    a6, 0
			li    a0, 0
			li    a1, 0
			ecall
		handler:
			csrr  s6, scause
			csrr  s7, stval
			csrr  s8, sepc
			la    t0, back
			csrw  sepc, t0
			sret
			.align 6
		block:	.dword 1, 2, 3, 4, 5, 6, 7, 8
		`);
		board.run();
		const { state } = board.harts[0]!;
		expect(board.resets).toEqual([['shutdown', false]]);
		expect([state[21], state[22]]).toEqual([0n, 2n]);
		// csrw menvcfg, t0
		expect(state[23]).toBe(0x30a2_9073n);
		expect(state[24]).toBe(symbols.get('back')! - 4n);
	});

	test('a boot hart that there is not is refused', () => {
		expect(() => new SbiBoard(2).sbi.initialise(2, 0n, 0n)).toThrow(RangeError);
	});
});

describe('timer', () => {
	test('the supervisor sleeps until the time that it set', () => {
		const board = new SbiBoard();
		board.start(`
			la    t0, handler
			csrw  stvec, t0
			li    t0, 0x20
			csrw  sie, t0
			csrsi sstatus, 2
			li    a7, ${TIME}
			li    a6, 0
			li    a0, 50000
			ecall
		1:	wfi
			j     1b
		handler:
			rdtime s2
			csrr  s3, scause
			csrr  s4, sip
			li    a7, ${TIME}
			li    a6, 0
			li    a0, -1
			ecall
			csrr  s5, sip
			li    a7, 8
			ecall
		`);
		board.run();
		const { state } = board.harts[0]!;
		expect(Number(state[18])).toBeGreaterThanOrEqual(50_000);
		expect(Number(state[18])).toBeLessThan(50_100);
		expect([state[19], state[20], state[21]]).toEqual([0x8000_0000_0000_0005n, 0x20n, 0n]);
	});

	test('the legacy call sets it too, and leaves a1 alone', () => {
		const board = new SbiBoard();
		const told = vi.spyOn(board.harts[0]!.ports, 'timerChanged');
		expect(board.call(0, 77, [123n, 9n])).toEqual([0n, 9n]);
		expect(told).toHaveBeenCalledOnce();
		expect(board.harts[0]!.state[Slot.stimecmp]).toBe(123n);
	});
});

describe('interprocessor interrupts', () => {
	const pending = (board: SbiBoard) => board.harts.map(({ state }) => Number(state[Slot.mip]));

	function started(harts: number): SbiBoard {
		const board = new SbiBoard(harts);
		for (let id = 1; id < harts; id++) board.call(HSM, 0, [BigInt(id), BigInt(RAM), 0n]);
		return board;
	}

	test.each<[bigint, bigint, number[]]>([
		[0b1n, 0n, [2, 0, 0, 0]],
		[0b1010n, 0n, [0, 2, 0, 2]],
		[0b11n, 2n, [0, 0, 2, 2]],
		[0n, NONE, [2, 2, 2, 2]],
		[0n, 3n, [0, 0, 0, 0]],
	])('mask %s from %s', (mask, base, expected) => {
		const board = started(4);
		expect(board.call(IPI, 0, [mask, base])).toEqual([0n, 0n]);
		expect(pending(board)).toEqual(expected);
	});

	test.each<[bigint, bigint]>([
		[0x10n, 0n],
		[0b10n, 3n],
		[1n, 4n],
		[0n, 4n],
		[1n, NONE - 1n],
		[1n << 63n, 0n],
		[NONE, 1n << 63n],
	])('mask %s from %s names a hart that there is not: none is interrupted', (mask, base) => {
		const board = started(4);
		expect(board.call(IPI, 0, [mask, base])).toEqual([-3n, 0n]);
		expect(pending(board)).toEqual([0, 0, 0, 0]);
	});

	test('a hart that is busy takes it at once', () => {
		const board = started(2);
		board.memory.load(
			RAM,
			asm`
			1: j 1b
			.org 0x100
			2: j 2b
		`.bytes,
		);
		const { state } = board.harts[1]!;
		state[Slot.stvec] = BigInt(RAM + 0x100);
		state[Slot.mie] = 2n;
		state[Slot.mstatus] |= 2n;
		board.engine.select(1).run(10);
		board.call(IPI, 0, [0b10n, 0n]);
		board.engine.select(1).run(10);
		const after = board.harts[1]!.state;
		expect([after[Slot.scause], after[Slot.pc]]).toEqual([0x8000_0000_0000_0001n, BigInt(RAM + 0x100)]);
	});

	test('a stopped hart is passed over; clearing is of the own interrupt, and says whether there was one', () => {
		const board = new SbiBoard(2);
		board.call(IPI, 0, [0n, NONE]);
		expect(pending(board)).toEqual([2, 0]);
		expect(board.call(3, 0, [0n, 5n])).toEqual([1n, 5n]);
		expect(board.call(3, 0, [0n, 5n])).toEqual([0n, 5n]);
		expect(pending(board)).toEqual([0, 0]);
	});
});

describe('system reset', () => {
	test.each<[bigint, bigint, string, boolean]>([
		[0n, 0n, 'shutdown', false],
		[1n, 0n, 'cold-reboot', false],
		[2n, 1n, 'warm-reboot', true],
		// The parameters have 32 bits.
		[0x1_0000_0001n, 0n, 'cold-reboot', false],
	])('type %s, reason %s', (type, reason, expected, failure) => {
		const board = new SbiBoard();
		expect(board.call(SRST, 0, [type, reason])).toBeUndefined();
		expect(board.resets).toEqual([[expected, failure]]);
	});

	test.each<[bigint, bigint]>([
		[3n, 0n],
		[0xf000_0000n, 0n],
		[NONE, 0n],
		[0n, 2n],
		[0n, 0xe000_0000n],
		[0n, NONE],
	])('type %s, reason %s is refused', (type, reason) => {
		const board = new SbiBoard();
		expect(board.call(SRST, 0, [type, reason])).toEqual([-3n, 0n]);
		expect(board.resets).toEqual([]);
	});

	test('the legacy shutdown does not return', () => {
		const board = new SbiBoard();
		expect(board.call(8, 0, [])).toBeUndefined();
		expect(board.resets).toEqual([['shutdown', false]]);
	});
});

describe('debug console', () => {
	const text = BigInt(RAM + 0x2000);

	function withText(bytes: string): SbiBoard {
		const board = new SbiBoard();
		board.memory.load(Number(text), new TextEncoder().encode(bytes));
		return board;
	}

	test('writes memory and bytes', () => {
		const board = withText('hello, world');
		expect(board.call(DBCN, 0, [5n, text, 0n])).toEqual([0n, 5n]);
		expect(board.call(DBCN, 2, [0x121n])).toEqual([0n, 0n]);
		expect(board.call(1, 0, [0x13fn, 7n])).toEqual([0n, 7n]);
		expect(board.output).toBe('hello!?');
	});

	test('writes nothing, from anywhere', () => {
		const board = new SbiBoard();
		expect(board.call(DBCN, 0, [0n, NONE, NONE])).toEqual([0n, 0n]);
		expect(board.call(DBCN, 1, [0n, NONE, NONE])).toEqual([0n, 0n]);
		expect(board.output).toBe('');
	});

	test('a large range is written in parts', () => {
		const board = withText('x');
		expect(board.call(DBCN, 0, [0x8_0000n, text, 0n])).toEqual([0n, 4096n]);
		expect(board.output.length).toBe(4096);
	});

	test('reads what has come, no more than is asked, and never waits', () => {
		const board = withText('........');
		board.input = 'abcdef';
		expect(board.call(DBCN, 1, [4n, text, 0n])).toEqual([0n, 4n]);
		expect(board.call(DBCN, 1, [8n, text + 5n, 0n])).toEqual([0n, 2n]);
		expect(board.call(DBCN, 1, [8n, text, 0n])).toEqual([0n, 0n]);
		const bytes = new Uint8Array(8);
		board.memory.read(Number(text), bytes);
		expect(new TextDecoder().decode(bytes)).toBe('abcd.ef.');
		board.input = 'z';
		expect(board.call(2, 0, [0n, 7n])).toEqual([0x7an, 7n]);
		expect(board.call(2, 0, [0n, 7n])).toEqual([-1n, 7n]);
	});

	test.each<[string, bigint, bigint, bigint]>([
		['below RAM', 1n, BigInt(RAM) - 1n, 0n],
		['beyond RAM', 1n, END, 0n],
		['across its end', 2n, END - 1n, 0n],
		['long past its end', 0x4000_0000n, text, 0n],
		['everything', NONE, text, 0n],
		['wrapping round', NONE, 1n, 0n],
		['at the top', 1n, NONE, 0n],
		['above 64 bits', 1n, text, 1n],
		['at all ones', 1n, NONE, NONE],
		['where numbers lose their lowest bits', 1n, (1n << 53n) + 1n, 0n],
	])('memory %s is refused', (_what, size, low, high) => {
		const board = withText('x');
		board.input = 'abc';
		expect(board.call(DBCN, 0, [size, low, high])).toEqual([-3n, 0n]);
		expect(board.call(DBCN, 1, [size, low, high])).toEqual([-3n, 0n]);
		expect([board.output, board.input]).toEqual(['', 'abc']);
	});

	test('ROM may be written out, but no input is lost to it', () => {
		const board = new SbiBoard();
		board.input = 'abc';
		expect(board.call(DBCN, 0, [2n, BigInt(ROM), 0n])).toEqual([0n, 2n]);
		expect(board.call(DBCN, 1, [2n, BigInt(ROM), 0n])).toEqual([-3n, 0n]);
		expect(board.call(DBCN, 1, [0x1001n, BigInt(RAM_BELOW_ROM), 0n])).toEqual([0n, 3n]);
		board.input = 'abc';
		expect(board.call(DBCN, 1, [2n, BigInt(ROM - 1), 0n])).toEqual([-3n, 0n]);
		expect(board.input).toBe('abc');
	});
});

describe('traps that are no calls', () => {
	test("an exception that was not delegated is the supervisor's", () => {
		const board = new SbiBoard();
		const { state } = board.harts[0]!;
		state[Slot.medeleg] = 0n;
		state[Slot.stvec] = 0x8000_0400n;
		board.memory.load(RAM, new Uint8Array(4));
		const exit = board.engine.select(0).run(10);
		expect(exit).toMatchObject({ reason: 'trap', cause: 2 });
		if (exit.reason === 'trap') board.sbi.handleTrap(0, exit);
		expect([state[Slot.pc], state[Slot.scause], state[Slot.sepc], state[Slot.privilege]]).toEqual([
			0x8000_0400n,
			2n,
			BigInt(RAM),
			1n,
		]);
		expect(state[Slot.medeleg]).toBe(0n);
	});

	test('a reservation does not outlive a call', () => {
		const board = new SbiBoard();
		board.harts[0]!.state[Slot.reservation] = BigInt(RAM);
		board.call(BASE, 0, []);
		expect(board.harts[0]!.state[Slot.reservation]).toBe(NONE);
	});

	test('an M-level interrupt does not come again', () => {
		const board = new SbiBoard();
		board.start('1: j 1b');
		const hart = board.engine.select(0);
		hart.state[Slot.mie] = 0x888n;
		hart.stateChanged();
		hart.setLine(7, true);
		const exit = hart.run(10);
		expect(exit).toMatchObject({ reason: 'trap', cause: 7, interrupt: true });
		if (exit.reason === 'trap') board.sbi.handleTrap(0, exit);
		expect(hart.run(10)).toEqual({ reason: 'limit' });
	});

	test('a hart that is in M-mode is stopped; one that there is not is refused', () => {
		const board = new SbiBoard();
		const trap = { cause: 11, interrupt: false, value: 0n, guest: undefined };
		board.harts[0]!.state[Slot.privilege] = 3n;
		board.sbi.handleTrap(0, trap);
		expect(board.sbi.isRunning(0)).toBe(false);
		expect(() => board.sbi.handleTrap(1, trap)).toThrow(RangeError);
	});

	test('a call of a user, or of a guest, is not for the SBI', () => {
		const board = new SbiBoard();
		for (const [privilege, virtual, cause] of [
			[0n, 0n, 8n],
			[1n, 1n, 10n],
		] as const) {
			board.start('ecall\n.org 0x100\n1: j 1b');
			const hart = board.engine.select(0);
			hart.state[Slot.stvec] = BigInt(RAM + 0x100);
			hart.state[Slot.privilege] = privilege;
			hart.state[Slot.virtual] = virtual;
			hart.stateChanged();
			expect(hart.run(2)).toEqual({ reason: 'limit' });
			expect([hart.state[Slot.scause], hart.state[Slot.pc]]).toEqual([cause, BigInt(RAM + 0x100)]);
		}
	});
});

describe('hostile arguments', () => {
	test('no call throws, whatever its arguments are', () => {
		const board = new SbiBoard(2);
		const values = [0n, 1n, 2n, 3n, BigInt(RAM), END - 1n, 1n << 31n, 1n << 32n, 1n << 53n, 1n << 63n, NONE - 1n, NONE];
		let seed = 12345;
		const pick = (count: number): number => {
			seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
			return (seed >>> 8) % count;
		};
		for (let i = 0; i < 4000; i++) {
			const extension = [0, 1, 2, 3, 4, 5, 8, BASE, TIME, IPI, RFENCE, HSM, SRST, DBCN, PMU][pick(15)]!;
			const args = Array.from({ length: 6 }, () => values[pick(values.length)]!);
			board.call(extension, pick(9), args);
			board.resets = [];
			if (!board.sbi.isRunning(0)) board.sbi.initialise(0, BigInt(RAM), 0n);
			board.harts[0]!.state[Slot.waiting] = 0n;
		}
		expect(board.call(BASE, 0, [])).toEqual([0n, 0x200_0000n]);
	});
});

describe('snapshot', () => {
	test('the state is plain, and is taken by another SBI', () => {
		const board = new SbiBoard(3);
		board.call(HSM, 0, [2n, BigInt(RAM), 0n]);
		const state = structuredClone(board.sbi.state);
		const other = new SbiBoard(3);
		other.sbi.restore(state);
		expect([0, 1, 2].map((id) => other.sbi.isRunning(id))).toEqual([true, false, true]);
		expect(other.sbi.state).toEqual(state);
	});

	test('a damaged one is refused, and changes nothing', () => {
		const { sbi } = new SbiBoard(1);
		const before = sbi.state;
		expect(() => sbi.restore({ harts: [] })).toThrow(RangeError);
		const damaged: unknown[] = [{}, { harts: 1 }, { harts: [null] }, { harts: [{ stopped: 1, suspendedAt: 0n }] }];
		for (const state of damaged) expect(() => sbi.restore(state as typeof before)).toThrow(RangeError);
		expect(sbi.state).toEqual(before);
	});
});
