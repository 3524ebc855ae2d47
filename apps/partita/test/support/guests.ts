// Small programs for a bare machine, started in M-mode at 0x80000000.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { asmWith, programToElf } from '@partita/riscv';

const BASE = 0x8000_0000n;
const UART = 0x1000_0000;
const FINISHER = 0x10_0000;

/** The value that makes the test finisher report a code. */
export function finish(code: number): number {
	return code === 0 ? 0x5555 : ((code << 16) | 0x3333) >>> 0;
}

/** Prints a text, then reports a code. */
export function hello(text: string, code = 0): Uint8Array {
	const program = asmWith({ base: BASE })`
		.globl _start
	_start:
		la   a0, text
		li   a1, ${UART}
	next:
		lbu  a2, 0(a0)
		beqz a2, done
		sb   a2, 0(a1)
		addi a0, a0, 1
		j    next
	done:
		li   a1, ${FINISHER}
		li   a2, ${finish(code)}
		sw   a2, 0(a1)
		j    .
	text:
		.asciz ${JSON.stringify(text)}
	`;
	return programToElf(program);
}

/** Prints a text again and again. */
export function chatter(text: string): Uint8Array {
	const program = asmWith({ base: BASE })`
		li   a1, ${UART}
	again:
		la   a0, text
	next:
		lbu  a2, 0(a0)
		beqz a2, again
		sb   a2, 0(a1)
		addi a0, a0, 1
		j    next
	text:
		.asciz ${JSON.stringify(text)}
	`;
	return programToElf(program);
}

/** Prints a text, then repeats what is typed; at a `q` it reports success. */
export function echo(text = ''): Uint8Array {
	const program = asmWith({ base: BASE })`
		la   a0, text
		li   a1, ${UART}
		li   a3, ${'q'.charCodeAt(0)}
	next:
		lbu  a2, 0(a0)
		beqz a2, wait
		sb   a2, 0(a1)
		addi a0, a0, 1
		j    next
	wait:
		lbu  a0, 5(a1)
		andi a0, a0, 1
		beqz a0, wait
		lbu  a0, 0(a1)
		sb   a0, 0(a1)
		bne  a0, a3, wait
		li   a1, ${FINISHER}
		li   a2, 0x5555
		sw   a2, 0(a1)
		j    .
	text:
		.asciz ${JSON.stringify(text)}
	`;
	return programToElf(program);
}

/** Leaves a signature and reports through HTIF. */
export function htif(code: number): Uint8Array {
	const program = asmWith({ base: BASE })`
		.globl _start
	_start:
		la   a0, begin_signature
		li   a1, 0x89abcdef
		sw   a1, 4(a0)
		la   a0, tohost
		li   a1, ${code * 2 + 1}
		sd   a1, 0(a0)
		j    .
		.balign 8
		.globl tohost
	tohost:
		.dword 0
		.globl begin_signature
	begin_signature:
		.word 0x01234567, 0, 0xffffffff
		.globl end_signature
	end_signature:
	`;
	return programToElf(program);
}

/** Counts for ever, in a register and in memory. */
export function counter(): Uint8Array {
	const program = asmWith({ base: BASE })`
		la   a1, here
	count:
		addi a0, a0, 1
		sd   a0, 0(a1)
		slli a2, a0, 4
		add  a3, a1, a2
		andi a2, a2, 0x7f0
		add  a2, a1, a2
		sd   a3, 8(a2)
		j    count
		.balign 8
	here:
		.dword 0
	`;
	return programToElf(program);
}

/** Waits for an interrupt that nobody raises. */
export function sleeper(): Uint8Array {
	return programToElf(asmWith({ base: BASE })`
	_start:
		wfi
		j    _start
	`);
}

/** Jumps to where nothing is, with no trap handler there either. */
export function lost(): Uint8Array {
	return programToElf(asmWith({ base: BASE })`
		li   a0, 0x40000000
		csrw mtvec, a0
		jr   a0
	`);
}

/** Writes a file of the scratch folder; its name. */
export function place(folder: string, name: string, bytes: Uint8Array): string {
	const file = path.join(folder, name);
	writeFileSync(file, bytes);
	return file;
}

/** What {@link disk} does with a sector of the first drive. */
export interface DiskOperation {
	readonly kind: 'read' | 'write';
	readonly sector: number;
	/** What is written, shorter than a sector. */
	readonly text?: string;
}

/**
 * Reads or writes one sector, then prints what the buffer holds, up to a zero, and reports the status byte of the
 * request: 0, or 1 for an I/O error. The request and the queue are laid out in the image (virtio 1.2, sections 2.7, 4.2,
 * 5.2); the driver negotiates nothing but VERSION_1, so each write is flushed.
 */
export function disk({ kind, sector, text = '' }: DiskOperation): Uint8Array {
	const program = asmWith({ base: BASE })`
		li   a0, 0x10001000
		sw   zero, 0x70(a0)
		li   t0, 3
		sw   t0, 0x70(a0)
		sw   zero, 0x24(a0)
		sw   zero, 0x20(a0)
		li   t0, 1
		sw   t0, 0x24(a0)
		sw   t0, 0x20(a0)
		li   t0, 11
		sw   t0, 0x70(a0)
		sw   zero, 0x30(a0)
		li   t0, 4
		sw   t0, 0x38(a0)
		la   t0, descriptors
		sw   t0, 0x80(a0)
		sw   zero, 0x84(a0)
		la   t0, available
		sw   t0, 0x90(a0)
		sw   zero, 0x94(a0)
		la   t0, used
		sw   t0, 0xa0(a0)
		sw   zero, 0xa4(a0)
		li   t0, 1
		sw   t0, 0x44(a0)
		li   t0, 15
		sw   t0, 0x70(a0)
		sw   zero, 0x50(a0)
		la   a1, used
	wait:
		lhu  t0, 2(a1)
		beqz t0, wait
		la   a1, buffer
		li   a2, ${UART}
	next:
		lbu  t0, 0(a1)
		beqz t0, done
		sb   t0, 0(a2)
		addi a1, a1, 1
		j    next
	done:
		la   a1, status
		lbu  t0, 0(a1)
		li   t1, 0x5555
		beqz t0, report
		slli t0, t0, 16
		li   t1, 0x3333
		or   t1, t1, t0
	report:
		li   a1, ${FINISHER}
		sw   t1, 0(a1)
		j    .
		.balign 16
	descriptors:
		.dword header
		.word 16
		.half 1, 1
		.dword buffer
		.word 512
		.half ${kind === 'read' ? 3 : 1}, 2
		.dword status
		.word 1
		.half 2, 0
		.zero 16
	available:
		.half 1, 1, 0, 0, 0, 0, 0, 0
		.balign 16
	used:
		.zero 64
	header:
		.word ${kind === 'read' ? 0 : 1}, 0
		.dword ${sector}
	buffer:
		.asciz ${JSON.stringify(text)}
		.zero ${512 - text.length - 1}
		.byte 0
	status:
		.byte 99
	`;
	return programToElf(program);
}
