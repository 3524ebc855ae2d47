/** What may be booted, where it goes, and what is refused before anything starts. */
import { writeElf } from '@partita/riscv';
import { describe, expect, test } from 'vitest';
import { MachineError, placeImage } from '../src/index.ts';
import { elf, guestOf, RAM } from './support/guest.ts';

const BASE = Number(RAM);
const place = (bytes: Uint8Array): ReturnType<typeof placeImage> => placeImage('kernel', bytes, BASE + 0x20_0000, BASE);

/** A Linux Image (boot-image-header.rst) with a text offset, the size in memory that it asks for, and its magic. */
function linuxImage(offset: bigint, size: bigint, magic = 0x0543_5352, length = 256): Uint8Array {
	const bytes = new Uint8Array(length);
	const view = new DataView(bytes.buffer);
	view.setUint32(0, 0x0000_006f, true); // j .
	view.setBigUint64(8, offset, true);
	view.setBigUint64(16, size, true);
	view.setUint32(56, magic, true);
	return bytes;
}

const segment = (
	address: bigint,
	size: number,
	memorySize = BigInt(size),
): Parameters<typeof writeElf>[0]['segments'][0] => ({
	name: `.text${address}`,
	virtualAddress: address,
	bytes: new Uint8Array(size).fill(0x13),
	memorySize,
	writable: true,
	executable: true,
});

describe('placement', () => {
	test('an ELF goes to its physical addresses and starts at the physical address of its entry', () => {
		const virtualAddress = 0xffff_ffff_8000_0000n;
		const image = place(
			writeElf({
				entry: virtualAddress + 8n,
				segments: [{ ...segment(virtualAddress, 16, 64n), physicalAddress: RAM }],
			}),
		);
		expect(image).toMatchObject({ kind: 'elf', entry: BASE + 8, end: BASE + 64 });
		expect(image.parts).toMatchObject([{ address: BASE, size: 64 }]);
		expect(image.parts[0]!.bytes).toEqual(new Uint8Array(16).fill(0x13));
	});

	test('symbols come along', () => {
		const { machine } = guestOf({ images: { firmware: 'none', kernel: elf('.globl here\nnop\nhere: nop') } });
		expect(machine.boot.symbols.get('here')).toBe(RAM + 4n);
	});

	test('a Linux Image goes to its text offset from the start of RAM, with the memory it asks for', () => {
		expect(place(linuxImage(0x20_0000n, 0x123_4567n))).toMatchObject({
			kind: 'linux',
			entry: BASE + 0x20_0000,
			end: BASE + 0x20_0000 + 0x123_4567,
		});
		expect(place(linuxImage(0n, 0n))).toMatchObject({ entry: BASE, end: BASE + 256 });
	});

	test('a file that says nothing is a flat binary: above the firmware, or at the start of RAM without', () => {
		const kernel = Uint8Array.of(0x6f, 0, 0, 0);
		for (const [firmware, entry] of [
			['none', BASE],
			['builtin', BASE + 0x20_0000],
			[kernel, BASE],
		] as const) {
			expect(guestOf({ images: { firmware, kernel } }).machine.boot.entry).toBe(entry);
		}
	});

	test('kernels larger than 32 MiB load, beside an initial RAM disk and the devicetree', () => {
		const kernel = new Uint8Array(40 << 20).fill(0x5a);
		const initrd = new Uint8Array(5000).fill(0x77);
		const { machine } = guestOf({ memory: 64 << 20, images: { firmware: 'builtin', kernel, initrd } });
		const last = new Uint8Array(1);
		machine.memory.read(BASE + 0x20_0000 + kernel.length - 1, last);
		expect(last[0]).toBe(0x5a);
		const start = machine.boot.deviceTree - 8192;
		machine.memory.read(start, last);
		expect(last[0]).toBe(0x77);
		expect(machine.boot.deviceTree).toBe(BASE + (62 << 20));
	});
});

