/**
 * The board: what a virtual machine needs to boot an unmodified kernel, whoever hosts it. Its result is for
 * `VirtualMachine` of `@partita/vmm`, or for the VMs of a hypervisor's or monitor's configuration.
 */
import { GoldfishRtc, Ns16550a } from '@partita/devices';
import type { FdtNode } from '@partita/fdt';
import { Plic } from '@partita/intc';
import { type Image, placeImage } from '@partita/machine';
import {
	type GuestPart,
	type InterruptLine,
	MOST_VCPUS,
	type VirtualDeviceDescription,
	type VirtualMachineOptions,
} from '@partita/vmm';
import { virtualTree } from './device-tree.ts';
import { MOST_VIRTIO, VirtualInterrupt, VirtualMemoryMap } from './memory-map.ts';
import { type PciSharedMemory, pciSharedMemory } from './shared-memory.ts';
import { type VirtualVirtio, VirtualVirtioDevice } from './virtio.ts';

/** What the board is made of. */
export interface VirtualBoardOptions {
	/** Bytes of memory, a multiple of 4 KiB. */
	readonly memory: number;
	/** Virtual CPUs, 1 to 8; default 1. */
	readonly vcpus?: number;
	/** A Linux Image, an ELF executable, or a flat binary. */
	readonly kernel: Uint8Array;
	/** Initial RAM disk. */
	readonly initrd?: Uint8Array;
	/** Kernel command line. */
	readonly append?: string;
	/** Seed of the kernel's random number generator, 32 bytes; the same one gives the same run. */
	readonly randomSeed?: Uint8Array;
	/** What the real-time clock shows at virtual time 0: nanoseconds since 1970; default 0. */
	readonly wallClock?: bigint;
	/** At most eight. They are called `virtio0`, `virtio1`, … */
	readonly virtio?: readonly VirtualVirtio[];
	/** A region that it shares with others, and a doorbell: a PCI function, see shared-memory.ts. */
	readonly sharedMemory?: {
		/** Its name where the VM is described. */
		readonly region: string;
		/** Bytes, as the region's: a power of two, 4 KiB to 512 MiB. */
		readonly size: number;
		/** The number that the guest finds; default 0. */
		readonly position?: number;
	};
	/** Further devices, with their nodes. */
	readonly more?: readonly { readonly device: VirtualDeviceDescription; readonly node: FdtNode }[];
}

/** What a virtual machine is told of a board. */
export interface VirtualBoard
	extends Required<Pick<VirtualMachineOptions, 'memory' | 'boot' | 'devices' | 'interruptController'>> {
	readonly vcpus: number;
	/** Where the region is, for a hypervisor's VM. */
	readonly share?: readonly { readonly region: string; readonly base: number }[];
	/** Devices by which the guest rings peers, for a hypervisor's VM. */
	readonly doorbell?: (ring: (peer: number) => void) => readonly VirtualDeviceDescription[];
	/** Of an ELF kernel, else none. */
	readonly symbols: ReadonlyMap<string, bigint>;
	/** The devicetree blob as placed. */
	readonly blob: Uint8Array;
}

/** Something that does not fit: what, where, and what to do. */
export class VirtualBoardError extends Error {
	constructor(message: string) {
		super(message);
		this.name = 'VirtualBoardError';
	}
}

const PAGE = 4096;
const MOST_SHARED = 2 ** 29;
/** Distance of a kernel from the start of memory, as on the machine, where firmware is below it. */
const KERNEL_OFFSET = 0x20_0000;
/** The devicetree lies below the top of memory, on a boundary of this. */
const DEVICE_TREE_ALIGN = 0x1_0000;

/**
 * A board, with everything placed.
 * @throws VirtualBoardError where it does not fit; MachineError of `@partita/machine` for a kernel that is none
 */
