// A snapshot goes on as the run it was taken of, and is refused where a single bit of it has changed.
import { asm, programToElf } from '@partita/riscv';
import { describe, expect, test } from 'vitest';
import { MachineError } from './errors.ts';
import { Machine, type MachineOptions } from './machine.ts';
import { decodeSnapshot, encodeSnapshot } from './snapshot.ts';

/** Counts in memory, prints now and then, and takes a timer interrupt every 10,000 ticks. */
const KERNEL = programToElf(asm`
	.equ MTIMECMP, 0x2004000
	.equ MTIME, 0x200bff8
_start:
	la   t0, tick
	csrw mtvec, t0
	csrr s0, mhartid
	slli t1, s0, 3
	li   s1, MTIMECMP
	add  s1, s1, t1
	call arm
	li   t0, 0x80
	csrw mie, t0
	csrsi mstatus, 8
	la   s2, words
	slli t1, s0, 12
	add  s2, s2, t1
work:
	addi s3, s3, 1
	andi t0, s3, 0x1f
	slli t0, t0, 3
	add  t0, t0, s2
	sd   s3, 0(t0)
	andi t0, s3, 0x7ff
	bnez t0, work
	wfi
	j    work
	.balign 4
tick:
	call arm
	li   t0, 0x10000000
	li   t1, 46
	sb   t1, 0(t0)
	mret
arm:
	li   t0, MTIME
	ld   t0, 0(t0)
	li   t1, 10000
	add  t0, t0, t1
	sd   t0, 0(s1)
	ret
	.balign 4096
words:
	.zero 0x4000
`);

function machine(options: Partial<MachineOptions> = {}): { machine: Machine; printed: () => string } {
	let text = '';
	const made = new Machine({
		memory: 4 * 2 ** 20,
		images: { firmware: 'none', kernel: KERNEL },
		virtio: [{ kind: 'entropy' }],
		console: (byte) => {
			text += String.fromCharCode(byte);
		},
		traceHash: true,
		...options,
	});
	return { machine: made, printed: () => text };
}

function save(of: Machine): Uint8Array {
	const pieces = encodeSnapshot({ machine: of.description, state: of.save(), application: { note: ['x', 1n] } });
	return new Uint8Array(Buffer.concat(pieces));
}

describe('round trip', () => {
	test.each([1, 2, 4])('%i harts: the restored machine goes on as the other one does', (harts) => {
		const whole = machine({ harts });
		whole.machine.run(3_000_000);

		const first = machine({ harts });
		first.machine.run(1_234_567);
		const bytes = save(first.machine);
		const { machine: description, state, application } = decodeSnapshot(bytes);
		expect(description).toEqual(first.machine.description);
		expect(application).toEqual({ note: ['x', 1n] });

		const second = machine({ harts, images: { firmware: 'none', kernel: new Uint8Array(4) } });
		second.machine.restore(state);
		second.machine.run(3_000_000 - second.machine.executed);
		expect(second.machine.executed).toBe(whole.machine.executed);
		expect(second.machine.traceHash).toBe(whole.machine.traceHash);
		expect(first.printed() + second.printed()).toBe(whole.printed());
		expect(whole.printed().length).toBeGreaterThan(harts * 2);
		const [left, right] = [second.machine.save(), whole.machine.save()];
		expect(left.memory).toEqual(right.memory);
		expect(left.virtio).toEqual(right.virtio);
	});

	test('frames of zeros take no room', () => {
		const { machine: small } = machine();
		small.memory.load(0x8020_0000, new Uint8Array(2 ** 20));
		const before = save(small).length;
		small.memory.load(0x8020_0000, new Uint8Array(2 ** 20).fill(1));
		expect(save(small).length).toBe(before + 2 ** 20);
	});
});

describe('damage', () => {
	const taken = machine();
	taken.machine.run(50_000);
	const good = save(taken.machine);

	/** Where each section begins, as the format says. */
	const sections = ((): { name: string; at: number; contents: number; end: number }[] => {
		const view = new DataView(good.buffer);
		const found: { name: string; at: number; contents: number; end: number }[] = [];
		for (let at = 24; at < good.length; ) {
			const contents = at + 16;
			const end = contents + Number(view.getBigUint64(at + 8, true)) + 16;
			found.push({ name: Buffer.from(good.subarray(at, at + 4)).toString('latin1'), at, contents, end });
			at = end;
		}
		return found;
	})();

	function refused(bytes: Uint8Array, message?: RegExp): void {
		let error: unknown;
		try {
			decodeSnapshot(bytes);
		} catch (caught) {
			error = caught;
		}
		expect(error).toBeInstanceOf(MachineError);
		expect((error as MachineError).message).toMatch(message ?? /^snapshot: /);
		expect((error as MachineError).advice).toBeTruthy();
	}

	function flip(at: number, bit = 0): Uint8Array {
		const bytes = good.slice();
		bytes[at]! ^= 1 << bit;
		return bytes;
	}

	test('the sections are those of the format', () => {
		expect(sections.map(({ name }) => name)).toEqual(['mach', 'appl', 'stat', 'fram']);
		expect(() => decodeSnapshot(good)).not.toThrow();
	});

	test('what a file system gives is as good as plain bytes', () => {
		expect(decodeSnapshot(Buffer.from(good))).toEqual(decodeSnapshot(good));
	});

	test('a bit of the file header', () => {
		for (let at = 0; at < 24; at++) for (let bit = 0; bit < 8; bit++) refused(flip(at, bit));
		refused(flip(0), /no snapshot/);
		refused(flip(16), /version 0 of the format; this program reads version 1/);
	});

	test.each(['mach', 'appl', 'stat', 'fram'])('section %s', (name) => {
		const { at, contents, end } = sections.find((section) => section.name === name)!;
		for (let byte = at; byte < contents; byte++) for (let bit = 0; bit < 8; bit++) refused(flip(byte, bit));
		for (const byte of [contents, Math.floor((contents + end) / 2), end - 17])
			refused(flip(byte, 3), new RegExp(`section ${name} is damaged`));
		for (let byte = end - 16; byte < end; byte++) refused(flip(byte, 7), new RegExp(`section ${name} is damaged`));
		for (const length of [at, at + 7, contents, end - 16, end - 1]) refused(good.slice(0, length), /truncated|missing/);
	});

	test('every length that is too short, and one that is too long', () => {
		for (let length = 0; length < good.length; length += 1009) refused(good.slice(0, length));
		refused(new Uint8Array([...good, 0]), /1 bytes follow its end/);
	});

	test('something else altogether', () => {
		refused(new Uint8Array(0), /no snapshot/);
		refused(KERNEL, /no snapshot/);
	});
});

describe('another machine', () => {
	const taken = machine({ harts: 2 });
	taken.machine.run(10_000);
	const { state } = decodeSnapshot(save(taken.machine));

	test.each<[string, Partial<MachineOptions>]>([
		['with other harts', { harts: 1 }],
		['with other memory', { harts: 2, memory: 8 * 2 ** 20 }],
		['with the built-in SBI', { harts: 2, images: { firmware: 'builtin', kernel: new Uint8Array(4) } }],
	])('%s refuses it', (_, options) => {
		expect(() => machine(options).machine.restore(state)).toThrow();
	});
});
