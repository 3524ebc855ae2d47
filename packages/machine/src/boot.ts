/**
 * What is in memory when the board comes out of reset: firmware, kernel, initial RAM disk, devicetree, and the boot ROM's
 * reset vector, as QEMU 7.2's `virt` places them (hw/riscv documentation, "virt" board; OpenSBI, fw_dynamic).
 */
import { ensureChild, findByPath, readFdt, setProperty, writeFdt } from '@partita/fdt';
import type { PhysicalMemory } from '@partita/memory';
import { asmWith } from '@partita/riscv';
import { virtDeviceTree } from './device-tree.ts';
import { MachineError } from './errors.ts';
import { type Image, placeImage } from './image.ts';
import { MemoryMap } from './memory-map.ts';

/** What to boot. */
export interface BootImages {
	/**
	 * `builtin`: the built-in SBI enters the kernel in S-mode. `none`: the kernel starts in M-mode at its entry.
	 * Bytes: a firmware image that runs in M-mode at the start of RAM.
	 */
	readonly firmware: 'builtin' | 'none' | Uint8Array;
	readonly kernel?: Uint8Array;
	readonly initrd?: Uint8Array;
	/** Kernel command line. */
	readonly append?: string;
	/** A devicetree blob instead of the board's own. */
	readonly deviceTree?: Uint8Array;
	/** Seed of the guest's random number generator, in the devicetree. */
	readonly randomSeed?: Uint8Array;
}

/** Where things ended up. */
export interface BootLayout {
	/** First instruction, and the mode it runs in. */
	readonly entry: number;
	readonly mode: 'machine' | 'supervisor';
	/** Address of the devicetree. */
	readonly deviceTree: number;
	/** The devicetree blob as placed. */
	readonly blob: Uint8Array;
	readonly symbols: ReadonlyMap<string, bigint>;
}

/** Distance of a kernel from the start of RAM: what is below belongs to the firmware. */
const KERNEL_OFFSET = 0x20_0000;
/** Devicetrees lie below this, where 32-bit firmware reaches them, on a boundary of 2 MiB. */
const DEVICE_TREE_TOP = 0xc000_0000;
const DEVICE_TREE_ALIGN = 0x20_0000;
/** Where in the boot ROM a devicetree lies, if RAM is too small for it. */
const ROM_DEVICE_TREE = 0x100;
const FW_DYNAMIC_MAGIC = 0x4942_534f;
/** fw_dynamic_info.next_mode: S-mode. */
const NEXT_MODE_S = 1;

