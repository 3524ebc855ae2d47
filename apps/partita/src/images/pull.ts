// A pull: from a request to a complete set of images in the cache. Where packages come from is the source's matter;
// what an initramfs holds is initramfs.ts's.

import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { AptSource, detectApt, type RunCommand } from './apt.ts';
import {
	contentPath,
	defaultImageFolder,
	type ImageFile,
	type ImageManifest,
	type ImageRequest,
	listImages,
	makeCurrent,
	publishContent,
	publishImages,
	type ResolvedImages,
	readImages,
	withScratch,
} from './cache.ts';
import { type DebEntry, readDeb } from './deb.ts';
import type { RetryPolicy } from './download.ts';
import { fileError, ImagesError, systemErrorCode } from './errors.ts';
import { buildInitramfs, gzipReproducibly } from './initramfs.ts';
import { moduleClosure, moduleName } from './modules.ts';
import { checkPackageName, type PackageRecord } from './packages.ts';
import { DEBIAN_PINS, type Pins } from './pins.ts';
import { type Progress, silentProgress } from './progress.ts';
import { SnapshotSource } from './snapshot.ts';
import type { PackageSource } from './source.ts';
import { unxz } from './xz.ts';

/** Counts up when equal packages give other images than before. */
const RECIPE = 1;

const KERNEL_META = 'linux-image-riscv64';
const BUSYBOX = 'busybox-static';
const OPENSBI = 'opensbi';
const OPENSBI_FOLDER = 'usr/lib/riscv64-linux-gnu/opensbi/generic';

/** Debian has these as modules; virtio_console, virtio_pci, the UART and the RTC are built into its kernel. */
const MODULES = [
	'virtio_mmio',
	'virtio_blk',
	'virtio_net',
	'virtio-rng',
	'ext4',
	// ext4 asks for it by the alias crypto-crc32c
	'crc32c_generic',
	'9p',
	'9pnet_virtio',
];

/** No module of Debian's kernel comes near it. */
const MAX_MODULE_BYTES = 256e6;

/** What to pull, and how. Everything has a default. */
export interface PullOptions {
	/** Debian suite; `trixie` by default. The snapshot source has no other. */
	suite?: string | undefined;
	/** Further packages whose files go into the initramfs. */
	packages?: readonly string[] | undefined;
	/** Also everything that these depend on. */
	withDependencies?: boolean | undefined;
	/** Further kernel modules for the initramfs. */
	modules?: readonly string[] | undefined;
	/** How the initramfs is compressed; `none` by default, since the guest would pay for the decompression. */
	compress?: 'none' | 'gzip' | undefined;
	/** Folder in place of the platform's cache. */
	dir?: string | undefined;
	/** apt where it can be used, else snapshot, by default. */
	source?: 'apt' | 'snapshot' | undefined;
	/** Base address of a mirror for the snapshot source. */
	mirror?: string | undefined;
	/** Looks for newer packages although equal images are there. */
	refresh?: boolean | undefined;
	progress?: Progress | undefined;
	/** Replaced by tests. */
	pins?: Pins | undefined;
	/** Replaced by tests. */
	run?: RunCommand | undefined;
	/** Replaced by tests. */
	retry?: RetryPolicy | undefined;
}

/** The outcome of a pull. */
export interface PullResult {
	images: ResolvedImages;
	/** Whether the images were there already, and the network was not used. */
	cached: boolean;
}

/**
 * Makes sure that a guest's images are in the cache, and makes them current.
 * @throws {@link ImagesError} when they cannot be fetched or built; the cache is as it was before
 */
export async function pullDebian(options: PullOptions = {}): Promise<PullResult> {
	const root = path.resolve(options.dir ?? defaultImageFolder());
	const progress = options.progress ?? silentProgress;
	const request = toRequest(options);
	try {
		return await withScratch(root, async (scratch) => {
			const present = options.refresh ? undefined : findEqual(root, request, options.source);
			if (present) {
				await makeCurrent(root, present.manifest.id, scratch);
				return { images: present, cached: true };
			}
			const source = await chooseSource(options, request.suite, scratch);
			const manifest = await build(root, scratch, request, source, progress);
			await makeCurrent(root, manifest.id, scratch);
			const images = readImages(root, manifest.id);
			if (!images)
				throw new ImagesError(`The images in ${root} were changed while they were built`, { advice: 'try again' });
			return { images, cached: false };
		});
	} finally {
		progress.end();
	}
}

