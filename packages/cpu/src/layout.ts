/**
 * Where everything is in the one linear memory that generated code and TypeScript share.
 *
 * ```
 * 0x00000  state of the running hart: 256 words (state.ts); its last 64 are the engine's own (Word)
 * 0x00800  words that all harts share (Shared)
 * 0x01000  line of instructions that straddle two pages: 512 slots of 64 bytes
 * 0x10000  jump cache of translated regions (JumpCache)
 * 0x30000  TLBs: 64 KiB for each hart: read, write and execute, 1024 entries of 16 bytes each
 *  + harts parked states: 2 KiB for each hart
 *  ...     page map: one word a page (@partita/memory, page-word.ts)
 *  ...     code map: one word a page: linear address of the page's decoded form, or 0
 *  ...     entries of translated regions (RegionEntry), and the regions' pages (RegionPages)
 *  ...     decoded pages (DecodedPage)
 *  ...     frame pool
 * ```
 */
import { PAGE_SIZE } from '@partita/memory';
import { Slot, STATE_WORDS } from './state.ts';

const engine = Slot.engine * 8;

/** Byte addresses of the engine's words in the running hart's state. i32 unless said otherwise. */
export const Word = {
	/** Instructions that may still run. */
	budget: engine,
	/** Why generated code returned or a helper failed: an {@link ExitCode}, 0 for none. */
	exit: engine + 4,
	/** i64: context id of loads and stores, in bits 11:3 of a TLB tag. */
	dataContext: engine + 8,
	/** i64: context id of fetches. */
	fetchContext: engine + 16,
	/** Linear address of the running hart's TLBs. */
	tlb: engine + 24,
	/** Linear address of the decoded entry at which generated code stopped. */
	entry: engine + 28,
	/** i64: virtual address of the access under way. */
	address: engine + 32,
	/** i64: physical address of an access that needs a device. */
	physical: engine + 40,
	/** Exception code. */
	cause: engine + 48,
	/** Decoded page that the last store must tell, or 0. */
	storeCode: engine + 52,
	/** Nonzero where FS (and vsstatus.FS under virtualization) is not Off. */
	floatEnabled: engine + 56,
	/** Nonzero where they are Dirty. */
	floatDirty: engine + 60,
	/** Eight bytes by rm: effective rounding mode, above 4 where it is reserved. */
	roundingMode: engine + 72,
	/** i64: guest physical address of a guest-page fault. */
	guestPhysical: engine + 80,
	/** 1: the fault is on an implicit read of a VS-stage table, 2: on an implicit write, 0: neither. */
	implicit: engine + 88,
	/** Nonzero where CBO.ZERO may be executed. */
	zeroEnabled: engine + 100,
	/** Linear addresses of the page map and of the code map. */
	pageMap: engine + 92,
	codeMap: engine + 96,
	/** How loads and stores are translated, and fetches: a {@link WalkMode} each. */
	dataWalk: engine + 104,
	fetchWalk: engine + 128,
	/** Pages that page tables may be read and written in: as in a {@link WalkMode}. */
	tableWindow: engine + 152,
} as const;

/** Byte addresses of what is not a hart's: between the state and the line of straddling instructions. */
export const Shared = {
	/** i64: goes up when a page leaves an execute TLB, or a translated region is gone. */
	generation: 0x800,
	/** i64: what a verified region entry is good for: generation, hart and fetch context. */
	key: 0x808,
	/** Budget that a region is given, and what it leaves of it. */
	left: 0x810,
	/** Instructions to interpret until the next sample. */
	untilSample: 0x814,
	/** Instructions that regions have executed: i64. */
	translated: 0x818,
	/** i64: regions entered. */
	entered: 0x820,
} as const;

/** Place of the generation in `Shared.key`, above hart and context. */
export const GENERATION_SHIFT = 16;

/**
 * How the translation of a mode is walked (walker/): derived from the state by `AddressTranslation.writeWalkModes`.
 * The window is the longest run of physical pages that the mode may read, write and execute; beyond it the walk is
 * TypeScript's.
 */
export const WalkMode = {
	/** i32: {@link WalkFlag}s of the S-stage, or of the VS-stage. */
	first: 0,
	/** i32: those of the G-stage. */
	second: 4,
	/** i64: first page of the window, and the number of pages in it. */
	windowFirst: 8,
	windowPages: 16,
} as const;

