// The board: what the devicetree says and where things are, a guest that finds its devices by it, and what does not fit.
import { MemoryBlockBackend, SECTOR_SIZE, VirtioConsole, VirtioNet } from '@partita/devices';
import { MockMemory, MockVirtioDriver } from '@partita/devices/testing';
import { findByPath, node, readFdt, toDts } from '@partita/fdt';
import { hypervisor } from '@partita/hypervisor';
import { free } from '@partita/kernel-costs';
import { Machine } from '@partita/machine';
import { assemble, programToElf } from '@partita/riscv';
import { FixedPriority } from '@partita/sched';
import { describe, expect, test } from 'vitest';
import { type VirtualBoardOptions, VirtualVirtioDevice, virtualBoard } from '../src/index.ts';

const MIB = 1 << 20;
const flat = (source: string): Uint8Array => assemble(source, { base: 0x8020_0000n }).bytes;
const board = (options: Partial<VirtualBoardOptions> = {}): ReturnType<typeof virtualBoard> =>
	virtualBoard({ memory: 8 * MIB, kernel: flat('1: j 1b'), ...options });

/** A property of two cells. */
function propertyOf(blob: Uint8Array, path: string, name: string): bigint {
	const property = findByPath(readFdt(blob).root, path)!.node.properties.find((each) => each.name === name)!;
	const { value } = property;
	if (!(value instanceof Uint8Array)) throw new Error(`${name} is not read as bytes`);
	return new DataView(value.buffer, value.byteOffset, 8).getBigUint64(0);
}

describe('what is where', () => {
	test('the kernel 2 MiB into memory, the devicetree at the top, the disk below it', () => {
		const { boot, memory, blob } = board({ initrd: new Uint8Array(5000).fill(1) });
		expect(memory).toEqual({ base: 0x8000_0000, size: 8 * MIB });
		expect(boot.entry).toBe(0x8020_0000);
		const [kernel, tree, disk] = boot.parts;
		expect(kernel!.address).toBe(0x8020_0000);
		expect(tree!.address).toBe(boot.deviceTree);
		expect(tree!.address + tree!.bytes.length).toBeLessThanOrEqual(0x8080_0000);
		expect(disk!.address % 4096).toBe(0);
		expect(disk!.address + 5000).toBeLessThanOrEqual(tree!.address);
		const [start, end] = ['start', 'end'].map((which) => propertyOf(blob, '/chosen', `linux,initrd-${which}`));
		expect([start, end]).toEqual([BigInt(disk!.address), BigInt(disk!.address + 5000)]);
	});

	test('the devicetree names what there is, and nothing else', () => {
		const backend = new MemoryBlockBackend(new Uint8Array(SECTOR_SIZE), false);
		const { blob, devices } = board({
			append: 'quiet',
			randomSeed: new Uint8Array(32).fill(9),
			virtio: [{ kind: 'block', backend }, { kind: 'entropy' }],
			more: [
				{
					device: {
						name: 'lamp',
						base: 0x5000_0000,
						size: 0x1000,
						create: () => ({ state: undefined, restore: () => {}, read: () => 0, write: () => {} }),
					},
					node: node('lamp@50000000', { compatible: 'example,lamp' }),
				},
			],
		});
		const { root } = readFdt(blob);
		const soc = findByPath(root, '/soc')!.node;
		expect(soc.children.map(({ name }) => name)).toEqual([
			'rtc@101000',
			'serial@10000000',
			'virtio_mmio@10001000',
			'virtio_mmio@10002000',
			'lamp@50000000',
			'plic@c000000',
		]);
		expect(devices.map(({ name }) => name)).toEqual(['uart', 'rtc', 'virtio0', 'virtio1', 'lamp']);
		const dts = toDts(root);
		expect(dts).toContain('bootargs = "quiet"');
		expect(dts).toContain('riscv,isa = "rv64imafdc_');
		expect(dts).not.toContain('fdch');
	});
});

describe('a guest', () => {
	test('is told where the devicetree is, and prints on the UART', () => {
		let screen = '';
		const kernel = flat(`
			lwu t0, 0(a1)
			li t1, 0xedfe0dd0
			bne t0, t1, 2f
			li t0, 0x10000000
			la t1, text
		1:	lbu t2, 0(t1)
			beqz t2, 2f
			sb t2, 0(t0)
			addi t1, t1, 1
			j 1b
		2:	li a7, 8
			ecall
		text:	.asciz "found it"`);
		const system = hypervisor({
			vms: [{ name: 'guest', ...board({ kernel }), schedule: { priority: 1 } }],
			policy: new FixedPriority(),
			costs: free,
		});
		const machine = new Machine({
			memory: 16 * MIB,
			kernel: system,
			console: (byte) => {
				screen += String.fromCharCode(byte);
			},
		});
		expect(machine.run(10_000)).toMatchObject({ reason: 'ended', ending: { code: 0 } });
		expect(screen).toBe('found it');
	});

	test('an ELF kernel gives its symbols', () => {
		const elf = programToElf(assemble('.globl _start, here\n_start: j _start\nhere: nop', { base: 0x8020_0000n }));
		expect(board({ kernel: elf }).symbols.get('here')).toBe(0x8020_0004n);
	});
});

