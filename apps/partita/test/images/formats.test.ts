import { spawnSync } from 'node:child_process';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { readAr } from '../../src/images/ar.ts';
import { writeCpio } from '../../src/images/cpio.ts';
import { readDeb } from '../../src/images/deb.ts';
import { gzipReproducibly } from '../../src/images/initramfs.ts';
import { RootFs } from '../../src/images/rootfs.ts';
import { unxz } from '../../src/images/xz.ts';
import { makeAr, makeDeb, makeXz, readCpio } from './support.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array): string => new TextDecoder().decode(data);

/** `printf 'hello, compressed world %.0s' 1 2 3 4 | xz --check=crc64`, made by xz 5.4 */
const XZ_BY_XZ =
	'/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4ABfAB5dADQZSe6N74xpJn0I2x5CEMo4crgW8RakOcik3I4AAAAAAHiPqoKA+qHNAAE6YAoKnUgftvN9AQAAAAAEWVo=';

describe('ar', () => {
	test('members with odd and even sizes', () => {
		const members = readAr(
			makeAr([
				{ name: 'a', data: bytes('odd') },
				{ name: 'data.tar.xz', data: bytes('even') },
			]),
		);
		expect(members.map(({ name, data }) => [name, text(data)])).toEqual([
			['a', 'odd'],
			['data.tar.xz', 'even'],
		]);
	});

	test('the trailing slash that GNU ar writes is no part of the name', () => {
		expect(readAr(makeAr([{ name: 'debian-binary/', data: bytes('') }]))[0]?.name).toBe('debian-binary');
	});

	test.each([
		['no magic', bytes('!<arsch>\nrest'), /does not begin/],
		[
			'a header that is cut short',
			makeAr([{ name: 'a', data: bytes('12') }]).subarray(0, 40),
			/header at byte 8 is cut short/,
		],
		['a member that is cut short', makeAr([{ name: 'a', data: bytes('123456') }]).subarray(0, 70), /"a" is cut short/],
	])('refuses %s', (_, archive, why) => {
		expect(() => readAr(archive)).toThrow(
			expect.objectContaining({ name: 'ImagesError', why: expect.stringMatching(why) }),
		);
	});

	test('refuses a size that is no number, and a header without its terminator', () => {
		const size = makeAr([{ name: 'a', data: bytes('12') }]);
		size.set(bytes('-1        '), 8 + 48);
		expect(() => readAr(size)).toThrow(expect.objectContaining({ why: expect.stringContaining('"-1"') }));
		const terminator = makeAr([{ name: 'a', data: bytes('12') }]);
		terminator[8 + 58] = 0;
		expect(() => readAr(terminator)).toThrow(expect.objectContaining({ why: expect.stringContaining('terminator') }));
	});
});

describe('xz', () => {
	test('what this test stores is what xz itself reads, where it is installed', async ({ skip }) => {
		const data = new Uint8Array(200_000).map((_, index) => index % 251);
		const xz = makeXz(data);
		expect(Buffer.from(await unxz(xz, 'x', 1e6)).equals(data)).toBe(true);
		const judge = spawnSync('xz', ['-dc'], { input: xz, maxBuffer: 1e6 });
		if (judge.error) skip('xz is not installed');
		expect(judge.stdout.equals(data)).toBe(true);
	});

	test('a stream that xz compressed', async () => {
		expect(text(await unxz(Buffer.from(XZ_BY_XZ, 'base64'), 'x', 1e6))).toBe('hello, compressed world '.repeat(4));
	});

	test.each([
		['foreign data', (_: Uint8Array) => bytes('this is not an xz file at all')],
		['a cut stream', (xz: Uint8Array) => xz.subarray(0, xz.length - 30)],
		['a flipped bit', (xz: Uint8Array) => xz.map((byte, index) => (index === 5000 ? byte ^ 1 : byte))],
		['nothing', (_: Uint8Array) => new Uint8Array()],
	])('refuses %s and names the input', async (_, spoil) => {
		const spoilt = spoil(makeXz(new Uint8Array(10_000)));
		await expect(unxz(spoilt, 'ext4.ko.xz', 1e6)).rejects.toThrow('Cannot decompress ext4.ko.xz');
	});

	test('does not grow past its limit', async () => {
		await expect(unxz(makeXz(new Uint8Array(100_001)), 'x', 100_000)).rejects.toThrow(
			expect.objectContaining({ why: 'it is larger than 100000 bytes' }),
		);
	});
});

