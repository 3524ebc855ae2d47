/** Time, waiting, and interrupts between harts and from devices. */
import { Slot } from '@partita/cpu';
import { describe, expect, test } from 'vitest';
import { CHECKPOINT, TURN } from '../src/index.ts';
import { EXIT, elf, guest, RAM, runToEnd, supervisorGuest, word } from './support/guest.ts';

/** An interrupt that was taken: its cause, and how many instructions had retired. */
interface Taken {
	readonly cause: number;
	readonly retired: bigint;
}

const STIMECMP = '0x14d';
const MENVCFG = '0x30a';

describe('timers', () => {
	/** Ticks are 100 instructions: a timer at tick n interrupts the instruction after 100 n. */
	const cases = [1, 2, 3, 99, 100, 1234, CHECKPOINT / 64, 20_000];

	const takenBy = (program: string, chunk: number): Taken[] => {
		const taken: Taken[] = [];
		const { machine } = guest(program, {
			observer: { trap: (_, retired, __, cause) => taken.push({ cause, retired }) },
		});
		const result = runToEnd(machine, 4_000_000, chunk);
		expect(result).toEqual({ reason: 'ended', ending: { reason: 'power-off', code: 0 } });
		return taken;
	};

	test.each(cases)('mtimecmp = %i: the interrupt comes at the exact instruction, however the run is cut', (ticks) => {
		const program = `
			la t0, handler
			csrw mtvec, t0
			li t0, 0x2004000
			li t1, ${ticks}
			sd t1, 0(t0)
			li t0, 0x80
			csrw mie, t0
			csrsi mstatus, 8
		1:	addi s0, s0, 1
			j 1b
			.align 2
		handler: li a0, 0
			${EXIT}`;
		for (const chunk of [1_000_000, ticks * 100, ticks * 100 - 1, 777]) {
			expect(takenBy(program, chunk)).toEqual([{ cause: 0x8000_0007, retired: BigInt(ticks * 100) }]);
		}
	});

	test.each(cases)('stimecmp = %i: the same', (ticks) => {
		const program = `
			la t0, handler
			csrw mtvec, t0
			li t0, 1
			slli t0, t0, 63
			csrw ${MENVCFG}, t0
			li t1, ${ticks}
			csrw ${STIMECMP}, t1
			li t0, 0x20
			csrw mie, t0
			csrsi mstatus, 8
		1:	addi s0, s0, 1
			j 1b
			.align 2
		handler: li a0, 0
			${EXIT}`;
		for (const chunk of [1_000_000, ticks * 100, 777]) {
			expect(takenBy(program, chunk)).toEqual([{ cause: 0x8000_0005, retired: BigInt(ticks * 100) }]);
		}
	});

	test('an instruction that traps takes its time, though it does not retire', () => {
		const { machine } = guest(`
			la t0, handler
			csrw mtvec, t0
			li s0, 1000
		1:	ecall
			addi s0, s0, -1
			bnez s0, 1b
			csrr s1, minstret
			li a0, 0
			${EXIT}
			.align 2
		handler:
			csrr t0, mepc
			addi t0, t0, 4
			csrw mepc, t0
			mret`);
		runToEnd(machine);
		const [hart] = machine.harts;
		expect(machine.executed - Number(hart!.state[Slot.retired])).toBe(1000);
		expect(machine.now()).toBe(machine.executed);
	});

	test('mtime and the time CSR are the same, and follow the instructions', () => {
		const { machine } = guest(`
			li s1, 0x200bff8
			li s2, 5000
		1:	addi s2, s2, -1
			bnez s2, 1b
			ld s3, 0(s1)
			rdtime s4
			li a0, 0
			${EXIT}`);
		runToEnd(machine);
		const [hart] = machine.harts;
		expect([hart!.state[Slot.x + 19]! - 100n, hart!.state[Slot.x + 20]! - 100n]).toEqual([0n, 0n]);
	});
});

