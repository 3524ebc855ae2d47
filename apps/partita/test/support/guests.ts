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

/** Repeats what is typed; at a `q` it reports success. */
export function echo(): Uint8Array {
	const program = asmWith({ base: BASE })`
		li   a1, ${UART}
		li   a3, ${'q'.charCodeAt(0)}
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
