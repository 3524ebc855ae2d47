/**
 * Address spaces: Sv39 tables in the board's memory, which the hart walks, and what the kernel knows of them. An address
 * space is a root page table with an ASID. Not here: decoding of invocations (invocations/vspace.ts).
 *
 * A frame capability's own word says where it is mapped: ASID << 40 | address; 0: nowhere.
 */

import type { Hart } from '@partita/cpu';
import {
	encodeSatp,
	leafPte,
	MODE_SV39,
	PTE_A,
	PTE_D,
	PTE_R,
	PTE_U,
	PTE_V,
	PTE_W,
	PTE_X,
	tablePte,
} from '@partita/mmu';
import type { FrameMemory } from './frames.ts';

/** First address that is not the user's. */
export const USER_TOP = 0x3f_ffff_f000;
/** ASIDs of a pool, and how many pools there are. */
export const POOL_ASIDS = 512;
export const POOLS = 128;

/** A page table. Plain data. */
export interface TableRecord {
	/** Number of its object. */
	readonly id: number;
	/** Physical address. */
	readonly address: number;
	/** Its ASID, if it is a root; 0: it is none. */
	asid: number;
	/** Where it is mapped, as in a frame capability's word; 0: nowhere. */
	mapping: bigint;
}

/** Rights of a mapping; every page can be read. */
export interface PageRights {
	readonly read: boolean;
	readonly write: boolean;
	readonly execute: boolean;
}

/** Where a walk ended. */
export interface TableEntry {
	/** Physical address of the entry. */
	readonly address: number;
	/** log2 of what the entry maps: 30, 21 or 12. */
	readonly bits: number;
	readonly pte: bigint;
}

/** State of {@link VSpaces}. Plain data. */
export interface VSpacesState {
	readonly tables: readonly TableRecord[];
	/** Numbers of root tables by ASID. */
	readonly asids: readonly (readonly [number, number])[];
	/** First ASIDs of pools by the number of the pool's object. */
	readonly pools: readonly (readonly [number, number])[];
}

const LEAF = PTE_R | PTE_W | PTE_X;
const ASID_SHIFT = 40n;

/** The word of a frame capability that is mapped. */
export function mappingWord(asid: number, address: number): bigint {
	return (BigInt(asid) << ASID_SHIFT) | BigInt(address);
}

/** ASID and address of a mapping. */
export function mappingOf(word: bigint): { readonly asid: number; readonly address: number } {
	return { asid: Number(word >> ASID_SHIFT), address: Number(word & ((1n << ASID_SHIFT) - 1n)) };
}

/** See the file's head. */
export class VSpaces {
	readonly tables = new Map<number, TableRecord>();
	readonly #asids = new Map<number, number>();
	readonly #pools = new Map<number, number>();
	readonly #memory: FrameMemory;
	readonly #hart: Hart;
	readonly #empty: number;
	readonly #word = new Uint8Array(8);
	readonly #view = new DataView(this.#word.buffer);
	/** satp by number of the root table. */
	readonly #satps = new Map<number, bigint>();

	/** @param empty - physical address of a page of zeros: the address space of threads that have none */
	constructor(memory: FrameMemory, hart: Hart, empty: number) {
		this.#memory = memory;
		this.#hart = hart;
		this.#empty = empty;
	}

