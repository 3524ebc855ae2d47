// A pull: from a request to a complete set of images in the cache. Where packages come from is the source's matter;
// what an initramfs holds is initramfs.ts's.

import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { AptSource, detectApt, type RunCommand } from './apt.ts';
import { buildImages, type Package, RECIPE } from './build.ts';
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
	resolveImages,
	withScratch,
} from './cache.ts';
import type { RetryPolicy } from './download.ts';
import { fileError, ImagesError, InconsistentMirrorError, systemErrorCode } from './errors.ts';
import { moduleName } from './modules.ts';
import { checkPackageName, type PackageIndex, type PackageRecord } from './packages.ts';
import { DEBIAN_PINS, type Pins } from './pins.ts';
import { type Progress, silentProgress } from './progress.ts';
import { SnapshotSource } from './snapshot.ts';
import type { PackageSource } from './source.ts';

const KERNEL_META = 'linux-image-riscv64';
const BUSYBOX = 'busybox-static';
const OPENSBI = 'opensbi';

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
	/**
	 * How the initramfs is compressed; `none` by default, since the guest pays for the decompression: 160 million
	 * instructions, a sixth of the way to init.
	 */
	compress?: 'none' | 'gzip' | undefined;
	/** Folder in place of the platform's cache. */
	dir?: string | undefined;
	/**
	 * apt where it can be used, else snapshot, by default; where the index of apt's mirror cannot be verified just now, the
	 * pinned versions from that mirror. Equal images that are there already serve for all.
	 */
	source?: 'apt' | 'snapshot' | undefined;
	/** Base address of a mirror for the snapshot source. */
	mirror?: string | undefined;
	/** Asks the source again although images of an equal request are there. */
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
			const present = options.refresh ? undefined : findEqual(root, request);
			if (present) {
				await makeCurrent(root, present.manifest.id, scratch);
				return { images: present, cached: true };
			}
			const archive = await openArchive(options, request, scratch, progress);
			const manifest = await build(root, scratch, request, archive, progress);
			await makeCurrent(root, manifest.id, scratch);
			const images = readImages(root, manifest.id);
			if (!images)
				throw new ImagesError(`The images in ${root} were changed while they were built`, { advice: 'try again' });
			return { images, cached: false };
		});
	} catch (error) {
		throw systemErrorCode(error) === undefined ? error : fileError('write to', root, error);
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

/** Images of an equal request, from wherever their packages came: the current ones if they are among them. */
function findEqual(root: string, request: ImageRequest): ResolvedImages | undefined {
	const wanted = JSON.stringify(request);
	const current = resolveImages(root);
	return [...listImages(root), ...(current ? [current] : [])]
		.filter(({ manifest }) => manifest.recipe === RECIPE && JSON.stringify(manifest.request) === wanted)
		.at(-1);
}

/** Where packages come from, and which there are. */
interface Archive {
	readonly source: PackageSource;
	readonly index: PackageIndex;
}

async function openArchive(
	options: PullOptions,
	request: ImageRequest,
	scratch: string,
	progress: Progress,
): Promise<Archive> {
	const { suite } = request;
	const needed = request.withDependencies ? ('all' as const) : [KERNEL_META, BUSYBOX, OPENSBI, ...request.packages];
	const pins = options.pins ?? DEBIAN_PINS;
	const open = async (source: PackageSource): Promise<Archive> => ({
		source,
		index: await source.index(needed, progress),
	});
	const openPinned = (mirror: string | undefined): Promise<Archive> =>
		open(new SnapshotSource(pins, scratch, { mirror, retry: options.retry }));

	// Naming a mirror is choosing the source that uses one.
	const wanted = options.source ?? (options.mirror === undefined ? undefined : 'snapshot');
	let noApt = '';
	if (wanted !== 'snapshot') {
		const apt = await detectApt(options.run);
		if (!('unusable' in apt)) {
			try {
				return await open(new AptSource(apt, suite, scratch, options.run));
			} catch (error) {
				if (wanted === 'apt' || suite !== pins.suite || !(error instanceof InconsistentMirrorError)) throw error;
				progress.step(`${apt.mirror} is changing just now: its index cannot be verified. Taking the pinned versions`);
				return openPinned(/^https?:/.test(apt.mirror) ? apt.mirror : undefined);
			}
		}
		noApt = apt.unusable;
		if (wanted === 'apt') {
			throw new ImagesError('Cannot use apt on this host', { why: noApt, advice: 'use --source snapshot' });
		}
	}
	if (suite !== pins.suite) {
		throw new ImagesError(`Cannot pull the suite ${suite} from the snapshot archive`, {
			why: `only ${pins.suite} is pinned${noApt && `, and apt cannot be used here: ${noApt}`}`,
			advice: `leave out --suite${noApt ? '' : ', or use --source apt'}`,
		});
	}
	return openPinned(options.mirror);
}

async function build(
	root: string,
	scratch: string,
	request: ImageRequest,
	{ source, index }: Archive,
	progress: Progress,
): Promise<ImageManifest> {
	const kernel = index.kernel(KERNEL_META);
	const base = [kernel, index.get(BUSYBOX), index.get(OPENSBI)];
	const extra = (
		request.withDependencies ? index.closure(request.packages) : request.packages.map((name) => index.get(name))
	).filter((record) => !base.some(({ name }) => name === record.name));
	const records = [...base, ...extra];
	const id = identify(request, kernel, records);
	const present = readImages(root, id);
	if (present) return present.manifest;

	const archives = new Map<string, Uint8Array>();
	for (const record of records) archives.set(record.name, await obtain(root, scratch, record, source, progress));
	const toPackage = (record: PackageRecord): Package => ({
		name: record.name,
		version: record.version,
		deb: archives.get(record.name)!,
	});
	const { kernelRelease, files } = await buildImages(
		{
			kernel: toPackage(kernel),
			busybox: toPackage(base[1]!),
			opensbi: toPackage(base[2]!),
			extra: extra.map(toPackage),
		},
		request,
		progress,
	);
	const sizeOf = (file: ImageFile): { name: string; size: number } => ({
		name: files[file].name,
		size: files[file].data.length,
	});
	const manifest: ImageManifest = {
		format: 1,
		id,
		recipe: RECIPE,
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
		for (const { name, data } of Object.values(files)) await writeFile(path.join(folder, name), data);
		await writeFile(path.join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, '\t')}\n`);
	} catch (error) {
		throw fileError('write', folder, error);
	}
	await publishImages(root, id, folder);
	return manifest;
}

/** Names the images by all that decides about their contents. */
function identify(request: ImageRequest, kernel: PackageRecord, records: readonly PackageRecord[]): string {
	const inputs = JSON.stringify([RECIPE, request, records.map((record) => record.sha256)]);
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