describe('virtio', () => {
	const ports = (memory: MockMemory) => ({
		line: { set: () => {} },
		memory,
		console: { write: () => {} },
		inputReady: () => {},
		now: () => 0,
		timer: { setDeadline: () => {} },
	});

	test('a block device stores what its driver writes; its state is transport and device', () => {
		const memory = new MockMemory(0x8000_0000, 0x1_0000);
		const bytes = new Uint8Array(16 * SECTOR_SIZE);
		const device = new VirtualVirtioDevice(
			{ kind: 'block', backend: new MemoryBlockBackend(bytes, false) },
			ports(memory),
		);
		const driver = new MockVirtioDriver(device, memory, 0x8000_0000, 0x8001_0000);
		driver.start();
		const header = new Uint8Array(16);
		new DataView(header.buffer).setUint32(0, 1, true);
		new DataView(header.buffer).setBigUint64(8, 3n, true);
		driver.queues[0]!.offer([header, new Uint8Array(SECTOR_SIZE).fill(0x5a)], [1]);
		driver.queues[0]!.kick();
		expect(bytes[3 * SECTOR_SIZE]).toBe(0x5a);
		const saved = structuredClone(device.state);
		const other = new VirtualVirtioDevice(
			{ kind: 'block', backend: new MemoryBlockBackend(bytes, false) },
			ports(memory),
		);
		other.restore(saved);
		expect(other.state).toEqual(saved);
		expect(() => other.restore({ ...saved, device: {} })).toThrow();
	});

	test.each([
		['net', { kind: 'net', mac: new Uint8Array(6), backend: { send: () => {} } }, VirtioNet],
		['console', { kind: 'console', write: () => {} }, VirtioConsole],
	] as const)('a %s device is reachable for what comes from outside', (_, description, kind) => {
		const device = new VirtualVirtioDevice(description, ports(new MockMemory(0x8000_0000, 0x1000)));
		expect(device.model).toBeInstanceOf(kind);
		expect(device.read(0, 4)).toBe(0x7472_6976);
	});

	test('a net device is told how frames come to it: refused while no driver is up', () => {
		let give: ((frame: Uint8Array) => boolean) | undefined;
		const device = new VirtualVirtioDevice(
			{
				kind: 'net',
				mac: new Uint8Array(6),
				backend: { send: () => {} },
				connect: (receive) => {
					give = receive;
				},
			},
			ports(new MockMemory(0x8000_0000, 0x1000)),
		);
		expect(device.model.deviceId).toBe(1);
		expect(give?.(new Uint8Array(60))).toBe(false);
	});

	test('the same seed gives the same bytes', () => {
		const bytes = (seed: number): Uint8Array => {
			const memory = new MockMemory(0x8000_0000, 0x1_0000);
			const device = new VirtualVirtioDevice({ kind: 'entropy', seed }, ports(memory));
			const driver = new MockVirtioDriver(device, memory, 0x8000_0000, 0x8001_0000);
			driver.start();
			driver.queues[0]!.offer([], [16]);
			driver.queues[0]!.kick();
			return driver.queues[0]!.takeUsed()[0]!.data;
		};
		expect(bytes(5)).toEqual(bytes(5));
		expect(bytes(5)).not.toEqual(bytes(6));
	});
});

describe('what does not fit', () => {
	test.each<[string, Partial<VirtualBoardOptions>, RegExp]>([
		['memory of no whole pages', { memory: 5000 }, /memory: 5000 bytes: give it a multiple of 4 KiB/],
		['too little memory', { memory: 2 * MIB }, /need \d+ MiB, and there are 2 MiB: give it more/],
		['a disk that is too large', { initrd: new Uint8Array(7 * MIB) }, /need \d+ MiB, and there are 8 MiB/],
		['nine virtual CPUs', { vcpus: 9 }, /vcpus: 9: 1 to 8 are possible/],
		['a ninth virtio device', { virtio: Array(9).fill({ kind: 'entropy' }) }, /9 devices: the board has 8/],
		[
			'a kernel that is linked below',
			{ kernel: programToElf(assemble('.globl _start\n_start: nop', { base: 0x1000n })) },
			/below the memory/,
		],
		['an empty kernel', { kernel: new Uint8Array(0) }, /kernel: the file is empty/],
	])('%s', (_, options, reason) => {
		expect(() => board(options)).toThrow(reason);
	});
});
