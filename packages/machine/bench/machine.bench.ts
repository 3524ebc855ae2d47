// The machine: how fast it starts, runs a loop, takes traps, switches harts, and is saved. `pnpm bench:machine` compares
// whole programs with QEMU.
import { Machine } from '@partita/machine';
import { asmWith, programToElf } from '@partita/riscv';
import { test } from 'vitest';

function machine(source: string, harts = 1, traceHash = false): Machine {
	const kernel = programToElf(asmWith({ base: 0x8000_0000n })`.globl _start\n_start: ${source}`);
	return new Machine({ harts, traceHash, images: { firmware: 'none', kernel } });
}

const LOOP = `
	la s1, data
1:	ld t0, 0(s1)
	add t0, t0, t1
	sd t0, 0(s1)
	addi t1, t1, 1
	j 1b
	.align 12
data: .dword 0`;

const TRAPS = `
	la t0, handler
	csrw mtvec, t0
1:	ecall
	j 1b
	.align 2
handler: csrr t0, mepc
	addi t0, t0, 4
	csrw mepc, t0
	mret`;

test('start', async ({ bench }) => {
	await bench('make a machine of 128 MiB', () => void machine(LOOP)).run();
});

for (const traceHash of [false, true]) {
	test(`run, trace hash ${traceHash}`, async ({ bench }) => {
		const loop = machine(LOOP, 1, traceHash);
		await bench(`10 M instructions, hash ${traceHash}`, () => void loop.run(10_000_000)).run();
	});
}

test('traps and turns', async ({ bench }) => {
	const traps = machine(TRAPS);
	await bench('10,000 environment calls in M-mode', () => void traps.run(60_000)).run();
	const harts = machine(LOOP, 4);
	await bench('4 harts, 1 M instructions each', () => void harts.run(1_000_000)).run();
});

test('snapshots', async ({ bench }) => {
	const one = machine(LOOP);
	one.run(1_000_000);
	await bench('save', () => void one.save()).run();
	const state = one.save();
	await bench('restore', () => one.restore(state)).run();
});
