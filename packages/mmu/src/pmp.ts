// Physical memory protection: which entry matches an access, and what it allows.
// Not here: Smepmp (mseccfg reads as absent), PMAs, grains coarser than 4 bytes (G is 0), RV32.
// Privileged ISA 1.13: "Physical Memory Protection".

import type { Access, Privilege } from './access.ts';
import { PAGE_SIZE } from './paging-mode.ts';
import { ALL_RIGHTS, allows, type Rights } from './rights.ts';

// Bits of a pmpXcfg byte.
/** Readable. */
export const PMP_R: number = 1 << 0;
/** Writable. */
export const PMP_W: number = 1 << 1;
/** Executable. */
export const PMP_X: number = 1 << 2;
/** Address-matching mode, bits 4:3, in place. */
export const PMP_A: number = 3 << 3;
/** Locked: writes are ignored until reset, and R, W, X hold for M-mode too. */
export const PMP_L: number = 1 << 7;

// Address-matching modes, in place.
/** The entry matches nothing. */
export const PMP_A_OFF: number = 0 << 3;
/** From the preceding entry's pmpaddr (entry 0: from 0) up to, not including, this one's. */
export const PMP_A_TOR: number = 1 << 3;
/** Naturally aligned four bytes. */
export const PMP_A_NA4: number = 2 << 3;
/** Naturally aligned power of two, 8 bytes or more: its size is in the low bits of pmpaddr. */
export const PMP_A_NAPOT: number = 3 << 3;

/**
 * The PMP registers of a hart, plain data. Both arrays have one element per implemented entry: 0, 16 or 64; none means
 * no PMP, and then everything is allowed.
 */
export interface PmpState {
	/** pmpXcfg bytes. */
	readonly cfg: readonly number[];
	/** pmpaddrX: bits 55:2 of an address. */
	readonly addr: readonly bigint[];
}

/** A hart's PMP at reset: all entries off and unlocked, so M-mode may do anything and S and U nothing. */
export function createPmp(entries: 0 | 16 | 64 = 16): PmpState {
	return { cfg: new Array<number>(entries).fill(0), addr: new Array<bigint>(entries).fill(0n) };
}

/** The bytes that an entry matches, from `base` up to, not including, `end`; undefined if it matches none. */
export function pmpRange({ cfg, addr }: PmpState, entry: number): { base: bigint; end: bigint } | undefined {
	const top = addr[entry];
	switch (cfg[entry] & PMP_A) {
		case PMP_A_TOR: {
			const bottom = entry === 0 ? 0n : addr[entry - 1];
			return bottom < top ? { base: bottom << 2n, end: top << 2n } : undefined;
		}
		case PMP_A_NA4:
			return { base: top << 2n, end: (top + 1n) << 2n };
		case PMP_A_NAPOT: {
			// yyyy0111: the trailing ones and the zero above them are offset bits.
			const offset = top ^ (top + 1n);
			const base = top & ~offset;
			return { base: base << 2n, end: (base + offset + 1n) << 2n };
		}
		default:
			return undefined;
	}
}

/**
 * Rights over all bytes from `address` on: the lowest-numbered entry that matches any of them decides. `'mixed'` if it
 * does not match all of them; an access to just these bytes then fails, and parts of them may have other rights.
 * @param address physical address.
 * @param size bytes, above 0.
 * @param privilege effective privilege; of an implicit page-table access it is S.
 */
export function pmpRights(state: PmpState, address: bigint, size: bigint, privilege: Privilege): Rights | 'mixed' {
	const end = address + size;
	for (let entry = 0; entry < state.cfg.length; entry++) {
		const range = pmpRange(state, entry);
		if (!range || range.end <= address || end <= range.base) continue;
		if (address < range.base || range.end < end) return 'mixed';
		const cfg = state.cfg[entry];
		if (privilege === 3 && !(cfg & PMP_L)) return ALL_RIGHTS;
		return { readable: (cfg & PMP_R) !== 0, writable: (cfg & PMP_W) !== 0, executable: (cfg & PMP_X) !== 0 };
	}
	return privilege === 3 || state.cfg.length === 0 ? ALL_RIGHTS : NO_RIGHTS;
}

const NO_RIGHTS: Rights = { readable: false, writable: false, executable: false };

/**
 * Whether PMP allows one memory operation; if not, it raises an access fault.
 * @param address physical address.
 * @param size bytes, above 0. A misaligned access that is done in parts is checked per part.
 * @param privilege effective privilege; of an implicit page-table access it is S.
 */
export function pmpCheck(
	state: PmpState,
	address: bigint,
	size: number,
	access: Access,
	privilege: Privilege,
): boolean {
	const rights = pmpRights(state, address, BigInt(size), privilege);
	return rights !== 'mixed' && allows(rights, access);
}

/**
 * Rights over the 4 KiB page that holds an address, for a TLB: every access within the page has these rights, or the
 * page is `'mixed'`, and each access needs {@link pmpCheck}.
 */
export function pmpPageRights(state: PmpState, address: bigint, privilege: Privilege): Rights | 'mixed' {
	return pmpRights(state, address & ~(PAGE_SIZE - 1n), PAGE_SIZE, privilege);
}