/** How one stage is walked. */
export const WalkFlag = {
	/** Levels of tables; 0: bare. */
	levels: 7,
	/** A user's access. */
	user: 8,
	/** A supervisor's access may use user pages. */
	sum: 16,
	/** Executable pages are readable. */
	mxr: 32,
	/** Svpbmt. */
	pbmte: 64,
	/** The stage is the G-stage: addresses are not sign-extended, the root table has two index bits more. */
	guest: 128,
	/** V = 1: first is the VS-stage. */
	virtual: 256,
} as const;

/** Byte offset of the word that takes writes to x0. */
export const DISCARD: number = (STATE_WORDS - 1) * 8;

/** Why generated code returned. */
export const ExitCode = {
	/** Page of the pc is not in the execute TLB. */
	fetch: 1,
	/** Entry at the pc is not decoded yet. */
	decode: 2,
	/** Instruction at the pc is for TypeScript: system, illegal, or one whose preconditions do not hold. */
	system: 3,
	/** The instruction at the pc raised an exception: cause, address. */
	trap: 4,
	/** The load or store at the pc is for a device: physical. */
	device: 5,
	/** The instruction at the pc straddles two pages and is not in its line yet. */
	straddle: 6,
	/** Budget is used up. */
	budget: 7,
	/** The instruction at the pc is a sample of what is interpreted. */
	sample: 8,
} as const;

/** A TLB: `tag: i64, addend: i32, pageBits: i32` an entry, indexed by virtual page number. */
export const Tlb = {
	entries: 1024,
	entryBytes: 16,
	/** Distance of the write TLB from the read TLB, and of the execute TLB from the write TLB. */
	stride: 0x4000,
	read: 0,
	write: 0x4000,
	execute: 0x8000,
	/**
	 * 4096 bits: whether a page larger than 4 KiB was entered. There are eight blocks of 64 bytes, one for each gibibyte by a
	 * hash of its number n: n ^ n >> 3 ^ n >> 6, modulo 8; in it a bit for each 2 MiB. A larger page sets all of the block, one
	 * above a gibibyte all blocks. Bare spaces do not count: no fence changes them.
	 */
	large: 0xc000,
	largeBlock: 64,
	largeBytes: 512,
	/** Bytes for one hart. */
	bytes: 0x1_0000,
	/** Context ids are 1 to this; 0 never matches. */
	contexts: 511,
} as const;

/**
 * A decoded page: one 16-byte entry for each halfword, an end marker, and where it came from.
 *
 * ```
 *  0        2      4       6       8        12     14       15
 * +--------+------+-------+-------+--------+------+--------+----+
 * | opcode |  rd  |  rs1  |  rs2  |  imm   | rs3  | length | rm |
 * +--------+------+-------+-------+--------+------+--------+----+
 * ```
 * Registers are byte offsets into x or f; `length` is 16 or 32: the distance to the next entry. Bit 15 of the opcode
 * ({@link TRANSLATED}) says that a translated region begins here.
 */
export const DecodedPage = {
	opcode: 0,
	rd: 2,
	rs1: 4,
	rs2: 6,
	imm: 8,
	rs3: 12,
	length: 14,
	rm: 15,
	entryBytes: 16,
	/** Offset of the end marker. */
	end: 2048 * 16,
	/** Offset of the physical page number. */
	page: 2049 * 16,
	/** Offset of the linear address of the page's frame. */
	frame: 2049 * 16 + 4,
	/** Offset of the number of stores to the page that were seen. */
	stores: 2049 * 16 + 8,
	/** i64: one bit for each {@link LINE_BYTES} of the page that translated regions were made from. */
	lines: 2049 * 16 + 16,
	/** For each halfword: linear address of the {@link RegionEntry} of the region that begins there, or 0. */
	regions: 2052 * 16,
	bytes: 2052 * 16 + 2048 * 4,
} as const;

/** Bit of an entry's opcode: a translated region begins here. */
export const TRANSLATED = 0x8000;

/** Bytes for which `DecodedPage.lines` has one bit. */
export const LINE_BYTES = 64;

/**
 * Where regions may be entered: slots indexed by bits of the pc. A slot is `pc: i64, key: i64, base: i64, target: i32,
 * longest: i32`, the first part of a {@link RegionEntry}; it is good while its key is `Shared.key`.
 */
