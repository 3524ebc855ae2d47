// By the PC16550D data sheet; the register trace was taken from QEMU 7.2's `virt` board over qtest.
import { describe, expect, test } from 'vitest';
import { Ns16550a, StateError } from './index.ts';
import { MockClock, MockConsole, MockLine, SeededRandom } from './testing/index.ts';

const [RBR, IER, IIR, LCR, MCR, LSR, MSR, SCR] = [0, 1, 2, 3, 4, 5, 6, 7];
const THR = RBR;
const FCR = IIR;

function board(inputCapacity = 64) {
	const line = new MockLine();
	const clock = new MockClock();
	const console = new MockConsole();
	const rooms: number[] = [];
	const uart = new Ns16550a({
		line,
		console,
		now: clock.now,
		timer: clock,
		inputCapacity,
		onRoom: (room) => rooms.push(room),
	});
	const read = (register: number) => uart.read(register, 1);
	const write = (register: number, value: number) => uart.write(register, 1, value);
	const type = (text: string) => uart.receive(Uint8Array.from(text, (character) => character.charCodeAt(0)));
	return { uart, line, clock, console, rooms, read, write, type };
}

test('a register trace of QEMU 7.2', () => {
	const { read, write } = board();
	const trace = `r2=01 w1=0f r2=02 r2=01 w0=41 r2=02 r2=01 w2=c7 r2=c2 r2=c1 w3=80 r0=0c r1=00 w0=34 w1=12 r0=34 r1=12
		w3=03 w7=5a r7=5a w4=ff r4=1f w4=1a w0=55 r5=61 r0=55 r5=60 w4=08 w2=40`;
	for (const step of trace.split(/\s+/)) {
		const register = Number(step[1]);
		const value = Number.parseInt(step.slice(3), 16);
		if (step[0] === 'w') write(register, value);
		else expect([step, read(register)]).toEqual([step, value]);
	}
});

test('reset values of QEMU 7.2', () => {
	const { uart, read, line } = board();
	expect([IER, IIR, LCR, MCR, LSR, MSR, SCR].map(read)).toEqual([0, 1, 0, 8, 0x60, 0xb0, 0]);
	expect(uart.read(MCR, 4)).toBe(8);
	expect(line.level).toBe(false);
});

test('the line is driven at events only: an edge-triggered controller would take more for interrupts', () => {
	const driven: boolean[] = [];
	const clock = new MockClock();
	const uart = new Ns16550a({ line: { set: (level) => void driven.push(level) }, now: clock.now, timer: clock });
	uart.write(IER, 1, 3);
	uart.write(THR, 1, 65);
	expect(driven.splice(0)).toEqual([true, true]);
	for (const register of [IER, LCR, MCR, LSR, MSR, SCR]) uart.read(register, 1);
	uart.write(IER, 1, 3);
	for (const register of [LCR, SCR]) uart.write(register, 1, 3);
	expect(driven).toEqual([]);
	uart.receive(Uint8Array.of(97));
	expect(driven).toEqual([true]);
});

describe('transmitter', () => {
	test('bytes reach the console; the holding register is always empty', () => {
		const { console, read, write } = board();
		for (const character of 'ok\n') write(THR, character.charCodeAt(0));
		expect(console.text).toBe('ok\n');
		expect(read(LSR)).toBe(0x60);
	});

	test('the empty interrupt comes with enabling and with each byte, and goes with reading IIR', () => {
		const { line, read, write } = board();
		write(IER, 2);
		expect(line.level).toBe(true);
		expect(read(IIR)).toBe(0x02);
		expect(line.level).toBe(false);
		expect(read(IIR)).toBe(0x01);
		write(THR, 65);
		expect(line.level).toBe(true);
		write(IER, 0);
		expect(line.level).toBe(false);
		write(IER, 2);
		expect(line.level).toBe(true);
	});
});

describe('receiver', () => {
	test('without FIFOs, one byte at a time', () => {
		const { line, read, write, type } = board();
		write(IER, 1);
		expect(type('ab')).toBe(2);
		expect(read(IIR)).toBe(0x04);
		expect(read(LSR)).toBe(0x61);
		expect(read(RBR)).toBe(97);
		expect(read(RBR)).toBe(98);
		expect(read(LSR)).toBe(0x60);
		expect(line.level).toBe(false);
		expect(read(RBR)).toBe(0);
	});

	test.each([
		[0x01, 1],
		[0x41, 4],
		[0x81, 8],
		[0xc1, 14],
	])('FCR 0x%x: the interrupt comes at %i bytes', (fcr, level) => {
		const { line, read, write, type } = board();
		write(FCR, fcr);
		write(IER, 1);
		type('x'.repeat(level - 1));
		expect(line.level).toBe(false);
		type('x');
		expect(line.level).toBe(true);
		expect(read(IIR)).toBe(0xc4);
		read(RBR);
		expect(line.level).toBe(false);
	});

	test('fewer bytes than the trigger level raise the timeout after four character times', () => {
		const { uart, line, clock, read, write, type } = board();
		write(LCR, 0x83);
		write(RBR, 2); // 3,686,400 / (16 * 2) = 115,200 baud
		write(LCR, 0x03); // 8N1: 10 bits a character
		write(FCR, 0xc1);
		write(IER, 1);
		clock.nanos = 1_000_000;
		type('ab');
		const four = 4 * Math.ceil((10 / 115_200) * 1e9);
		expect(clock.deadline).toBe(1_000_000 + four);
		clock.nanos += four - 1;
		uart.expire();
		expect(line.level).toBe(false);
		clock.nanos += 1;
		uart.expire();
		expect(line.level).toBe(true);
		expect(read(IIR)).toBe(0xcc);
		expect(read(RBR)).toBe(97);
		expect(line.level).toBe(false);
		expect(clock.deadline).toBe(clock.nanos + four);
		expect(read(RBR)).toBe(98);
		expect(clock.deadline).toBeUndefined();
	});

	test('input waits outside a full FIFO, is refused when the queue is full, and room is announced', () => {
		const { uart, rooms, read, write, type } = board(8);
		write(FCR, 1);
		expect(type('x'.repeat(8))).toBe(8);
		expect(type('y'.repeat(8))).toBe(8);
		expect(type('z'.repeat(9))).toBe(8);
		expect(uart.room).toBe(0);
		expect(rooms).toEqual([]);
		expect(read(RBR)).toBe(120);
		expect(rooms).toEqual([1]);
		expect(uart.room).toBe(1);
		const rest = Array.from({ length: 23 }, () => String.fromCharCode(read(RBR))).join('');
		expect(rest).toBe(`${'x'.repeat(7)}${'y'.repeat(8)}${'z'.repeat(8)}`);
		expect(read(LSR) & 1).toBe(0);
	});

	test('FCR bit 1 and toggling FIFO mode empty the FIFO', () => {
		const { read, write, type } = board();
		write(FCR, 1);
		type('abc');
		write(FCR, 3);
		expect(read(LSR)).toBe(0x60);
		type('d');
		write(FCR, 0);
		expect(read(LSR)).toBe(0x60);
	});
});

