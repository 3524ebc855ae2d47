/** What a guest finds when it starts: judged by QEMU 7.2, which runs the same program. */
import { Slot } from '@partita/cpu';
import { describe, expect, test } from 'vitest';
import { CHECKPOINT, MemoryMap } from '../src/index.ts';
import { EXIT, elf, guest, RAM, runToEnd, supervisorGuest, word } from './support/guest.ts';
import { qemuRun, qemuVersion } from './support/qemu.ts';

/** Prints the 64-bit word in a0 as a line of 16 digits; changes a0 to a4. */
const PRINT = `
print:
	li a1, 0x10000000
	li a2, 60
1:	srl a3, a0, a2
	andi a3, a3, 15
	li a4, 10
	blt a3, a4, 2f
	addi a3, a3, 39
2:	addi a3, a3, 48
	sb a3, 0(a1)
	addi a2, a2, -4
	bgez a2, 1b
	li a3, 10
	sb a3, 0(a1)
	ret
`;

/**
 * Every hart stores its registers and some CSRs in its own 512 bytes at 0x80010000; hart 0 waits until all have, prints
 * everything and the boot ROM, and ends the machine. Not mideleg: its VS-level bits are read-only one (Privileged ISA,
 * "Machine Interrupt Delegation Registers" under the hypervisor extension), and QEMU 7.2 shows 0 until it is written.
 */
const DUMP = (harts: number): string => `
	.globl _start
_start:
	csrw mscratch, x31
	csrw mepc, x30
	csrr x30, mhartid
	slli x30, x30, 9
	li x31, 0x80010000
	add x31, x31, x30
	csrr x30, mepc
	${Array.from({ length: 30 }, (_, i) => `sd x${i + 1}, ${(i + 1) * 8}(x31)`).join('\n\t')}
	csrr t0, mscratch
	sd t0, 248(x31)
	${[
		'mhartid',
		'misa',
		'mstatus',
		'mie',
		'mip',
		'mtvec',
		'medeleg',
		'mscratch',
		'satp',
		'stvec',
		'pmpcfg0',
		'mcounteren',
	]
		.map((csr, i) => `csrr t0, ${csr}\n\tsd t0, ${256 + i * 8}(x31)`)
		.join('\n\t')}
	fence
	li t0, 1
	sd t0, 504(x31)
	csrr t0, mhartid
	beqz t0, collect
stay:
	wfi
	j stay
collect:
	li s0, 0x80010000
	li s1, ${harts}
3:	ld t0, 504(s0)
	beqz t0, 3b
	li s2, 1
4:	slli t0, s2, 3
	add t0, t0, s0
	ld a0, 0(t0)
	call print
	addi s2, s2, 1
	li t0, 44
	blt s2, t0, 4b
	addi s0, s0, 512
	addi s1, s1, -1
	bnez s1, 3b
	li s0, 0x1000
	li s1, 11
5:	ld a0, 0(s0)
	call print
	addi s0, s0, 8
	addi s1, s1, -1
	bnez s1, 5b
	li a0, 0
	${EXIT}
	${PRINT}
`;

describe.skipIf(!qemuVersion)('as QEMU 7.2', () => {
	test.each([
		[1, 128],
		[4, 256],
	])('%i harts, %i MiB: registers, CSRs and the boot ROM', (harts, mebibytes) => {
		const kernel = elf(DUMP(harts));
		const options = ['-smp', `${harts}`, '-cpu', 'rv64,svpbmt=true,svinval=true,svnapot=true'];
		const theirs = qemuRun(kernel, mebibytes, options);
		const { machine, printed } = guest('', {
			harts,
			memory: mebibytes * 1048576,
			images: { firmware: 'none', kernel },
		});
		expect(runToEnd(machine)).toEqual({ reason: 'ended', ending: { reason: 'power-off', code: 0 } });
		expect(theirs.status).toBe(0);
		expect(printed().split('\n')).toEqual(theirs.printed.split('\n'));
		expect(printed().split('\n')).toHaveLength(harts * 43 + 11 + 1);
	});
});

