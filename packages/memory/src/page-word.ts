/**
 * The page map: one 32-bit word for each 4 KiB page of the physical address space, in linear memory, so that TypeScript and
 * generated WebAssembly read the same truth.
 *
 * ```
 *  31                              12 11      5   4      3      2      1     0
 * +----------------------------------+---------+------+-------+------+-----+-----+
 * | host frame (linear memory) >> 12 |    0    | code | dirty | held | rom | ram |
 * +----------------------------------+---------+------+-------+------+-----+-----+
 * ```
 * A zero word is not memory: an MMIO window, or nothing.
 */

/** log2 of the page size. */
export const PAGE_BITS = 12;
/** Bytes in a page. */
export const PAGE_SIZE = 4096;

/** Flags of a page word. */
export const PageFlag = {
	/** The page is memory: RAM, or ROM. */
	ram: 1,
	/** Guest stores to it fail with an access fault. */
	rom: 2,
	/** A host frame is attached; without it the page reads as zero and none was needed yet. */
	held: 4,
	/** Written since the flag was last cleared. */
	dirty: 8,
	/** Decoded or translated code of the page is cached: stores to it must tell the cache. */
	code: 16,
} as const;