describe('waiting', () => {
	test('a wait for a timer passes at once, and to the tick', () => {
		const { machine } = guest(`
			li t0, 0x2004000
			li t1, 1000000000
			sd t1, 0(t0)
			li t0, 0x80
			csrw mie, t0
			wfi
			rdtime s0
			li a0, 0
			${EXIT}`);
		expect(runToEnd(machine)).toMatchObject({ reason: 'ended' });
		expect(machine.harts[0]!.state[Slot.x + 8]).toBe(1_000_000_000n);
		expect(machine.executed).toBeLessThan(100);
		expect(machine.now()).toBeGreaterThanOrEqual(1e11);
	});

	test('nothing armed: idle, until input comes', () => {
		const { machine, printed } = guest(ECHO);
		expect(machine.run(1_000_000)).toEqual({ reason: 'idle', next: undefined });
		const before = machine.executed;
		expect(machine.run(1_000_000)).toEqual({ reason: 'idle', next: undefined });
		expect(machine.executed).toBe(before);
		expect(machine.receive(new TextEncoder().encode('hello'))).toBe(5);
		expect(machine.run(1_000_000)).toEqual({ reason: 'idle', next: undefined });
		expect(printed()).toBe('hello');
		machine.receive(Uint8Array.of(4));
		expect(machine.run(1_000_000)).toEqual({ reason: 'ended', ending: { reason: 'power-off', code: 0 } });
	});

	test('a run that follows real time stops where it is told to', () => {
		const { machine } = guest(`
			li t0, 0x2004000
			li t1, 1000000
			sd t1, 0(t0)
			li t0, 0x80
			csrw mie, t0
			wfi
			li a0, 0
			${EXIT}`);
		expect(machine.run(1_000_000, { idleUntil: 5_000_000 })).toEqual({ reason: 'idle', next: 100_000_000 });
		expect(machine.now()).toBe(5_000_000);
		expect(machine.run(1_000_000, { idleUntil: 100_000_000 })).toMatchObject({ reason: 'ended' });
	});

	test('time that ends does not hang the host', () => {
		// mtimecmp at the last tick before 2^53 ns, then stimecmp beyond it.
		const { machine } = guest(`
			li t0, 0x2004000
			li t1, 90071992547409
			sd t1, 0(t0)
			li t2, 0x80
			csrw mie, t2
			wfi
			addi t1, t1, 1
			li t2, 1
			slli t2, t2, 63
			csrw ${MENVCFG}, t2
			csrw ${STIMECMP}, t1
			li t2, 0x20
			csrw mie, t2
		1:	j 1b`);
		expect(machine.run(10_000)).toEqual({ reason: 'limit' });
		expect(machine.executed).toBe(10_000);
		expect(machine.now()).toBe(Number.MAX_SAFE_INTEGER);
	});
});

/** M-mode: sends back what the UART receives, by interrupts, and ends at character 4. */
const ECHO = `
	la t0, handler
	csrw mtvec, t0
	li s0, 0x10000000
	li t0, 1
	sb t0, 1(s0)
	li s1, 0xc000000
	sw t0, 40(s1)
	li t0, 0x400
	li t1, 0xc002000
	sw t0, 0(t1)
	li s2, 0xc200000
	sw zero, 0(s2)
	li t0, 0x800
	csrw mie, t0
	csrsi mstatus, 8
1:	wfi
	j 1b
	.align 2
handler:
	lw s3, 4(s2)
	li t0, 10
	bne s3, t0, bad
2:	lbu t0, 5(s0)
	andi t0, t0, 1
	beqz t0, 3f
	lbu a1, 0(s0)
	li t0, 4
	beq a1, t0, end
	sb a1, 0(s0)
	j 2b
3:	sw s3, 4(s2)
	mret
end:
	li a0, 0
	${EXIT}
bad:
	li a0, 9
	${EXIT}`;

