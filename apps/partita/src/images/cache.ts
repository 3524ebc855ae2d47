// The folder that holds fetched packages and built images, and what is in it.
//
//   ROOT/current.json                 { "id": … }: the images that a boot uses
//   ROOT/images/ID/manifest.json      what the images are; kernel, initrd.cpio[.gz], fw_jump.bin, fw_dynamic.bin beside it
//   ROOT/packages/SHA256              fetched files, named by their content
//   ROOT/tmp/…                        work in progress
//
// Everything is made under tmp and renamed into place, so that a reader never sees a half-written file, and two pulls
// at once do each other no harm: equal names have equal contents.

import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { fileError, systemErrorCode } from './errors.ts';

/** What was asked for; two pulls with equal requests need only one build. */
export interface ImageRequest {
	suite: string;
	/** Further packages, by name, sorted. */
	packages: string[];
	withDependencies: boolean;
	/** Further kernel modules, by name, sorted. */
	modules: string[];
	/** Of the initramfs. */
	compress: 'none' | 'gzip';
}

/** The contents of a manifest.json. */
export interface ImageManifest {
	/** Version of this structure. */
	format: 1;
	id: string;
	/** Version of the way in which the images were built. */
	recipe: number;
	/** The kernel's release as `uname -r` prints it. */
	kernelRelease: string;
	source: 'apt' | 'snapshot';
	request: ImageRequest;
	packages: { name: string; version: string; sha256: string }[];
	/** Bytes of each file. */
	files: Record<ImageFile, { name: string; size: number }>;
}

/** The files of a set of images. */
export type ImageFile = 'kernel' | 'initrd' | 'openSbiJump' | 'openSbiDynamic';

/** Where the images of a guest are: absolute paths. */
export interface ResolvedImages {
	kernel: string;
	initrd: string;
	openSbiJump: string;
	openSbiDynamic: string;
	/** The kernel's release, such as `6.12.107+deb13-riscv64`. */
	version: string;
	manifest: ImageManifest;
}

const STALE_MS = 24 * 60 * 60 * 1000;

/** What decides where caches go on this platform. */
export interface Platform {
	platform: NodeJS.Platform;
	home: string;
	env: Readonly<Record<string, string | undefined>>;
}

/** This process's platform. */
export function hostPlatform(): Platform {
	return { platform: process.platform, home: homedir(), env: process.env };
}

/**
 * The folder for images by the platform's convention: `$XDG_CACHE_HOME` or `~/.cache`, `~/Library/Caches`,
 * `%LOCALAPPDATA%`.
 */
export function defaultImageFolder(on: Platform = hostPlatform()): string {
	switch (on.platform) {
		case 'win32': {
			const local = on.env.LOCALAPPDATA || path.win32.join(on.home, 'AppData', 'Local');
			return path.win32.join(local, 'partita', 'Cache', 'images');
		}
		case 'darwin':
			return path.posix.join(on.home, 'Library', 'Caches', 'partita', 'images');
		default: {
			// The XDG specification has relative values ignored.
			const xdg = on.env.XDG_CACHE_HOME ?? '';
			const base = path.posix.isAbsolute(xdg) ? xdg : path.posix.join(on.home, '.cache');
			return path.posix.join(base, 'partita', 'images');
		}
	}
}

/** The folder of one set of images. */
export function imageFolder(root: string, id: string): string {
	return path.join(root, 'images', id);
}

/** The place of a fetched file with this SHA-256. */
export function contentPath(root: string, sha256: string): string {
	return path.join(root, 'packages', sha256);
}

/**
 * The images that a boot uses by default.
 * @param root the folder given to `images pull --dir`; the platform's cache by default
 * @returns undefined when none were pulled, or when a file of theirs is missing or has another size than it should
 */
export function resolveImages(root: string = defaultImageFolder()): ResolvedImages | undefined {
	const current = readJson(path.join(root, 'current.json'));
	const id = isRecord(current) ? current.id : undefined;
	return typeof id === 'string' ? readImages(root, id) : undefined;
}

/** All complete sets of images in the folder, by id. */
export function listImages(root: string = defaultImageFolder()): ResolvedImages[] {
	const folder = path.join(root, 'images');
	if (!existsSync(folder)) return [];
	return readdirSync(folder)
		.sort()
		.flatMap((id) => readImages(root, id) ?? []);
}

