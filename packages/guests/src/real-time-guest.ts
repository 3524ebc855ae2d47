/**
 * A bare-metal kernel for (V)S-mode with one urgent periodic task and, optionally, a background task that never rests:
 * the real-time side of the example systems as one virtual machine. It boots as Linux does (a0 = hart, a1 = devicetree)
 * and needs nothing but a timer (Sstc); it never exits.
 */
import { assemble, programToElf } from '@partita/riscv';
import {
	type BusyParameters,
	increment,
	iterations,
	noteCompletion,
	reportArea,
	spend,
	type TaskParameters,
	ticks,
} from './fragments.ts';
import { TaskField } from './report-area.ts';

/** What the guest does. */
export interface RealTimeGuestOptions {
	/** Runs in the timer interrupt: nothing of this guest delays it. */
	readonly control: TaskParameters;
	/** Runs whenever the control task does not; without it the guest waits. */
	readonly background?: BusyParameters;
	/** Where the guest's memory begins; default 0x8000_0000. */
	readonly base?: bigint;
}

/** The guest as an ELF executable. Throws RangeError where a parameter cannot be. */
export function realTimeGuest(options: RealTimeGuestOptions): Uint8Array {
	const { control, background } = options;
	const period = ticks(`${control.name}: period`, control.period);
	const rest = background
		? `
	la s1, task1
${spend(iterations(background.name, background.work))}
${increment(TaskField.completed)}
	j idle`
		: `
	wfi
	j idle`;
	const source = `
	.text
	.globl _start
_start:
	la sp, stack_top
	la t0, timer
	csrw stvec, t0
	la s1, task0
	# The first release is one period from now.
	rdtime s2
	li t0, ${period}
	add s2, s2, t0
	la t1, next_release
	sd s2, 0(t1)
	csrw stimecmp, s2
	li t0, 0x20
	csrs sie, t0
	csrsi sstatus, 2
idle:
${rest}

	# Timer interrupt: one job of the control task. What it interrupts is saved on the stack.
	.balign 4
timer:
	addi sp, sp, -64
	sd t0, 0(sp)
	sd t1, 8(sp)
	sd t2, 16(sp)
	sd t3, 24(sp)
	sd s0, 32(sp)
	sd s1, 40(sp)
	la s1, task0
	la t1, next_release
	ld s0, 0(t1)
${increment(TaskField.released)}
${spend(iterations(control.name, control.work))}
${noteCompletion}
	la t1, next_release
	li t0, ${period}
	add s0, s0, t0
	sd s0, 0(t1)
	csrw stimecmp, s0
	ld t0, 0(sp)
	ld t1, 8(sp)
	ld t2, 16(sp)
	ld t3, 24(sp)
	ld s0, 32(sp)
	ld s1, 40(sp)
	addi sp, sp, 64
	sret
${reportArea(background ? [control, background] : [control])}
	.bss
	.balign 16
next_release:
	.zero 16
stack:
	.zero 4096
stack_top:
`;
	return programToElf(assemble(source, { base: options.base ?? 0x8000_0000n }));
}
