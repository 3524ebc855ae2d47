import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { detectApt, type RunCommand } from '../../src/images/apt.ts';
import { contentPath, listImages, resolveImages } from '../../src/images/cache.ts';
import { InconsistentMirrorError } from '../../src/images/errors.ts';
import type { Pins } from '../../src/images/pins.ts';
import { silentProgress } from '../../src/images/progress.ts';
import { type PullOptions, pullDebian } from '../../src/images/pull.ts';
import {
	type FakeArchive,
	kernelImage,
	type Mirror,
	makeArchive,
	makeDeb,
	RELEASE,
	readCpio,
	sha256,
	startMirror,
} from './support.ts';

let archive: FakeArchive;
let mirror: Mirror;
let dir = '';

beforeAll(async () => {
	archive = await makeArchive();
});
beforeEach(async () => {
	dir = mkdtempSync(path.join(tmpdir(), 'partita-pull-'));
	mirror = await startMirror(archive.files);
});
afterEach(async () => {
	await mirror.close();
	rmSync(dir, { recursive: true, force: true });
});
afterAll(() => archive.files.clear());

const poolFile = (name: string): string => `pool/main/t/test/${name}_1+b1_riscv64.deb`;
const KERNEL = poolFile(`linux-image-${RELEASE}`);

function pins(packages: string = archive.packages.replace(/Package: (lib)?hello.*/s, '')): Pins {
	return { suite: 'trixie', snapshot: '20260101T000000Z', index: archive.indexFile, packages };
}

function options(more: Partial<PullOptions> = {}): PullOptions {
	return {
		dir,
		source: 'snapshot',
		mirror: mirror.url,
		pins: pins(),
		retry: { attempts: 2, pauseMs: 1, stallMs: 5_000 },
		...more,
	};
}

/** Replaces one package of the archive, and tells the pins unless they are to be deceived. */
async function withPackage(name: string, deb: Uint8Array, run: (options: PullOptions) => Promise<void>): Promise<void> {
	const original = archive.files.get(poolFile(name))!;
	archive.files.set(poolFile(name), deb);
	try {
		const packages = pins().packages.replace(
			`Size: ${original.length}\nSHA256: ${sha256(original)}`,
			`Size: ${deb.length}\nSHA256: ${sha256(deb)}`,
		);
		await run(options({ pins: pins(packages) }));
	} finally {
		archive.files.set(poolFile(name), original);
	}
}