describe('several harts', () => {
	test('interrupts between harts by MSIP: 200 messages', () => {
		const { machine } = guest(
			`
			csrr s0, mhartid
			la t0, handler
			csrw mtvec, t0
			li t0, 8
			csrw mie, t0
			li s1, 0x2000000
			slli t0, s0, 2
			add s2, s1, t0
			xori t0, s0, 1
			slli t0, t0, 2
			add s3, s1, t0
			li s4, 100
			li s5, 1
			csrsi mstatus, 8
			bnez s0, 1f
			sw s5, 0(s3)
		1:	wfi
			j 1b
			.align 2
		handler:
			sw zero, 0(s2)
			sw s5, 0(s3)
			addi s4, s4, -1
			bnez s4, 2f
			li a0, 0
			${EXIT}
		2:	mret`,
			{ harts: 2 },
		);
		expect(runToEnd(machine, 5_000_000)).toEqual({ reason: 'ended', ending: { reason: 'power-off', code: 0 } });
		expect(machine.executed).toBeLessThan(200 * 2 * TURN);
	});

	test('turns are fair: harts that all run are never more than a turn apart', () => {
		const { machine } = guest('1: j 1b', { harts: 4 });
		for (let i = 0; i < 20; i++) {
			machine.run(12_345);
			const retired = machine.harts.map(({ state }) => Number(state[Slot.retired]));
			expect(Math.max(...retired) - Math.min(...retired)).toBeLessThanOrEqual(TURN);
		}
	});

	test('mtime never goes back, whoever looks', () => {
		// Harts 0 and 1 pass the greatest time that either has seen through memory, under a lock.
		const { machine } = guest(
			`
			la s0, latest
			la s1, lock
			li s2, 3000
		1:	li t0, 1
			amoswap.d.aq t0, t0, (s1)
			bnez t0, 1b
			ld t1, 0(s0)
			rdtime t2
			bltu t2, t1, back
			sd t2, 0(s0)
			amoswap.d.rl zero, zero, (s1)
			addi s2, s2, -1
			bnez s2, 1b
			csrr t0, mhartid
			beqz t0, 3f
		2:	j 2b
		3:	li a0, 0
			${EXIT}
		back:	li a0, 7
			${EXIT}
			.align 3
		latest:	.dword 0
		lock:	.dword 0`,
			{ harts: 2 },
		);
		expect(runToEnd(machine)).toEqual({ reason: 'ended', ending: { reason: 'power-off', code: 0 } });
	});

	test('to ask the machine for its time changes nothing', () => {
		const run = (ask: boolean): string | undefined => {
			const { machine } = guest(RACE, {
				harts: 2,
				traceHash: true,
				observer: { trap: () => void (ask && machine.now()) },
			});
			runToEnd(machine, 300_000);
			return machine.traceHash;
		};
		expect(run(true)).toBe(run(false));
	});

	test('a hart that stops itself gets no more turns until it is started again', () => {
		// HSM: 0x48534d; hart_start 0, hart_stop 1, hart_get_status 2.
		const { machine } = supervisorGuest(
			`
			.equ COUNT, 0x80400000
			li s0, 3
		again:	li a7, 0x48534d
			li a6, 0
			li a0, 1
			la a1, second
			li a2, 0
			ecall
			bnez a0, bad
		1:	li a7, 0x48534d
			li a6, 2
			li a0, 1
			ecall
			li t0, 1
			bne a1, t0, 1b
			addi s0, s0, -1
			bnez s0, again
			li a0, 0
			${EXIT}
		bad:	li a0, 1
			${EXIT}
		second:	li t0, COUNT
			ld t1, 0(t0)
			addi t1, t1, 1
			sd t1, 0(t0)
			li a7, 0x48534d
			li a6, 1
			ecall
		5:	j 5b`,
			{ harts: 2 },
		);
		expect(runToEnd(machine)).toEqual({ reason: 'ended', ending: { reason: 'power-off', code: 0 } });
		expect(word(machine, 0x8040_0000n)).toBe(3n);
		expect(machine.harts[1]!.state[Slot.retired]).toBeLessThan(60n);
	});
});