describe('deb', () => {
	test.each(['xz', 'gz', 'none'] as const)('files, directories, links: data.tar, %s', async (compression) => {
		const long = `usr/share/${'long/'.repeat(30)}name`;
		const deb = await makeDeb(
			{
				'usr/bin/tool': 'program',
				'usr/bin/alias': { link: 'tool' },
				'usr/bin/same': { hardLink: './usr/bin/tool' },
				[long]: 'x',
			},
			compression,
		);
		const entries = await readDeb(deb, 'tool');
		expect(entries.filter((entry) => entry.type === 'directory').map((entry) => entry.path)).toContain('usr/bin');
		expect(entries).toContainEqual({ type: 'file', path: 'usr/bin/tool', mode: 0o755, data: bytes('program') });
		expect(entries).toContainEqual({ type: 'file', path: 'usr/bin/same', mode: 0o755, data: bytes('program') });
		expect(entries).toContainEqual({ type: 'symlink', path: 'usr/bin/alias', target: 'tool' });
		expect(entries.some((entry) => entry.path === long)).toBe(true);
	});

	test('keeps only what is wanted', async () => {
		const deb = await makeDeb({ 'boot/kernel': 'k', 'usr/doc': 'd' });
		expect((await readDeb(deb, 'p', (path) => path.startsWith('boot/'))).map((entry) => entry.path)).toEqual([
			'boot/kernel',
		]);
	});

	test.each([
		['a path that climbs', () => makeDeb({ '../etc/passwd': 'x' }), /holds the path/],
		['a special file', () => makeDeb({ 'dev/sda': { device: true } }), /special file/],
		['a hard link to nothing', () => makeDeb({ a: { hardLink: 'b' } }), /links to a missing file/],
		['a compression that Debian does not use', () => makeDeb({}, 'zst'), /data\.tar\.zst/],
		['an archive without data', async () => makeAr([{ name: 'debian-binary', data: bytes('2.0\n') }]), /no data\.tar/],
		['another format', async () => makeAr([{ name: 'debian-binary', data: bytes('3.0\n') }]), /version 2/],
		['a damaged tar', async () => damagedTar(), /data\.tar is damaged/],
		['damaged gzip', async () => damagedGzip(), /data\.tar is damaged/],
	])('refuses %s', async (_, make, why) => {
		const deb = await make();
		await expect(readDeb(deb, 'the package')).rejects.toThrow(
			expect.objectContaining({ name: 'ImagesError', why: expect.stringMatching(why) }),
		);
	});

	function damagedTar(): Uint8Array {
		return makeAr([
			{ name: 'debian-binary', data: bytes('2.0\n') },
			{ name: 'data.tar', data: new Uint8Array(1024).fill(0x41) },
		]);
	}

	function damagedGzip(): Uint8Array {
		return makeAr([
			{ name: 'debian-binary', data: bytes('2.0\n') },
			{ name: 'data.tar.gz', data: bytes('not gzip') },
		]);
	}
});

describe('cpio', () => {
	test('the bytes of one file are those that the format prescribes', () => {
		const archive = text(writeCpio([{ type: 'file', path: 'a', mode: 0o644, data: bytes('hi') }]));
		// 110 bytes of header, the name with its NUL, no padding (112), the data, two bytes of padding
		expect(archive.slice(0, 116)).toBe(
			'070701' +
				'00000001' + // ino
				'000081a4' + // mode: regular, 0644
				'00000000' + // uid
				'00000000' + // gid
				'00000001' + // nlink
				'00000000' + // mtime
				'00000002' + // filesize
				'0000000000000000' + // device of the file
				'0000000000000000' + // device that it is
				'00000002' + // namesize
				'00000000' + // check
				'a\0' +
				'hi\0\0',
		);
		expect(archive.slice(116, 122)).toBe('070701');
		expect(archive.slice(116 + 110)).toMatch(/^TRAILER!!!\0\0*$/);
		expect(archive.length % 4).toBe(0);
	});

	test('each kind of entry', () => {
		const files = readCpio(
			writeCpio([
				{ type: 'directory', path: 'dev', mode: 0o755 },
				{ type: 'character-device', path: 'dev/console', mode: 0o600, major: 5, minor: 1 },
				{ type: 'symlink', path: 'sh', target: 'busybox' },
			]),
		);
		expect(files.get('dev')?.mode).toBe(0o040755);
		expect(files.get('dev/console')).toMatchObject({ mode: 0o020600, device: [5, 1] });
		expect(files.get('sh')).toMatchObject({ mode: 0o120777, text: 'busybox' });
	});
});

describe('root file system', () => {
	test('parents stand before what they hold, whatever the order of additions', () => {
		const root = new RootFs();
		root.file('usr/share/z/file', 'z');
		root.file('a-b', '');
		root.file('a/b', '');
		const names = [...readCpio(root.toCpio()).keys()];
		for (const name of names) {
			const parent = name.slice(0, name.lastIndexOf('/'));
			if (name.includes('/')) expect(names.indexOf(parent)).toBeLessThan(names.indexOf(name));
		}
		expect(names).toContain('usr/share/z');
	});

	test('/bin, /sbin and /lib are links into /usr, and what packages put there lands there', () => {
		const root = new RootFs();
		root.add({ type: 'directory', path: 'lib', mode: 0o755 });
		root.add({ type: 'file', path: 'lib/ld.so', mode: 0o755, data: bytes('loader') });
		root.add({ type: 'symlink', path: 'bin', target: 'usr/bin' });
		const files = readCpio(root.toCpio());
		for (const name of ['bin', 'sbin', 'lib'])
			expect(files.get(name)).toMatchObject({ mode: 0o120777, text: `usr/${name}` });
		expect(files.get('usr/lib/ld.so')?.text).toBe('loader');
		expect(files.has('lib/ld.so')).toBe(false);
		expect(root.has('lib/ld.so')).toBe(true);
	});

	test('a later file replaces an earlier one; a directory keeps its mode', () => {
		const root = new RootFs();
		root.file('etc/hosts', 'one');
		root.file('etc/hosts', 'two');
		root.directory('tmp', 0o1777);
		root.directory('tmp');
		const files = readCpio(root.toCpio());
		expect(files.get('etc/hosts')?.text).toBe('two');
		expect(files.get('tmp')?.mode).toBe(0o041777);
	});

	test('gzip has neither time nor platform in its header', () => {
		const compressed = gzipReproducibly(bytes('text'));
		expect([...compressed.subarray(0, 10)]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255]);
		expect(text(gunzipSync(compressed))).toBe('text');
	});
});
