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

/** Where a guest's memory is. */
export interface GuestMemoryLayout {
	/** Guest physical address. */
	readonly base: number;
	/** Bytes. */
	readonly size: number;
}

/** Where a guest's memory and its tables are in the board's: plain state. */
export interface GuestMemoryPlacement {
	/** Physical address of the run. */
	readonly physical: number;
	/** hgatp without a VMID. */
	readonly hgatp: bigint;
	/** Second-stage tables. */
	readonly tables: readonly { readonly address: number; readonly bytes: number }[];
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

	/** @throws VmError where there is not enough memory; what was allocated is given back then */
	constructor({ base, size }: GuestMemoryLayout, memory: PhysicalAccess, frames: FrameAllocator) {
		const range = `memory at 0x${base.toString(16)}, 0x${size.toString(16)} bytes`;
		const whole = [base, size].every((value) => Number.isSafeInteger(value) && value >= 0 && value % PAGE === 0);
		if (!whole || size === 0 || base + size > GUEST_SPACE)
			throw new VmError(`${range}: no range of whole pages in 41 bits`);
		this.base = base;
		this.size = size;
		this.#memory = memory;
		this.#frames = frames;
		// Virtual and physical addresses must agree below the page that is wanted.
		const large = base % LARGE_PAGE === 0 && size >= LARGE_PAGE;
		const physical = frames.allocate(size, large ? LARGE_PAGE : PAGE);
		if (physical === undefined) throw new VmError(`${range}: the board has no such run of memory left`);
		this.#physical = physical;
		try {
			const table = buildPageTable(
				{
					allocateTable: (bytes) => this.#allocateTable(bytes),
					readPte: (address) => this.#readPte(Number(address)),
					writePte: (address, value) => this.#writePte(Number(address), value),
				},
				SV39X4,
				[{ address: BigInt(base), physical: BigInt(physical), size: BigInt(size), flags: LEAF }],
			);
			this.#hgatp = (BigInt(SV39X4.mode) << 60n) | (table.root >> 12n);
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
		return { physical: this.#physical, hgatp: this.#hgatp, tables: [...this.#tables] };
	}

	/** It is somewhere else: in memory that is being restored. Nothing is copied, given back or allocated. */
	place({ physical, hgatp, tables }: GuestMemoryPlacement): void {
		this.#physical = physical;
		this.#hgatp = hgatp;
		this.#tables = [...tables];
	}

	/** Reads guest physical memory; false where part of the range is not the guest's. */
	read(address: number, into: Uint8Array): boolean {
		return this.#holds(address, into.length) && this.#memory.read(address - this.base + this.#physical, into);
	}

	/** Writes guest physical memory; false where part of the range is not the guest's. */
	write(address: number, from: Uint8Array): boolean {
		return this.#holds(address, from.length) && this.#memory.write(address - this.base + this.#physical, from);
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

	/** Gives everything back; it has been cleared. */
	free(): void {
		for (const { address, bytes } of this.#tables.splice(0)) {
			this.#memory.write(address, new Uint8Array(bytes));
			this.#frames.free(address, bytes);
		}
		this.#frames.free(this.#physical, this.size);
	}

	#holds(address: number, length: number): boolean {
		return address >= this.base && address + length <= this.base + this.size;
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