describe('a pull', () => {
	test('fetches the kernel that the meta package names, unpacks it and the firmware, and builds an initramfs', async () => {
		const { images, cached } = await pullDebian(options());
		expect(cached).toBe(false);
		expect(images.version).toBe(RELEASE);
		expect((await readFile(images.kernel)).equals(kernelImage())).toBe(true);
		expect(await readFile(images.openSbiJump, 'utf8')).toBe('jump 64');
		expect(await readFile(images.openSbiDynamic, 'utf8')).toBe('dynamic 64');
		expect(images.manifest.source).toBe('snapshot');
		expect(images.manifest.packages.map(({ name }) => name)).toEqual([
			`linux-image-${RELEASE}`,
			'busybox-static',
			'opensbi',
		]);
		expect(mirror.requests).toEqual([KERNEL, poolFile('busybox-static'), poolFile('opensbi')]);
		expect(resolveImages(dir)).toEqual(images);
		expect(readdirSync(path.join(dir, 'tmp'))).toEqual([]);

		const files = readCpio(await readFile(images.initrd));
		expect(files.get('init')).toMatchObject({ mode: 0o100755, text: expect.stringMatching(/^#!\/bin\/busybox sh\n/) });
		expect(files.get('usr/bin/busybox')).toMatchObject({ mode: 0o100755, text: 'the busybox' });
		expect(files.get('usr/bin/sh')?.text).toBe('busybox');
		expect(files.get('dev/console')?.device).toEqual([5, 1]);
		const modules = `usr/lib/modules/${RELEASE}`;
		const names = [...files.keys()]
			.filter((name) => name.endsWith('.ko'))
			.map((name) => name.slice(name.lastIndexOf('/') + 1));
		expect(names.sort()).toEqual([
			'9p.ko',
			'9pnet.ko',
			'9pnet_virtio.ko',
			'ext4.ko',
			'failover.ko',
			'mbcache.ko',
			'net_failover.ko',
			'virtio-rng.ko',
			'virtio_blk.ko',
			'virtio_mmio.ko',
			'virtio_net.ko',
		]);
		expect([...(files.get(`${modules}/kernel/fs/ext4/ext4.ko`)?.data.subarray(0, 4) ?? [])]).toEqual([
			0x7f, 0x45, 0x4c, 0x46,
		]);
		expect(files.get(`${modules}/modules.dep`)?.text).toContain(
			'kernel/drivers/net/virtio_net.ko: kernel/drivers/net/net_failover.ko kernel/net/core/failover.ko\n',
		);
		expect(files.get(`${modules}/modules.alias`)?.text).toContain('alias fs-ext4 ext4\n');
	});

	test('what is there is not fetched again; --refresh asks, and fetches what is new only', async () => {
		const first = await pullDebian(options());
		mirror.requests.length = 0;
		expect(await pullDebian(options())).toEqual({ images: first.images, cached: true });
		expect(await pullDebian(options({ refresh: true }))).toEqual({ images: first.images, cached: false });
		expect(mirror.requests).toEqual([]);

		const busybox = await makeDeb({ 'usr/bin/busybox': 'newer' });
		await withPackage('busybox-static', busybox, async (changed) => {
			const { images } = await pullDebian({ ...changed, refresh: true });
			expect(mirror.requests).toEqual([poolFile('busybox-static')]);
			expect(images.manifest.id).not.toBe(first.images.manifest.id);
			expect(readCpio(await readFile(images.initrd)).get('usr/bin/busybox')?.text).toBe('newer');
			expect(resolveImages(dir)).toEqual(images);
			expect((await pullDebian(changed)).images).toEqual(images);
		});
		expect(listImages(dir)).toHaveLength(2);
	});

	test('equal packages give equal images', async () => {
		const first = await readFile((await pullDebian(options())).images.initrd);
		const other = await pullDebian(options({ dir: path.join(dir, 'other') }));
		expect((await readFile(other.images.initrd)).equals(first)).toBe(true);
	});

	test('going back to an earlier request makes its images current again', async () => {
		const plain = await pullDebian(options());
		const gzip = await pullDebian(options({ compress: 'gzip' }));
		expect(path.basename(gzip.images.initrd)).toBe('initrd.cpio.gz');
		expect(resolveImages(dir)).toEqual(gzip.images);
		await pullDebian(options());
		expect(resolveImages(dir)).toEqual(plain.images);
	});

	test('two at once', async () => {
		const results = await Promise.all([
			pullDebian(options()),
			pullDebian(options()),
			pullDebian(options({ compress: 'gzip' })),
		]);
		expect(results[0].images).toEqual(results[1].images);
		expect(listImages(dir)).toHaveLength(2);
		expect(readdirSync(path.join(dir, 'tmp'))).toEqual([]);
	});

	test('a damaged file in the cache is fetched again', async () => {
		const { images } = await pullDebian(options());
		await rm(path.dirname(images.kernel), { recursive: true });
		const { sha256: hash } = images.manifest.packages[1]!;
		await writeFile(contentPath(dir, hash), 'damaged');
		mirror.requests.length = 0;
		expect((await pullDebian(options())).images).toEqual(images);
		expect(mirror.requests).toEqual([poolFile('busybox-static')]);
	});

	test('further packages: exactly the named ones, found through the pinned index', async () => {
		const { images } = await pullDebian(options({ packages: ['hello', 'hello'] }));
		expect(mirror.requests[0]).toBe(archive.indexFile.filename);
		expect(images.manifest.packages.map(({ name }) => name).slice(3)).toEqual(['hello']);
		const files = readCpio(await readFile(images.initrd));
		expect(files.get('usr/bin/hello')).toMatchObject({ mode: 0o100755, text: 'hello program' });
		expect([...files.keys()].filter((name) => name.startsWith('usr/share/doc'))).toEqual([]);
	});

	test('--with-dependencies', async () => {
		const { images } = await pullDebian(options({ packages: ['hello'], withDependencies: true }));
		expect(images.manifest.packages.map(({ name }) => name).slice(3)).toEqual(['hello', 'libhello', 'hello-data']);
		const files = readCpio(await readFile(images.initrd));
		expect(files.get('usr/lib/riscv64-linux-gnu/libhello.so.1')?.text).toBe('library');
		expect(files.get('usr/share/hello/data')?.text).toBe('data');
	});

	test('--module', async () => {
		const { images } = await pullDebian(options({ modules: ['kvm', 'crc32c-generic'] }));
		expect([...readCpio(await readFile(images.initrd)).keys()]).toContain(
			`usr/lib/modules/${RELEASE}/kernel/arch/riscv/kvm/kvm.ko`,
		);
	});
});

/** An apt whose mirror's index does not agree with the signed list. */
const inconsistentApt: RunCommand = async (_, args) =>
	args.includes('indextargets')
		? { code: 0, stdout: `Debian\tDebian\tmain\t${mirror.url}/\n`, stderr: '' }
		: { code: 100, stdout: '', stderr: 'E: Failed to fetch x  File has unexpected size. Mirror sync in progress?\n' };

test('where the index of the mirror is inconsistent, the pinned packages come from there; unless apt was asked for', async ({
	skip,
}) => {
	const apt = await detectApt(inconsistentApt);
	if ('unusable' in apt) return skip(apt.unusable);
	const steps: string[] = [];
	const progress = { ...silentProgress, step: (text: string) => steps.push(text) };
	const wrong = options({ source: undefined, mirror: undefined, run: inconsistentApt, progress });
	await expect(pullDebian({ ...wrong, source: 'apt' })).rejects.toThrow(InconsistentMirrorError);
	await expect(pullDebian({ ...wrong, suite: 'sid' })).rejects.toThrow(InconsistentMirrorError);
	expect(mirror.requests).toEqual([]);
	const { images } = await pullDebian(wrong);
	expect(images.manifest.source).toBe('snapshot');
	expect(mirror.requests).toEqual([KERNEL, poolFile('busybox-static'), poolFile('opensbi')]);
	expect(steps).toContainEqual(expect.stringMatching(/cannot be verified.*pinned versions/));
});

describe('is refused, and the cache is as it was', () => {
	async function expectRefusal(wrong: PullOptions, message: string | RegExp, why = /./): Promise<void> {
		await expect(pullDebian(wrong)).rejects.toThrow(
			expect.objectContaining({
				name: 'ImagesError',
				message: expect.stringMatching(message),
				why: expect.stringMatching(why),
			}),
		);
		expect(resolveImages(dir)).toBeUndefined();
		expect(listImages(dir)).toEqual([]);
		if (existsSync(path.join(dir, 'tmp'))) expect(readdirSync(path.join(dir, 'tmp'))).toEqual([]);
	}

	test('a package with another hash: nothing of it is kept', async () => {
		const original = archive.files.get(KERNEL)!;
		archive.files.set(
			KERNEL,
			original.map((byte, index) => (index === 200 ? byte ^ 1 : byte)),
		);
		try {
			await expectRefusal(options(), /^Refused http:.*linux-image/, /SHA-256/);
			expect(existsSync(path.join(dir, 'packages'))).toBe(false);
		} finally {
			archive.files.set(KERNEL, original);
		}
	});

	test('an index with another hash', async () => {
		const wrong = { ...pins(), index: { ...archive.indexFile, sha256: 'ab'.repeat(32) } };
		await expectRefusal(options({ pins: wrong, packages: ['hello'] }), /^Refused .*Packages\.xz/, /SHA-256/);
	});

	test('a mirror that lacks a package', async () => {
		await expectRefusal(options({ mirror: `${mirror.url}/elsewhere` }), /^Cannot download/, /404/);
	});

	test('no network', async () => {
		await mirror.close();
		await expectRefusal(options(), /^Cannot download/, /refuses connections/);
	});

	test.each<[string, Partial<PullOptions>, string, RegExp]>([
		['an unknown package', { packages: ['nonsense'] }, 'The archive has no package named nonsense', /./],
		['a name that is none', { packages: ['--help'] }, '"--help" is not a package name', /./],
		['an unknown module', { modules: ['nonsense'] }, 'The kernel has no module named nonsense', /./],
		['a suite that is not pinned', { suite: 'sid' }, 'Cannot pull the suite sid', /only trixie is pinned/],
		['a suite that is none', { suite: 'trixie main\ndeb x' }, 'is not the name of a suite', /^$/],
		['a mirror that is no address', { mirror: 'ftp://example.org' }, 'is not the address of a mirror', /http/],
		['a mirror that is nonsense', { mirror: 'nonsense' }, 'is not the address of a mirror', /http/],
	])('%s', async (_, wrong, message, why) => {
		await expectRefusal(options(wrong), message, why);
	});

	test('a kernel package without a kernel, and one with something else', async () => {
		await withPackage(`linux-image-${RELEASE}`, await makeDeb({ 'boot/config': '' }), (wrong) =>
			expectRefusal(wrong, /holds no kernel/, /no \/boot\/vmlinux/),
		);
		await withPackage(`linux-image-${RELEASE}`, await makeDeb({ 'boot/vmlinux-1': 'MZ' }), (wrong) =>
			expectRefusal(wrong, /holds no kernel/, /not a RISC-V Linux image/),
		);
	});

	test('firmware that is not there', async () => {
		await withPackage(
			'opensbi',
			await makeDeb({ 'usr/lib/riscv32-linux-gnu/opensbi/generic/fw_jump.bin': '' }),
			(wrong) => expectRefusal(wrong, 'opensbi 1:6.12-1 holds no fw_jump.bin', /^/),
		);
	});

	test('a package that is none', async () => {
		await withPackage('busybox-static', new TextEncoder().encode('<html>sign in</html>'), (wrong) =>
			expectRefusal(wrong, 'Not a valid ar archive'),
		);
	});

	test('a folder that cannot be written', async () => {
		await writeFile(path.join(dir, 'file'), '');
		await expectRefusal(options({ dir: path.join(dir, 'file') }), /Cannot make the folder/);
	});
});