/** Places everything. Throws MachineError, with nothing started, where it does not fit. */
export function placeBoot(memory: PhysicalMemory, images: BootImages, ramBytes: number, harts: number): BootLayout {
	const ram = MemoryMap.ram.base;
	const ramEnd = ram + ramBytes;
	const claims: { what: string; start: number; end: number }[] = [];
	const claim = (what: string, start: number, end: number): void => {
		if (start < ram || end > ramEnd)
			throw new MachineError(
				`${what}: ${range(start, end)} is not in RAM (${range(ram, ramEnd)})`,
				end > ramEnd ? `give the machine more memory than ${ramBytes / 1048576} MiB` : undefined,
			);
		for (const other of claims) {
			if (start < other.end && other.start < end)
				throw new MachineError(
					`${what}: ${range(start, end)} overlaps the ${other.what} at ${range(other.start, other.end)}`,
					'give the machine more memory, or link it elsewhere',
				);
		}
		claims.push({ what, start, end });
	};
	const place = (what: string, image: Image): void => {
		for (const part of image.parts) {
			claim(what, part.address, part.address + part.size);
			memory.load(part.address, part.bytes);
		}
	};

	const { firmware } = images;
	const first = firmware instanceof Uint8Array ? placeImage('firmware', firmware, ram, ram) : undefined;
	const direct = firmware === 'none';
	const kernel =
		images.kernel === undefined
			? undefined
			: placeImage('kernel', images.kernel, direct ? ram : ram + KERNEL_OFFSET, ram);
	if (first) place('firmware', first);
	if (kernel) place('kernel', kernel);
	if (!first && !kernel)
		throw new MachineError('there is nothing to start: neither firmware nor kernel', 'name a kernel');

	const top = Math.min(ramEnd, DEVICE_TREE_TOP);
	const initrdSize = images.initrd?.length ?? 0;
	// The devicetree's size hardly depends on where the initrd is: leave room for its two properties.
	const draft = buildDeviceTree(images, ramBytes, harts, { start: 0, end: 0 });
	const room = Math.max(DEVICE_TREE_ALIGN, Math.ceil((draft.length + 4096) / DEVICE_TREE_ALIGN) * DEVICE_TREE_ALIGN);
	const inRom = ramBytes < 2 * DEVICE_TREE_ALIGN;
	const deviceTree = inRom
		? MemoryMap.rom.base + ROM_DEVICE_TREE
		: Math.floor((top - room) / DEVICE_TREE_ALIGN) * DEVICE_TREE_ALIGN;
	const initrdStart = Math.floor(((inRom ? ramEnd : deviceTree) - initrdSize) / 4096) * 4096;
	const initrd = images.initrd && { start: initrdStart, end: initrdStart + initrdSize };
	if (images.initrd && initrd) {
		if (initrd.start < ram)
			throw new MachineError(
				`initial RAM disk: ${initrdSize} bytes do not fit below the devicetree at 0x${deviceTree.toString(16)}`,
				`give the machine more memory than ${ramBytes / 1048576} MiB`,
			);
		claim('initial RAM disk', initrd.start, initrd.end);
		memory.load(initrd.start, images.initrd);
	}
	const blob = buildDeviceTree(images, ramBytes, harts, initrd);
	if (!inRom) claim('devicetree', deviceTree, deviceTree + blob.length);
	else if (blob.length > MemoryMap.rom.size - ROM_DEVICE_TREE)
		throw new MachineError(
			`devicetree: ${blob.length} bytes do not fit into the boot ROM`,
			'give the machine more memory',
		);
	memory.load(deviceTree, blob);
	const symbols = new Map([...(first?.symbols ?? []), ...(kernel?.symbols ?? [])]);
	const entry = first?.entry ?? kernel!.entry;
	if (firmware !== 'builtin') writeResetVector(memory, entry, deviceTree, kernel?.entry ?? 0);
	return { entry, mode: firmware === 'builtin' ? 'supervisor' : 'machine', deviceTree, blob, symbols };
}

function range(start: number, end: number): string {
	return `0x${start.toString(16)} to 0x${end.toString(16)}`;
}

function buildDeviceTree(
	images: BootImages,
	memory: number,
	harts: number,
	initrd: { start: number; end: number } | undefined,
): Uint8Array {
	if (images.deviceTree === undefined) {
		return writeFdt(
			virtDeviceTree({
				harts,
				memory,
				supervisorOnly: images.firmware === 'builtin',
				...(images.append === undefined ? {} : { append: images.append }),
				...(images.randomSeed === undefined ? {} : { randomSeed: images.randomSeed }),
				...(initrd === undefined ? {} : { initrd }),
			}),
		);
	}
	try {
		const tree = readFdt(images.deviceTree);
		const chosen = findByPath(tree.root, '/chosen')?.node ?? ensureChild(tree.root, 'chosen');
		if (images.append !== undefined) setProperty(chosen, 'bootargs', images.append);
		if (initrd) {
			setProperty(chosen, 'linux,initrd-start', BigInt(initrd.start));
			setProperty(chosen, 'linux,initrd-end', BigInt(initrd.end));
		}
		return writeFdt(tree.root, { bootCpuId: tree.bootCpuId, reservations: tree.reservations });
	} catch (error) {
		throw new MachineError(`devicetree: ${error instanceof Error ? error.message : String(error)}`);
	}
}

/** The boot ROM: a0 = hart, a1 = devicetree, a2 = fw_dynamic_info; then the firmware. */
function writeResetVector(memory: PhysicalMemory, entry: number, deviceTree: number, next: number): void {
	const { bytes } = asmWith({ base: BigInt(MemoryMap.rom.base) })`
		auipc t0, 0
		addi a2, t0, 0x28
		csrr a0, mhartid
		ld a1, 0x20(t0)
		ld t0, 0x18(t0)
		jr t0
		.dword ${entry}
		.dword ${deviceTree}
		.dword ${FW_DYNAMIC_MAGIC}, 2, ${next}, ${NEXT_MODE_S}, 0, 0
	`;
	memory.load(MemoryMap.rom.base, bytes);
}
