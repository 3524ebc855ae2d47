/**
 * A bare-metal program for (V)S-mode that plays media: at a rate, it decodes a frame and shows it. A frame that is shown late
 * is missed; one whose time is over before it could be begun is dropped, and missed as well. It boots as Linux does, needs
 * nothing but a timer (Sstc), takes no interrupt, and never exits.
 */
import { assemble, programToElf } from '@partita/riscv';
import { increment, iterations, noteCompletion, reportArea, spend, type TaskParameters } from './fragments.ts';
import { TaskField } from './report-area.ts';

/** What the guest does. */
export interface MediaGuestOptions {
	/** At most 16 ASCII characters. */
	readonly name: string;
	/** Frames a second. The period is rounded to 100 ns. */
	readonly rate: number;
	/** Instructions of work for each frame. */
	readonly work: number;
	/** Response times to keep; default 4096. */
	readonly samples?: number;
	/** Where the guest's memory begins; default 0x8000_0000. */
	readonly base?: bigint;
}

/** The task that a rate makes. Throws RangeError for a rate that cannot be. */
export function mediaTask({ name, rate, work, samples }: MediaGuestOptions): TaskParameters {
	if (!(rate > 0 && rate <= 1_000_000)) throw new RangeError(`${name}: a rate of ${rate} frames a second`);
	const period = Math.max(Math.round(10_000_000 / rate), 1) * 100;
	return { name, period, work, ...(samples === undefined ? {} : { samples }) };
}

/**
 * Frames at their times. `s1` is the task's record; `wait` returns, at some time, after a wait for tick `s0`.
 * @param period - in ticks
 */
export function mediaLoop(period: number, work: number, wait: string): string {
	return `
	rdtime s0
	li s2, ${period}
frame:
${increment(TaskField.released)}
${spend(work)}
${noteCompletion}
	add s0, s0, s2
	# Frames whose time is over are dropped.
1:	rdtime t0
	add t1, s0, s2
	bltu t0, t1, 2f
${increment(TaskField.released)}
${increment(TaskField.missed)}
	add s0, s0, s2
	j 1b
2:	bgeu t0, s0, frame
${wait}
	rdtime t0
	j 2b`;
}

/** The guest as an ELF executable. Throws RangeError where a parameter cannot be. */
export function mediaGuest(options: MediaGuestOptions): Uint8Array {
	const task = mediaTask(options);
	const source = `
	.text
	.globl _start
_start:
	la s1, task0
	# The timer ends WFI; it is never taken.
	li t0, 0x20
	csrw sie, t0
${mediaLoop(task.period / 100, iterations(task.name, task.work), '	csrw stimecmp, s0\n	wfi')}
${reportArea([task])}
`;
	return programToElf(assemble(source, { base: options.base ?? 0x8000_0000n }));
}
