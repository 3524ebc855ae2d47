/**
 * A guest's memory: one run of the board's, and the second-stage tables (Sv39x4) that show it. Hypervisor extension,
 * "Two-Stage Address Translation".
 */
import { buildPageTable, PTE_A, PTE_D, PTE_R, PTE_U, PTE_W, PTE_X, SV39X4 } from '@partita/mmu';
import { VmError } from './errors.ts';
import type { FrameAllocator, PhysicalAccess } from './ports.ts';

const PAGE = 4096;
/** Runs of this alignment are shown by pages of 2 MiB. */
const LARGE_PAGE = 0x20_0000;
/** Bytes of guest physical addresses that Sv39x4 shows. */
const GUEST_SPACE = 2 ** 41;
const LEAF = PTE_R | PTE_W | PTE_X | PTE_U | PTE_A | PTE_D;
const SHARED_LEAF = PTE_R | PTE_U | PTE_A | PTE_D;

/** Where a guest's memory is. */
export interface GuestMemoryLayout {
	/** Guest physical address. */
	readonly base: number;
	/** Bytes. */
	readonly size: number;
}

/** Memory that a guest shares with others: it belongs to the host, and lies where the description says. */
export interface SharedMemoryDescription extends GuestMemoryLayout {
	/** Unique in its VM. */
	readonly name: string;
	/** Physical address. */
	readonly physical: number;
	/** Whether the guest may write it; default true. It may not execute it. */
	readonly writable?: boolean;
}

/** Where a guest's memory and its tables are in the board's: plain state. */
export interface GuestMemoryPlacement {
	/** Physical address of the run. */
	readonly physical: number;
	/** hgatp without a VMID. */
	readonly hgatp: bigint;
	/** Second-stage tables. */
	readonly tables: readonly { readonly address: number; readonly bytes: number }[];
	/** Shared memory that is shown. */
	readonly shared: readonly SharedMemoryDescription[];
}

/** Memory of one guest. */
export class GuestMemory implements PhysicalAccess {
	readonly base: number;
	readonly size: number;
	readonly #memory: PhysicalAccess;
	readonly #frames: FrameAllocator;
	#physical: number;
	#hgatp = 0n;
	#tables: { readonly address: number; readonly bytes: number }[] = [];
	#shared: readonly SharedMemoryDescription[];

	/** @throws VmError where there is not enough memory; what was allocated is given back then */
	constructor(
		layout: GuestMemoryLayout,
		memory: PhysicalAccess,
		frames: FrameAllocator,
		shared: readonly SharedMemoryDescription[] = [],
	) {
		const { base, size } = layout;
		const range = nameOf('memory', layout);
		checkRange('memory', layout);
		for (const each of shared) {
			checkRange(each.name, each);
			if (each.physical % PAGE !== 0) throw new VmError(`${nameOf(each.name, each)}: it begins within a page`);
		}
		this.base = base;
		this.size = size;
		this.#memory = memory;
		this.#frames = frames;
		this.#shared = shared;
		// Virtual and physical addresses must agree below the page that is wanted.
		const large = base % LARGE_PAGE === 0 && size >= LARGE_PAGE;
		const physical = frames.allocate(size, large ? LARGE_PAGE : PAGE);
		if (physical === undefined) throw new VmError(`${range}: the board has no such run of memory left`);
		this.#physical = physical;
		try {
			this.#buildTables();
		} catch (error) {
			this.free();
			throw new VmError(`${range}: ${error instanceof Error ? error.message : String(error)}`);
		}
	}

	/** hgatp without a VMID. */
	get hgatp(): bigint {
		return this.#hgatp;
	}

