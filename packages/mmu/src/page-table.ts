// Builds page tables in guest memory, for kernels, boards and tests.
// Not here: unmapping, changing rights, freeing tables and the fences they need: these are a kernel's policy.
// Privileged ISA 1.13: "Sv39", "Sv48", "Sv57", "Guest Physical Address Translation", "Svnapot".

import {
	isCanonical,
	levelBits,
	PAGE_BITS,
	type PagingFormat,
	PTE_SIZE,
	rootTableBytes,
	tableIndex,
} from './paging-mode.ts';
import {
	decodePte,
	NAPOT_BITS,
	PTE_A,
	PTE_D,
	PTE_G,
	PTE_N,
	PTE_PBMT,
	PTE_PPN_SHIFT,
	PTE_R,
	PTE_RSW,
	PTE_U,
	PTE_V,
	PTE_W,
	PTE_X,
} from './pte.ts';

/** Memory that tables are built in, by the physical addresses that PTEs will hold. */
export interface PageTableStore {
	/**
	 * Provides zeroed memory for a table.
	 * @param bytes 4096, or 16384 for the root of an x4 scheme; the address is aligned to it.
	 * @returns undefined if there is none.
	 */
	allocateTable(bytes: number): bigint | undefined;
	/** Reads 8 bytes of a table that was allocated here. */
	readPte(address: bigint): bigint;
	/** Writes 8 bytes of a table that was allocated here. */
	writePte(address: bigint, value: bigint): void;
}

/** A page table: plain data, the entries are in the store. */
export interface PageTable {
	readonly format: PagingFormat;
	/** Address of the root table, bytes: for satp, vsatp or hgatp. */
	readonly root: bigint;
}

/** What to map. */
export interface Mapping {
	/** First virtual (x4: guest physical) address, 64 bits unsigned, aligned to 4 KiB. */
	readonly address: bigint;
	/** First physical address, aligned to 4 KiB. */
	readonly physical: bigint;
	/** Bytes, a multiple of 4 KiB, not 0. */
	readonly size: bigint;
	/** PTE_R, PTE_W, PTE_X, PTE_U, PTE_G, PTE_A, PTE_D, PTE_RSW and a memory type, combined; PTE_V is added. */
	readonly flags: bigint;
	/** log2 of the largest page to use where alignment and size allow; by default what the format has. */
	readonly maximumPageBits?: number;
	/** Use 64 KiB NAPOT regions (Svnapot) where 2 MiB pages do not fit; by default not. */
	readonly napot?: boolean;
}

/** Why a mapping was refused. */
export type PageTableErrorCode = 'unaligned' | 'out-of-range' | 'flags' | 'overlap' | 'out-of-memory';

/** A mapping was refused. */
export class PageTableError extends Error {
	/** Which rule it broke. */
	readonly code: PageTableErrorCode;

	constructor(code: PageTableErrorCode, message: string) {
		super(message);
		this.name = 'PageTableError';
		this.code = code;
	}
}

const LEAF_FLAGS = PTE_R | PTE_W | PTE_X | PTE_U | PTE_G | PTE_A | PTE_D | PTE_RSW | PTE_PBMT;
const PHYSICAL_LIMIT = 1n << 56n;

/**
 * Allocates an empty root table.
 * @throws {PageTableError} `out-of-memory`.
 */
export function createPageTable(store: PageTableStore, format: PagingFormat): PageTable {
	return { format, root: allocate(store, rootTableBytes(format)) };
}

/**
 * Maps a range with the largest pages that its alignment, its size and `maximumPageBits` allow.
 *
 * The work is one step per page: bound `size` if a guest chooses it. Nothing is written if `unaligned`, `out-of-range`
 * or `flags` is thrown; after `overlap` and `out-of-memory`, pages below the failing one stay mapped.
 * @throws {PageTableError} the range is not page-aligned, leaves the address space of the format or 56-bit physical
 * memory, has flags that no leaf may have, covers what is already mapped (or has a table of smaller pages), or the
 * store has no memory left.
 */
export function mapRange(store: PageTableStore, table: PageTable, mapping: Mapping): void {
	const { format } = table;
	checkMapping(format, mapping);
	const { flags, size } = mapping;
	for (let offset = 0n; offset < size; ) {
		const address = mapping.address + offset;
		const physical = mapping.physical + offset;
		const bits = pageBitsFor(format, mapping, address | physical, size - offset);
		const pte = leafPte(physical, bits, flags);
		if (bits === NAPOT_BITS) {
			for (let page = 0n; page < 16n; page++) writeLeaf(store, table, address + (page << 12n), 0, pte);
		} else {
			writeLeaf(store, table, address, (bits - PAGE_BITS) / 9, pte);
		}
		offset += 1n << BigInt(bits);
	}
}

