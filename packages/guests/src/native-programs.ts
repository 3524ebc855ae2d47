/**
 * Programs for U-mode on a microkernel with the seL4 MCS interface (system calls by register, see `SystemCall`): a
 * periodic task, a busy one, and two that call each other. A periodic task relies on its scheduling context: when a job
 * is done it yields, and runs again at the next replenishment, one period after the last.
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

/** System calls of the seL4 MCS interface on RISC-V: values of a7. */
export const SystemCall = { call: -1, replyRecv: -2, send: -5, recv: -7, yield: -11, debugPutChar: -12 } as const;

/** Where native programs are linked. */
export const NATIVE_BASE = 0x20_0000n;

function link(source: string): Uint8Array {
	return programToElf(assemble(source, { base: NATIVE_BASE }));
}

/**
 * A periodic task. Its scheduling context's period must be `task.period`, and its budget less: a job is released whenever
 * the budget is replenished. Releases are at multiples of the period of `time`, which is when budgets come back that a system
 * has from its start on; however late a job first runs, its response counts from there.
 */
export function periodicProgram(task: TaskParameters): Uint8Array {
	const period = ticks(`${task.name}: period`, task.period);
	return link(`
	.text
	.globl _start
_start:
	la s1, task0
	rdtime s0
	li t0, ${period}
	remu t0, s0, t0
	sub s0, s0, t0
job:
${increment(TaskField.released)}
${spend(iterations(task.name, task.work))}
${noteCompletion}
	li t0, ${period}
	add s0, s0, t0
	# A job whose release has passed already starts at once: only then is there nothing to wait for.
	rdtime t0
	bgeu t0, s0, job
	li a7, ${SystemCall.yield}
	ecall
	rdtime t0
	bltu t0, s0, 1f
	j job
1:	# Replenished before the release: give up this budget too.
	li a7, ${SystemCall.yield}
	ecall
	rdtime t0
	bltu t0, s0, 1b
	j job
${reportArea([task])}
`);
}

/** A task that always has work. */
export function busyProgram(task: BusyParameters): Uint8Array {
	return link(`
	.text
	.globl _start
_start:
	la s1, task0
1:
${spend(iterations(task.name, task.work))}
${increment(TaskField.completed)}
	j 1b
${reportArea([task])}
`);
}

/** Where a pair finds its endpoint and reply object. */
export interface PairOptions {
	/** Capability pointer of the endpoint. */
	readonly endpoint: number;
	/** Capability pointer of the server's reply object. */
	readonly reply: number;
}

/** Calls the endpoint again and again with one word, and checks that the answer is that word plus one. */
export function pingProgram({ endpoint }: Pick<PairOptions, 'endpoint'>): Uint8Array {
	return link(`
	.text
	.globl _start
_start:
	la s1, task0
	li s2, 0
1:	li a0, ${endpoint}
	li a1, 1
	mv a2, s2
	li a7, ${SystemCall.call}
	ecall
	addi s2, s2, 1
	bne a2, s2, 2f
${increment(TaskField.completed)}
	j 1b
2:
${increment(TaskField.missed)}
	mv s2, a2
	j 1b
${reportArea([{ name: 'ping', work: 2 }])}
`);
}

/** Answers each call with its word plus one. */
export function pongProgram({ endpoint, reply }: PairOptions): Uint8Array {
	return link(`
	.text
	.globl _start
_start:
	la s1, task0
	li a0, ${endpoint}
	li a6, ${reply}
	li a7, ${SystemCall.recv}
	ecall
1:
${increment(TaskField.completed)}
	addi a2, a2, 1
	li a0, ${endpoint}
	li a1, 1
	li a6, ${reply}
	li a7, ${SystemCall.replyRecv}
	ecall
	j 1b
${reportArea([{ name: 'pong', work: 2 }])}
`);
}
