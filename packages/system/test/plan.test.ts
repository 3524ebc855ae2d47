// Images in memory: where they go, and what cannot be.

import { findByPath, readFdt } from '@partita/fdt';
import { elfSymbolMap, readElf } from '@partita/riscv';
import { describe, expect, test } from 'vitest';
import { checkSystem, planSystem, type SystemDescription, SystemError, type VmDescription } from '../src/index.ts';

function described(vm: Partial<VmDescription>, images: SystemDescription['images'] = {}): SystemDescription {
	return {
		name: 'plan',
		machine: { memory: '32MiB' },
		scheduling: { policy: 'fixed-priority' },
		images: { kernel: { guest: 'real-time', control: { name: 'c', period: '1ms', work: 100 } }, ...images },
		cells: [
			{ name: 'cell', vm: { image: 'kernel', memory: '1MiB', priority: 1, ...vm }, placement: { hypervisor: 'vm' } },
		],
	};
}

const plan = (description: SystemDescription, files: Readonly<Record<string, Uint8Array>> = {}) =>
	planSystem(checkSystem(description), 'hypervisor', (name) => {
		const bytes = files[name];
		if (!bytes) throw new Error('there is no such file');
		return bytes;
	}).vms[0]!;

function refusal(description: SystemDescription, files: Readonly<Record<string, Uint8Array>> = {}): string {
	try {
		plan(description, files);
	} catch (error) {
		if (error instanceof SystemError) return error.message;
		throw error;
	}
	return 'accepted';
}

test('a built-in guest is linked for where its memory is', () => {
	const { parts, entry, reportArea, deviceTree } = plan(described({ base: 0x9000_0000 }));
	expect(entry).toBe(0x9000_0000);
	expect(parts[0]!.address).toBe(0x9000_0000);
	expect(reportArea).toBeGreaterThan(0x9000_0000);
	expect(deviceTree).toBe(0);
});

test('a file gets its devicetree at the top of memory, and its disk below', () => {
	const images = { flat: { file: 'flat.bin' }, disk: { file: 'disk.cpio' } };
	const files = { 'flat.bin': Uint8Array.of(1, 2, 3, 4), 'disk.cpio': new Uint8Array(5000).fill(7) };
	const vm = described(
		{
			image: 'flat',
			initrd: 'disk',
			append: 'quiet',
			devices: [
				{ kind: 'plic', address: 0xc00_0000 },
				{ kind: 'uart', address: 0x1000_0000, interrupt: 10 },
			],
		},
		images,
	);
	const { parts, entry, deviceTree } = plan(vm, files);
	expect(entry).toBe(0x8000_0000);
	const tree = readFdt(parts.find(({ address }) => address === deviceTree)!.bytes);
	const disk = parts.find(({ bytes }) => bytes === files['disk.cpio'])!;
	expect(disk.address % 4096).toBe(0);
	expect(disk.address + 5000).toBeLessThanOrEqual(deviceTree);
	const end = deviceTree + parts.find(({ address }) => address === deviceTree)!.bytes.length;
	expect(end).toBeLessThanOrEqual(0x8010_0000);
	expect(findByPath(tree.root, '/soc/serial@10000000')).toBeDefined();
	expect(findByPath(tree.root, '/soc/plic@c000000')).toBeDefined();
	const chosen = findByPath(tree.root, '/chosen')!.node;
	const property = (name: string) => chosen.properties.find((each) => each.name === name)!.value;
	expect(new TextDecoder().decode(property('bootargs'))).toBe('quiet\0');
	expect(
		new DataView(property('linux,initrd-start').buffer, property('linux,initrd-start').byteOffset).getBigUint64(0),
	).toBe(BigInt(disk.address));
});

test('native programs are found with their report areas', () => {
	const system = checkSystem({
		...described({}),
		images: { busy: { guest: 'busy', task: { name: 'busy', work: 10 } } },
		cells: [
			{ name: 'a', domains: [{ name: 'busy', image: 'busy', priority: 1 }], placement: { microkernel: 'domains' } },
		],
	});
	const [domain] = planSystem(system, 'microkernel').domains;
	expect(domain!.reportArea).toBe(Number(elfSymbolMap(readElf(domain!.elf)).get('report_area')));
});

describe('refused', () => {
	const file = { flat: { file: 'flat.bin' } };

	test('a composition that it does not have', () => {
		expect(() => planSystem(checkSystem(described({})), 'microkernel')).toThrow(
			/^cells\[0\]\.placement\.microkernel: no cell .* \(add it .* assemble as hypervisor\)/,
		);
	});

	test('a file that is missing', () => {
		expect(refusal(described({ image: 'flat' }, file))).toMatch(
			/^images\.flat\.file: "flat\.bin" cannot be read: there is no/,
		);
	});

	test('a file where there are none', () => {
		expect(() => planSystem(checkSystem(described({ image: 'flat' }, file)), 'hypervisor')).toThrow(/no files here/);
	});

	test('an image that is larger than the memory', () => {
		const files = { 'flat.bin': new Uint8Array(2 ** 20 + 1).fill(1) };
		expect(refusal(described({ image: 'flat' }, file), files)).toMatch(
			/^cells\[0\]\.vm\.image: flat needs 0x80000000 to 0x80100001; the memory is 0x80000000 to 0x80100000/,
		);
	});

	test('an image that leaves no room for the devicetree', () => {
		const files = { 'flat.bin': new Uint8Array(2 ** 20).fill(1) };
		expect(refusal(described({ image: 'flat' }, file), files)).toMatch(/^cells\[0\]\.vm\.memory: flat takes all up to/);
	});

	test('an image that is compressed', () => {
		const files = { 'flat.bin': Uint8Array.of(0x1f, 0x8b, 8, 0) };
		expect(refusal(described({ image: 'flat' }, file), files)).toMatch(/^cells\[0\]\.vm\.image: .*gzip.*decompress/);
	});

	test('an initial RAM disk that does not fit', () => {
		const files = { 'flat.bin': Uint8Array.of(1), 'disk.cpio': new Uint8Array(2 ** 20) };
		const vm = described({ image: 'flat', initrd: 'disk' }, { ...file, disk: { file: 'disk.cpio' } });
		expect(refusal(vm, files)).toMatch(/^cells\[0\]\.vm\.memory: /);
	});

	test('a program that is no ELF file', () => {
		const system = checkSystem({
			...described({}),
			images: file,
			cells: [
				{ name: 'a', domains: [{ name: 'd', image: 'flat', priority: 1 }], placement: { microkernel: 'domains' } },
			],
		});
		expect(() => planSystem(system, 'microkernel', () => new Uint8Array(100))).toThrow(
			/^cells\[0\]\.domains\[0\]\.image: flat: ELF file/,
		);
	});
});
