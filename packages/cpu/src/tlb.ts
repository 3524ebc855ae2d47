/**
 * The TypeScript side of a hart's TLBs (layout.ts, `Tlb`): context ids, and invalidation.
 *
 * A context is whatever makes the same virtual address mean another thing: privilege, V, SUM, MXR, paging modes, ASID,
 * VMID. Each has an id in its tags, so that a switch of address space costs nothing and a flush of a context is a new id.
 */
import { GENERATION_SHIFT, type LinearLayout, Shared, Tlb } from './layout.ts';

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

/** Plain state: the tags and host addresses are in linear memory, see `HartTlb.save`. */
export interface HartTlbState {
	/** By id; -1 for ids that were given and have no context any more. */
	readonly contexts: readonly ContextKey[];
	/** The bits at `Tlb.large`. */
	readonly largePages: Uint8Array;
	/** Tag, addend and page bits of every entry, addends counted from the frame pool's start. */
	readonly entries: Uint8Array;
}

/** What `Shared.key` grows by when the generation does. */
const KEY_STEP = 1n << BigInt(GENERATION_SHIFT);

/** An id whose context was flushed. */
const DEAD: ContextKey = -1;

/** One hart's TLBs. */
export class HartTlb {
	/** Linear address. */
	readonly base: number;
	readonly #words: Int32Array;
	readonly #shared: BigUint64Array;
	/** The bits at `Tlb.large`, which the walk in WebAssembly writes too. */
	readonly #large: Uint8Array;
	readonly #poolStart: number;
	readonly #ids = new Map<ContextKey, number>();
	/** Contexts by id, from 1 on. */
	readonly #keys = new Float64Array(Tlb.contexts + 1);
	#nextContext = 1;
	/** Goes up when an id that was given may have lost its context. */
	#generation = 0;

	constructor(layout: LinearLayout, hart: number) {
		this.base = layout.tlb + hart * Tlb.bytes;
		this.#words = new Int32Array(layout.memory.buffer, this.base, (Tlb.execute + Tlb.stride) / 4);
		this.#shared = new BigUint64Array(layout.memory.buffer, Shared.generation, 2);
		this.#large = new Uint8Array(layout.memory.buffer, this.base + Tlb.large, Tlb.largeBytes);
		this.#poolStart = layout.poolStart;
	}

	/** Ids that {@link context} gave are valid as long as this stays the same. */
	get generation(): number {
		return this.#generation;
	}