/**
 * Builds a page table from a list of mappings.
 * @throws {PageTableError} as {@link createPageTable} and {@link mapRange}.
 */
export function buildPageTable(store: PageTableStore, format: PagingFormat, mappings: readonly Mapping[]): PageTable {
	const table = createPageTable(store, format);
	for (const mapping of mappings) mapRange(store, table, mapping);
	return table;
}

/**
 * Encodes a valid leaf PTE.
 * @param physical aligned to the page.
 * @param pageBits log2 of the page; 16 makes a NAPOT entry, to be written 16 times.
 * @param flags as {@link Mapping.flags}.
 */
export function leafPte(physical: bigint, pageBits: number, flags: bigint): bigint {
	const ppn = physical >> 12n;
	const napot = pageBits === NAPOT_BITS ? PTE_N | (0b1000n << PTE_PPN_SHIFT) : 0n;
	return (ppn << PTE_PPN_SHIFT) | napot | flags | PTE_V;
}

/** Encodes a valid pointer to the next table. */
export function tablePte(table: bigint): bigint {
	return ((table >> 12n) << PTE_PPN_SHIFT) | PTE_V;
}

function checkMapping(format: PagingFormat, { address, physical, size, flags }: Mapping): void {
	if (size <= 0n || BigInt.asUintN(PAGE_BITS, address | physical | size) !== 0n) {
		throw new PageTableError(
			'unaligned',
			`addresses and a size above 0 must be multiples of 4096, not ${hex(address)}, ${hex(physical)}, ${hex(size)}`,
		);
	}
	// A range over the hole between the halves would need more physical memory than 56 bits: refused below.
	const last = address + size - 1n;
	if (address < 0n || last >> 64n !== 0n || !isCanonical(format, address) || !isCanonical(format, last)) {
		throw new PageTableError('out-of-range', `${format.name} cannot map ${hex(address)} to ${hex(last)}`);
	}
	if (physical < 0n || physical + size > PHYSICAL_LIMIT) {
		throw new PageTableError(
			'out-of-range',
			`physical addresses have 56 bits, ${hex(physical + size - 1n)} needs more`,
		);
	}
	const pte = flags | PTE_V;
	const valid = decodePte(pte, 0, { svnapot: false, pbmte: true }).kind === 'leaf';
	if ((flags & LEAF_FLAGS) !== flags || !valid) {
		throw new PageTableError('flags', `${hex(flags)} are not the flags of a leaf: see Mapping.flags`);
	}
}

function pageBitsFor(format: PagingFormat, mapping: Mapping, alignment: bigint, left: bigint): number {
	const maximum = mapping.maximumPageBits ?? 64;
	const fits = (bits: number) =>
		bits <= maximum && BigInt.asUintN(bits, alignment) === 0n && left >> BigInt(bits) !== 0n;
	for (let level = format.levels - 1; level > 0; level--) {
		if (fits(levelBits(level))) return levelBits(level);
	}
	return mapping.napot && fits(NAPOT_BITS) ? NAPOT_BITS : PAGE_BITS;
}

function writeLeaf(
	store: PageTableStore,
	{ format, root }: PageTable,
	address: bigint,
	leafLevel: number,
	leaf: bigint,
): void {
	let table = root;
	for (let level = format.levels - 1; ; level--) {
		const pteAddress = table + tableIndex(format, level, address) * PTE_SIZE;
		const pte = store.readPte(pteAddress);
		if (level === leafLevel) {
			if (pte & PTE_V) throw overlap(address);
			store.writePte(pteAddress, leaf);
			return;
		}
		if (!(pte & PTE_V)) {
			table = allocate(store, 4096);
			store.writePte(pteAddress, tablePte(table));
			continue;
		}
		const entry = decodePte(pte, level, { svnapot: false, pbmte: true });
		if (entry.kind !== 'table') throw overlap(address);
		table = entry.table;
	}
}

function allocate(store: PageTableStore, bytes: number): bigint {
	const table = store.allocateTable(bytes);
	if (table === undefined) throw new PageTableError('out-of-memory', `no ${bytes} bytes for a page table`);
	return table;
}

function overlap(address: bigint): PageTableError {
	return new PageTableError('overlap', `${hex(address)} is mapped already, or by smaller pages`);
}

function hex(value: bigint): string {
	return value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
}
