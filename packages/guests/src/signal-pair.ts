/**
 * Two bare-metal programs for VS-mode that exchange a word through shared memory and signal each other by doorbells
 * (`@partita/vmm`): the virtual machines' counterpart of a call and its answer. The caller notes how long each exchange takes.
 * They take no interrupt, and sleep while they wait.
 */
import { assemble, programToElf } from '@partita/riscv';
import { increment, noteCompletion, reportArea } from './fragments.ts';
import { TaskField } from './report-area.ts';

/** Where a guest of the pair finds what it shares. Addresses are guest physical. */
export interface SignalPairOptions {
	/** Of the shared memory, of which 16 bytes are used. */
	readonly shared: number;
	/** Of the doorbell, whose interrupt is the external one. */
	readonly doorbell: number;
	/** The bit that rings the other. */
	readonly bit: number;
	/** Exchanges whose time is kept, by the caller; default 4096. */
	readonly samples?: number;
	/** Where the guest's memory begins; default 0x8000_0000. */
	readonly base?: bigint;
}

/** A deadline for the caller that makes no exchange a miss but a wrong one: one second. */
const LONG = 1_000_000_000;

function link(options: SignalPairOptions, code: string, areas: string): Uint8Array {
	const { shared, doorbell, bit } = options;
	if (!Number.isInteger(bit) || bit < 0 || bit > 31) throw new RangeError(`bit ${bit}: 0 to 31`);
	const source = `
	.text
	.globl _start
_start:
	la s1, task0
	li s3, ${shared}
	li s4, ${doorbell}
	li s6, ${1 << bit}
	# The external interrupt ends WFI; it is never taken.
	li t0, 0x200
	csrw sie, t0
${code}
	# Waits for a bell, and clears it.
await:
	lw t0, 4(s4)
	bnez t0, 9f
	wfi
	j await
9:	sw t0, 4(s4)
	fence
	ret
${areas}
`;
	return programToElf(assemble(source, { base: options.base ?? 0x8000_0000n }));
}

/** Sends numbers, one after another, and checks that each comes back plus one. */
export function signalPing(options: SignalPairOptions): Uint8Array {
	const { samples } = options;
	const code = `
	li s5, 0
1:
${increment(TaskField.released)}
	rdtime s0
	sd s5, 0(s3)
	fence
	sw s6, 0(s4)
	call await
	ld t0, 8(s3)
	addi s5, s5, 1
	bne t0, s5, 2f
${noteCompletion}
	j 1b
2:
${increment(TaskField.missed)}
	j 1b`;
	return link(
		options,
		code,
		reportArea([{ name: 'ping', period: LONG, work: 2, ...(samples === undefined ? {} : { samples }) }]),
	);
}

/** Answers each number with the next. */
export function signalPong(options: SignalPairOptions): Uint8Array {
	const code = `
1:	call await
	ld t0, 0(s3)
	addi t0, t0, 1
	sd t0, 8(s3)
	fence
${increment(TaskField.completed)}
	sw s6, 0(s4)
	j 1b`;
	return link(options, code, reportArea([{ name: 'pong', work: 2 }]));
}