describe('start', () => {
	test('firmware starts at the start of RAM; fw_dynamic_info names the kernel', () => {
		const { machine } = guest('', {
			images: { firmware: elf('nop\n1: j 1b'), kernel: elf('nop', RAM + 0x20_0000n) },
		});
		machine.run(7);
		const [hart] = machine.harts;
		expect(hart!.state[Slot.pc]).toBe(RAM + 4n);
		expect(hart!.state[Slot.x + 10]).toBe(0n);
		expect(hart!.state[Slot.x + 11]).toBe(BigInt(machine.boot.deviceTree));
		// OpenSBI, include/sbi/fw_dynamic.h: magic "OSBI", version 2, next_addr, next_mode S, options, boot_hart.
		const info = hart!.state[Slot.x + 12]!;
		const fields = [0n, 1n, 2n, 3n, 4n, 5n].map((index) => word(machine, info + index * 8n));
		expect(fields).toEqual([0x4942_534fn, 2n, RAM + 0x20_0000n, 1n, 0n, 0n]);
	});

	test('under the built-in SBI one hart enters the kernel in S-mode, the others are stopped', () => {
		const { machine } = supervisorGuest('1: j 1b', { harts: 3 });
		machine.run(10);
		expect(machine.harts.map(({ state }) => state[Slot.privilege])).toEqual([1n, 1n, 1n]);
		expect(machine.harts.map(({ state }) => state[Slot.retired])).not.toContain(undefined);
		expect(machine.harts[0]!.state[Slot.retired]).toBeGreaterThan(0n);
		expect(machine.harts.slice(1).map(({ state }) => state[Slot.retired])).toEqual([0n, 0n]);
		expect(machine.harts[0]!.state[Slot.x + 10]).toBe(0n);
		expect(machine.harts[0]!.state[Slot.x + 11]).toBe(BigInt(machine.boot.deviceTree));
	});

	test('a devicetree lies in the boot ROM where RAM is small', () => {
		const { machine } = guest('1: j 1b', { memory: 64 * 1024 });
		const { deviceTree, blob } = machine.boot;
		expect(deviceTree).toBeGreaterThan(MemoryMap.rom.base);
		expect(deviceTree + blob.length).toBeLessThanOrEqual(MemoryMap.rom.base + MemoryMap.rom.size);
		machine.run(100);
		expect(machine.harts[0]!.state[Slot.x + 11]).toBe(BigInt(deviceTree));
		const bytes = new Uint8Array(blob.length);
		machine.memory.read(deviceTree, bytes);
		expect(bytes).toEqual(blob);
	});

	test('a devicetree that the ROM cannot hold is refused', () => {
		const images = { firmware: 'none', kernel: elf('nop'), append: 'x'.repeat(60_000) } as const;
		expect(() => guest('', { memory: 64 * 1024, images })).toThrow(/do not fit into the boot ROM/);
	});

	test.each([
		[{ harts: 0 }, /harts: 0/],
		[{ harts: 9 }, /harts: 9/],
		[{ harts: 1.5 }, /harts: 1.5/],
		[{ memory: 0 }, /memory: 0/],
		[{ memory: 4097 }, /whole pages/],
		[{ memory: 128 * 2 ** 30 }, /64 GiB/],
		[{ memory: Number.NaN }, /memory: NaN/],
		[{ virtio: Array.from({ length: 9 }, () => ({ kind: 'entropy' }) as const) }, /9 devices: the board has 8/],
	])('options that cannot be are refused: %o', (options, message) => {
		expect(() => guest('nop', options)).toThrow(message);
	});

	test('a limit is exact for one hart, also where a checkpoint lies between', () => {
		const { machine } = guest('1: j 1b');
		for (const limit of [1, 6, CHECKPOINT, 12_345]) {
			const before = machine.executed;
			expect(machine.run(limit)).toEqual({ reason: 'limit' });
			expect(machine.executed - before).toBe(limit);
		}
		expect(machine.harts[0]!.state[Slot.retired]).toBe(BigInt(machine.executed));
	});
});
