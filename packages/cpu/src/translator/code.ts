/**
 * The code that a region is made from: instructions by their distance from the region's origin, which is the start of the
 * page that the region begins on. Pages are those that the running hart's execute TLB has, so that looking changes nothing.
 */
import { createDecoded, decode } from '@partita/riscv';
import { Special } from '../interpreter/opcodes.ts';
import { DecodedPage, RegionPages, Tlb, TRANSLATED, Word } from '../layout.ts';

/** One instruction: row of the table, fields, and length in bytes (see `Decoded`). */
export interface Instruction {
	readonly row: number;
	readonly rd: number;
	readonly rs1: number;
	readonly rs2: number;
	readonly rs3: number;
	readonly rm: number;
	readonly imm: number;
	readonly length: 2 | 4;
}

/** A page of code. */
export interface CodePage {
	/** Distance of its start from the origin. */
	readonly distance: number;
	/** Linear addresses of its decoded form and of its frame. */
	readonly decoded: number;
	readonly frame: number;
}

/** No instruction can be read there, or it is illegal. */
const NONE = undefined;

/** A view of the guest's code around an origin. */
export class Code {
	/** Virtual address of the origin, signed. */
	readonly origin: bigint;
	readonly #view: DataView;
	readonly #pages = new Map<number, CodePage | undefined>();
	readonly #instructions = new Map<number, Instruction | undefined>();
	readonly #decoded = createDecoded();
	#count = 0;

	/** `view` is of the linear memory; `pc` is where the region begins. */
	constructor(view: DataView, pc: bigint) {
		this.#view = view;
		this.origin = BigInt.asIntN(64, pc) & ~0xfffn;
	}

	/** The pages that were read. */
	get pages(): readonly CodePage[] {
		return [...this.#pages.values()].filter((page) => page !== undefined);
	}

	/** The instruction at a distance; undefined where it is illegal, or its page is not known. */
	at(at: number): Instruction | undefined {
		if (this.#instructions.has(at)) return this.#instructions.get(at);
		const found = this.#read(at);
		this.#instructions.set(at, found);
		return found;
	}

	/** Whether the instruction there has been decoded by the interpreter: code that was never run has not. */
	wasDecoded(at: number): boolean {
		const page = this.page(Math.floor(at / 4096));
		if (!page) return false;
		const entry = page.decoded + (at - page.distance) * (DecodedPage.entryBytes / 2);
		return (this.#view.getUint16(entry, true) & (TRANSLATED - 1)) !== Special.undecoded;
	}

	/** The page with a number, counted from the origin. */
	page(number: number): CodePage | undefined {
		if (this.#pages.has(number)) return this.#pages.get(number);
		const page = this.#count < RegionPages.most ? this.#find(number) : undefined;
		if (page) this.#count++;
		this.#pages.set(number, page);
		return page;
	}

	#read(at: number): Instruction | undefined {
		const low = this.#halfword(at);
		if (low === undefined) return NONE;
		let word = low;
		if ((low & 3) === 3) {
			const high = this.#halfword(at + 2);
			if (high === undefined) return NONE;
			word = (low | (high << 16)) >>> 0;
		}
		const d = this.#decoded;
		if (!decode(word, d)) return NONE;
		const { index, rd, rs1, rs2, rs3, rm, imm, length } = d;
		return { row: index, rd, rs1, rs2, rs3, rm, imm, length };
	}

	#halfword(at: number): number | undefined {
		const page = this.page(Math.floor(at / 4096));
		return page && this.#view.getUint16(page.frame + at - page.distance, true);
	}

	#find(number: number): CodePage | undefined {
		const view = this.#view;
		const distance = number * 4096;
		const address = BigInt.asUintN(64, this.origin + BigInt(distance));
		const index = Number((address >> 12n) & BigInt(Tlb.entries - 1));
		const slot = view.getUint32(Word.tlb, true) + Tlb.execute + index * Tlb.entryBytes;
		if (view.getBigUint64(slot, true) !== (address | view.getBigUint64(Word.fetchContext, true))) return undefined;
		const decoded = view.getUint32(slot + 8, true);
		// Two pages that displace each other in the TLB are never there together.
		for (const page of this.#pages.values())
			if (page && ((page.distance ^ distance) & ((Tlb.entries - 1) * 4096)) === 0) return undefined;
		return { distance, decoded, frame: view.getUint32(decoded + DecodedPage.frame, true) };
	}
}
