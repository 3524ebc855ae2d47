/**
 * The tiers are exact: wherever a run is interrupted, the interpreter, the translator and the default have come to the same
 * state, instruction for instruction. The program has the control flow that structuring is about (nested and irreducible
 * loops, calls, jumps through registers), code that it rewrites, floating point with flags, and accesses that trap.
 */
import { asmWith } from '@partita/riscv';
import { expect, test } from 'vitest';
import { type EngineKind, Slot } from '../src/index.ts';
import { RAM, TestBoard } from './support/board.ts';
import { Random } from './support/random.ts';

const PROGRAM = `
	la t0, trap
	csrw mtvec, t0
	li t0, 0x6000
	csrs mstatus, t0
	la s0, data
	li s1, ROUNDS
	li s2, 1
	fcvt.d.l fs0, s1
	li t0, 3
	fcvt.d.l fs1, t0
round:
	# nested loops, the inner one with a call
	li s3, 7
outer:
	li s4, 5
inner:
	mv a0, s4
	call mix
	addi s4, s4, -1
	bnez s4, inner
	addi s3, s3, -1
	bnez s3, outer
	# an irreducible loop: entered at either of its halves
	andi t0, s1, 1
	li t1, 9
	beqz t0, second
first:
	slli t2, s2, 3
	xor s2, s2, t2
second:
	srli t2, s2, 5
	add s2, s2, t2
	addi t1, t1, -1
	bgtz t1, first
	# a jump through a table
	andi t0, s2, 3
	slli t0, t0, 3
	la t2, table
	add t2, t2, t0
	ld t2, 0(t2)
	jr t2
case0:	addi s2, s2, 11
	j joined
case1:	xori s2, s2, 0x155
	j joined
case2:	mulhu s2, s2, s1
	addi s2, s2, 1
	j joined
case3:	ori s2, s2, 0x70
joined:
	# floating point: inexact from the first division on; now and then flags are cleared
	fdiv.d fs2, fs0, fs1
	fmadd.d fs0, fs2, fs1, fs2
	fcvt.s.d fs3, fs0
	fmul.s fs3, fs3, fs3
	fcvt.l.d t0, fs2, rtz
	add s2, s2, t0
	feq.d t0, fs0, fs2
	add s2, s2, t0
	andi t0, s1, 63
	bnez t0, 1f
	csrrw t1, fflags, zero
	add s2, s2, t1
	fcvt.d.l fs0, s1
1:	# atomics, a misaligned load, a store to the code of the patched instruction
	amoadd.d t0, s2, (s0)
	sd s2, 8(s0)
	ld t1, 5(s0)
	add s2, s2, t1
	andi t0, s1, 127
	bnez t0, 2f
	la t1, patched
	lw t2, 0(t1)
	li t3, 0x100000
	xor t2, t2, t3
	sw t2, 0(t1)
2:
patched:
	addi s2, s2, 1
	# a load that traps: nothing is there
	andi t0, s1, 255
	bnez t0, 3f
	li t1, 0x09000000
	ld t1, 0(t1)
3:	addi s1, s1, -1
	bnez s1, round
	fsd fs0, 16(s0)
	li t0, 0x100000
	li t1, 0x5555
	sw t1, 0(t0)
4:	j 4b
mix:
	mul a0, a0, s2
	srli a1, a0, 7
	xor s2, a0, a1
	addi s2, s2, 3
	ret
	.align 2
trap:
	csrr t3, mepc
	addi t3, t3, 4
	csrw mepc, t3
	csrr t3, minstret
	add s2, s2, t3
	mret
	.align 3
table:
	.dword case0
	.dword case1
	.dword case2
	.dword case3
	.align 12
data:
	.zero 4096
`;

/** Image of the program; it takes some 350 instructions a round. */
function image(rounds: number): Uint8Array {
	const text = PROGRAM.replace('ROUNDS', `${rounds}`);
	const program = asmWith({ base: BigInt(RAM) })`${text}`;
	const bytes = new Uint8Array(0x4000);
	for (const section of program.sections) bytes.set(section.bytes, Number(section.address) - RAM);
	return bytes;
}

/** State at each stop: the hart's words, and a page of data. */
function* stops(engine: EngineKind, code: Uint8Array, seed: number): Generator<string> {
	const board = new TestBoard({}, engine);
	board.memory.load(RAM, code);
	const random = new Random(seed);
	const ram = new Uint8Array(code.length);
	while (board.finished === undefined) {
		// Long runs, and short ones that end anywhere.
		board.run(random.oneIn(3) ? 1 + random.below(40) : 1 + random.below(60_000));
		board.memory.read(RAM, ram);
		const words = [...board.hart.state.subarray(0, Slot.engine)];
		yield `${board.retired} ${words.map((word) => word.toString(16)).join(' ')} ${Buffer.from(ram).toString('base64')}`;
	}
}

test.each([
	['default', 6000],
	['translator', 700],
] as const)('%s: the same state as the interpreter at every stop', (engine, rounds) => {
	const code = image(rounds);
	const other = stops('interpreter', code, 5);
	let count = 0;
	for (const stop of stops(engine, code, 5)) {
		const expected = other.next();
		if (stop !== expected.value) expect(stop, `stop ${count}`).toBe(expected.value);
		count++;
	}
	expect(other.next().done).toBe(true);
	expect(count).toBeGreaterThan(5);
});

test('what runs often is translated, what is rewritten is translated anew', () => {
	const board = new TestBoard();
	board.memory.load(RAM, image(6000));
	expect(board.run(10_000_000)).toBe('finished');
	const stats = board.engine.translatorStats!;
	expect(stats.regions).toBeGreaterThan(0);
	expect(stats.changed).toBeGreaterThan(0);
	expect(stats.instructions).toBeGreaterThan(board.retired / 2);
});

test('what is rewritten again and again is translated ever later', () => {
	// Each of 60 rounds rewrites a loop, then runs it for 200,000 instructions: long enough to be translated.
	const program = asmWith({ base: BigInt(RAM) })`
		li s0, 60
	round:
		la t1, patched
		lw t2, 0(t1)
		li t3, 0x100000
		xor t2, t2, t3
		sw t2, 0(t1)
		fence.i
		li t0, 50000
	again:
	patched:
		addi s2, s2, 1
		xori s3, s2, 5
		addi t0, t0, -1
		bnez t0, again
		addi s0, s0, -1
		bnez s0, round
		li t0, 0x100000
		li t1, 0x5555
		sw t1, 0(t0)
		j .
	`;
	const board = new TestBoard();
	board.memory.load(RAM, program.bytes);
	expect(board.run(20_000_000)).toBe('finished');
	const { changed } = board.engine.translatorStats!;
	expect(changed).toBeGreaterThan(3);
	expect(changed).toBeLessThan(30);
});
