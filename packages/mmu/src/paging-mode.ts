// Translation schemes of RV64 and the registers that select them: satp, vsatp, hgatp.
// Not here: what a write of an unsupported MODE does (WARL, with the CSRs), Sv32, Sv32x4 (RV32 only).
// Privileged ISA 1.13: "Supervisor Address Translation and Protection (satp) Register", "Hypervisor Guest
// Address Translation and Protection (hgatp) Register", "Sv39", "Sv48", "Sv57", "Guest Physical Address Translation".

/** Bytes in a page-table entry (PTESIZE of Sv39, Sv48, Sv57). */
export const PTE_SIZE = 8n;
/** log2 of the base page size. */
export const PAGE_BITS = 12;
/** Bytes in a base page. */
export const PAGE_SIZE = 4096n;
/** Bits of one VPN field: a table has 2^9 entries. */
export const VPN_BITS = 9;

// MODE values of satp, vsatp and hgatp.
/** No translation. */
export const MODE_BARE = 0;
/** Sv39, Sv39x4. */
export const MODE_SV39 = 8;
/** Sv48, Sv48x4. */
export const MODE_SV48 = 9;
/** Sv57, Sv57x4. */
export const MODE_SV57 = 10;

/** A page-based translation scheme. */
export interface PagingFormat {
	/** Its name in the specification. */
	readonly name: 'Sv39' | 'Sv48' | 'Sv57' | 'Sv39x4' | 'Sv48x4' | 'Sv57x4';
	/** MODE in satp, vsatp or hgatp. */
	readonly mode: number;
	/** Levels of page tables; the root is level `levels - 1`, a base page's leaf is level 0. */
	readonly levels: number;
	/** Bits of an address that is translated: 39, 48, 57; 41, 50, 59 for the x4 schemes. */
	readonly addressBits: number;
	/** Bits more that index the root table: 2 for the x4 schemes, else 0. */
	readonly rootExtraBits: 0 | 2;
	/** True if the address must be sign-extended (satp, vsatp), false if zero-extended (hgatp). */
	readonly signed: boolean;
}

/** Three levels: 39-bit virtual addresses. */
export const SV39: PagingFormat = single('Sv39', MODE_SV39, 3);
/** Four levels: 48-bit virtual addresses. */
export const SV48: PagingFormat = single('Sv48', MODE_SV48, 4);
/** Five levels: 57-bit virtual addresses. */
export const SV57: PagingFormat = single('Sv57', MODE_SV57, 5);
/** Three levels: 41-bit guest physical addresses. */
export const SV39X4: PagingFormat = guest('Sv39x4', MODE_SV39, 3);
/** Four levels: 50-bit guest physical addresses. */
export const SV48X4: PagingFormat = guest('Sv48x4', MODE_SV48, 4);
/** Five levels: 59-bit guest physical addresses. */
export const SV57X4: PagingFormat = guest('Sv57x4', MODE_SV57, 5);

function single(name: PagingFormat['name'], mode: number, levels: number): PagingFormat {
	return { name, mode, levels, addressBits: PAGE_BITS + VPN_BITS * levels, rootExtraBits: 0, signed: true };
}

function guest(name: PagingFormat['name'], mode: number, levels: number): PagingFormat {
	return { name, mode, levels, addressBits: PAGE_BITS + VPN_BITS * levels + 2, rootExtraBits: 2, signed: false };
}

/** The scheme that satp.MODE or vsatp.MODE selects; `'bare'`, or `'reserved'` for a MODE without a meaning. */
export function firstStageFormat(mode: number): PagingFormat | 'bare' | 'reserved' {
	switch (mode) {
		case MODE_BARE:
			return 'bare';
		case MODE_SV39:
			return SV39;
		case MODE_SV48:
			return SV48;
		case MODE_SV57:
			return SV57;
		default:
			return 'reserved';
	}
}

/** The scheme that hgatp.MODE selects; `'bare'`, or `'reserved'` for a MODE without a meaning. */
export function secondStageFormat(mode: number): PagingFormat | 'bare' | 'reserved' {
	switch (mode) {
		case MODE_BARE:
			return 'bare';
		case MODE_SV39:
			return SV39X4;
		case MODE_SV48:
			return SV48X4;
		case MODE_SV57:
			return SV57X4;
		default:
			return 'reserved';
	}
}

/** Fields of satp or vsatp. */
export interface Satp {
	readonly mode: number;
	/** Address-space identifier, 16 bits. */
	readonly asid: number;
	/** Physical (vsatp: guest physical) address of the root table, bytes. */
	readonly root: bigint;
}

/** Splits satp or vsatp: MODE 63:60, ASID 59:44, PPN 43:0. */
export function decodeSatp(value: bigint): Satp {
	return {
		mode: Number((value >> 60n) & 0xfn),
		asid: Number((value >> 44n) & 0xffffn),
		root: (value & PPN_MASK) << 12n,
	};
}

/** Joins satp or vsatp; `root` must be page-aligned and below 2^56. */
export function encodeSatp({ mode, asid, root }: Satp): bigint {
	return (BigInt(mode & 0xf) << 60n) | (BigInt(asid & 0xffff) << 44n) | ((root >> 12n) & PPN_MASK);
}

/** Fields of hgatp. */
export interface Hgatp {
	readonly mode: number;
	/** Virtual-machine identifier, 14 bits. */
	readonly vmid: number;
	/** Supervisor physical address of the 16 KiB root table, bytes. */
	readonly root: bigint;
}

/** Splits hgatp: MODE 63:60, VMID 57:44, PPN 43:0, whose lowest two bits read as zero in the paged modes. */
export function decodeHgatp(value: bigint): Hgatp {
	const mode = Number((value >> 60n) & 0xfn);
	const ppn = value & PPN_MASK;
	return {
		mode,
		vmid: Number((value >> 44n) & 0x3fffn),
		root: (mode === MODE_BARE ? ppn : ppn & ~3n) << 12n,
	};
}

/** Joins hgatp; `root` must be aligned to 16 KiB and below 2^56. */
export function encodeHgatp({ mode, vmid, root }: Hgatp): bigint {
	return (BigInt(mode & 0xf) << 60n) | (BigInt(vmid & 0x3fff) << 44n) | ((root >> 12n) & PPN_MASK);
}

const PPN_MASK = (1n << 44n) - 1n;

/**
 * Whether an address may be translated at all: Sv39, Sv48 and Sv57 ask for all bits above the highest translated one
 * to equal it, the x4 schemes for zeros.
 * @param address 64 bits, unsigned.
 */
export function isCanonical(format: PagingFormat, address: bigint): boolean {
	if (format.signed) return BigInt.asUintN(64, BigInt.asIntN(format.addressBits, address)) === address;
	return address >> BigInt(format.addressBits) === 0n;
}

/** log2 of what a leaf at `level` maps: 12, 21, 30, 39, 48. */
export function levelBits(level: number): number {
	return PAGE_BITS + VPN_BITS * level;
}

/** Index into the table at `level`: VPN[level], two bits wider at the root of an x4 scheme. */
export function tableIndex(format: PagingFormat, level: number, address: bigint): bigint {
	const bits = VPN_BITS + (level === format.levels - 1 ? format.rootExtraBits : 0);
	return BigInt.asUintN(bits, address >> BigInt(levelBits(level)));
}

/** Bytes of the root table: 4 KiB, or 16 KiB for the x4 schemes. It is aligned to its size. */
export function rootTableBytes(format: PagingFormat): number {
	return 4096 << format.rootExtraBits;
}