/** One set of images, or undefined when it is missing, incomplete or of another format. */
export function readImages(root: string, id: string): ResolvedImages | undefined {
	if (!/^[a-z0-9][\w.+-]*$/.test(id)) return undefined;
	const folder = imageFolder(root, id);
	const manifest = readJson(path.join(folder, 'manifest.json'));
	if (!isManifest(manifest) || manifest.id !== id) return undefined;
	const locate = (file: ImageFile): string => path.resolve(folder, manifest.files[file].name);
	const files: ImageFile[] = ['kernel', 'initrd', 'openSbiJump', 'openSbiDynamic'];
	for (const file of files) {
		const { name, size } = manifest.files[file];
		if (path.basename(name) !== name || statSync(locate(file), { throwIfNoEntry: false })?.size !== size)
			return undefined;
	}
	return {
		kernel: locate('kernel'),
		initrd: locate('initrd'),
		openSbiJump: locate('openSbiJump'),
		openSbiDynamic: locate('openSbiDynamic'),
		version: manifest.kernelRelease,
		manifest,
	};
}

/** Makes these images the ones that a boot uses. */
export async function makeCurrent(root: string, id: string, scratch: string): Promise<void> {
	const temporary = path.join(scratch, `current-${randomUUID()}.json`);
	const target = path.join(root, 'current.json');
	try {
		await writeFile(temporary, `${JSON.stringify({ id })}\n`);
		await rename(temporary, target);
	} catch (error) {
		throw fileError('write', target, error);
	}
}

/**
 * Moves a finished folder of images into place. One that another process put there first is kept if it is whole.
 * @param folder complete with its manifest.json, on the same file system as the root
 */
export async function publishImages(root: string, id: string, folder: string): Promise<void> {
	const target = imageFolder(root, id);
	try {
		await mkdir(path.dirname(target), { recursive: true });
		await rename(folder, target).catch(async (error: unknown) => {
			if (readImages(root, id)) return;
			if (!existsSync(target)) throw error;
			// What stands there is damaged.
			await rm(target, { recursive: true, force: true });
			await rename(folder, target);
		});
	} catch (error) {
		throw fileError('write', target, error);
	}
}

/** Moves a verified file to its place by content. */
export async function publishContent(root: string, sha256: string, file: string): Promise<void> {
	const target = contentPath(root, sha256);
	try {
		await mkdir(path.dirname(target), { recursive: true });
		await rename(file, target);
	} catch (error) {
		if (!existsSync(target)) throw fileError('write', target, error);
	}
}

/**
 * Gives `work` an empty folder inside the root, and removes it afterwards, also when the process is interrupted.
 * Leftovers of processes that were killed are removed after a day.
 */
export async function withScratch<T>(root: string, work: (folder: string) => Promise<T>): Promise<T> {
	const parent = path.join(root, 'tmp');
	const folder = path.join(parent, `${process.pid}-${randomUUID()}`);
	try {
		await mkdir(folder, { recursive: true });
	} catch (error) {
		throw fileError('make the folder', folder, error);
	}
	await removeStale(parent);
	const interrupted = (signal: NodeJS.Signals): void => {
		rmSync(folder, { recursive: true, force: true });
		process.removeListener('SIGINT', interrupted).removeListener('SIGTERM', interrupted);
		process.kill(process.pid, signal);
	};
	process.on('SIGINT', interrupted).on('SIGTERM', interrupted);
	try {
		return await work(folder);
	} finally {
		process.removeListener('SIGINT', interrupted).removeListener('SIGTERM', interrupted);
		await rm(folder, { recursive: true, force: true });
	}
}

async function removeStale(parent: string): Promise<void> {
	for (const name of await readdir(parent)) {
		const folder = path.join(parent, name);
		try {
			if (Date.now() - (await stat(folder)).mtimeMs > STALE_MS) await rm(folder, { recursive: true, force: true });
		} catch (error) {
			// Another process may have removed it meanwhile.
			if (systemErrorCode(error) !== 'ENOENT') throw fileError('remove', folder, error);
		}
	}
}

function readJson(file: string): unknown {
	try {
		return JSON.parse(readFileSync(file, 'utf8'));
	} catch {
		return undefined;
	}
}

function isRecord(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null;
}

function isManifest(value: unknown): value is ImageManifest {
	if (!isRecord(value) || value.format !== 1 || !isRecord(value.files) || !isRecord(value.request)) return false;
	const files = value.files;
	return (
		typeof value.id === 'string' &&
		typeof value.kernelRelease === 'string' &&
		Array.isArray(value.packages) &&
		['kernel', 'initrd', 'openSbiJump', 'openSbiDynamic'].every((key) => {
			const file = files[key];
			return isRecord(file) && typeof file.name === 'string' && typeof file.size === 'number';
		})
	);
}
