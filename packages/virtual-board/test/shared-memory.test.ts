// Shared memory as a PCI function: its configuration space, its registers, its interrupt, and a guest that uses it.
import { findByPath, readFdt, toDts } from '@partita/fdt';
import { signalPong } from '@partita/guests';
import { hypervisor } from '@partita/hypervisor';
import { free } from '@partita/kernel-costs';
import { Machine, placeImage } from '@partita/machine';
import { assemble } from '@partita/riscv';
import { FixedPriority } from '@partita/sched';
import type { VirtualDevice } from '@partita/vmm';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type PciHost, pciSharedMemory, type VirtualBoardOptions, virtualBoard } from '../src/index.ts';

const MIB = 1 << 20;
/** Device 1 of bus 0. */
const FUNCTION = 1 << 15;

function make(size = 0x1000) {
	const levels: boolean[] = [];
	const rings: number[] = [];
	const { devices, base } = pciSharedMemory(size, 3);
	const ports = {
		line: { set: (level: boolean) => levels.push(level) },
		memory: { read: () => false, write: () => false },
		console: { write: () => {} },
		inputReady: () => {},
		now: () => 0,
		timer: { setDeadline: () => {} },
	};
	const [host, registers] = devices((peer) => rings.push(peer)).map(({ create }) => create(ports)) as [
		VirtualDevice,
		VirtualDevice,
	];
	return { host, registers, levels, rings, base, level: () => levels.at(-1) ?? false };
}

describe('configuration space', () => {
	test('has one function, which is an ivshmem device', () => {
		const { host, base } = make();
		expect(host.read(FUNCTION, 4)).toBe(0x1110_1af4);
		expect(host.read(FUNCTION, 2)).toBe(0x1af4);
		expect(host.read(FUNCTION + 2, 2)).toBe(0x1110);
		expect(host.read(FUNCTION + 8, 4)).toBe(0x0500_0000);
		expect(host.read(FUNCTION + 0x0e, 1)).toBe(0);
		expect(host.read(FUNCTION + 0x2c, 4)).toBe(0x1100_1af4);
		expect(host.read(FUNCTION + 0x3d, 1)).toBe(1);
		expect(host.read(FUNCTION + 0x10, 4)).toBe(0x4000_0000);
		expect(host.read(FUNCTION + 0x18, 4)).toBe(base);
		for (const other of [0, FUNCTION + 0x1000, 2 << 15]) {
			expect([host.read(other, 4), host.read(other, 2), host.read(other, 1)]).toEqual([0xffff_ffff, 0xffff, 0xff]);
		}
	});

	test('base address registers are sized as the specification says', () => {
		const { host, base } = make(0x10_0000);
		for (const [bar, size, address] of [
			[0x10, 0x1000, 0x4000_0000],
			[0x18, 0x10_0000, base],
			[0x14, 0, 0],
			[0x24, 0, 0],
		] as const) {
			host.write(FUNCTION + bar, 4, 0xffff_ffff);
			expect(host.read(FUNCTION + bar, 4)).toBe(size === 0 ? 0 : 2 ** 32 - size);
			host.write(FUNCTION + bar, 4, address);
			expect(host.read(FUNCTION + bar, 4)).toBe(address);
		}
	});

	test('INTx can be disabled; the status tells of it still', () => {
		const { host, registers, level } = make();
		registers.write(0, 4, 1);
		registers.rung!(9);
		expect(level()).toBe(true);
		expect(host.read(FUNCTION + 6, 2) & 8).toBe(8);
		host.write(FUNCTION + 4, 2, 0x402);
		expect(host.read(FUNCTION + 4, 2)).toBe(0x402);
		expect([level(), host.read(FUNCTION + 6, 2) & 8]).toEqual([false, 8]);
		host.write(FUNCTION + 4, 2, 2);
		expect(level()).toBe(true);
		host.write(FUNCTION + 0x3c, 1, 77);
		expect(host.read(FUNCTION + 0x3c, 1)).toBe(77);
	});

	test('whatever is written, reads give values of their size, and the identity stays', () => {
		const { host, registers } = make();
		const access = fc.record({ offset: fc.nat(0xf_ffff), size: fc.constantFrom(1, 2, 4), value: fc.nat(0xffff_ffff) });
		fc.assert(
			fc.property(fc.array(access, { maxLength: 50 }), (accesses) => {
				for (const { offset, size, value } of accesses) {
					for (const device of [host, registers]) {
						device.write(offset, size as 1 | 2 | 4, value);
						const read = device.read(offset, size as 1 | 2 | 4);
						expect(read).toBeGreaterThanOrEqual(0);
						expect(read).toBeLessThan(2 ** 32);
					}
				}
				expect(host.read(FUNCTION, 4)).toBe(0x1110_1af4);
			}),
		);
	});
});