export function virtualBoard(options: VirtualBoardOptions): VirtualBoard {
	const { memory, virtio = [], more = [] } = options;
	const { base } = VirtualMemoryMap.memory;
	if (!Number.isSafeInteger(memory) || memory <= 0 || memory % PAGE !== 0)
		throw new VirtualBoardError(`memory: ${memory} bytes: give it a multiple of 4 KiB`);
	if (virtio.length > MOST_VIRTIO)
		throw new VirtualBoardError(`virtio: ${virtio.length} devices: the board has ${MOST_VIRTIO} windows`);
	if (!Number.isInteger(options.vcpus ?? 1) || (options.vcpus ?? 1) < 1 || (options.vcpus ?? 1) > MOST_VCPUS)
		throw new VirtualBoardError(`vcpus: ${options.vcpus}: 1 to ${MOST_VCPUS} are possible`);
	const shared = sharedMemoryOf(options);
	const kernel = placeImage('kernel', options.kernel, base + KERNEL_OFFSET, base);
	const { parts, deviceTree, blob } = place(options, kernel, shared);
	return {
		memory: { base, size: memory },
		vcpus: options.vcpus ?? 1,
		boot: { parts, entry: kernel.entry, deviceTree },
		devices: [
			uart,
			rtc(options.wallClock ?? 0n),
			...virtio.map((description, slot): VirtualDeviceDescription => {
				const { base: first, size } = VirtualMemoryMap.virtio;
				return {
					name: `virtio${slot}`,
					base: first + slot * size,
					size,
					interrupt: VirtualInterrupt.virtio + slot,
					create: (ports) => new VirtualVirtioDevice(description, ports),
				};
			}),
			...more.map(({ device }) => device),
		],
		interruptController: {
			name: 'plic',
			...VirtualMemoryMap.plic,
			create: (lines) => new Plic({ contexts: lines.flatMap((line) => [NOWHERE, line]) }),
		},
		...(shared && {
			share: [{ region: options.sharedMemory!.region, base: shared.base }],
			doorbell: (ring) => shared.devices(ring),
		}),
		symbols: kernel.symbols,
		blob,
	};
}

function sharedMemoryOf({ sharedMemory }: VirtualBoardOptions): PciSharedMemory | undefined {
	if (!sharedMemory) return undefined;
	const { size, position = 0 } = sharedMemory;
	if (!Number.isInteger(Math.log2(size)) || size < PAGE || size > MOST_SHARED)
		throw new VirtualBoardError(`sharedMemory.size: ${size}: give it a power of two of 4 KiB to 512 MiB`);
	return pciSharedMemory(size, position);
}

const NOWHERE: InterruptLine = { set: () => {} };

const uart: VirtualDeviceDescription = {
	name: 'uart',
	...VirtualMemoryMap.uart,
	interrupt: VirtualInterrupt.uart,
	create: ({ line, console, now, timer, inputReady }) =>
		new Ns16550a({ line, console, now, timer, onRoom: inputReady }),
};

const rtc = (baseNanos: bigint): VirtualDeviceDescription => ({
	name: 'rtc',
	...VirtualMemoryMap.rtc,
	interrupt: VirtualInterrupt.rtc,
	create: ({ line, now, timer }) => new GoldfishRtc({ line, now, timer, baseNanos }),
});

/** Kernel, initial RAM disk and devicetree: the tree at the top, the disk below it. */
function place(
	options: VirtualBoardOptions,
	kernel: Image,
	shared: PciSharedMemory | undefined,
): { readonly parts: readonly GuestPart[]; readonly deviceTree: number; readonly blob: Uint8Array } {
	const { base } = VirtualMemoryMap.memory;
	const end = base + options.memory;
	const low = kernel.parts.find(({ address }) => address < base);
	if (low) throw new VirtualBoardError(`kernel: it is linked at 0x${low.address.toString(16)}, below the memory`);
	// Where the disk is does not change the tree's size.
	const draft = tree(options, shared, options.initrd && { start: 0, end: 0 });
	const deviceTree = Math.floor((end - draft.length) / DEVICE_TREE_ALIGN) * DEVICE_TREE_ALIGN;
	const start = Math.floor((deviceTree - (options.initrd?.length ?? 0)) / PAGE) * PAGE;
	if (start < kernel.end)
		throw new VirtualBoardError(
			`memory: kernel, initial RAM disk and devicetree need ${Math.ceil((kernel.end - base + end - start) / 2 ** 20)} MiB` +
				`, and there are ${options.memory / 2 ** 20} MiB: give it more`,
		);
	const initrd = options.initrd && { start, end: start + options.initrd.length };
	const blob = tree(options, shared, initrd);
	const parts: GuestPart[] = [...kernel.parts, { address: deviceTree, bytes: blob }];
	if (options.initrd) parts.push({ address: start, bytes: options.initrd });
	return { parts, deviceTree, blob };
}

function tree(
	options: VirtualBoardOptions,
	shared: PciSharedMemory | undefined,
	initrd: { readonly start: number; readonly end: number } | undefined,
): Uint8Array {
	const { memory, vcpus = 1, append, randomSeed, virtio = [], more = [] } = options;
	return virtualTree({
		memory,
		vcpus,
		...(append === undefined ? {} : { append }),
		...(randomSeed && { randomSeed }),
		...(initrd && { initrd }),
		virtio: virtio.length,
		nodes: [...more.map(({ node }) => node), ...(shared ? [shared.node] : [])],
		pciFixed: shared !== undefined,
	});
}
