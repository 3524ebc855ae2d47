/** The board's devicetree beside the one of QEMU 7.2's `virt`. */
import { type FdtNode, readFdt } from '@partita/fdt';
import { describe, expect, test } from 'vitest';
import { MemoryMap, virtDeviceTree } from '../src/index.ts';
import { EXIT, guest, supervisorGuest } from './support/guest.ts';
import { dtcComplaints, dtcVersion, qemuDeviceTree, qemuVersion } from './support/qemu.ts';

/** Devices that QEMU has and this board has not. */
const NOT_HERE = ['/fw-cfg@10100000', '/flash@20000000', '/platform-bus@4000000', '/soc/pci@30000000'];

/**
 * Properties that differ on purpose: names and seeds, what the harts implement (Svpbmt, Zicond, Zicbo*, Sv57), counters
 * of QEMU's own PMU, and the number of interrupt sources, of which 1 to 95 exist (QEMU 7.2 says one more).
 */
const INTENDED = [
	'model',
	'rng-seed',
	'riscv,isa',
	'mmu-type',
	'riscv,cbom-block-size',
	'riscv,cboz-block-size',
	'riscv,event-to-mhpmcounters',
	'riscv,ndev',
];

/** Properties that refer to other nodes by phandle: how many cells make an entry, the phandle first. */
const REFERENCES = new Map([
	['interrupt-parent', 1],
	['regmap', 1],
	['cpu', 1],
	['interrupts-extended', 2],
]);

/** Every node's properties, as text; phandles as the paths of the nodes that they mean. */
function describeTree(blob: Uint8Array): Map<string, Map<string, string>> {
	const nodes: [string, FdtNode][] = [];
	const visit = (path: string, node: FdtNode): void => {
		nodes.push([path, node]);
		for (const child of node.children) visit(`${path === '/' ? '' : path}/${child.name}`, child);
	};
	visit('/', readFdt(blob).root);
	const cells = (value: Uint8Array): number[] => {
		const view = new DataView(value.buffer, value.byteOffset, value.length);
		return Array.from({ length: value.length / 4 }, (_, index) => view.getUint32(index * 4));
	};
	const paths = new Map<number, string>();
	for (const [path, node] of nodes) {
		const phandle = node.properties.find(({ name }) => name === 'phandle');
		if (phandle) paths.set(cells(phandle.value)[0]!, path);
	}
	const text = (name: string, value: Uint8Array): string => {
		const step = REFERENCES.get(name);
		if (step === undefined) return Buffer.from(value).toString('latin1');
		return cells(value)
			.map((cell, index) => (index % step === 0 ? (paths.get(cell) ?? 'nothing') : cell))
			.join(' ');
	};
	return new Map(
		nodes.map(([path, { properties }]) => [
			path,
			new Map(
				properties
					.filter(({ name }) => name !== 'phandle' && !INTENDED.includes(name))
					.map(({ name, value }) => [name, text(name, value)]),
			),
		]),
	);
}

const mine = (harts: number, memory: number): Uint8Array => guest(EXIT, { harts, memory }).machine.boot.blob;

describe.skipIf(!qemuVersion)('as QEMU 7.2', () => {
	test.each([
		[1, 128],
		[2, 256],
		[8, 2048],
	])('%i harts, %i MiB: the same nodes, registers, interrupts and references', (harts, mebibytes) => {
		const theirs = describeTree(qemuDeviceTree(harts, mebibytes));
		const ours = describeTree(mine(harts, mebibytes * 1048576));
		expect([...ours.keys()].sort()).toEqual([...theirs.keys()].filter((path) => !NOT_HERE.includes(path)).sort());
		for (const [path, properties] of ours) {
			expect([path, Object.fromEntries([...properties].sort())]).toEqual([
				path,
				Object.fromEntries([...theirs.get(path)!].sort()),
			]);
		}
	});
});

describe.skipIf(!dtcVersion)('as dtc reads it', () => {
	// QEMU's own tree gets these two: its names and the PLIC's #address-cells are part of what the board is.
	const known = /virtio_mmio|interrupt_provider|interrupts_property|simple_bus_reg|unit_address|interrupts_extended/;

	test.each([1, 3, 8])('%i harts: well-formed', (harts) => {
		const complaints = dtcComplaints(mine(harts, 128 * 1048576));
		expect(complaints.split('\n').filter((line) => line !== '' && !known.test(line))).toEqual([]);
	});
});

describe('what boots differ in', () => {
	test('the command line, the initial RAM disk and the seed are in /chosen', () => {
		const initrd = Uint8Array.from({ length: 5000 }, (_, index) => index);
		const { machine } = supervisorGuest(EXIT, {});
		const tree = describeTree(machine.boot.blob);
		expect(tree.get('/chosen')?.get('bootargs')).toBeUndefined();
		const root = virtDeviceTree({
			harts: 1,
			memory: 4096,
			append: 'console=ttyS0',
			initrd: { start: 0x8100_0000, end: 0x8100_0000 + initrd.length },
			supervisorOnly: true,
		});
		const chosen = root.children.find(({ name }) => name === 'chosen')!;
		expect(chosen.properties.map(({ name, value }) => [name, Buffer.from(value).toString('latin1')])).toEqual([
			['stdout-path', '/soc/serial@10000000\0'],
			['bootargs', 'console=ttyS0\0'],
			['linux,initrd-start', '\0\0\0\0\x81\0\0\0'],
			['linux,initrd-end', '\0\0\0\0\x81\0\x13\x88'],
		]);
	});

	test('without M-mode software, nobody is told of M-level interrupts', () => {
		const tree = describeTree(supervisorGuest(EXIT, { harts: 2 }).machine.boot.blob);
		expect(tree.has(`/soc/clint@${MemoryMap.aclint.base.toString(16)}`)).toBe(false);
		// 0xffffffff: not connected, as the PLIC's binding has it.
		expect(tree.get('/soc/plic@c000000')?.get('interrupts-extended')).toBe(
			[0, 1]
				.map((id) => `/cpus/cpu@${id}/interrupt-controller`)
				.flatMap((path) => [`${path} 4294967295`, `${path} 9`])
				.join(' '),
		);
	});

	test('the seed of a run is in the tree, and another seed is another', () => {
		const seed = (value: number): string => {
			const { root } = readFdt(guest(EXIT, { seed: value }).machine.boot.blob);
			const chosen = root.children.find(({ name }) => name === 'chosen')!;
			return Buffer.from(chosen.properties.find(({ name }) => name === 'rng-seed')!.value).toString('hex');
		};
		expect(seed(1)).toHaveLength(64);
		expect(seed(1)).toBe(seed(1));
		expect(seed(2)).not.toBe(seed(1));
	});
});