describe('refused', () => {
	const program = elf('nop');
	const patched = (offset: number, value: number): Uint8Array => {
		const bytes = program.slice();
		bytes[offset] = value;
		return bytes;
	};

	test.each<[string, Uint8Array, RegExp]>([
		['an empty file', new Uint8Array(), /the file is empty/],
		['an ELF for x86-64', patched(18, 62), /kernel: .*x86-64|kernel: .*machine/i],
		['an ELF of 32 bits', patched(4, 1), /kernel: .*32|kernel: .*64/],
		['a big-endian ELF', patched(5, 2), /kernel: .*endian/i],
		['an object file', patched(16, 1), /object file/],
		['gzip', Uint8Array.of(0x1f, 0x8b, 8, 0), /compressed \(gzip\)/],
		['xz', Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0), /compressed \(xz\)/],
		['zstd', Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd), /compressed \(zstd\)/],
		['bzip2', Uint8Array.of(0x42, 0x5a, 0x68, 0x39), /compressed \(bzip2\)/],
		['lz4', Uint8Array.of(0x04, 0x22, 0x4d, 0x18), /compressed \(lz4\)/],
		['an Image for AArch64', linuxImage(0n, 0n, 0x644d_5241), /AArch64/],
		['an Image with an absurd size', linuxImage(0n, 1n << 60n), /damaged/],
		['an Image with an absurd offset', linuxImage(1n << 60n, 0n), /damaged/],
		['an ELF without segments', writeElf({ entry: RAM, segments: [] }), /nothing to load/],
		[
			'a segment beyond all memory',
			writeElf({ entry: 1n << 60n, segments: [segment(1n << 60n, 4)] }),
			/no machine has memory/,
		],
		['an entry in no segment', writeElf({ entry: RAM + 64n, segments: [segment(RAM, 4)] }), /none of its segments/],
	])('%s', (_, bytes, message) => {
		expect(() => place(bytes)).toThrow(MachineError);
		expect(() => place(bytes)).toThrow(message);
	});

	test('an ELF that is cut anywhere is placed whole or refused, and nothing else', () => {
		const whole = elf('.globl a\na: nop\n.data\n.dword 1, 2, 3');
		const parts = place(whole).parts;
		for (let length = 4; length < whole.length; length++) {
			try {
				expect(place(whole.slice(0, length)).parts).toEqual(parts);
			} catch (error) {
				if (!(error instanceof MachineError)) throw error;
			}
		}
		expect(() => place(whole.slice(0, 100))).toThrow(MachineError);
	});

	test('an ELF with any byte damaged never throws anything but a MachineError', () => {
		const whole = elf('.globl a\na: nop\n.data\n.dword 1');
		for (let at = 4; at < whole.length; at++) {
			for (const value of [0, 0x7f, 0xff]) {
				const bytes = whole.slice();
				bytes[at] = value;
				try {
					place(bytes);
				} catch (error) {
					if (!(error instanceof MachineError)) throw new Error(`byte ${at} = ${value}: ${error}`);
				}
			}
		}
	});

	const kernel = elf('nop', RAM + 0x20_0000n);
	test.each<[string, Parameters<typeof guestOf>[0]['images'], RegExp]>([
		['nothing to start', { firmware: 'builtin' }, /nothing to start/],
		[
			'a kernel that does not fit',
			{ firmware: 'none', kernel: new Uint8Array(9 << 20).fill(1) },
			/kernel: .* is not in RAM/,
		],
		['a kernel below RAM', { firmware: 'none', kernel: elf('nop', 0x1000n) }, /is not in RAM/],
		[
			'a kernel over the firmware',
			{ firmware: elf('nop', RAM), kernel: elf('nop', RAM) },
			/kernel: .* overlaps the firmware/,
		],
		[
			'segments over each other',
			{ firmware: 'none', kernel: writeElf({ entry: RAM, segments: [segment(RAM, 64), segment(RAM + 32n, 64)] }) },
			/kernel: .*overlaps/,
		],
		[
			'an initial RAM disk that does not fit',
			{ firmware: 'builtin', kernel, initrd: new Uint8Array(7 << 20) },
			/initial RAM disk: /,
		],
		[
			'a kernel where the devicetree goes',
			{ firmware: 'none', kernel: elf('nop', RAM + 0x60_0000n) },
			/devicetree: .* overlaps the kernel/,
		],
		['a devicetree that is none', { firmware: 'builtin', kernel, deviceTree: Uint8Array.of(1, 2, 3) }, /devicetree: /],
		['an object file as firmware', { firmware: patched(16, 1) }, /firmware: it is an object file/],
	])('%s', (_, images, message) => {
		expect(() => guestOf({ images: images! })).toThrow(MachineError);
		expect(() => guestOf({ images: images! })).toThrow(message);
	});

	test('advice comes with the error where there is some', () => {
		const images = { firmware: 'none', kernel: new Uint8Array(9 << 20).fill(1) } as const;
		try {
			guestOf({ images });
			expect.unreachable();
		} catch (error) {
			expect((error as MachineError).advice).toBe('give the machine more memory than 8 MiB');
		}
	});
});