/** Two harts that store the time and trap, over and over. */
const RACE = `
	la t0, handler
	csrw mtvec, t0
	csrr s0, mhartid
	li s1, 0x80100000
	slli t0, s0, 12
	add s1, s1, t0
1:	rdtime t0
	sd t0, 0(s1)
	addi s2, s2, 1
	andi t1, s2, 127
	bnez t1, 1b
	ecall
	j 1b
	.align 2
handler:
	csrr t0, mepc
	addi t0, t0, 4
	csrw mepc, t0
	mret`;

describe('one console', () => {
	test('a guest that never reads IIR is interrupted at events, not for ever', () => {
		// UART: FIFOs, then both interrupts. PLIC: source 10 to hart 0's M-mode. The handler reads LSR, and RBR if there is data.
		const { machine } = guest(`
			la t0, handler
			csrw mtvec, t0
			li s0, 0x10000000
			li t0, 1
			sb t0, 2(s0)
			li t0, 3
			sb t0, 1(s0)
			li s1, 0xc000000
			li t0, 1
			sw t0, 40(s1)
			li t1, 0xc002000
			li t0, 0x400
			sw t0, 0(t1)
			li s2, 0xc200004
			li t0, 0x800
			csrw mie, t0
			csrsi mstatus, 8
			li t0, 65
			sb t0, 0(s0)
		1:	addi s4, s4, 1
			j 1b
			.align 2
		handler:
			addi s3, s3, 1
			lw a1, 0(s2)
			lbu a2, 5(s0)
			andi a2, a2, 1
			beqz a2, 2f
			lbu a3, 0(s0)
		2:	sw a1, 0(s2)
			mret`);
		machine.run(1000);
		const x = (n: number) => machine.harts[0]!.state[n]!;
		// The transmitter when its interrupt was enabled, and again after the byte.
		expect(x(19)).toBe(2n);
		expect(x(20)).toBeGreaterThan(300n);
		machine.receive(Uint8Array.of(97));
		machine.run(1000);
		expect([x(13), machine.harts[0]!.state[19]]).toEqual([97n, 4n]);
		machine.run(1000);
		expect(x(19)).toBe(4n);
	});

	test('what the SBI has read, the UART does not give again', () => {
		// Debug console (0x4442434e) read of two bytes, then the rest from the UART's registers.
		const { machine, printed } = supervisorGuest(`
			li a7, 0x4442434e
			li a6, 1
			li a0, 2
			li a1, 0x80400000
			li a2, 0
			ecall
			mv s1, a1
			li s0, 0x10000000
		1:	lbu t0, 5(s0)
			andi t0, t0, 1
			beqz t0, 2f
			lbu t0, 0(s0)
			sb t0, 0(s0)
			j 1b
		2:	mv a0, s1
			${EXIT}`);
		machine.receive(new TextEncoder().encode('abcd'));
		expect(runToEnd(machine)).toEqual({ reason: 'ended', ending: { reason: 'power-off', code: 2 } });
		expect(word(machine, 0x8040_0000n)).toBe(0x6261n);
		expect(printed()).toBe('cd');
	});

	test('a guest that reads through HTIF gets every byte, however many', () => {
		const { machine, printed } = guest(`
			.globl tohost
			.globl fromhost
			la s0, tohost
			la s1, fromhost
			li s2, 0x0100
			slli s2, s2, 48
			li s3, 0x0101
			slli s3, s3, 48
		1:	sd s2, 0(s0)
		2:	ld t0, 0(s1)
			beqz t0, 2b
			sd zero, 0(s1)
			andi t0, t0, 255
			li t1, 4
			beq t0, t1, 4f
			or t0, t0, s3
			sd t0, 0(s0)
		3:	ld t0, 0(s0)
			bnez t0, 3b
			j 1b
		4:	li t0, 1
			sd t0, 0(s0)
		5:	j 5b
			.align 6
		tohost: .dword 0
			.align 6
		fromhost: .dword 0`);
		const text = 'abcdefghij'.repeat(500);
		let waiting = new TextEncoder().encode(`${text}\x04`);
		let result = machine.run(100_000);
		while (result.reason === 'limit' && machine.executed < 1e8) {
			waiting = waiting.subarray(machine.receive(waiting));
			result = machine.run(100_000);
		}
		expect(result).toEqual({ reason: 'ended', ending: { reason: 'power-off', code: 0 } });
		expect(printed()).toBe(text);
	});
});