function toRequest(options: PullOptions): ImageRequest {
	const suite = options.suite ?? 'trixie';
	if (!/^[a-z][a-z0-9-]*$/.test(suite)) {
		throw new ImagesError(`${JSON.stringify(suite)} is not the name of a suite`, {
			advice: 'give a name such as trixie',
		});
	}
	const packages = [...new Set(options.packages ?? [])].sort();
	for (const name of packages) checkPackageName(name);
	return {
		suite,
		packages,
		withDependencies: packages.length > 0 && (options.withDependencies ?? false),
		modules: [...new Set((options.modules ?? []).map(moduleName))].sort(),
		compress: options.compress ?? 'none',
	};
}

function findEqual(root: string, request: ImageRequest, source: string | undefined): ResolvedImages | undefined {
	const wanted = JSON.stringify(request);
	return listImages(root)
		.filter(({ manifest }) => JSON.stringify(manifest.request) === wanted)
		.filter(({ manifest }) => source === undefined || manifest.source === source)
		.at(-1);
}

async function chooseSource(options: PullOptions, suite: string, scratch: string): Promise<PackageSource> {
	// Naming a mirror is choosing the source that uses one.
	const wanted = options.source ?? (options.mirror === undefined ? undefined : 'snapshot');
	let noApt = '';
	if (wanted !== 'snapshot') {
		const apt = await detectApt(options.run);
		if (!('unusable' in apt)) return new AptSource(apt, suite, scratch, options.run);
		noApt = apt.unusable;
		if (wanted === 'apt') {
			throw new ImagesError('Cannot use apt on this host', { why: noApt, advice: 'use --source snapshot' });
		}
	}
	const pins = options.pins ?? DEBIAN_PINS;
	if (suite !== pins.suite) {
		throw new ImagesError(`Cannot pull the suite ${suite} from the snapshot archive`, {
			why: `only ${pins.suite} is pinned${noApt && `, and apt cannot be used here: ${noApt}`}`,
			advice: `leave out --suite${noApt ? '' : ', or use --source apt'}`,
		});
	}
	return new SnapshotSource(pins, scratch, { mirror: options.mirror, retry: options.retry });
}

