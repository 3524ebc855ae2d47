// From a capability pointer to a slot: guarded page tables of CNodes, walked on halves of 32 bits, without allocation.
// Manual: "CSpace Addressing", "Lookup Failure Description".

import { invalidRoot, type LookupFailure, LookupFailureKind } from './errors.ts';
import { type CapabilityId, type Slot, type Store, slotOf } from './state.ts';

/** seL4_CNode_CapData: the guard's size is in the low 6 bits, the guard above them. */
export function guardSize(word: bigint): number {
	return Number(word & 63n);
}

/** A CNode capability's word for a guard: bits of the guard beyond its size are dropped. */
export function guardWord(guard: bigint, size: number): bigint {
	return ((guard & ((1n << BigInt(size)) - 1n) & GUARD_MASK) << 6n) | BigInt(size & 63);
}

const GUARD_MASK = (1n << 58n) - 1n;

export class Lookup {
	readonly #store: Store;
	readonly #cnode: number;
	// Views of the column of words as halves; made anew whenever that column has grown.
	#words: BigUint64Array | undefined;
	#halves: Uint32Array = new Uint32Array(0);
	/** After a successful walk: the slot, and how many bits of the pointer are left over. */
	slot: Slot = 0;
	bitsLeft = 0;

	constructor(store: Store, cnode: number) {
		this.#store = store;
		this.#cnode = cnode;
	}

	/**
	 * Walks from the CNode capability `root` over the `depth` (1 to 64) low bits of a pointer. It ends at the slot where
	 * the bits are used up or that holds no CNode capability. Each CNode decodes at least one bit, so 64 steps at most.
	 */
	walk(root: CapabilityId, low: number, high: number, depth: number): LookupFailure | undefined {
		const store = this.#store;
		const { kind, object, word } = store.capabilities;
		const { radix } = store.objects;
		if (root === 0 || kind[root] !== this.#cnode) return invalidRoot();
		if (this.#words !== word) {
			this.#words = word;
			this.#halves = new Uint32Array(word.buffer);
		}
		const halves = this.#halves;
		let node = root;
		let left = depth;
		for (;;) {
			const wordLow = halves[2 * node];
			const size = wordLow & 63;
			if (size !== 0) {
				const guardLow = ((wordLow >>> 6) | (halves[2 * node + 1] << 26)) >>> 0;
				const guardHigh = halves[2 * node + 1] >>> 6;
				if (size > left || !matches(low, high, left - size, size, guardLow, guardHigh)) {
					return {
						kind: LookupFailureKind.GuardMismatch,
						bitsLeft: left,
						guardFound: (BigInt(guardHigh) << 32n) | BigInt(guardLow),
						bitsFound: size,
					};
				}
			}
			const container = object[node];
			const slots = radix[container];
			const bits = size + slots;
			if (bits > left) return { kind: LookupFailureKind.DepthMismatch, bitsLeft: left, bitsFound: bits };
			left -= bits;
			// A radix is at most 28, so an index fits in the low half.
			const index = shiftedLow(low, high, left) & ((1 << slots) - 1);
			this.slot = slotOf(container, index);
			this.bitsLeft = left;
			if (left === 0) return undefined;
			const next = store.atIndex(container, index);
			if (next === 0 || kind[next] !== this.#cnode) return undefined;
			node = next;
		}
	}
}

/** Low 32 bits of (high:low) >> by; 0 <= by <= 63. */
function shiftedLow(low: number, high: number, by: number): number {
	if (by === 0) return low;
	return by < 32 ? (low >>> by) | (high << (32 - by)) : high >>> (by - 32);
}

/** Whether the `size` bits (1 to 63) from bit `from` on equal a guard. */
function matches(low: number, high: number, from: number, size: number, guardLow: number, guardHigh: number): boolean {
	const bitsLow = shiftedLow(low, high, from) >>> 0;
	if (size < 32) return (bitsLow & ((1 << size) - 1)) >>> 0 === guardLow && guardHigh === 0;
	const bitsHigh = from < 32 ? high >>> from : 0;
	return bitsLow === guardLow && (size === 32 ? 0 : bitsHigh & ((1 << (size - 32)) - 1)) >>> 0 === guardHigh;
}