describe('interrupt identification', () => {
	test('by priority: line status, received, transmitter empty, modem status', () => {
		const { uart, line, read, write, type } = board();
		write(MCR, 0x10);
		write(IER, 0x0f);
		write(THR, 1);
		write(THR, 2); // overruns the one byte that the receiver holds
		expect(read(IIR)).toBe(0x06);
		expect(read(LSR)).toBe(0x63);
		expect(read(IIR)).toBe(0x04);
		expect(read(RBR)).toBe(1);
		expect(read(IIR)).toBe(0x02);
		expect(read(IIR)).toBe(0x00);
		expect(read(MSR)).toBe(0x0b);
		expect(read(IIR)).toBe(0x01);
		expect(line.level).toBe(false);
		type('q');
		expect(uart.state.input.count).toBe(1); // loopback cuts the receiver off
		write(MCR, 0);
		expect(read(RBR)).toBe(113);
	});
});

test('loopback: modem status follows DTR, RTS, OUT1, OUT2, with deltas', () => {
	const { console, read, write } = board();
	write(MCR, 0x10);
	expect(read(MSR)).toBe(0x0b);
	for (const [control, status] of [
		[0x11, 0x22],
		[0x12, 0x13], // DSR fell, CTS rose
		[0x14, 0x41], // CTS fell; a rising ring has no delta
		[0x18, 0x8c], // the ring ended, carrier came
	]) {
		write(MCR, control);
		expect(read(MSR)).toBe(status);
		expect(read(MSR)).toBe(status & 0xf0);
	}
	write(THR, 0x5a);
	expect(read(RBR)).toBe(0x5a);
	expect(console.bytes).toEqual([]);
});

test('offsets past the registers read 0', () => {
	const { uart } = board();
	const before = structuredClone(uart.state);
	for (const offset of [8, 0xff, 0x100, -1, 1.5]) {
		uart.write(offset, 4, 0xffffffff);
		expect(uart.read(offset, 4)).toBe(0);
	}
	expect(uart.state).toEqual(before);
});

test('a state moves to another UART with its line and timer; one that does not fit is refused', () => {
	const one = board();
	one.write(FCR, 0xc1);
	one.write(IER, 3);
	one.type('hello');
	const two = board();
	two.uart.restore(structuredClone(one.uart.state));
	expect(two.line.level).toBe(true);
	expect(two.clock.deadline).toBe(one.clock.deadline);
	expect(two.read(RBR)).toBe(104);
	expect(one.uart.state.fifo.count).toBe(5);
	const good = structuredClone(one.uart.state);
	for (const change of [
		{ ier: 16 },
		{ fcr: 0x30 },
		{ divisor: 65536 },
		{ timeoutAt: -2 },
		{ thrPending: 1 },
		{ fifo: { ...good.fifo, count: 17 } },
		{ input: { ...good.input, bytes: new Uint8Array(65) } },
	])
		expect(() => two.uart.restore({ ...good, ...change } as never)).toThrow(StateError);
	expect(() => two.uart.restore(null as never)).toThrow(StateError);
	two.uart.reset();
	expect([two.read(IER), two.read(LSR), two.line.level]).toEqual([0, 0x60, false]);
});

test('random traffic: no throw, registers keep their widths, the line is IIR bit 0', () => {
	const random = new SeededRandom(16550);
	for (let round = 0; round < 200; round++) {
		const { uart, line, clock } = board(32);
		for (let step = 0; step < 200; step++) {
			clock.nanos += random.below(2_000_000);
			const choice = random.below(4);
			if (choice === 0) uart.receive(new Uint8Array(random.below(40)).fill(random.below(256)));
			else if (choice === 1) uart.expire();
			else if (choice === 2) uart.write(random.below(10), random.pick([1, 2, 4]), random.bits());
			else if (uart.read(random.below(10), 1) >>> 8) throw new RangeError('more than a byte was read');
			const { level } = line;
			const agrees = ((uart.read(IIR, 1) & 1) === 0) === level && uart.state.fifo.count <= 16;
			if (!agrees) throw new Error(`step ${step} of round ${round}: line ${level}`);
		}
	}
});