	/** Where it is. */
	get placement(): GuestMemoryPlacement {
		return {
			physical: this.#physical,
			hgatp: this.#hgatp,
			tables: [...this.#tables],
			shared: this.#shared.map((each) => ({ ...each })),
		};
	}

	/** It is somewhere else: in memory that is being restored. Nothing is copied, given back or allocated. */
	place({ physical, hgatp, tables, shared }: GuestMemoryPlacement): void {
		this.#physical = physical;
		this.#hgatp = hgatp;
		this.#tables = [...tables];
		this.#shared = shared.map((each) => ({ ...each }));
	}

	/** Reads guest physical memory; false where part of the range is not the guest's. */
	read(address: number, into: Uint8Array): boolean {
		const physical = this.#locate(address, into.length, false);
		return physical !== undefined && this.#memory.read(physical, into);
	}

	/** Writes guest physical memory; false where part of the range is not the guest's, or not for it to write. */
	write(address: number, from: Uint8Array): boolean {
		const physical = this.#locate(address, from.length, true);
		return physical !== undefined && this.#memory.write(physical, from);
	}

	/**
	 * Takes shared memory away from the guest: an access is a fault from now on. Other tables are built for it, so that every
	 * hart must forget translations of the VMID, and get `hgatp` anew.
	 * @returns false where it does not have it; VmError where there is no memory for the tables, and nothing has changed
	 */
	unshare(name: string): boolean {
		const { placement } = this;
		const kept = this.#shared.filter((each) => each.name !== name);
		if (kept.length === this.#shared.length) return false;
		this.#tables = [];
		this.#shared = kept;
		try {
			this.#buildTables();
		} catch (error) {
			this.#freeTables();
			this.place(placement);
			throw new VmError(`${name} cannot be taken away: ${error instanceof Error ? error.message : String(error)}`);
		}
		const built = this.#tables;
		this.#tables = [...placement.tables];
		this.#freeTables();
		this.#tables = built;
		return true;
	}

	/** Zeroes pages from an offset on; those that are zero are not touched. @returns the offset behind them */
	clear(offset: number, pages: number): number {
		const end = Math.min(offset + pages * PAGE, this.size);
		const page = new Uint8Array(PAGE);
		const words = new Int32Array(page.buffer);
		const zero = new Uint8Array(PAGE);
		for (let at = offset; at < end; at += PAGE) {
			this.#memory.read(this.#physical + at, page);
			if (words.some((word) => word !== 0)) this.#memory.write(this.#physical + at, zero);
		}
		return end;
	}

	/** Gives everything back; it has been cleared. Shared memory is the host's. */
	free(): void {
		this.#freeTables();
		this.#frames.free(this.#physical, this.size);
	}

	#buildTables(): void {
		const own = { address: BigInt(this.base), physical: BigInt(this.#physical), size: BigInt(this.size), flags: LEAF };
		const table = buildPageTable(
			{
				allocateTable: (bytes) => this.#allocateTable(bytes),
				readPte: (address) => this.#readPte(Number(address)),
				writePte: (address, value) => this.#writePte(Number(address), value),
			},
			SV39X4,
			[
				own,
				...this.#shared.map(({ base, physical, size, writable = true }) => ({
					address: BigInt(base),
					physical: BigInt(physical),
					size: BigInt(size),
					flags: writable ? SHARED_LEAF | PTE_W : SHARED_LEAF,
				})),
			],
		);
		this.#hgatp = (BigInt(SV39X4.mode) << 60n) | (table.root >> 12n);
	}

	#freeTables(): void {
		for (const { address, bytes } of this.#tables.splice(0)) {
			this.#memory.write(address, new Uint8Array(bytes));
			this.#frames.free(address, bytes);
		}
	}

	/** Physical address of a range that the guest may read or write, all in one piece. */
	#locate(address: number, length: number, write: boolean): number | undefined {
		if (address >= this.base && address + length <= this.base + this.size) return address - this.base + this.#physical;
		for (const { base, size, physical, writable = true } of this.#shared) {
			if (address >= base && address + length <= base + size)
				return writable || !write ? address - base + physical : undefined;
		}
		return undefined;
	}

	#allocateTable(bytes: number): bigint | undefined {
		const address = this.#frames.allocate(bytes, bytes);
		if (address === undefined) return undefined;
		this.#tables.push({ address, bytes });
		return BigInt(address);
	}

	#readPte(address: number): bigint {
		const bytes = new Uint8Array(8);
		this.#memory.read(address, bytes);
		return new DataView(bytes.buffer).getBigUint64(0, true);
	}

	#writePte(address: number, value: bigint): void {
		const bytes = new Uint8Array(8);
		new DataView(bytes.buffer).setBigUint64(0, value, true);
		this.#memory.write(address, bytes);
	}
}

const nameOf = (name: string, { base, size }: GuestMemoryLayout): string =>
	`${name} at 0x${base.toString(16)}, 0x${size.toString(16)} bytes`;

function checkRange(name: string, layout: GuestMemoryLayout): void {
	const { base, size } = layout;
	const whole = [base, size].every((value) => Number.isSafeInteger(value) && value >= 0 && value % PAGE === 0);
	if (!whole || size === 0 || base + size > GUEST_SPACE)
		throw new VmError(`${nameOf(name, layout)}: no range of whole pages in 41 bits`);
}
