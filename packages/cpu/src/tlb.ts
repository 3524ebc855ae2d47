/**
 * The TypeScript side of a hart's TLBs (layout.ts, `Tlb`): context ids, and invalidation.
 *
 * A context is whatever makes the same virtual address mean another thing: privilege, V, SUM, MXR, paging modes, ASID,
 * VMID. Each has an id in its tags, so that a switch of address space costs nothing and a flush of a context is a new id.
 */
import { type LinearLayout, Tlb } from './layout.ts';

/** Identity of a context, packed into a number below 2^53. */
export type ContextKey = number;

/** What a context depends on. Fields that do not matter in a context must be 0, so that equal contexts are equal. */
export interface ContextFields {
	/** 0 U, 1 S, 3 M. */
	readonly privilege: number;
	readonly virtual: boolean;
	/** SUM, MXR, vsstatus.SUM, vsstatus.MXR as bits 0 to 3. */
	readonly rights: number;
	/** satp.MODE or vsatp.MODE, and hgatp.MODE. */
	readonly mode: number;
	readonly guestMode: number;
	readonly asid: number;
	readonly vmid: number;
}

/** Packs the fields: privilege 2 bits, V 1, rights 4, modes 4 + 4, ASID 16, VMID 14. */
export function contextKey(c: ContextFields): ContextKey {
	const low = (c.privilege | (c.virtual ? 4 : 0) | (c.rights << 3) | (c.mode << 7) | (c.guestMode << 11)) >>> 0;
	return low + (c.asid + c.vmid * 0x1_0000) * 0x8000;
}

const isVirtual = (key: ContextKey): boolean => (key & 4) !== 0;
const asidOf = (key: ContextKey): number => Math.floor(key / 0x8000) % 0x1_0000;
const vmidOf = (key: ContextKey): number => Math.floor(key / 0x8000_0000);
const isMachine = (key: ContextKey): boolean => (key & 3) === 3;

/** Plain state: the tags and host addresses are in linear memory, see {@link HartTlb.save}. */
export interface HartTlbState {
	readonly contexts: readonly (readonly [ContextKey, number])[];
	readonly nextContext: number;
	readonly largePages: readonly [boolean, boolean];
	/** Tag, addend and page bits of every entry, addends counted from the frame pool's start. */
	readonly entries: Uint8Array;
}

/** One hart's TLBs. */
export class HartTlb {
	/** Linear address. */
	readonly base: number;
	readonly #words: Int32Array;
	readonly #poolStart: number;
	#contexts = new Map<ContextKey, number>();
	#nextContext = 1;
	/** Whether pages larger than 4 KiB were entered in the lower and upper half of the address space. */
	#largePages: [boolean, boolean] = [false, false];

	constructor(layout: LinearLayout, hart: number) {
		this.base = layout.tlb + hart * Tlb.bytes;
		this.#words = new Int32Array(layout.memory.buffer, this.base, Tlb.bytes / 4);
		this.#poolStart = layout.poolStart;
	}