describe('endings', () => {
	test.each([
		['the finisher, success', 'li t0, 0x100000\nli t1, 0x5555\nsw t1, 0(t0)', { reason: 'power-off', code: 0 }],
		['the finisher, a code', 'li t0, 0x100000\nli t1, 0x2a3333\nsw t1, 0(t0)', { reason: 'power-off', code: 42 }],
		['the finisher, a reset', 'li t0, 0x100000\nli t1, 0x7777\nsw t1, 0(t0)', { reason: 'reset', code: 0 }],
		[
			'HTIF, success',
			'.globl tohost\nla t0, tohost\nli t1, 1\nsd t1, 0(t0)\n1: j 1b\n.align 3\ntohost: .dword 0',
			{ reason: 'power-off', code: 0 },
		],
		[
			'HTIF, a code',
			'.globl tohost\nla t0, tohost\nli t1, 27\nsd t1, 0(t0)\n1: j 1b\n.align 3\ntohost: .dword 0',
			{ reason: 'power-off', code: 13 },
		],
	])('%s', (_, program, ending) => {
		const { machine } = guest(program);
		expect(machine.ending).toBeUndefined();
		expect(runToEnd(machine)).toEqual({ reason: 'ended', ending });
		expect(machine.ending).toEqual(ending);
		const { executed } = machine;
		expect(machine.run(1000)).toEqual({ reason: 'ended', ending });
		expect(machine.executed).toBe(executed);
	});

	test.each([
		[0, 0, { reason: 'power-off', code: 0 }],
		[0, 1, { reason: 'power-off', code: 1 }],
		[1, 0, { reason: 'reset', code: 0 }],
		[2, 0, { reason: 'reset', code: 0 }],
	])('SBI system reset, type %i, reason %i', (type, reason, ending) => {
		const { machine } = supervisorGuest(
			`li a7, 0x53525354\nli a6, 0\nli a0, ${type}\nli a1, ${reason}\necall\n1: j 1b`,
		);
		expect(runToEnd(machine)).toEqual({ reason: 'ended', ending });
	});

	test('the store that ends the machine is its last instruction, on all harts', () => {
		const { machine } = guest(`csrr t0, mhartid\nbeqz t0, 1f\n2: j 2b\n1: li a0, 3\n${EXIT}`, { harts: 3 });
		expect(runToEnd(machine)).toEqual({ reason: 'ended', ending: { reason: 'power-off', code: 3 } });
		expect(machine.harts.slice(1).map(({ state }) => state[Slot.retired])).toEqual([0n, 0n]);
	});

	test('stop() ends a run at once; the next one goes on', () => {
		const { machine } = guest(`li s0, 0x10000000\nli t0, 65\nsb t0, 0(s0)\nli a0, 0\n${EXIT}`, {
			console: () => machine.stop(),
		});
		expect(machine.run(1000)).toEqual({ reason: 'stopped' });
		expect(machine.executed).toBeLessThan(15);
		expect(machine.run(1000)).toMatchObject({ reason: 'ended' });
	});

	test('an ELF without tohost has no HTIF: its memory is its own', () => {
		const { machine } = guest('1: j 1b\n.align 3\ntohostess: .dword 1', {
			images: { firmware: 'none', kernel: elf('1: j 1b') },
		});
		machine.run(10_000);
		expect(machine.ending).toBeUndefined();
		expect(word(machine, RAM + 8n)).toBe(0n);
	});
});