export const JumpCache = { base: 0x1_0000, slots: 4096, slotBytes: 32 } as const;

/** A point at which a region may be entered. */
export const RegionEntry = {
	/** i64: pc for which it was verified last, and the key that it was verified for; 0: none. */
	pc: 0,
	key: 8,
	/** i64: virtual address of the region's origin there. */
	base: 16,
	/** Number of the function in the table << 12 | state. */
	target: 24,
	/** Most instructions that are executed until the budget is looked at again. */
	longest: 28,
	/** i64: distance of this point from the region's origin. */
	offset: 32,
	/** Linear address of the {@link RegionPages}. */
	pages: 40,
	bytes: 48,
	/** As many as there may be. */
	capacity: 32768,
} as const;

/** The pages that a region was made from: their number, then for each its distance from the origin (i64) and decoded page. */
export const RegionPages = {
	count: 0,
	first: 8,
	distance: 0,
	decoded: 8,
	pageBytes: 16,
	most: 8,
	bytes: 8 + 8 * 16,
	capacity: 8192,
} as const;

/** Stores to a page with decoded code until its code is taken to be gone. */
export const STORES_UNTIL_DROPPED = 64;

/** Slots for straddling instructions: an entry, an end marker 32 bytes on, and the instruction word. */
export const Straddle = { base: 0x1000, slots: 512, bytes: 64, end: 32, word: 48 } as const;

/** Multiplier of the hash that picks a straddle slot from the instruction word. */
export const STRADDLE_HASH = 0x9e37_79b1;

const TLB_BASE = JumpCache.base + JumpCache.slots * JumpCache.slotBytes;

/** What the layout depends on. */
export interface LinearLayoutOptions {
	/** 1 to 8. */
	readonly harts: number;
	/** First physical address beyond all memory. */
	readonly physicalTop: number;
	/** Bytes of guest memory that may be touched; default: all of it, as far as the linear memory holds it. */
	readonly poolBytes?: number;
	/** Pages that may be decoded at one time; default 2048. */
	readonly codePages?: number;
}

/** Addresses in the linear memory; it is also the layout that `PhysicalMemory` asks for. */
export interface LinearLayout {
	readonly memory: WebAssembly.Memory;
	readonly harts: number;
	readonly tlb: number;
	readonly parked: number;
	readonly pageMap: number;
	readonly pages: number;
	readonly codeMap: number;
	readonly regionEntries: number;
	readonly regionPages: number;
	readonly decodedStart: number;
	readonly decodedEnd: number;
	readonly poolStart: number;
	readonly poolEnd: number;
}

/** Largest linear memory: 65535 pages of 64 KiB, so that no address wraps. */
const LINEAR_LIMIT = 65535 * 65536;

/** Plans the linear memory and reserves it (the host commits what is touched). */
export function createLinearLayout(options: LinearLayoutOptions): LinearLayout {
	const { harts, physicalTop } = options;
	if (!Number.isInteger(harts) || harts < 1 || harts > 8) throw new RangeError(`${harts} harts: 1 to 8 are supported`);
	const pages = Math.ceil(physicalTop / PAGE_SIZE);
	const tlb = TLB_BASE;
	const parked = tlb + harts * Tlb.bytes;
	const pageMap = parked + harts * STATE_WORDS * 8;
	const codeMap = pageMap + pages * 4;
	const regionEntries = align(codeMap + pages * 4, 64);
	const regionPages = regionEntries + RegionEntry.capacity * RegionEntry.bytes;
	const decodedStart = align(regionPages + RegionPages.capacity * RegionPages.bytes, 64);
	const decodedEnd = decodedStart + (options.codePages ?? 2048) * DecodedPage.bytes;
	const poolStart = align(decodedEnd, PAGE_SIZE);
	const wanted = Math.min(poolStart + (options.poolBytes ?? physicalTop), LINEAR_LIMIT);
	const memory = new WebAssembly.Memory({ initial: Math.ceil(wanted / 65536) });
	const poolEnd = Math.floor(wanted / PAGE_SIZE) * PAGE_SIZE;
	return {
		memory,
		harts,
		tlb,
		parked,
		pageMap,
		pages,
		codeMap,
		regionEntries,
		regionPages,
		decodedStart,
		decodedEnd,
		poolStart,
		poolEnd,
	};
}

function align(value: number, to: number): number {
	return Math.ceil(value / to) * to;
}
