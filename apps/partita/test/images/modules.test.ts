import { describe, expect, test } from 'vitest';
import { moduleClosure, moduleName, modulesAlias, modulesDep, readModuleInfo } from '../../src/images/modules.ts';
import { makeModule } from './support.ts';

test('module names are what the kernel compares', () => {
	expect(moduleName('kernel/drivers/char/hw_random/virtio-rng.ko.xz')).toBe('virtio_rng');
	expect(moduleName('virtio-rng')).toBe('virtio_rng');
	expect(moduleName('9p.ko')).toBe('9p');
});

describe('.modinfo', () => {
	test('depends, softdep and aliases', () => {
		const info = readModuleInfo(
			makeModule([
				'license=GPL',
				'alias=fs-ext4',
				'softdep=pre: crypto-crc32c sha256 post: late pre: more',
				'alias=virtio:d00000002v*',
				'depends=jbd2,mbcache,some-dash',
				'name=ext4',
			]),
			'ext4.ko',
		);
		expect(info).toEqual({
			depends: ['jbd2', 'mbcache', 'some_dash'],
			softDepends: ['crypto_crc32c', 'sha256'],
			aliases: ['fs-ext4', 'virtio:d00000002v*'],
		});
	});

	test('a module without dependencies', () => {
		expect(readModuleInfo(makeModule(['depends=']), 'x').depends).toEqual([]);
	});

	const spoilt = (change: (elf: DataView<ArrayBuffer>) => void): Uint8Array => {
		const elf = new Uint8Array(makeModule(['depends=']));
		change(new DataView(elf.buffer));
		return elf;
	};
	test.each([
		['no ELF', new Uint8Array(100), /not an ELF/],
		['an empty file', new Uint8Array(), /not an ELF/],
		['a 32-bit file', spoilt((elf) => elf.setUint8(4, 1)), /64-bit little-endian/],
		['a section table out of the file', spoilt((elf) => elf.setBigUint64(40, 1n << 62n, true)), /section table/],
		['a names section that does not exist', spoilt((elf) => elf.setUint16(62, 9, true)), /section table/],
		['more sections than there are', spoilt((elf) => elf.setUint16(60, 0xffff, true)), /section table/],
		['no .modinfo', spoilt((elf) => elf.setUint16(60, 2, true)), /no \.modinfo/],
		[
			'a section out of the file',
			spoilt((elf) => elf.setBigUint64(Number(elf.getBigUint64(40, true)) + 2 * 64 + 32, 1n << 40n, true)),
			/section 2 is cut short/,
		],
	])('refuses %s', (_, module, why) => {
		expect(() => readModuleInfo(module, 'x.ko')).toThrow(
			expect.objectContaining({ message: 'x.ko is not a kernel module', why: expect.stringMatching(why) }),
		);
	});
});

describe('closure', () => {
	const MODULES: Record<string, string[]> = {
		'kernel/net.ko.xz': ['depends=net_failover'],
		'kernel/net_failover.ko.xz': ['depends=failover'],
		'kernel/failover.ko.xz': ['depends='],
		'kernel/9p.ko': ['depends=9pnet,netfs', 'alias=fs-9p'],
		'kernel/9pnet.ko': ['depends=netfs'],
		'kernel/netfs.ko': ['depends='],
		'kernel/soft.ko': ['depends=', 'softdep=pre: netfs absent'],
		'kernel/broken.ko': ['depends=absent'],
		'kernel/loop-a.ko': ['depends=loop-b'],
		'kernel/loop-b.ko': ['depends=loop-a'],
		'kernel/uses-builtin.ko': ['depends=ext2'],
	};
	const available = new Map(Object.keys(MODULES).map((path) => [moduleName(path), path]));
	const close = (...names: string[]): ReturnType<typeof moduleClosure> =>
		moduleClosure(names, new Set(['ext2']), available, async (path) => makeModule(MODULES[path] ?? []));

	test('a module stands after what it depends on, and once', async () => {
		const modules = await close('net', '9p', 'failover');
		expect(modules.map(({ path }) => path)).toEqual([
			'kernel/failover.ko',
			'kernel/net_failover.ko',
			'kernel/net.ko',
			'kernel/netfs.ko',
			'kernel/9pnet.ko',
			'kernel/9p.ko',
		]);
	});

	test('modules.dep lists all that a module needs, what is loaded first at the end', async () => {
		expect(modulesDep(await close('net', '9p'))).toBe(
			[
				'kernel/failover.ko:',
				'kernel/net_failover.ko: kernel/failover.ko',
				'kernel/net.ko: kernel/net_failover.ko kernel/failover.ko',
				'kernel/netfs.ko:',
				'kernel/9pnet.ko: kernel/netfs.ko',
				'kernel/9p.ko: kernel/9pnet.ko kernel/netfs.ko',
				'',
			].join('\n'),
		);
	});

	test('modules.alias', async () => {
		expect(modulesAlias(await close('9p'))).toBe('alias fs-9p 9p\n');
	});

	test('soft dependencies come along where they exist', async () => {
		expect((await close('soft')).map(({ name }) => name)).toEqual(['netfs', 'soft']);
	});

	test('what is built in is left out, also as a dependency', async () => {
		expect(await close('ext2')).toEqual([]);
		expect((await close('uses-builtin')).map(({ name }) => name)).toEqual(['uses_builtin']);
	});

	test('modules that need each other end', async () => {
		const modules = await close('loop-a');
		expect(modules.map(({ name }) => name)).toEqual(['loop_b', 'loop_a']);
		expect(modulesDep(modules)).toContain('kernel/loop-b.ko:');
	});

	test('an unknown module is named, with what needs it', async () => {
		await expect(close('nonsense')).rejects.toThrow('The kernel has no module named nonsense');
		await expect(close('broken')).rejects.toThrow(
			expect.objectContaining({ message: 'The kernel has no module named absent', why: 'broken needs it' }),
		);
	});
});
