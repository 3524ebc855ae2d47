import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
	contentPath,
	defaultImageFolder,
	type ImageManifest,
	imageFolder,
	listImages,
	makeCurrent,
	publishContent,
	publishImages,
	readImages,
	resolveImages,
	withScratch,
} from '../../src/images/cache.ts';
import { fileError, ImagesError } from '../../src/images/errors.ts';

let root = '';
beforeEach(() => {
	root = mkdtempSync(path.join(tmpdir(), 'partita-cache-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function writeImages(folder: string, id: string, change: Partial<ImageManifest> = {}): Promise<void> {
	const manifest: ImageManifest = {
		format: 1,
		id,
		recipe: 1,
		kernelRelease: '6.12',
		source: 'apt',
		request: { suite: 'trixie', packages: [], withDependencies: false, modules: [], compress: 'none' },
		packages: [],
		files: {
			kernel: { name: 'kernel', size: 4 },
			initrd: { name: 'initrd.cpio', size: 4 },
			openSbiJump: { name: 'fw_jump.bin', size: 4 },
			openSbiDynamic: { name: 'fw_dynamic.bin', size: 4 },
		},
		...change,
	};
	await mkdir(folder, { recursive: true });
	for (const { name } of Object.values(manifest.files)) await writeFile(path.join(folder, path.basename(name)), 'data');
	await writeFile(path.join(folder, 'manifest.json'), JSON.stringify(manifest));
}

describe('the folder by convention', () => {
	test.each([
		['linux', {}, '/home/u/.cache/partita/images'],
		['linux', { XDG_CACHE_HOME: '/var/x' }, '/var/x/partita/images'],
		['linux', { XDG_CACHE_HOME: 'relative' }, '/home/u/.cache/partita/images'],
		['linux', { XDG_CACHE_HOME: '' }, '/home/u/.cache/partita/images'],
		['freebsd', {}, '/home/u/.cache/partita/images'],
		['darwin', { XDG_CACHE_HOME: '/var/x' }, '/home/u/Library/Caches/partita/images'],
	] as const)('%s %j', (platform, env, expected) => {
		expect(defaultImageFolder({ platform, env, home: '/home/u' })).toBe(expected);
	});

	test('win32', () => {
		const home = 'C:\\Users\\u';
		expect(defaultImageFolder({ platform: 'win32', home, env: { LOCALAPPDATA: 'D:\\Local' } })).toBe(
			'D:\\Local\\partita\\Cache\\images',
		);
		expect(defaultImageFolder({ platform: 'win32', home, env: {} })).toBe(
			'C:\\Users\\u\\AppData\\Local\\partita\\Cache\\images',
		);
	});
});

describe('images', () => {
	test('none in an empty or a missing folder', () => {
		expect(resolveImages(root)).toBeUndefined();
		expect(listImages(path.join(root, 'missing'))).toEqual([]);
	});

	test('published, made current, resolved, listed', async () => {
		await withScratch(root, async (scratch) => {
			for (const id of ['trixie-b', 'trixie-a']) {
				const folder = path.join(scratch, id);
				await writeImages(folder, id);
				await publishImages(root, id, folder);
			}
			expect(resolveImages(root)).toBeUndefined();
			await makeCurrent(root, 'trixie-b', scratch);
		});
		const images = resolveImages(root);
		expect(images).toMatchObject({ version: '6.12', manifest: { id: 'trixie-b' } });
		expect(images?.kernel).toBe(path.resolve(root, 'images', 'trixie-b', 'kernel'));
		for (const file of [images?.initrd, images?.openSbiJump, images?.openSbiDynamic]) {
			expect(await readFile(file ?? '', 'utf8')).toBe('data');
		}
		expect(listImages(root).map(({ manifest }) => manifest.id)).toEqual(['trixie-a', 'trixie-b']);
	});

	test('whoever publishes second changes nothing; what is damaged is replaced', async () => {
		const id = 'trixie-x';
		await writeImages(imageFolder(root, id), id, { kernelRelease: 'first' });
		const second = path.join(root, 'second');
		await writeImages(second, id, { kernelRelease: 'second' });
		await publishImages(root, id, second);
		expect(readImages(root, id)?.version).toBe('first');

		await truncate(path.join(imageFolder(root, id), 'kernel'), 1);
		expect(readImages(root, id)).toBeUndefined();
		await publishImages(root, id, second);
		expect(readImages(root, id)?.version).toBe('second');
	});

	test.each([
		['a file is missing', async (folder: string) => rmSync(path.join(folder, 'fw_jump.bin'))],
		['the manifest is no JSON', async (folder: string) => writeFile(path.join(folder, 'manifest.json'), '{')],
		[
			'the manifest is of another format',
			async (folder: string) => writeFile(path.join(folder, 'manifest.json'), '{"format":2}'),
		],
		['the manifest is null', async (folder: string) => writeFile(path.join(folder, 'manifest.json'), 'null')],
		['the manifest is of other images', async (folder: string) => writeImages(folder, 'other')],
		[
			'the manifest points elsewhere',
			async (folder: string) =>
				writeImages(folder, 'x', {
					files: {
						kernel: { name: '../../kernel', size: 4 },
						initrd: { name: 'initrd.cpio', size: 4 },
						openSbiJump: { name: 'fw_jump.bin', size: 4 },
						openSbiDynamic: { name: 'fw_dynamic.bin', size: 4 },
					},
				}),
		],
	])('no images where %s', async (_, spoil) => {
		await writeImages(imageFolder(root, 'x'), 'x');
		expect(readImages(root, 'x')).toBeDefined();
		await writeFile(path.join(root, 'images', 'kernel'), 'data');
		await writeFile(path.join(root, 'kernel'), 'data');
		await spoil(imageFolder(root, 'x'));
		expect(readImages(root, 'x')).toBeUndefined();
		expect(listImages(root)).toEqual([]);
	});

	test.each(['../x', '', '.', 'a/b', 5])('the id %j leads nowhere', async (id) => {
		await writeFile(path.join(root, 'current.json'), JSON.stringify({ id }));
		expect(resolveImages(root)).toBeUndefined();
	});
});

describe('work in progress', () => {
	test('the scratch folder goes, whatever the outcome; its results stay', async () => {
		const hash = 'ab'.repeat(32);
		const failing = withScratch(root, async (scratch) => {
			await writeFile(path.join(scratch, 'f'), 'content');
			await publishContent(root, hash, path.join(scratch, 'f'));
			throw new Error('failed');
		});
		await expect(failing).rejects.toThrow('failed');
		expect(readdirSync(path.join(root, 'tmp'))).toEqual([]);
		expect(await readFile(contentPath(root, hash), 'utf8')).toBe('content');
	});

	test('two at once have folders of their own', async () => {
		const folders = await Promise.all([0, 1].map(() => withScratch(root, async (scratch) => scratch)));
		expect(folders[0]).not.toBe(folders[1]);
	});

	test('leftovers go after a day, not before', async () => {
		const old = path.join(root, 'tmp', '1-old');
		const fresh = path.join(root, 'tmp', '2-fresh');
		for (const folder of [old, fresh]) await mkdir(folder, { recursive: true });
		writeFileSync(path.join(old, 'f'), '');
		const yesterday = new Date(Date.now() - 25 * 60 * 60 * 1000);
		utimesSync(old, yesterday, yesterday);
		await withScratch(root, async () => {});
		expect([existsSync(old), existsSync(fresh)]).toEqual([false, true]);
	});

	test('a folder that cannot be made is named', async () => {
		writeFileSync(path.join(root, 'file'), '');
		await expect(withScratch(path.join(root, 'file'), async () => {})).rejects.toThrow(ImagesError);
	});
});

test('errors of files say what and what to do', () => {
	const failed = (code: string): ImagesError => fileError('write', '/x', Object.assign(new Error(code), { code }));
	expect(failed('ENOSPC').describe()).toBe(
		'Cannot write /x\n  why: the disk is full\n  try: free some space (about 300 MB are needed), or choose another place with --dir',
	);
	expect(failed('EACCES').why).toBe('no permission');
	expect(failed('EIO').why).toBe('EIO');
	const own = new ImagesError('own');
	expect(fileError('write', '/x', own)).toBe(own);
	expect(own.describe()).toBe('own');
});
