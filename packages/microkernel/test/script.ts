// A root task that does what a test tells it: system calls from a table, whose results it writes into the table. Tests read
// these from memory when it has halted.
import { u54 } from '@partita/kernel-costs';
import { Machine } from '@partita/machine';
import { assemble, programToElf } from '@partita/riscv';
import { FixedPriority, SEL4_MINIMUM_BUDGET } from '@partita/sched';
import { RESERVED } from '../src/boot/root-task.ts';
import { planRootTask } from '../src/boot/root-task-plan.ts';
import {
	type AbiProfile,
	type InvocationName,
	Microkernel,
	rootTask,
	SEL4_MCS_16,
	type SystemCallName,
} from '../src/index.ts';
import { encodeMessageInfo } from '../src/message.ts';

/** A system call, and what it is given. */
export interface Step {
	readonly call: SystemCallName;
	/** a0, a6 and t0. */
	readonly a0?: number;
	readonly a6?: number;
	readonly t0?: number;
	readonly label?: number;
	readonly words?: readonly (number | bigint)[];
	readonly capabilities?: readonly number[];
}

/** What came of a step. */
export interface Result {
	/** a0. */
	readonly badge: bigint;
	readonly label: number;
	readonly length: number;
	readonly extraCaps: number;
	readonly unwrapped: number;
	/** The first eight, whether they are of the message or not. */
	readonly words: readonly bigint[];
}

/** Where things are, for the steps. */
export interface Place {
	/** Where a thread starts that has s1 at a table, and s0 at memory of its own. */
	readonly loop: number;
	/** 1 KiB for s0. */
	readonly scratch: number;
	readonly tables: readonly number[];
	/** Slot of a free untyped of at least 2^bits bytes that is no device. */
	untyped(bits: number): number;
}

const MEMORY = 32 << 20;
/** Words of an entry: 8 and 12 in, 10 out. */
const ENTRY = 30;
const BASE = 0x1_0000n;
const HALT = 0;
const STOP = 1n << 32n;

const CODE = `
	.text
	.globl _start
_start:
	ld s0, 32(a0)
	la s1, script
loop:
	ld a7, 24(s1)
	beqz a7, halt
	srli t1, a7, 32
	li t2, 1
	beq t1, t2, stop
	ld t1, 40(s1)
	sd t1, 976(s0)
	ld t1, 48(s1)
	sd t1, 984(s0)
	ld t1, 56(s1)
	sd t1, 992(s0)
${Array.from({ length: 8 }, (_, i) => `	ld t1, ${64 + 8 * (4 + i)}(s1)\n	sd t1, ${8 + 8 * (4 + i)}(s0)`).join('\n')}
	ld a0, 0(s1)
	ld a1, 8(s1)
	ld a6, 16(s1)
	ld t0, 32(s1)
	ld a2, 64(s1)
	ld a3, 72(s1)
	ld a4, 80(s1)
	ld a5, 88(s1)
	ecall
	sd a0, 160(s1)
	sd a1, 168(s1)
	sd a2, 176(s1)
	sd a3, 184(s1)
	sd a4, 192(s1)
	sd a5, 200(s1)
${Array.from({ length: 4 }, (_, i) => `	ld t1, ${8 + 8 * (4 + i)}(s0)\n	sd t1, ${208 + 8 * i}(s1)`).join('\n')}
	addi s1, s1, ${8 * ENTRY}
	j loop
halt:
	li a7, -14
	ecall
	# A load from nowhere: the thread stops, or its handler is told.
stop:
	ld t1, 8(zero)
	addi s1, s1, ${8 * ENTRY}
	j loop
`;

function entry(step: Step | 'halt' | 'stop', profile: AbiProfile): bigint[] {
	const words = new Array<bigint>(ENTRY).fill(0n);
	if (step === 'halt') return words;
	if (step === 'stop') {
		words[3] = STOP;
		return words;
	}
	const { call, a0 = 0, a6 = 0, t0 = 0, label = 0, words: message = [], capabilities = [] } = step;
	words[0] = BigInt(a0);
	words[1] = encodeMessageInfo({ label, unwrapped: 0, extraCaps: capabilities.length, length: message.length });
	words[2] = BigInt(a6);
	words[3] = BigInt.asUintN(64, BigInt(profile.systemCalls[call] ?? HALT));
	words[4] = BigInt(t0);
	capabilities.forEach((pointer, index) => {
		words[5 + index] = BigInt(pointer);
	});
	message.forEach((word, index) => {
		words[8 + index] = BigInt.asUintN(64, BigInt(word));
	});
	return words;
}