	/** The id of a context, given now if it has none. */
	context(key: ContextKey): number {
		let id = this.#ids.get(key);
		if (id !== undefined) return id;
		if (this.#nextContext > Tlb.contexts) this.clear();
		id = this.#nextContext++;
		this.#ids.set(key, id);
		this.#keys[id] = key;
		return id;
	}

	/** Enters a page: `addend` is what turns the low half of an address into a linear address (or the decoded page). */
	enter(tlb: number, address: bigint, context: number, addend: number, pageBits: number): void {
		const low = Number(BigInt.asIntN(32, address)) & ~0xfff;
		const high = Number(BigInt.asIntN(32, address >> 32n));
		const at = (tlb >> 2) + ((low >>> 12) & (Tlb.entries - 1)) * 4;
		if (tlb === Tlb.execute && this.#words[at] !== 0) this.#fetchesLost();
		this.#words[at] = low | (context << 3);
		this.#words[at + 1] = high;
		this.#words[at + 2] = addend;
		this.#words[at + 3] = pageBits;
		if (pageBits > 12 && pageBits < 64) this.#markLarge(low, high, pageBits);
	}

	/** Forgets everything. */
	clear(): void {
		this.#fetchesLost();
		this.#words.fill(0);
		this.#large.fill(0);
		this.#ids.clear();
		this.#nextContext = 1;
		this.#generation++;
	}

	/** Forgets all stores that are permitted, so that the next store to each page is seen. */
	clearWrites(): void {
		this.#words.fill(0, Tlb.write >> 2, (Tlb.write >> 2) + Tlb.entries * 4);
	}

	/** Forgets all pages that may be fetched from. */
	clearFetches(): void {
		this.#fetchesLost();
		this.#words.fill(0, Tlb.execute >> 2, (Tlb.execute >> 2) + Tlb.entries * 4);
	}

	/** Forgets fetches from one decoded page. */
	dropDecoded(decodedPage: number): void {
		this.#fetchesLost();
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
		if (address !== undefined) {
			this.#flushAddress(virtual, vmid, asid, address);
			return;
		}
		let left = false;
		for (let id = 1; id < this.#nextContext; id++) {
			const key = this.#keys[id]!;
			if (this.#names(id, virtual, vmid, asid)) this.#forget(id);
			else if (key !== DEAD && !isMachine(key)) left = true;
		}
		// Page tables of a start-up phase may have had very large pages.
		if (!left) this.#large.fill(0);
	}

	/** Forgets translations of V = 1, of one VMID or all. */
	flushGuests(vmid: number | undefined): void {
		for (let id = 1; id < this.#nextContext; id++) {
			const key = this.#keys[id]!;
			if (key !== DEAD && isVirtual(key) && (vmid === undefined || vmidOf(key) === vmid)) this.#forget(id);
		}
	}

	/** The state for a snapshot. */
	save(): HartTlbState {
		const entries = new Int32Array(this.#words.subarray(0, Tlb.execute >> 2));
		for (let at = 0; at < entries.length; at += 4) if (entries[at] !== 0) entries[at + 2]! -= this.#poolStart;
		return {
			contexts: [...this.#keys.subarray(1, this.#nextContext)],
			largePages: this.#large.slice(),
			entries: new Uint8Array(entries.buffer),
		};
	}

	/** Takes a snapshot's state; fetches are looked up anew, which nothing can tell. */
	restore(state: HartTlbState): void {
		if (state.contexts.length > Tlb.contexts || state.largePages.length !== Tlb.largeBytes)
			throw new RangeError('TLB snapshot: wrong length');
		this.clear();
		this.#keys.set(state.contexts, 1);
		this.#nextContext = state.contexts.length + 1;
		state.contexts.forEach((key, index) => {
			if (key !== DEAD) this.#ids.set(key, index + 1);
		});
		this.#large.set(state.largePages);
		const entries = new Int32Array(state.entries.slice().buffer);
		if (entries.length !== Tlb.execute >> 2) throw new RangeError('TLB snapshot: wrong length');
		for (let at = 0; at < entries.length; at += 4) if (entries[at] !== 0) entries[at + 2]! += this.#poolStart;
		this.#words.set(entries);
	}

	#markLarge(low: number, high: number, pageBits: number): void {
		const block = largeBlock(low, high);
		if (pageBits > 30) this.#large.fill(0xff);
		else if (pageBits > 21) this.#large.fill(0xff, block, block + Tlb.largeBlock);
		else this.#large[block + ((low >>> 24) & 63)]! |= 1 << ((low >>> 21) & 7);
	}

	/** Whether a fence names the context of an id. */
	#names(id: number, virtual: boolean, vmid: number, asid: number | undefined): boolean {
		const key = this.#keys[id]!;
		if (key === DEAD || isMachine(key) || isVirtual(key) !== virtual) return false;
		return (!virtual || vmidOf(key) === vmid) && (asid === undefined || asidOf(key) === asid);
	}

	/** Its entries stay behind under an id that nobody has any more. */
	#forget(id: number): void {
		this.#ids.delete(this.#keys[id]!);
		this.#keys[id] = DEAD;
		this.#generation++;
	}

	/** Translated regions must look again whether their pages are there. */
	#fetchesLost(): void {
		this.#shared[0]!++;
		// The interpreter may be waiting for this.
		this.#shared[1]! += KEY_STEP;
	}

	#flushAddress(virtual: boolean, vmid: number, asid: number | undefined, address: bigint): void {
		this.#fetchesLost();
		const low = Number(BigInt.asIntN(32, address));
		const high = Number(BigInt.asIntN(32, address >> 32n));
		const index = (low >>> 12) & (Tlb.entries - 1);
		const words = this.#words;
		for (let tlb = 0; tlb < 3; tlb++) {
			const at = (tlb * Tlb.stride) / 4 + index * 4;
			const id = (words[at]! & 0xfff) >>> 3;
			if (id === 0 || !samePage(words[at]!, words[at + 1]!, low, high, words[at + 3]!)) continue;
			if (this.#names(id, virtual, vmid, asid)) words[at] = 0;
		}
		// A larger page may have an entry for each of its 4 KiB.
		const large = this.#large[largeBlock(low, high) + ((low >>> 24) & 63)]!;
		if (((large >> ((low >>> 21) & 7)) & 1) === 0) return;
		for (let at = 0; at < words.length; at += 4) {
			const tag = words[at]!;
			const bits = words[at + 3]!;
			if (bits <= 12 || tag === 0 || !samePage(tag, words[at + 1]!, low, high, bits)) continue;
			if (this.#names((tag & 0xfff) >>> 3, virtual, vmid, asid)) words[at] = 0;
		}
	}
}

/** Offset of an address's block in the bits at `Tlb.large`. */
function largeBlock(low: number, high: number): number {
	const gibibyte = (low >>> 30) | (high << 2);
	return ((gibibyte ^ (gibibyte >>> 3) ^ (gibibyte >>> 6)) & 7) * Tlb.largeBlock;
}

function samePage(tagLow: number, tagHigh: number, low: number, high: number, pageBits: number): boolean {
	if (pageBits >= 64) return true;
	if (pageBits >= 32) return (tagHigh ^ high) >>> (pageBits - 32) === 0;
	return tagHigh === high && (tagLow ^ low) >>> pageBits === 0;
}
