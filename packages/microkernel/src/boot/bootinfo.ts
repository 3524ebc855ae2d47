/**
 * What the root task is told: the boot information frame and the chunks behind it, as bytes. The structures are libsel4's
 * `seL4_BootInfo` and `seL4_BootInfoHeader` of the MCS configuration on 64-bit RISC-V. Not here: making what it tells of.
 *
 * ```
 *   0 extraLen   8 nodeID   16 numNodes   24 numIOPTLevels   32 ipcBuffer
 *  40 empty  56 sharedFrames  72 userImageFrames  88 userImagePaging  104 ioSpaceCaps  120 extraBIPages   {start, end}
 * 136 initThreadCNodeSizeBits  144 initThreadDomain  152 schedcontrol  168 untyped
 * 184 untypedList: 230 of { paddr, sizeBits: u8, isDevice: u8, 6 unused }
 * ```
 */
import type { UntypedBlock } from './untypeds.ts';

/** Slots; `end` is not in it. */
export interface SlotRange {
	readonly start: number;
	readonly end: number;
}

/** Most untypeds that the root task is told of. */
export const MOST_UNTYPEDS = 230;
/** Bytes of the frame. */
export const BOOTINFO_BYTES = 4096;

/** Slots of the root task's CNode that are the same in every system; what a board does not have is empty. */
export const InitialSlot = {
	tcb: 1,
	cnode: 2,
	vspace: 3,
	irqControl: 4,
	asidControl: 5,
	asidPool: 6,
	bootInfoFrame: 9,
	ipcBuffer: 10,
	domain: 11,
	schedContext: 14,
	/** The first one that is not. */
	first: 16,
} as const;

/** What the frame says. */
export interface BootInfo {
	/** Bytes of the chunks behind the frame. */
	readonly extraBytes: number;
	/** Virtual address. */
	readonly ipcBuffer: number;
	/** log2 of the slots of its CNode. */
	readonly cnodeBits: number;
	readonly empty: SlotRange;
	readonly imageFrames: SlotRange;
	readonly imagePaging: SlotRange;
	readonly extraFrames: SlotRange;
	readonly schedControl: SlotRange;
	readonly untypeds: SlotRange;
	/** One for each slot of `untypeds`. */
	readonly untypedBlocks: readonly UntypedBlock[];
}

const UNTYPED_LIST = 184;
const UNTYPED_BYTES = 16;

/** The boot information frame. */
export function encodeBootInfo(info: BootInfo): Uint8Array {
	const bytes = new Uint8Array(BOOTINFO_BYTES);
	const view = new DataView(bytes.buffer);
	const word = (at: number, value: number): void => view.setBigUint64(at, BigInt(value), true);
	const range = (at: number, { start, end }: SlotRange): void => {
		word(at, start);
		word(at + 8, end);
	};
	word(0, info.extraBytes);
	// One node, number 0.
	word(16, 1);
	word(32, info.ipcBuffer);
	range(40, info.empty);
	range(72, info.imageFrames);
	range(88, info.imagePaging);
	range(120, info.extraFrames);
	word(136, info.cnodeBits);
	range(152, info.schedControl);
	range(168, info.untypeds);
	info.untypedBlocks.forEach(({ address, bits, device }, index) => {
		const at = UNTYPED_LIST + index * UNTYPED_BYTES;
		word(at, address);
		view.setUint8(at + 8, bits);
		view.setUint8(at + 9, device ? 1 : 0);
	});
	return bytes;
}

/** `SEL4_BOOTINFO_HEADER_PADDING` and `SEL4_BOOTINFO_HEADER_FDT`. */
const ChunkId = { padding: 0, devicetree: 6 } as const;
const HEADER_BYTES = 16;

/** The chunks behind the frame: the devicetree, and what fills the last page. Whole pages; none without a devicetree. */
export function encodeExtraBootInfo(deviceTree: Uint8Array | undefined): Uint8Array {
	if (!deviceTree) return new Uint8Array();
	const length = HEADER_BYTES + Math.ceil(deviceTree.length / 8) * 8;
	const bytes = new Uint8Array(Math.ceil((length + HEADER_BYTES) / BOOTINFO_BYTES) * BOOTINFO_BYTES);
	const view = new DataView(bytes.buffer);
	const header = (at: number, id: number, bytesOfChunk: number): void => {
		view.setBigUint64(at, BigInt(id), true);
		view.setBigUint64(at + 8, BigInt(bytesOfChunk), true);
	};
	header(0, ChunkId.devicetree, length);
	bytes.set(deviceTree, HEADER_BYTES);
	header(length, ChunkId.padding, bytes.length - length);
	return bytes;
}
