/**
 * Where everything of a root task goes: its image, IPC buffer and boot information in virtual and physical memory, its page
 * tables, its capabilities by slot, and the memory that is left to it as untypeds. Plain data. seL4 reference manual, "System
 * Bootstrapping". Not here: making the objects (root-task.ts).
 *
 * ```
 * virtual    image, whole pages with its gaps | IPC buffer | boot information | its further chunks
 * physical   kernel objects (down to the smallest) | root page table, tables | image | IPC buffer | boot information
 * slots      1 to 15 fixed | tables | further boot information | SchedControl | image frames | untypeds | empty
 * ```
 */
import { type ElfFile, readElf } from '@partita/riscv';
import { MicrokernelError } from '../config.ts';
import {
	BOOTINFO_BYTES,
	type BootInfo,
	encodeBootInfo,
	encodeExtraBootInfo,
	InitialSlot,
	MOST_UNTYPEDS,
} from './bootinfo.ts';
import { type PhysicalRange, rangesWithout, type UntypedBlock, untypedBlocks } from './untypeds.ts';

/** What a root task is given. */
export interface RootTaskOptions {
	/** Its ELF executable. */
	readonly image: Uint8Array;
	/** What it is told of the board; without it, nothing. */
	readonly deviceTree?: Uint8Array | undefined;
	/** A file that it finds in memory: it is one device untyped, the only one in RAM, at its end. */
	readonly extraImage?: Uint8Array | undefined;
	/** RAM that is free: whole pages. */
	readonly memory: PhysicalRange;
	/** Ranges of physical addresses below {@link DEVICE_TOP} that are neither RAM nor anybody else's. */
	readonly reserved: readonly PhysicalRange[];
	/** log2 of the slots of its CNode. */
	readonly cnodeBits: number;
}

/** A page of its address space. */
export interface RootTaskPage {
	readonly vaddr: number;
	readonly physical: number;
	/** Slot of the frame's capability. */
	readonly slot: number;
}

/** A page table of its address space. */
export interface RootTaskTable {
	/** What of the address space it maps begins here. */
	readonly vaddr: number;
	/** log2 of what it maps: 30 or 21. */
	readonly bits: number;
	readonly physical: number;
	readonly slot: number;
}

/** Kernel objects of its own, by physical address. */
export interface RootTaskObjects {
	readonly cnode: number;
	readonly tcb: number;
	readonly schedContext: number;
	readonly asidPool: number;
	/** Root page table. */
	readonly vspace: number;
}

/** All of it. */
export interface RootTaskPlan {
	readonly entry: bigint;
	readonly objects: RootTaskObjects;
	/** Parents first. */
	readonly tables: readonly RootTaskTable[];
	/** Image, IPC buffer, boot information and its further chunks, by ascending address. All are readable, writable, executable. */
	readonly pages: readonly RootTaskPage[];
	/** Bytes by physical address; the rest of the pages is zero. */
	readonly contents: readonly { readonly physical: number; readonly bytes: Uint8Array }[];
	/** Virtual addresses. */
	readonly ipcBuffer: number;
	readonly bootInfoFrame: number;
	readonly info: BootInfo;
}

/** Device untypeds end here: 512 GiB. */
export const DEVICE_TOP = 2 ** 39;

const PAGE = 4096;
/** User addresses end here. */
const USER_TOP = 0x3f_ffff_f000;
/** Bytes of the largest image: more than any of a root task's CNode has slots for. */
const LARGEST_IMAGE = 2 ** 29;
const SLOT_BITS = 5;
const TCB_BITS = 11;
/** Bytes of the initial scheduling context: 2^8. */
export const SCHED_CONTEXT_BITS = 8;

function fail(why: string): never {
	throw new MicrokernelError('root task', why);
}

