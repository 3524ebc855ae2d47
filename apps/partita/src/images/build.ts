// From packages to images, in memory: takes the kernel and the firmware out of their packages, and builds the initramfs.

import type { ImageFile, ImageRequest } from './cache.ts';
import { type DebEntry, readDeb } from './deb.ts';
import { ImagesError } from './errors.ts';
import { buildInitramfs, gzipReproducibly } from './initramfs.ts';
import { type KernelModule, moduleClosure, moduleName } from './modules.ts';
import type { Progress } from './progress.ts';
import { unxz } from './xz.ts';

/** Counts up when equal packages give other images than before. */
export const RECIPE = 1;

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

/** A fetched package. */
export interface Package {
	name: string;
	version: string;
	/** The whole .deb. */
	deb: Uint8Array;
}

/** Finished images, not yet on disk. */
export interface BuiltImages {
	/** As `uname -r` prints it. */
	kernelRelease: string;
	files: Record<ImageFile, { name: string; data: Uint8Array }>;
}

/**
 * Builds the images; equal packages and requests give equal bytes.
 * @throws {@link ImagesError} when a package is damaged or lacks what it should hold
 */
export async function buildImages(
	packages: { kernel: Package; busybox: Package; opensbi: Package; extra: readonly Package[] },
	request: Pick<ImageRequest, 'modules' | 'compress'>,
	progress: Progress,
): Promise<BuiltImages> {
	const unpack = (from: Package, wanted?: (path: string) => boolean): Promise<DebEntry[]> => {
		progress.step(`Unpacking ${from.name}`);
		return readDeb(from.deb, `${from.name} ${from.version}`, wanted);
	};

	const kernel = await unpack(packages.kernel, (path) => /^boot\/vmlinux|\.ko(\.xz)?$|\/modules\.builtin$/.test(path));
	const image = kernel.find((entry) => entry.path.startsWith('boot/vmlinux-'));
	const kernelRelease = image?.path.slice('boot/vmlinux-'.length) ?? '';
	if (image?.type !== 'file' || !isKernelImage(image.data)) {
		throw new ImagesError(`${packages.kernel.name} holds no kernel that can be booted`, {
			why: image ? `${image.path} is not a RISC-V Linux image` : 'it has no /boot/vmlinux-RELEASE',
		});
	}
	// The package holds the firmware for 32-bit harts as well.
	const opensbi = await unpack(packages.opensbi, (path) => path.includes('riscv64-linux-gnu/opensbi/generic/'));
	const busybox = await unpack(packages.busybox, (path) => /^(usr\/)?bin\/busybox$/.test(path));
	const extra: DebEntry[][] = [];
	for (const from of packages.extra) extra.push(await unpack(from));

	progress.step('Building the initramfs');
	const archive = buildInitramfs({
		kernelRelease,
		busybox: fileNamed(busybox, 'busybox', packages.busybox),
		...(await collectModules(kernel, request.modules)),
		extra,
	});
	return {
		kernelRelease,
		files: {
			kernel: { name: 'kernel', data: image.data },
			initrd:
				request.compress === 'gzip'
					? { name: 'initrd.cpio.gz', data: gzipReproducibly(archive) }
					: { name: 'initrd.cpio', data: archive },
			openSbiJump: { name: 'fw_jump.bin', data: fileNamed(opensbi, 'fw_jump.bin', packages.opensbi) },
			openSbiDynamic: { name: 'fw_dynamic.bin', data: fileNamed(opensbi, 'fw_dynamic.bin', packages.opensbi) },
		},
	};
}

async function collectModules(
	kernelFiles: readonly DebEntry[],
	further: readonly string[],
): Promise<{ modules: KernelModule[]; modulesBuiltin: string }> {
	const files = new Map<string, Uint8Array>();
	const available = new Map<string, string>();
	let modulesBuiltin = '';
	for (const entry of kernelFiles) {
		const path = /^(?:usr\/)?lib\/modules\/[^/]+\/(.+)$/.exec(entry.path)?.[1];
		if (entry.type !== 'file' || path === undefined) continue;
		if (path === 'modules.builtin') modulesBuiltin = new TextDecoder().decode(entry.data);
		else {
			files.set(path, entry.data);
			available.set(moduleName(path), path);
		}
	}
	const builtin = new Set(modulesBuiltin.split('\n').filter(Boolean).map(moduleName));
	const load = async (path: string): Promise<Uint8Array> => {
		const data = files.get(path)!;
		return path.endsWith('.xz') ? unxz(data, path, MAX_MODULE_BYTES) : data;
	};
	return { modules: await moduleClosure([...MODULES, ...further], builtin, available, load), modulesBuiltin };
}

/** Whether it has the header of Documentation/arch/riscv/boot-image-header.rst: magic2 "RSC\x05" at 0x38. */
function isKernelImage(image: Uint8Array): boolean {
	const MAGIC2_OFFSET = 0x38;
	return [0x52, 0x53, 0x43, 0x05].every((byte, index) => image[MAGIC2_OFFSET + index] === byte);
}

function fileNamed(entries: readonly DebEntry[], name: string, from: Package): Uint8Array {
	const entry = entries.find(({ path }) => path.endsWith(`/${name}`));
	if (entry?.type !== 'file') {
		throw new ImagesError(`${from.name} ${from.version} holds no ${name}`, {
			advice: 'choose another suite with --suite',
		});
	}
	return entry.data;
}
