// What cannot be used is refused with one message before anything starts; what a guest does wrong harms the guest.
import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { partita, scratch } from './support/cli.ts';
import { counter, hello, lost, place } from './support/guests.ts';

/** A refusal: status 125, one message with a reason, nothing printed by a guest. */
async function refused(args: readonly string[], message: RegExp): Promise<void> {
	const { status, stdout, stderr } = await partita(['boot', ...args]);
	expect(stderr).toMatch(message);
	expect(stderr).not.toContain('    at ');
	expect({ status, stdout }).toEqual({ status: 125, stdout: '' });
}

describe('images', () => {
	const good = hello('started');
	const elf = (change: (view: DataView) => void): Uint8Array => {
		const bytes = good.slice();
		change(new DataView(bytes.buffer));
		return bytes;
	};

	test.each<[string, Uint8Array, RegExp]>([
		['an empty file', new Uint8Array(0), /kernel: the file is empty/],
		['an ELF file of nothing but a header', good.slice(0, 64), /kernel: /],
		['a truncated ELF file', good.slice(0, Math.floor(good.length / 2)), /kernel: /],
		['an ELF file for another processor', elf((view) => view.setUint16(18, 62, true)), /kernel: .*machine/i],
		['a 32-bit ELF file', elf((view) => view.setUint8(4, 1)), /kernel: .*64-bit/],
		['a compressed file', Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0), /kernel: .*compressed \(gzip\)\n {2}try: .*gzip -d/],
		['a kernel that does not fit', new Uint8Array(17 * 2 ** 20).fill(1), /kernel: .*not in RAM.*\n {2}try: .*memory/],
	])('%s is refused', async (_, bytes, message) => {
		const file = place(scratch(), 'kernel', bytes);
		await refused(['--bios', 'none', '--memory', '16M', '--kernel', file], message);
	});

	test('an initial RAM disk that does not fit is refused', async () => {
		const folder = scratch();
		const kernel = place(folder, 'kernel', good);
		const initrd = place(folder, 'initrd', new Uint8Array(15 * 2 ** 20));
		const args = ['--bios', 'none', '--memory', '16M', '--kernel', kernel, '--initrd', initrd];
		await refused(args, /initial RAM disk: .*\n {2}try: .*memory/);
	});

	test('a kernel at the place of the firmware is refused', async () => {
		const folder = scratch();
		const args = ['--bios', place(folder, 'fw', good), '--kernel', place(folder, 'kernel', good)];
		await refused(args, /kernel: .*overlaps the firmware/);
	});

	test('a devicetree that is none is refused', async () => {
		const folder = scratch();
		const args = ['--bios', 'none', '--kernel', place(folder, 'kernel', good), '--dtb', place(folder, 'dtb', good)];
		await refused(args, /devicetree: /);
	});

	test.each(['--kernel', '--initrd', '--bios', '--dtb', '--drive', '--snapshot-load'])(
		'%s: a file that is missing, and a folder, are refused',
		async (flag) => {
			const folder = scratch();
			const others = flag === '--kernel' ? [] : ['--kernel', place(folder, 'kernel', good)];
			if (flag === '--snapshot-load') others.length = 0;
			await refused([...others, flag, path.join(folder, 'none')], /none\n {2}why: there is no such file \(ENOENT\)/);
			await refused([...others, flag, folder], /folder|regular file/);
		},
	);

	test('a program without a signature, where one is wanted, is refused', async () => {
		const folder = scratch();
		const args = ['--bios', 'none', '--kernel', place(folder, 'kernel', good), '--signature', path.join(folder, 's')];
		await refused(args, /--signature: the program has no signature/);
		expect(readdirSync(folder)).toEqual(['kernel']);
	});
});

describe('flags', () => {
	test.each<[string[], RegExp]>([
		[['--memory', 'lots'], /--memory.*A size is a number and a unit/],
		[['--memory', '65G'], /--memory.*4 KiB to 64 GiB/],
		[['--memory', '5K'], /--memory.*pages of 4 KiB/],
		[['--harts', '0'], /--harts.*from 1 to 8/],
		[['--harts', '9'], /--harts.*from 1 to 8/],
		[['--stop-after', '-1'], /--stop-after.*whole number/],
		[['--timeout', '0'], /--timeout.*positive/],
		[['--engine', 'warp'], /--engine.*Allowed choices are interpreter/],
		[['--wall-clock', 'yesterday'], /--wall-clock.*ISO 8601/],
		[['--net', 'user'], /--net.*One of none, stream:/],
		[['--net', 'stream:localhost'], /--net.*not a host and a port/],
		[['--net', 'stream:127.0.0.1:70000'], /--net.*not a host and a port/],
		[['--net', 'stream-listen:5000,mac=1:2'], /--net.*MAC address is six bytes/],
		[['--net', 'stream-listen:5000,mac=01:00:00:00:00:01'], /--net.*multicast/],
		[['--drive', ''], /--drive.*begins with the name/],
		[['--drive', 'disk,overlya'], /--drive.*not "overlya"/],
		[['--drive', 'disk,overlay,readonly'], /--drive.*not both/],
		[['--pcap', 'file'], /--pcap: the machine has no network/],
		[['--expect', ''], /--expect.*must not be empty/],
		[['--log-instructions', 'file,0'], /--log-instructions.*whole number from 1/],
		[['--bios', 'none'], /--bios none: there is no kernel/],
		[['--bios', 'builtin'], /--bios builtin: there is no kernel/],
		[['--snapshot-load', 'file', '--initrd', 'file'], /--initrd does not go with --snapshot-load/],
		[['--kernle', 'x'], /unknown option '--kernle'\n\(Did you mean --kernel\?\)/],
		[['more'], /too many arguments/],
	])('%j is refused', async (args, message) => {
		await refused(args, message);
	});

	test('nine drives are refused', async () => {
		await refused([...Array(9).fill('--drive=x'), '--kernel', 'x'], /9 drives and networks.*eight virtio slots/);
	});

	test('a result that could not be written is refused before the run', async () => {
		const folder = scratch();
		const kernel = place(folder, 'kernel', counter());
		mkdirSync(path.join(folder, 'made'));
		for (const flag of ['--snapshot-save', '--log-instructions', '--signature', '--pcap']) {
			const net = flag === '--pcap' ? ['--net', `unix:${folder}/socket`] : [];
			const args = ['--bios', 'none', '--kernel', kernel, ...net, flag, path.join(folder, 'missing', 'file')];
			await refused(args, new RegExp(`${flag}: cannot write .*\n {2}why: there is no such file`));
		}
		expect(readdirSync(folder).sort()).toEqual(['kernel', 'made']);
	});
});

test('a guest that jumps into nowhere keeps trapping until it is stopped', async () => {
	const kernel = place(scratch(), 'kernel', lost());
	const args = [
		'boot',
		'--bios',
		'none',
		'--memory',
		'16M',
		'--kernel',
		kernel,
		'--stop-after',
		'100000',
		'--trace-hash',
	];
	const { status, stderr } = await partita(args);
	expect(status).toBe(0);
	// The traps take time; only what went before them was retired.
	expect(stderr).toMatch(/executed: 100000 \(retired: hart 0: 9\)/);
	expect((await partita([...args.slice(0, -3), '--timeout', '0.2'])).status).toBe(124);
});