describe('registers', () => {
	test('ring peers, tell the position, and interrupt while rung and not masked', () => {
		const { registers, rings, level } = make();
		expect(registers.read(8, 4)).toBe(3);
		registers.write(12, 4, 0x0005_0001);
		registers.write(12, 4, 0x0020_0000);
		expect(rings).toEqual([5]);
		registers.rung!(0);
		expect(level()).toBe(false);
		registers.write(0, 4, 1);
		expect(level()).toBe(true);
		expect([registers.read(4, 4), level(), registers.read(4, 4)]).toEqual([1, false, 0]);
		expect(registers.read(0, 4)).toBe(1);
		expect(registers.read(16, 4)).toBe(0);
	});

	test('and the host go on from a saved state; a damaged one is refused', () => {
		const first = make();
		first.registers.write(0, 4, 1);
		first.registers.rung!(0);
		first.host.write(FUNCTION + 0x10, 4, 0xffff_ffff);
		const second = make();
		second.host.restore(structuredClone(first.host.state) as never);
		second.registers.restore(structuredClone(first.registers.state) as never);
		expect([second.host.state, second.registers.state]).toEqual([first.host.state, first.registers.state]);
		expect(second.level()).toBe(true);
		const host = first.host as PciHost;
		expect(() => host.restore({ ...host.state, bars: [] })).toThrow(/PCI host: the state is damaged/);
	});
});

describe('a board with shared memory', () => {
	const options = (change: Partial<VirtualBoardOptions> = {}): VirtualBoardOptions => ({
		memory: 8 * MIB,
		kernel: assemble('j .', { base: 0x8020_0000n }).bytes,
		sharedMemory: { region: 'buffer', size: 4096, position: 3 },
		...change,
	});

	test('names the host in its devicetree, and says that nothing is to be moved', () => {
		const { root } = readFdt(virtualBoard(options()).blob);
		expect(findByPath(root, '/soc/pci@30000000')).toBeDefined();
		expect(toDts(root)).toContain('linux,pci-probe-only');
		expect(toDts(readFdt(virtualBoard({ memory: 8 * MIB, kernel: options().kernel }).blob).root)).not.toContain('pci');
	});

	test.each([0, 2048, 5000, 2 ** 30])('a size of %d is refused', (size) => {
		expect(() => virtualBoard(options({ sharedMemory: { region: 'r', size } }))).toThrow(/sharedMemory.size/);
	});

	test('a guest exchanges a word with one that has a plain doorbell, and is interrupted through the PLIC', () => {
		const kernel = assemble(
			`li s0, 0x40000000          # registers
			li s1, 0x40001000           # memory
			li s2, 0xc000000
			li t0, 1
			sw t0, 128(s2)              # priority of source 32
			li t1, 0xc002084
			sw t0, 0(t1)                # enabled for context 1
			sw t0, 0(s0)                # interrupt mask
			li t0, 0x200
			csrw sie, t0
			li t0, 41
			sd t0, 0(s1)
			li t0, 0x50000
			sw t0, 12(s0)               # peer 5
		1:	wfi
			li t1, 0xc201004
			lw t2, 0(t1)
			beqz t2, 1b
			lw t3, 4(s0)
			ld t0, 8(s1)
			addi t0, t0, -42
			addi t2, t2, -32
			or t0, t0, t2
			addi t3, t3, -1
			or a1, t0, t3
			li a7, 0x53525354
			li a6, 0
			li a0, 0
			snez a1, a1
			ecall`,
			{ base: 0x8020_0000n },
		).bytes;
		const pong = placeImage('pong', signalPong({ shared: 0x4000_0000, doorbell: 0x3000_0000, bit: 0 }), 0, 0);
		const system = hypervisor({
			vms: [
				{ name: 'board', ...virtualBoard(options({ kernel })), schedule: { priority: 1 } },
				{
					name: 'pong',
					memory: { base: 0x8000_0000, size: MIB },
					boot: { parts: pong.parts, entry: pong.entry },
					share: [{ region: 'buffer', base: 0x4000_0000 }],
					doorbell: { base: 0x3000_0000, interrupt: 'external' },
					schedule: { priority: 2 },
				},
			],
			policy: new FixedPriority(),
			costs: free,
			regions: [{ name: 'buffer', size: 4096 }],
			doorbells: [
				{ from: { vm: 'board', bit: 5 }, to: { vm: 'pong', bit: 0 } },
				{ from: { vm: 'pong', bit: 0 }, to: { vm: 'board', bit: 0 } },
			],
		});
		const machine = new Machine({ memory: 16 * MIB, kernel: system });
		machine.run(100_000);
		expect(system.kernel!.statistics.vms[0]).toMatchObject({
			status: 'ended',
			ending: { reason: 'power-off', code: 0 },
			signals: 1,
		});
	});
});