	/** The id of a context, given now if it has none. */
	context(key: ContextKey): number {
		let id = this.#contexts.get(key);
		if (id !== undefined) return id;
		if (this.#nextContext > Tlb.contexts) this.clear();
		id = this.#nextContext++;
		this.#contexts.set(key, id);
		return id;
	}

	/** Enters a page: `addend` is what turns the low half of an address into a linear address (or the decoded page). */
	enter(tlb: number, address: bigint, context: number, addend: number, pageBits: number): void {
		const low = Number(BigInt.asIntN(32, address)) & ~0xfff;
		const high = Number(BigInt.asIntN(32, address >> 32n));
		const at = (tlb >> 2) + ((low >>> 12) & (Tlb.entries - 1)) * 4;
		this.#words[at] = low | (context << 3);
		this.#words[at + 1] = high;
		this.#words[at + 2] = addend;
		this.#words[at + 3] = pageBits;
		if (pageBits > 12) this.#largePages[high < 0 ? 1 : 0] = true;
	}

	/** Removes the entry of an address from one TLB. */
	remove(tlb: number, address: bigint): void {
		this.#words[(tlb >> 2) + Number((address >> 12n) & BigInt(Tlb.entries - 1)) * 4] = 0;
	}

	/** Forgets everything. */
	clear(): void {
		this.#words.fill(0);
		this.#contexts.clear();
		this.#nextContext = 1;
		this.#largePages = [false, false];
	}

	/** Forgets all stores that are permitted, so that the next store to each page is seen. */
	clearWrites(): void {
		this.#words.fill(0, Tlb.write >> 2, (Tlb.write >> 2) + Tlb.entries * 4);
	}

	/** Forgets all pages that may be fetched from. */
	clearFetches(): void {
		this.#words.fill(0, Tlb.execute >> 2, (Tlb.execute >> 2) + Tlb.entries * 4);
	}

	/** Forgets fetches from one decoded page. */
	dropDecoded(decodedPage: number): void {
		const words = this.#words;
		const end = (Tlb.execute >> 2) + Tlb.entries * 4;
		for (let at = Tlb.execute >> 2; at < end; at += 4) {
			if (words[at + 2]! >>> 0 === decodedPage) words[at] = 0;
		}
	}

	/** Forgets stores to one frame. */
	dropWritesTo(frame: number): void {
		const words = this.#words;
		const end = (Tlb.write >> 2) + Tlb.entries * 4;
		for (let at = Tlb.write >> 2; at < end; at += 4) {
			if ((((words[at]! & ~0xfff) + words[at + 2]!) | 0) === (frame | 0)) words[at] = 0;
		}
	}

	/**
	 * Forgets translations of V = 0 (M-mode's aside) or of V = 1 with a VMID; of one ASID or all; of one virtual address
	 * or all.
	 */
	flush(virtual: boolean, vmid: number, asid: number | undefined, address: bigint | undefined): void {
		const ids = address === undefined ? undefined : new Set<number>();
		for (const [key, id] of this.#contexts) {
			if (isMachine(key) || isVirtual(key) !== virtual) continue;
			if (virtual && vmidOf(key) !== vmid) continue;
			if (asid !== undefined && asidOf(key) !== asid) continue;
			if (ids) ids.add(id);
			// Its entries stay behind under an id that nobody has any more.
			else this.#contexts.delete(key);
		}
		if (address !== undefined && ids !== undefined && ids.size > 0) this.#flushAddress(ids, address);
	}

	/** Forgets translations of V = 1, of one VMID or all. */
	flushGuests(vmid: number | undefined): void {
		for (const key of this.#contexts.keys()) {
			if (isVirtual(key) && (vmid === undefined || vmidOf(key) === vmid)) this.#contexts.delete(key);
		}
	}

	/** The state for a snapshot. */
	save(): HartTlbState {
		const entries = new Int32Array(this.#words.subarray(0, Tlb.execute >> 2));
		for (let at = 0; at < entries.length; at += 4) if (entries[at] !== 0) entries[at + 2]! -= this.#poolStart;
		return {
			contexts: [...this.#contexts],
			nextContext: this.#nextContext,
			largePages: [...this.#largePages],
			entries: new Uint8Array(entries.buffer),
		};
	}

	/** Takes a snapshot's state; fetches are looked up anew, which nothing can tell. */
	restore(state: HartTlbState): void {
		this.#contexts = new Map(state.contexts);
		this.#nextContext = state.nextContext;
		this.#largePages = [...state.largePages];
		this.clearFetches();
		const entries = new Int32Array(state.entries.slice().buffer);
		if (entries.length !== Tlb.execute >> 2) throw new RangeError('TLB snapshot: wrong length');
		for (let at = 0; at < entries.length; at += 4) if (entries[at] !== 0) entries[at + 2]! += this.#poolStart;
		this.#words.set(entries);
	}

	#flushAddress(ids: ReadonlySet<number>, address: bigint): void {
		const words = this.#words;
		const low = Number(BigInt.asIntN(32, address));
		const high = Number(BigInt.asIntN(32, address >> 32n));
		const anyLarge = this.#largePages[high < 0 ? 1 : 0];
		for (let tlb = 0; tlb < 3; tlb++) {
			const start = (tlb * Tlb.stride) >> 2;
			const first = anyLarge ? 0 : (low >>> 12) & (Tlb.entries - 1);
			const last = anyLarge ? Tlb.entries - 1 : first;
			for (let index = first; index <= last; index++) {
				const at = start + index * 4;
				const tag = words[at]!;
				if (tag === 0 || !ids.has((tag & 0xfff) >>> 3)) continue;
				if (samePage(tag, words[at + 1]!, low, high, words[at + 3]!)) words[at] = 0;
			}
		}
	}
}

function samePage(tagLow: number, tagHigh: number, low: number, high: number, pageBits: number): boolean {
	if (pageBits >= 64) return true;
	if (pageBits >= 32) return (tagHigh ^ high) >>> (pageBits - 32) === 0;
	return tagHigh === high && (tagLow ^ low) >>> pageBits === 0;
}
