/**
 * Instruction decoder: a word to its row and operand fields. It knows encodings only: whether a hart has the
 * extension, and whether an rm of 5 or 6 or a CSR is legal, is for the hart to say.
 */

import { expandCompressed } from './compressed.ts';
import { extractImmediate, immediateKind } from './immediates.ts';
import { instructions } from './instructions.ts';

/**
 * What {@link decode} writes: plain numbers, meant to be allocated once and reused.
 *
 * The register fields are always the word's raw bits at their usual place, also where the format has no such
 * operand; the format says which of them mean something.
 */
export interface Decoded {
	/** Index into `instructions`. */
	index: number;
	/** Bits 11:7, 0 to 31. */
	rd: number;
	/** Bits 19:15, 0 to 31: a register, or the immediate of csrrwi, csrrsi and csrrci. */
	rs1: number;
	/** Bits 24:20, 0 to 31. */
	rs2: number;
	/** Bits 31:27, 0 to 31. */
	rs3: number;
	/** Bits 14:12, 0 to 7: the rounding mode where the format has one. */
	rm: number;
	/** Bits 26:25 of an A instruction: 2 is aq, 1 is rl. */
	aqrl: number;
	/** Bits 31:20, 0 to 4095: the CSR's number. */
	csr: number;
	/**
	 * The immediate as a signed 32-bit number: sign-extended I, S, B and J immediates (the latter two in bytes
	 * from the instruction's own address); `lui` and `auipc`: the sign-extended 32-bit value whose low 12 bits
	 * are zero; shifts: the amount; `fence`: fm, pred and succ as the unsigned bits 31:20. Otherwise 0.
	 */
	imm: number;
	/** Length of the instruction in bytes: 2 (then the fields are those of its 32-bit expansion) or 4. */
	length: 2 | 4;
}

/** A fresh {@link Decoded}, all zero. */
export function createDecoded(): Decoded {
	return { index: 0, rd: 0, rs1: 0, rs2: 0, rs3: 0, rm: 0, aqrl: 0, csr: 0, imm: 0, length: 4 };
}

/**
 * The search structure. A word's key is 15 bits:
 *
 *     14       8 7      5 4         0
 *     word 31:25  14:12    6:2
 *
 * `heads[key]` is where the candidates of that key start in `candidates`: row indices, the largest mask first,
 * ended by -1.
 */
interface Buckets {
	readonly heads: Uint16Array;
	readonly candidates: Int16Array;
	readonly matches: Int32Array;
	readonly masks: Int32Array;
	readonly immediates: Uint8Array;
}

function keyOf(word: number): number {
	return ((word >>> 17) & 0x7f00) | ((word >>> 7) & 0xe0) | ((word >>> 2) & 0x1f);
}

function bitCount(value: number): number {
	let count = 0;
	for (let rest = value; rest !== 0; rest &= rest - 1) count++;
	return count;
}

function buildBuckets(): Buckets {
	const keyBits = 0xfe00_707c | 0;
	const lists = new Map<number, number[]>();
	const order = instructions.map((_, index) => index);
	order.sort((a, b) => bitCount(instructions[b]!.mask) - bitCount(instructions[a]!.mask));
	for (const index of order) {
		const { match, mask } = instructions[index]!;
		const free = keyBits & ~mask;
		// All subsets of the key bits that the row leaves free.
		let subset = 0;
		do {
			const key = keyOf(match | subset);
			const list = lists.get(key);
			if (list) list.push(index);
			else lists.set(key, [index]);
			subset = (subset - free) & free;
		} while (subset !== 0);
	}
	const heads = new Uint16Array(1 << 15);
	const candidates = [-1];
	const shared = new Map<string, number>();
	for (const [key, list] of lists) {
		const text = list.join();
		let head = shared.get(text);
		if (head === undefined) {
			head = candidates.length;
			shared.set(text, head);
			candidates.push(...list, -1);
		}
		heads[key] = head;
	}
	return {
		heads,
		candidates: Int16Array.from(candidates),
		matches: Int32Array.from(instructions, (row) => row.match),
		masks: Int32Array.from(instructions, (row) => row.mask),
		immediates: Uint8Array.from(instructions, (row) => immediateKind(row.format)),
	};
}

const buckets: Buckets = /* @__PURE__ */ buildBuckets();

/**
 * Decodes one instruction without allocating.
 *
 * @param word - 32 bits, signed or unsigned. If the low two bits are not both set, the low half is taken as a
 *   compressed instruction and expanded; the high half is then ignored.
 * @param out - receives the fields; undefined in part if the answer is false
 * @returns false if the encoding is illegal
 */
export function decode(word: number, out: Decoded): boolean {
	let bits = word | 0;
	if ((bits & 3) === 3) {
		out.length = 4;
	} else {
		bits = expandCompressed(bits & 0xffff) | 0;
		if (bits === 0) return false;
		out.length = 2;
	}
	const { candidates, masks, matches } = buckets;
	let at = buckets.heads[keyOf(bits)]!;
	let index = candidates[at]!;
	while (index >= 0 && (bits & masks[index]!) !== matches[index]!) index = candidates[++at]!;
	if (index < 0) return false;
	out.index = index;
	out.rd = (bits >>> 7) & 31;
	out.rs1 = (bits >>> 15) & 31;
	out.rs2 = (bits >>> 20) & 31;
	out.rs3 = bits >>> 27;
	out.rm = (bits >>> 12) & 7;
	out.aqrl = (bits >>> 25) & 3;
	out.csr = bits >>> 20;
	out.imm = extractImmediate(bits, buckets.immediates[index]!);
	return true;
}