async function build(
	root: string,
	scratch: string,
	request: ImageRequest,
	source: PackageSource,
	progress: Progress,
): Promise<ImageManifest> {
	const index = await source.index(
		request.withDependencies ? 'all' : [KERNEL_META, BUSYBOX, OPENSBI, ...request.packages],
		progress,
	);
	const kernel = index.kernel(KERNEL_META);
	const base = [kernel, index.get(BUSYBOX), index.get(OPENSBI)];
	const extra = (
		request.withDependencies ? index.closure(request.packages) : request.packages.map((name) => index.get(name))
	).filter((record) => !base.some(({ name }) => name === record.name));
	const records = [...base, ...extra];
	const id = identify(request, kernel, records);

	const archives = new Map<string, Uint8Array>();
	for (const record of records) archives.set(record.name, await obtain(root, scratch, record, source, progress));
	const read = (record: PackageRecord, wanted?: (path: string) => boolean): Promise<DebEntry[]> => {
		progress.step(`Unpacking ${record.name}`);
		return readDeb(archives.get(record.name)!, `${record.name} ${record.version}`, wanted);
	};

	const kernelFiles = await read(kernel, (file) => /^boot\/vmlinux|\.ko(\.xz)?$|\/modules\.builtin$/.test(file));
	const image = kernelFiles.find((entry) => entry.path.startsWith('boot/vmlinux-'));
	const kernelRelease = image?.path.slice('boot/vmlinux-'.length) ?? '';
	if (image?.type !== 'file' || !isKernelImage(image.data)) {
		throw new ImagesError(`${kernel.name} holds no kernel that can be booted`, {
			why: image ? `${image.path} is not a RISC-V Linux image` : 'it has no /boot/vmlinux-RELEASE',
		});
	}
	const opensbi = await read(base[2]!, (file) => file.startsWith(`${OPENSBI_FOLDER}/`));
	const busybox = await read(base[1]!, (file) => /^(usr\/)?bin\/busybox$/.test(file));
	const extraFiles: DebEntry[][] = [];
	for (const record of extra) extraFiles.push(await read(record));

	progress.step('Building the initramfs');
	const archive = buildInitramfs({
		kernelRelease,
		busybox: onlyFile(busybox, /busybox$/, BUSYBOX),
		...(await collectModules(kernelFiles, request.modules)),
		extra: extraFiles,
	});

	const contents: Record<ImageFile, { name: string; data: Uint8Array }> = {
		kernel: { name: 'kernel', data: image.data },
		initrd:
			request.compress === 'gzip'
				? { name: 'initrd.cpio.gz', data: gzipReproducibly(archive) }
				: { name: 'initrd.cpio', data: archive },
		openSbiJump: { name: 'fw_jump.bin', data: onlyFile(opensbi, /\/fw_jump\.bin$/, OPENSBI) },
		openSbiDynamic: { name: 'fw_dynamic.bin', data: onlyFile(opensbi, /\/fw_dynamic\.bin$/, OPENSBI) },
	};
	const sizeOf = (file: ImageFile): { name: string; size: number } => ({
		name: contents[file].name,
		size: contents[file].data.length,
	});
	const manifest: ImageManifest = {
		format: 1,
		id,
		kernelRelease,
		source: source.name,
		request,
		packages: records.map(({ name, version, sha256 }) => ({ name, version, sha256 })),
		files: {
			kernel: sizeOf('kernel'),
			initrd: sizeOf('initrd'),
			openSbiJump: sizeOf('openSbiJump'),
			openSbiDynamic: sizeOf('openSbiDynamic'),
		},
	};
	const folder = path.join(scratch, 'images');
	try {
		await mkdir(folder);
		for (const { name, data } of Object.values(contents)) await writeFile(path.join(folder, name), data);
		await writeFile(path.join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, '\t')}\n`);
	} catch (error) {
		throw fileError('write', folder, error);
	}
	await publishImages(root, id, folder);
	return manifest;
}

/** Names the images by all that decides about their contents. */
function identify(request: ImageRequest, kernel: PackageRecord, records: readonly PackageRecord[]): string {
	const inputs = JSON.stringify([RECIPE, request, MODULES, records.map((record) => record.sha256)]);
	const digest = createHash('sha256').update(inputs).digest('hex').slice(0, 10);
	return `${request.suite}-${kernel.name.replace(/^linux-image-/, '')}-${digest}`;
}

/** A package's bytes, from the cache or the source, with the hash that the index names. */
async function obtain(
	root: string,
	scratch: string,
	record: PackageRecord,
	source: PackageSource,
	progress: Progress,
): Promise<Uint8Array> {
	const place = contentPath(root, record.sha256);
	const cached = await readIfPresent(place);
	if (cached && sha256(cached) === record.sha256) return cached;
	if (cached) await rm(place, { force: true });
	const file = path.join(scratch, record.sha256);
	await source.fetch(record, file, progress);
	const size = (await stat(file)).size;
	if (size !== record.size) {
		throw new ImagesError(`Refused ${record.name} ${record.version}`, {
			why: `it has ${size} bytes, not ${record.size} as the index says`,
		});
	}
	await publishContent(root, record.sha256, file);
	return readFile(place);
}

async function collectModules(
	kernelFiles: readonly DebEntry[],
	further: readonly string[],
): Promise<{ modules: Awaited<ReturnType<typeof moduleClosure>>; modulesBuiltin: string }> {
	const files = new Map<string, Uint8Array>();
	const available = new Map<string, string>();
	let modulesBuiltin = '';
	for (const entry of kernelFiles) {
		if (entry.type !== 'file') continue;
		const file = /^(?:usr\/)?lib\/modules\/[^/]+\/(.+)$/.exec(entry.path)?.[1];
		if (file === undefined) continue;
		if (file === 'modules.builtin') modulesBuiltin = new TextDecoder().decode(entry.data);
		else {
			files.set(file, entry.data);
			available.set(moduleName(file), file);
		}
	}
	const builtin = new Set(modulesBuiltin.split('\n').filter(Boolean).map(moduleName));
	const load = async (file: string): Promise<Uint8Array> => {
		const data = files.get(file)!;
		return file.endsWith('.xz') ? unxz(data, file, MAX_MODULE_BYTES) : data;
	};
	return { modules: await moduleClosure([...MODULES, ...further], builtin, available, load), modulesBuiltin };
}

/** Whether it has the header of Documentation/arch/riscv/boot-image-header.rst: magic2 "RSC\x05" at 0x38. */
function isKernelImage(image: Uint8Array): boolean {
	const MAGIC2_OFFSET = 0x38;
	return [0x52, 0x53, 0x43, 0x05].every((byte, index) => image[MAGIC2_OFFSET + index] === byte);
}

function onlyFile(entries: readonly DebEntry[], pattern: RegExp, what: string): Uint8Array {
	const entry = entries.find(({ path: at }) => pattern.test(at));
	if (entry?.type !== 'file') throw new ImagesError(`${what} holds no file that matches ${pattern.source}`);
	return entry.data;
}

async function readIfPresent(file: string): Promise<Uint8Array | undefined> {
	try {
		return await readFile(file);
	} catch (error) {
		if (systemErrorCode(error) === 'ENOENT') return undefined;
		throw fileError('read', file, error);
	}
}

function sha256(data: Uint8Array): string {
	return createHash('sha256').update(data).digest('hex');
}
