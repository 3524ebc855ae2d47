/**
 * Second-stage tables that a component builds in its own memory, for guests: the kernel checks each before it is used, and
 * nobody writes to it until it is used no more. So a monitor can show its guest nothing but memory of its own.
 * Hypervisor extension, "Two-Stage Address Translation"; Sv39x4.
 */
import { decodeHgatp, MODE_SV39, PTE_R, PTE_V, PTE_W, PTE_X } from '@partita/mmu';
import type { MemoryPool } from './component.ts';
import { FrameRegion, type FrameRegionState } from './frames.ts';
import type { KernelMemory } from './parts.ts';

const PAGE = 4096;
const ROOT_PAGES = 4;
const LEAF = PTE_R | PTE_W | PTE_X;
const PPN = (1n << 44n) - 1n;
/** Bits of an entry that say more than Sv39x4 without extensions knows: N, PBMT, and what is reserved. */
const UNKNOWN = 0xffc0_0000_0000_0000n;

/** State of a {@link Pool}. Plain data. */
export interface PoolState {
	readonly frames: FrameRegionState;
	/** How often pages are part of tables in use, by physical address. */
	readonly frozen: readonly (readonly [page: number, uses: number])[];
}

/** Memory of one component; see {@link MemoryPool}. */
export class Pool implements MemoryPool {
	readonly #memory: KernelMemory;
	readonly #base: number;
	readonly #size: number;
	readonly #frames: FrameRegion | undefined;
	readonly #frozen = new Map<number, number>();

	/** @param size - 0: it is empty */
	constructor(memory: KernelMemory, base: number, size: number) {
		this.#memory = memory;
		this.#base = base;
		this.#size = size;
		this.#frames = size > 0 ? new FrameRegion(memory, base, size) : undefined;
	}

	get state(): PoolState | undefined {
		return this.#frames && { frames: this.#frames.state, frozen: [...this.#frozen] };
	}

	restore(state: PoolState | undefined): void {
		if (!state || !this.#frames) return;
		this.#frames.restore(state.frames);
		this.#frozen.clear();
		for (const [page, uses] of state.frozen) this.#frozen.set(page, uses);
	}

	#holds(address: number, bytes: number): boolean {
		return address >= this.#base && bytes >= 0 && address + bytes <= this.#base + this.#size;
	}

	#isFrozen(address: number, bytes: number): boolean {
		if (this.#frozen.size === 0) return false;
		for (let page = address - (address % PAGE); page < address + bytes; page += PAGE)
			if (this.#frozen.has(page)) return true;
		return false;
	}

	read(address: number, into: Uint8Array): boolean {
		return this.#holds(address, into.length) && this.#memory.read(address, into);
	}

	write(address: number, from: Uint8Array): boolean {
		const allowed = this.#holds(address, from.length) && !this.#isFrozen(address, from.length);
		return allowed && this.#memory.write(address, from);
	}

	allocate(bytes: number, alignment: number): number | undefined {
		return this.#frames?.allocate(bytes, alignment);
	}

	/** Throws a `RangeError` for what is not the pool's to take, or is part of a table in use. */
	free(address: number, bytes: number): void {
		if (!this.#holds(address, bytes) || this.#isFrozen(address, bytes))
			throw new RangeError(`0x${address.toString(16)}: not the pool's, or a table in use`);
		this.#frames!.free(address, bytes);
	}

	/**
	 * Checks the tables that `hgatp` names, and freezes them.
	 * @returns the pages of the tables, for {@link thaw}
	 * @throws RangeError where they are not wholly in the pool, or show anything else than it, or themselves
	 */
	freeze(hgatp: bigint): readonly number[] {
		const { mode, root } = decodeHgatp(hgatp);
		if (mode !== MODE_SV39) throw new RangeError(`hgatp 0x${hgatp.toString(16)}: its mode is not Sv39x4`);
		const tables = new Set<number>();
		const leaves: [number, number][] = [];
		this.#visit(Number(root), 2, tables, leaves);
		for (const table of tables) {
			if (leaves.some(([from, to]) => table < to && from < table + PAGE))
				throw new RangeError(`second-stage table at 0x${table.toString(16)}: the guest could write it`);
		}
		for (const table of tables) this.#frozen.set(table, (this.#frozen.get(table) ?? 0) + 1);
		return [...tables];
	}

	/** The tables are used no more. */
	thaw(tables: readonly number[]): void {
		for (const table of tables) {
			const uses = this.#frozen.get(table)! - 1;
			if (uses === 0) this.#frozen.delete(table);
			else this.#frozen.set(table, uses);
		}
	}

	/** A table is visited once: as a root, or at one level. */
	#visit(address: number, level: number, tables: Set<number>, leaves: [number, number][]): void {
		const bytes = new Uint8Array(level === 2 ? ROOT_PAGES * PAGE : PAGE);
		if (!this.read(address, bytes))
			throw new RangeError(`second-stage table at 0x${address.toString(16)}: not the pool's`);
		for (let page = address; page < address + bytes.length; page += PAGE) {
			if (tables.has(page)) throw new RangeError(`second-stage table at 0x${page.toString(16)}: it is used twice`);
			tables.add(page);
		}
		for (const pte of new BigUint64Array(bytes.buffer)) {
			if ((pte & PTE_V) === 0n) continue;
			const target = Number((pte >> 10n) & PPN) * PAGE;
			if ((pte & UNKNOWN) !== 0n || ((pte & LEAF) === 0n && level === 0))
				throw new RangeError(`second-stage entry 0x${pte.toString(16)}: reserved bits are set`);
			if ((pte & LEAF) === 0n) {
				this.#visit(target, level - 1, tables, leaves);
				continue;
			}
			const size = PAGE * 512 ** level;
			if (!this.#holds(target, size))
				throw new RangeError(`second-stage entry 0x${pte.toString(16)}: it shows what is not the pool's`);
			leaves.push([target, target + size]);
		}
	}
}