/** Tables of steps: the first is the root task's; a thread starts at `loop` with s1 at another. */
export class Script {
	readonly machine: Machine;
	readonly kernel: Microkernel;
	readonly #tables: readonly number[];

	/** @param make - the tables; each ends with 'halt' or 'stop' */
	constructor(
		make: (place: Place) => readonly (readonly (Step | 'halt' | 'stop')[])[],
		profile: AbiProfile = SEL4_MCS_16,
	) {
		// Once for the addresses, once with what they are in.
		const link = (tables: readonly (readonly (Step | 'halt' | 'stop')[])[]) =>
			assemble(
				`${CODE}\n	.data\n	.balign 4096\nscratch:\n	.zero 1024\n${tables
					.map(
						(steps, index) =>
							`${index === 0 ? 'script' : `table${index}`}:\n${steps
								.flatMap((step) => entry(step, profile))
								.map((word) => `	.dword 0x${word.toString(16)}`)
								.join('\n')}`,
					)
					.join('\n')}`,
				{ base: BASE },
			);
		const address = (program: ReturnType<typeof link>, name: string): number => Number(program.symbols.get(name)!);
		const draft = make({ loop: 0, scratch: 0, tables: new Array<number>(8).fill(0), untyped: () => 0 });
		const first = link(draft);
		const { info } = planRootTask({
			image: programToElf(first),
			memory: { start: 0x8000_0000, end: 0x8000_0000 + MEMORY - 4096 },
			reserved: RESERVED,
			cnodeBits: profile.rootCNodeBits,
		});
		this.#tables = draft.map((_, index) => address(first, index === 0 ? 'script' : `table${index}`));
		const place: Place = {
			loop: address(first, 'loop'),
			scratch: address(first, 'scratch'),
			tables: this.#tables,
			untyped: (bits) =>
				info.untypeds.start + info.untypedBlocks.findIndex((block) => !block.device && block.bits >= bits),
		};
		const image = programToElf(link(make(place)));
		let kernel: Microkernel | undefined;
		this.machine = new Machine({
			memory: MEMORY,
			kernel: {
				hosted: { machine: true, supervisor: true },
				create: (board) => {
					kernel = new Microkernel(board, {
						boot: rootTask({ image }),
						profile,
						policy: new FixedPriority({ minimumBudget: SEL4_MINIMUM_BUDGET }),
						costs: u54,
					});
					return kernel;
				},
			},
		});
		this.kernel = kernel!;
	}

	/** Runs until it halts, or nothing can happen any more. */
	run(instructions = 10_000_000): this {
		this.machine.run(instructions);
		return this;
	}

	/** What came of a step of a table. */
	result(step: number, table = 0): Result {
		const bytes = new Uint8Array(8 * ENTRY);
		const address = this.#tables[table]! + step * bytes.length;
		if (!this.kernel.readMemory('rootserver', address, bytes)) throw new Error('the table is not mapped');
		const words = Array.from(new BigUint64Array(bytes.buffer));
		const info = words[21]!;
		return {
			badge: words[20]!,
			label: Number(info >> 12n),
			unwrapped: Number((info >> 9n) & 7n),
			extraCaps: Number((info >> 7n) & 3n),
			length: Number(info & 127n),
			words: words.slice(22, 30),
		};
	}
}

/** A call of a kernel object. */
export function invoke(
	a0: number,
	name: InvocationName,
	words: readonly (number | bigint)[] = [],
	capabilities: readonly number[] = [],
	profile: AbiProfile = SEL4_MCS_16,
): Step {
	return { call: 'Call', a0, label: profile.invocations[name] ?? 0, words, capabilities };
}
