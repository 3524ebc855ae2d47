/** Guests that mean harm, or have gone wrong: the host goes on, and what is not theirs stays as it is. */
import { Slot } from '@partita/cpu';
import { describe, expect, test } from 'vitest';
import { MemoryMap } from '../src/index.ts';
import { EXIT, guest, runToEnd } from './support/guest.ts';

/** Ends with the trap's cause + 16 as code, so that 0 to 15 are the guest's own. */
const TRAPPED = `
	.align 2
trapped: csrr a0, mcause
	addi a0, a0, 16
	${EXIT}`;

/** Exit code of a program that may end in `trapped`. */
function codeOf(program: string, options: Parameters<typeof guest>[1] = {}): number | undefined {
	const { machine } = guest(`la t0, trapped\ncsrw mtvec, t0\n${program}\n${TRAPPED}`, options);
	const result = runToEnd(machine, 1_000_000);
	return result.reason === 'ended' ? result.ending.code : undefined;
}

const FETCH = 17;
const LOAD = 21;
const STORE = 23;

describe('jumps into nowhere', () => {
	test.each(['0x40000000', '0', '0x8fffffffff', '0x10000000', '0x100000', '0xc000000'])(
		'to %s: an access fault',
		(to) => {
			expect(codeOf(`li t0, ${to}\njr t0`)).toBe(FETCH);
		},
	);

	test.each([
		['that is nowhere', 'csrw mtvec, zero\necall'],
		['that is illegal', 'la t0, v\ncsrw mtvec, t0\n.align 2\nv: .word 0'],
		['in a device', 'li t0, 0x10000000\ncsrw mtvec, t0\necall'],
	])('a trap handler %s traps for ever; the run ends all the same', (_, program) => {
		const { machine } = guest(program, { traceHash: true });
		expect(machine.run(50_000)).toEqual({ reason: 'limit' });
		expect(machine.executed).toBe(50_000);
		expect(machine.now()).toBe(50_000);
		expect(machine.harts[0]!.state[Slot.retired]).toBeLessThan(20n);
	});
});

describe('memory that is not there, or not writable', () => {
	test.each([
		['a store to ROM', 'li t0, 0x1000\nsd t0, 0(t0)', STORE],
		['an atomic in ROM', 'li t0, 0x1000\namoadd.d t1, t0, (t0)', STORE],
		['a store-conditional in ROM', 'li t0, 0x1000\nlr.d t1, (t0)\nsc.d t1, t0, (t0)', STORE],
		['a load beyond RAM', 'li t0, 0x80800000\nld t0, 0(t0)', LOAD],
		['a load over the end of RAM', 'li t0, 0x807ffffc\nld t0, 0(t0)', undefined],
		['a store far away', 'li t0, -8\nsd t0, 0(t0)', STORE],
		['an atomic in a device', 'li t0, 0x10000000\namoadd.w t1, t0, (t0)', STORE],
	])('%s', (_, program, code) => {
		const got = codeOf(program);
		// Misaligned over the end: either an access fault or an address-misaligned exception is right.
		if (code === undefined) expect([20, LOAD]).toContain(got);
		else expect(got).toBe(code);
	});

	test('ROM stays as it was', () => {
		const { machine } = guest(`li t0, 0x1000\nsd zero, 0(t0)`);
		const before = new Uint8Array(64);
		machine.memory.read(MemoryMap.rom.base, before);
		machine.run(10_000);
		const after = new Uint8Array(64);
		machine.memory.read(MemoryMap.rom.base, after);
		expect(after).toEqual(before);
	});
});

describe('page tables', () => {
	/** Enters S-mode with satp = Sv39 with `root`, and loads from `address`. */
	const walk = (root: string, prepare: string, address: string): string => `
		li t0, -1
		csrw pmpaddr0, t0
		li t0, 0x1f
		csrw pmpcfg0, t0
		${prepare}
		li t0, ${root}
		srli t0, t0, 12
		li t1, 8
		slli t1, t1, 60
		or t0, t0, t1
		csrw satp, t0
		sfence.vma
		li t0, 0x20800
		csrs mstatus, t0
		li t0, ${address}
		ld t0, 0(t0)
		li t0, 0x20000
		csrc mstatus, t0
		li a0, 0
		${EXIT}`;

	test.each([
		['the UART', '0x10000000'],
		['the PLIC', '0xc000000'],
		['the finisher', '0x100000'],
		['virtio registers', '0x10001000'],
		['nowhere', '0x40000000'],
	])('in %s: an access fault', (_, root) => {
		expect(codeOf(walk(root, '', '0'))).toBe(LOAD);
	});

	test('in ROM: the boot code is no valid entry, or lacks rights: a fault either way', () => {
		expect([LOAD, 29]).toContain(codeOf(walk('0x1000', '', '0')));
	});

	test('a table that points at itself: a page fault, in three steps', () => {
		// A pointer (V, no R, W, X) at every level is a page fault.
		expect(codeOf(walk('0x80100000', 'li t0, 0x80100000\nsrli t1, t0, 2\nori t1, t1, 1\nsd t1, 0(t0)', '0'))).toBe(29);
	});

	test('a page that is a device is read through the page table', () => {
		// A gigapage of 0x0: the UART's line status, transmitter empty.
		const prepare = 'li t0, 0x80100000\nli t1, 0xcf\nsd t1, 0(t0)';
		const program = walk('0x80100000', prepare, '0x10000000')
			.replace('ld t0, 0(t0)', 'lbu s0, 5(t0)')
			.replace('li a0, 0', 'mv a0, s0');
		expect(codeOf(program)).toBe(0x60);
	});
});

