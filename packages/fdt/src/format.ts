// The blob's layout: Devicetree Specification 0.4, chapter 5 (flattened devicetree format), version 17.
//
//   0        header            40 bytes, ten big-endian words
//   8-byte   reservations      pairs of 64-bit address and size, ended by a pair of zeros
//   4-byte   structure         tokens; names and values padded to 4 bytes
//            strings           names of properties, NUL-terminated

/** Header field `magic`. */
export const MAGIC = 0xd00dfeed;
/** The version that is written. */
export const VERSION = 17;
/** The oldest version that can be read, and with which version 17 is compatible. */
export const LAST_COMPATIBLE_VERSION = 16;

/** Offsets of the header's fields (section 5.2). */
export const HEADER = {
	magic: 0,
	totalSize: 4,
	structOffset: 8,
	stringsOffset: 12,
	reservationsOffset: 16,
	version: 20,
	lastCompatibleVersion: 24,
	bootCpuId: 28,
	stringsSize: 32,
	/** Not in version 16. */
	structSize: 36,
} as const;

/** Size of the header in version 17; version 16 lacks the last word. */
export const HEADER_BYTES = 40;
/** Size of the header in version 16. */
export const HEADER_BYTES_V16 = 36;
/** Size of a reservation entry. */
export const RESERVATION_BYTES = 16;

/** Tokens of the structure block (section 5.4.1). */
export const TOKEN = { beginNode: 1, endNode: 2, property: 3, nop: 4, end: 9 } as const;