/** Plans a root task. Throws a {@link MicrokernelError} for an image that cannot be one, and where memory or slots are short. */
export function planRootTask(options: RootTaskOptions): RootTaskPlan {
	const { image, deviceTree, extraImage, reserved, cnodeBits } = options;
	const extraBlock = extraImage && placeExtra(extraImage, options.memory);
	const memory = { start: options.memory.start, end: extraBlock?.address ?? options.memory.end };
	const elf = openImage(image);
	const { first, end } = imageRange(elf);
	const extra = encodeExtraBootInfo(deviceTree);
	const imagePages = (end - first) / PAGE;
	const ipcBuffer = end;
	const bootInfoFrame = end + PAGE;
	const top = bootInfoFrame + BOOTINFO_BYTES + extra.length;
	if (top > USER_TOP) fail(`its image ends at 0x${end.toString(16)}, which leaves no room for its boot information`);

	// Slots.
	const tableSpans = [30, 21].flatMap((bits) => spans(first, top, bits));
	const imagePaging = { start: InitialSlot.first, end: InitialSlot.first + tableSpans.length };
	const extraFrames = { start: imagePaging.end, end: imagePaging.end + extra.length / PAGE };
	const schedControl = { start: extraFrames.end, end: extraFrames.end + 1 };
	const imageFrames = { start: schedControl.end, end: schedControl.end + imagePages };

	// Physical memory: from the start of what is free, largest alignment first.
	let next = memory.start;
	const take = (bits: number): number => {
		const address = Math.ceil(next / 2 ** bits) * 2 ** bits;
		next = address + 2 ** bits;
		if (next > memory.end) fail(`${memory.end - memory.start} bytes of memory do not hold its image`);
		return address;
	};
	const cnode = take(cnodeBits + SLOT_BITS);
	const vspace = take(12);
	const asidPool = take(12);
	const tables = tableSpans.map(({ vaddr, bits }, index) => ({
		vaddr,
		bits,
		physical: take(12),
		slot: imagePaging.start + index,
	}));
	const page = (vaddr: number, slot: number): RootTaskPage => ({ vaddr, slot, physical: take(12) });
	const pages = Array.from({ length: imagePages }, (_, index) => page(first + index * PAGE, imageFrames.start + index));
	pages.push(page(ipcBuffer, InitialSlot.ipcBuffer));
	const information = page(bootInfoFrame, InitialSlot.bootInfoFrame);
	pages.push(information);
	for (let index = 0; index < extra.length / PAGE; index++)
		pages.push(page(bootInfoFrame + BOOTINFO_BYTES + index * PAGE, extraFrames.start + index));
	const objects = { cnode, tcb: take(TCB_BITS), schedContext: take(SCHED_CONTEXT_BITS), asidPool, vspace };

	// What is left.
	const rest = extraBlock ? { start: extraBlock.address + 2 ** extraBlock.bits, end: options.memory.end } : undefined;
	const blocks = untypeds(
		options.memory,
		[{ start: next, end: memory.end }, ...(rest ? [rest] : [])],
		extraBlock,
		reserved,
	);
	const untypedSlots = { start: imageFrames.end, end: imageFrames.end + blocks.length };
	if (untypedSlots.end > 2 ** cnodeBits)
		fail(`its image takes ${untypedSlots.end} slots, and its CNode has ${2 ** cnodeBits}`);
	const info: BootInfo = {
		extraBytes: extra.length,
		ipcBuffer,
		cnodeBits,
		empty: { start: untypedSlots.end, end: 2 ** cnodeBits },
		imageFrames,
		imagePaging,
		extraFrames,
		schedControl,
		untypeds: untypedSlots,
		untypedBlocks: blocks,
	};
	return {
		entry: elf.entry,
		objects,
		tables,
		pages,
		contents: [
			...segmentContents(elf, first, pages[0]!.physical),
			{ physical: information.physical, bytes: encodeBootInfo(info) },
			...(extra.length > 0 ? [{ physical: information.physical + BOOTINFO_BYTES, bytes: extra }] : []),
			...(extraImage && extraBlock ? [{ physical: extraBlock.address, bytes: extraImage }] : []),
		],
		ipcBuffer,
		bootInfoFrame,
		info,
	};
}

function openImage(image: Uint8Array): ElfFile {
	let elf: ElfFile;
	try {
		elf = readElf(image);
	} catch (error) {
		return fail(error instanceof Error ? error.message : String(error));
	}
	if (elf.type !== 'executable') fail(`it is a ${elf.type} ELF file, and must be an executable`);
	return elf;
}

function imageRange({ segments }: ElfFile): { first: number; end: number } {
	const loaded = segments.filter(({ memorySize }) => memorySize > 0n);
	if (loaded.length === 0) fail('it has nothing to load');
	const from = loaded.reduce((low, { virtualAddress: at }) => (at < low ? at : low), loaded[0]!.virtualAddress);
	const to = loaded.reduce((high, { virtualAddress, memorySize }) => {
		const at = virtualAddress + memorySize;
		return at > high ? at : high;
	}, 0n);
	if (to > BigInt(USER_TOP))
		fail(`it ends at 0x${to.toString(16)}, and user addresses end at 0x${USER_TOP.toString(16)}`);
	if (to - from > BigInt(LARGEST_IMAGE)) fail(`it takes ${to - from} bytes, and at most ${LARGEST_IMAGE} are possible`);
	return { first: Math.floor(Number(from) / PAGE) * PAGE, end: Math.ceil(Number(to) / PAGE) * PAGE };
}

/** The aligned pieces of 2^bits bytes that a range of addresses touches. */
function spans(from: number, to: number, bits: number): { vaddr: number; bits: number }[] {
	const size = 2 ** bits;
	const list: { vaddr: number; bits: number }[] = [];
	for (let vaddr = Math.floor(from / size) * size; vaddr < to; vaddr += size) list.push({ vaddr, bits });
	return list;
}

function segmentContents(
	{ segments }: ElfFile,
	first: number,
	physical: number,
): { physical: number; bytes: Uint8Array }[] {
	return segments
		.filter(({ bytes }) => bytes.length > 0)
		.map(({ virtualAddress, bytes }) => ({ physical: physical + (Number(virtualAddress) - first), bytes }));
}

/** The block at the end of memory that holds a file. */
function placeExtra({ length }: Uint8Array, { start, end }: PhysicalRange): UntypedBlock {
	const bits = Math.max(Math.ceil(Math.log2(Math.max(length, 1))), 12);
	const address = Math.floor((end - 2 ** bits) / 2 ** bits) * 2 ** bits;
	if (address < start) fail(`${end - start} bytes of memory do not hold the extra image of ${length} bytes`);
	return { address, bits, device: true };
}

/** Devices first, then RAM that is not in use, as many as the frame tells of. */
function untypeds(
	memory: PhysicalRange,
	free: readonly PhysicalRange[],
	extra: UntypedBlock | undefined,
	reserved: readonly PhysicalRange[],
): UntypedBlock[] {
	const devices = rangesWithout({ start: 0, end: DEVICE_TOP }, [...reserved, memory]).flatMap((range) =>
		untypedBlocks(range, true),
	);
	const all = [...devices, ...(extra ? [extra] : []), ...free.flatMap((range) => untypedBlocks(range, false))];
	// What is small is dropped first; never the extra image.
	const kept = all
		.toSorted((a, b) => Number(b === extra) - Number(a === extra) || b.bits - a.bits)
		.slice(0, MOST_UNTYPEDS);
	const told = new Set(kept);
	return all.filter((block) => told.has(block));
}