describe('descriptor rings of a virtio device', () => {
	/** Sets up queue 0 of the entropy device in slot 0 with its three rings, and a descriptor of `buffer`; notifies. */
	const request = (rings: readonly [string, string, string], buffer: string, flags = 2, next = 0): string => `
		li s0, 0x10001000
		${[1, 3, 11].map((status) => `li t0, ${status}\n\tsw t0, 0x70(s0)`).join('\n\t')}
		li t0, 1
		sw t0, 0x24(s0)
		sw t0, 0x20(s0)
		sw zero, 0x30(s0)
		li t0, 8
		sw t0, 0x38(s0)
		${rings.map((ring, i) => `li t0, ${ring}\n\tsw t0, ${0x80 + i * 0x10}(s0)\n\tsrli t0, t0, 32\n\tsw t0, ${0x84 + i * 0x10}(s0)`).join('\n\t')}
		li t0, 1
		sw t0, 0x44(s0)
		li t0, 15
		sw t0, 0x70(s0)
		li s1, 0x80200000
		li t0, ${buffer}
		sd t0, 0(s1)
		li t0, 64
		sw t0, 8(s1)
		li t0, ${flags}
		sh t0, 12(s1)
		li t0, ${next}
		sh t0, 14(s1)
		li s1, 0x80201000
		sh zero, 4(s1)
		li t0, 1
		sh t0, 2(s1)
		sw zero, 0x50(s0)
		li t1, 1000
	1:	addi t1, t1, -1
		bnez t1, 1b
		lw s2, 0x60(s0)
		li s3, 0x80202000
		lhu s4, 2(s3)
		lw s5, 0x70(s0)
		li a0, 0
		${EXIT}`;

	const good = ['0x80200000', '0x80201000', '0x80202000'] as const;
	const run = (program: string): { machine: ReturnType<typeof guest>['machine']; reports: number; rom: boolean } => {
		let reports = 0;
		const { machine } = guest(program, {
			virtio: [{ kind: 'entropy' }],
			deviceObserver: {
				report: ({ kind }) => {
					if (kind === 'guest-error') reports++;
				},
			},
		});
		const rom = new Uint8Array(4096);
		machine.memory.read(MemoryMap.rom.base, rom);
		const result = runToEnd(machine, 1_000_000);
		expect(result).toEqual({ reason: 'ended', ending: { reason: 'power-off', code: 0 } });
		const after = new Uint8Array(4096);
		machine.memory.read(MemoryMap.rom.base, after);
		return { machine, reports, rom: Buffer.compare(rom, after) === 0 };
	};

	test('a good one is answered', () => {
		const { machine, reports } = run(request(good, '0x80203000'));
		const bytes = new Uint8Array(64);
		machine.memory.read(0x8020_3000, bytes);
		expect(new Set(bytes).size).toBeGreaterThan(20);
		expect(machine.harts[0]!.state[Slot.x + 20]).toBe(1n);
		expect(reports).toBe(0);
	});

	test.each([
		['a buffer in ROM', request(good, '0x1000')],
		['a buffer in the UART', request(good, '0x10000000')],
		['a buffer in nowhere', request(good, '0x7fffffffffffffff')],
		['a buffer over the end of RAM', request(good, '0x807fffe0')],
		['descriptors in ROM', request(['0x1000', good[1], good[2]], '0x80203000')],
		['descriptors in a device', request(['0x10001000', good[1], good[2]], '0x80203000')],
		['the available ring in a device', request([good[0], '0xc000000', good[2]], '0x80203000')],
		['the used ring in ROM', request([good[0], good[1], '0x2000'], '0x80203000')],
		['the used ring in a device', request([good[0], good[1], '0x10000000'], '0x80203000')],
		['rings beyond 2^53', request(['0x7ffffffffffffff0', '0x7ffffffffffffff0', '0x7ffffffffffffff0'], '0x80203000')],
		['a chain that loops', request(good, '0x80203000', 3, 0)],
		['a chain that leaves the table', request(good, '0x80203000', 3, 60_000)],
	])('%s: the guest goes on, ROM and the console are untouched', (_, program) => {
		const { rom } = run(program);
		expect(rom).toBe(true);
	});
});