	get state(): VSpacesState {
		return {
			tables: structuredClone([...this.tables.values()]),
			asids: [...this.#asids],
			pools: [...this.#pools],
		};
	}

	restore(state: VSpacesState): void {
		this.tables.clear();
		this.#asids.clear();
		this.#pools.clear();
		this.#satps.clear();
		for (const table of structuredClone(state.tables)) this.tables.set(table.id, table);
		for (const [asid, table] of state.asids) this.#asids.set(asid, table);
		for (const [pool, first] of state.pools) this.#pools.set(pool, first);
	}

	/** satp of a root table; the empty address space where it is none. */
	satp(table: number): bigint {
		let satp = this.#satps.get(table);
		if (satp === undefined) {
			const { asid = 0, address = this.#empty } = this.root(table) ?? {};
			satp = encodeSatp({ mode: MODE_SV39, asid, root: BigInt(address) });
			this.#satps.set(table, satp);
		}
		return satp;
	}

	// ASIDs.

	/** A new pool. @returns whether there was room for one */
	addPool(pool: number): boolean {
		const taken = new Set(this.#pools.values());
		for (let first = 0; first < POOLS * POOL_ASIDS; first += POOL_ASIDS) {
			if (taken.has(first)) continue;
			this.#pools.set(pool, first);
			return true;
		}
		return false;
	}

	/** Whether there is room for another pool. */
	get hasRoom(): boolean {
		return this.#pools.size < POOLS;
	}

	/** A pool is gone, and with it the address spaces of its ASIDs. */
	removePool(pool: number): void {
		const first = this.#pools.get(pool);
		if (first === undefined) return;
		this.#pools.delete(pool);
		for (let asid = first; asid < first + POOL_ASIDS; asid++) this.#release(asid);
	}

	/** Gives a table an ASID of a pool: it is a root from then on. @returns whether the pool had one left */
	assign(table: TableRecord, pool: number): boolean {
		const first = this.#pools.get(pool)!;
		// ASID 0 is nobody's.
		for (let asid = Math.max(first, 1); asid < first + POOL_ASIDS; asid++) {
			if (this.#asids.has(asid)) continue;
			this.#asids.set(asid, table.id);
			table.asid = asid;
			this.#satps.delete(table.id);
			return true;
		}
		return false;
	}

	#release(asid: number): void {
		const table = this.#asids.get(asid);
		if (table === undefined) return;
		this.#asids.delete(asid);
		this.#satps.delete(table);
		this.#hart.ports.flush('vma', undefined, BigInt(asid));
	}

	/** A table as a root, if it is one. */
	root(table: number): TableRecord | undefined {
		const record = this.tables.get(table);
		return record && record.asid !== 0 && this.#asids.get(record.asid) === table ? record : undefined;
	}

	/** The root table that has an ASID. */
	rootOf(asid: number): TableRecord | undefined {
		return this.tables.get(this.#asids.get(asid) ?? 0);
	}

	// Tables.

	addTable(id: number, address: number): void {
		// An object of the same number may have been a root before.
		this.#satps.delete(id);
		this.tables.set(id, { id, address, asid: 0, mapping: 0n });
	}

	/** A table is gone: it is mapped nowhere, and no root. */
	removeTable(id: number): void {
		const table = this.tables.get(id);
		if (!table) return;
		this.unmapTable(table);
		if (this.#asids.get(table.asid) === id) this.#release(table.asid);
		this.tables.delete(id);
	}

	/** The deepest entry that there is for an address. */
	walk(root: TableRecord, address: number): TableEntry {
		let table = root.address;
		for (let bits = 30; ; bits -= 9) {
			const at = table + (Math.floor(address / 2 ** bits) % 512) * 8;
			const pte = this.#read(at);
			if (bits === 12 || (pte & PTE_V) === 0n || (pte & LEAF) !== 0n) return { address: at, bits, pte };
			table = Number((pte >> 10n) & ((1n << 44n) - 1n)) * 4096;
		}
	}

	/** Enters a table where a walk ended at an empty entry. */
	mapTable(table: TableRecord, root: TableRecord, address: number, entry: TableEntry): void {
		this.#write(entry.address, tablePte(BigInt(table.address)));
		table.mapping = mappingWord(root.asid, Math.floor(address / 2 ** entry.bits) * 2 ** entry.bits);
		this.#flush(root.asid);
	}

	/** Removes a table's entry, wherever it is. */
	unmapTable(table: TableRecord): void {
		if (table.mapping === 0n) return;
		const { asid, address } = mappingOf(table.mapping);
		table.mapping = 0n;
		const root = this.rootOf(asid);
		if (!root) return;
		const pte = tablePte(BigInt(table.address));
		let parent = root.address;
		for (let bits = 30; bits > 12; bits -= 9) {
			const at = parent + (Math.floor(address / 2 ** bits) % 512) * 8;
			const found = this.#read(at);
			if (found === pte) {
				this.#write(at, 0n);
				this.#flush(asid);
				return;
			}
			if ((found & PTE_V) === 0n || (found & LEAF) !== 0n) return;
			parent = Number((found >> 10n) & ((1n << 44n) - 1n)) * 4096;
		}
	}

	/** Zeroes a table, so that nothing is mapped by it. */
	clearTable(table: TableRecord): void {
		this.#memory.write(table.address, new Uint8Array(4096));
	}

	/** Enters a frame where a walk ended at an entry of its size. */
	mapFrame(physical: number, root: TableRecord, address: number, entry: TableEntry, rights: PageRights): void {
		this.#write(entry.address, framePte(physical, entry.bits, rights));
		this.#hart.ports.flush('vma', BigInt(address), BigInt(root.asid));
		if (entry.bits !== 12) this.#flush(root.asid);
	}

	/** Removes a frame's entry, if it is still there. */
	unmapFrame(physical: number, bits: number, mapping: bigint): void {
		const { asid, address } = mappingOf(mapping);
		const root = this.rootOf(asid);
		if (!root) return;
		const entry = this.walk(root, address);
		const ppn = (entry.pte >> 10n) & ((1n << 44n) - 1n);
		if (entry.bits !== bits || (entry.pte & PTE_V) === 0n || Number(ppn) * 4096 !== physical) return;
		this.#write(entry.address, 0n);
		if (bits === 12) this.#hart.ports.flush('vma', BigInt(address), BigInt(asid));
		else this.#flush(asid);
	}

	/** Where a user's address is; undefined where nothing is mapped, or not writable though that is wanted. */
	physical(table: number, address: number, write: boolean): number | undefined {
		const root = this.root(table);
		if (!root || !(address >= 0 && address < USER_TOP)) return undefined;
		const { pte, bits } = this.walk(root, address);
		if ((pte & PTE_V) === 0n || (pte & PTE_R) === 0n || (write && (pte & PTE_W) === 0n)) return undefined;
		return Number((pte >> 10n) & ((1n << 44n) - 1n)) * 4096 + (address % 2 ** bits);
	}

	/** Visits the pieces of a range of an address space, page by page; false where something is not mapped. */
	pieces(
		table: number,
		address: number,
		total: number,
		write: boolean,
		visit: (physical: number, offset: number, length: number) => boolean,
	): boolean {
		for (let done = 0; done < total; ) {
			const physical = this.physical(table, address + done, write);
			const length = Math.min(4096 - ((address + done) % 4096), total - done);
			if (physical === undefined || !visit(physical, done, length)) return false;
			done += length;
		}
		return true;
	}

	#flush(asid: number): void {
		this.#hart.ports.flush('vma', undefined, BigInt(asid));
	}

	#read(address: number): bigint {
		return this.#memory.read(address, this.#word) ? this.#view.getBigUint64(0, true) : 0n;
	}

	#write(address: number, value: bigint): void {
		this.#view.setBigUint64(0, value, true);
		this.#memory.write(address, this.#word);
	}
}

/** Without read or write, a page that only faults: the entry is there, and may not be used by the user. */
function framePte(physical: number, bits: number, { read, write, execute }: PageRights): bigint {
	const flags =
		PTE_A | PTE_D | (read || write ? PTE_R | PTE_U : 0n) | (write ? PTE_W : 0n) | (execute ? PTE_X | PTE_U : 0n);
	// An entry without rights would be a pointer: the kernel may read it, and nobody is in its mode.
	return leafPte(BigInt(physical), bits, (flags & LEAF) === 0n ? flags | PTE_R : flags);
}
