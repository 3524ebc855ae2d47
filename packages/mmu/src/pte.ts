// A page-table entry of Sv39, Sv48, Sv57 and their x4 variants: its bits, and what they say at a level.
// Not here: who may use the page (rights.ts), the walk (stage.ts), Svrsw60t59b, and shadow-stack pages (Zicfiss).
// Privileged ISA 1.13: "Sv39: Addressing and Memory Protection", "Virtual Address Translation Process" steps 3 to 5,
// "Svnapot", "Svpbmt".

import { levelBits } from './paging-mode.ts';

/** Valid: if clear, the other bits mean nothing. */
export const PTE_V: bigint = 1n << 0n;
/** Readable. */
export const PTE_R: bigint = 1n << 1n;
/** Writable; R must be set too. */
export const PTE_W: bigint = 1n << 2n;
/** Executable. */
export const PTE_X: bigint = 1n << 3n;
/** Accessible to U-mode (VS-stage: VU-mode). The G-stage takes every access as a user's. */
export const PTE_U: bigint = 1n << 4n;
/** Global: in every address space. The G-stage ignores it. */
export const PTE_G: bigint = 1n << 5n;
/** Accessed. */
export const PTE_A: bigint = 1n << 6n;
/** Dirty. */
export const PTE_D: bigint = 1n << 7n;
/** Reserved for supervisor software, bits 9:8: ignored. */
export const PTE_RSW: bigint = 3n << 8n;
/** Lowest bit of the physical page number, bits 53:10. */
export const PTE_PPN_SHIFT: bigint = 10n;
/** Physical page number, in place. */
export const PTE_PPN: bigint = ((1n << 44n) - 1n) << PTE_PPN_SHIFT;
/** Bits 60:54, reserved for future standard use. */
export const PTE_RESERVED: bigint = 0x7fn << 54n;
/** Lowest bit of the page-based memory type (Svpbmt), bits 62:61. */
export const PTE_PBMT_SHIFT: bigint = 61n;
/** Page-based memory type, in place. */
export const PTE_PBMT: bigint = 3n << PTE_PBMT_SHIFT;
/** NAPOT contiguity (Svnapot). */
export const PTE_N: bigint = 1n << 63n;

/** Page-based memory types: 0 is PMA (none requested), 1 is NC, 2 is IO. 3 is reserved and faults. */
export type MemoryType = 0 | 1 | 2;
/** The memory type of the physical memory attributes. */
export const PBMT_PMA = 0;
/** Non-cacheable, idempotent, weakly ordered main memory. */
export const PBMT_NC = 1;
/** Non-cacheable, non-idempotent, strongly ordered I/O. */
export const PBMT_IO = 2;

/** log2 of the one NAPOT region that Svnapot defines: 64 KiB. */
export const NAPOT_BITS = 16;

/** Which optional bits of a PTE have a meaning; a set bit without one is a page fault. */
export interface PteExtensions {
	/** Svnapot is implemented. */
	readonly svnapot: boolean;
	/** Svpbmt is in effect for this stage (menvcfg.PBMTE, or henvcfg.PBMTE for the VS-stage). */
	readonly pbmte: boolean;
}

/** A valid leaf PTE. */
export interface LeafPte {
	readonly kind: 'leaf';
	/** First byte of what it maps, aligned to 2^`pageBits`. */
	readonly base: bigint;
	/** log2 of what it maps: 12, 16 (NAPOT), 21, 30, 39 or 48. */
	readonly pageBits: number;
	/** Memory type that it asks for. */
	readonly memoryType: MemoryType;
}

/** A valid pointer to the next level. */
export interface TablePte {
	readonly kind: 'table';
	/** Address of the next table, bytes, page-aligned. */
	readonly table: bigint;
}

/** V=0, or an encoding that is reserved, or a misaligned superpage: a page fault. */
export interface InvalidPte {
	readonly kind: 'invalid';
}

const INVALID: InvalidPte = { kind: 'invalid' };

/**
 * Says what a PTE means at a level. A bit set that is "reserved for future standard use" makes it invalid (step 3 of
 * the translation process): bits 60:54; N and PBMT without their extensions; N, PBMT, D, A and U in a pointer; the
 * N encodings other than 64 KiB at level 0; PBMT=3; W without R.
 * @param pte 64 bits, unsigned.
 * @param level 0 for the last one; a pointer there leads nowhere and is invalid (step 4).
 */
export function decodePte(pte: bigint, level: number, extensions: PteExtensions): LeafPte | TablePte | InvalidPte {
	if (!(pte & PTE_V) || pte & PTE_RESERVED) return INVALID;
	if (pte & PTE_W && !(pte & PTE_R)) return INVALID;
	if (pte & PTE_N && !extensions.svnapot) return INVALID;
	if (pte & PTE_PBMT && !extensions.pbmte) return INVALID;

	const ppn = (pte & PTE_PPN) >> PTE_PPN_SHIFT;
	if (!(pte & (PTE_R | PTE_X))) {
		if (level === 0 || pte & (PTE_N | PTE_PBMT | PTE_D | PTE_A | PTE_U)) return INVALID;
		return { kind: 'table', table: ppn << 12n };
	}

	const memoryType = Number((pte & PTE_PBMT) >> PTE_PBMT_SHIFT);
	if (!isMemoryType(memoryType)) return INVALID;
	if (pte & PTE_N) {
		if (level !== 0 || (ppn & 0xfn) !== 0b1000n) return INVALID;
		return { kind: 'leaf', base: (ppn & ~0xfn) << 12n, pageBits: NAPOT_BITS, memoryType };
	}
	const base = ppn << 12n;
	const pageBits = levelBits(level);
	if (BigInt.asUintN(pageBits, base) !== 0n) return INVALID;
	return { kind: 'leaf', base, pageBits, memoryType };
}

function isMemoryType(value: number): value is MemoryType {
	return value <= PBMT_IO;
}
