/**
 * The code cache of the interpreter: decoded forms of physical pages (layout.ts, `DecodedPage`).
 *
 * It is coherent: a store to a page that has a decoded form forgets the entries that it changes, so fetches see stores at
 * once. Nothing of it is architectural state: it may be dropped at any time.
 */
import { type CodeCache, PAGE_SIZE, PageFlag, type PhysicalMemory } from '@partita/memory';
import { createDecoded, decode, instructionIndex, instructions } from '@partita/riscv';
import { DecodedPage, DISCARD, type LinearLayout, STORES_UNTIL_DROPPED, STRADDLE_HASH, Straddle } from '../layout.ts';
import { opcodeFor, Special } from './opcodes.ts';

/** Entries decoded ahead at one time. */
const AHEAD = 64;
const ENTRIES = 2048;

const jal = instructionIndex.jal;
const jalr = instructionIndex.jalr;
/** By row: whether rd is an integer register. */
const writesInteger = instructions.map(({ format }) => format.startsWith('rd'));
/** By row: whether there is a variant for near targets. */
const hasNear = instructions.map((_, index) => opcodeFor(index, true, true) !== opcodeFor(index, false, true));

/** Forgets the entries of a decoded page that cover bytes of it; from the interpreter's module. */
export type ForgetFunction = (page: number, first: number, bytes: number) => void;

/** Tells whoever holds decoded-page addresses (the execute TLBs) or write permissions (the write TLBs). */
export interface CodeCacheObserver {
	/** No store may reach the frame unseen from now on. */
	codeAppeared(frame: number): void;
	/** A decoded page is gone; 0: all are. */
	codeDropped(decodedPage: number): void;
}

/** Decoded forms of pages. */
export class DecodedPages implements CodeCache {
	readonly #layout: LinearLayout;
	readonly #memory: PhysicalMemory;
	readonly #codeMap: Uint32Array;
	readonly #view: DataView;
	readonly #bytes: Uint8Array;
	readonly #forget: ForgetFunction;
	readonly #observer: CodeCacheObserver;
	readonly #decoded = createDecoded();
	#next: number;
	#free: number[] = [];

	constructor(layout: LinearLayout, memory: PhysicalMemory, forget: ForgetFunction, observer: CodeCacheObserver) {
		this.#layout = layout;
		this.#memory = memory;
		this.#codeMap = new Uint32Array(layout.memory.buffer, layout.codeMap, layout.pages);
		this.#view = new DataView(layout.memory.buffer);
		this.#bytes = new Uint8Array(layout.memory.buffer);
		this.#forget = forget;
		this.#observer = observer;
		this.#next = layout.decodedStart;
	}

	/** Linear address of a page's decoded form, made now if there is none. The page must be memory. */
	page(page: number): number {
		const known = this.#codeMap[page]!;
		if (known !== 0) return known;
		const frame = this.#memory.frame(page);
		const at = this.#allocate();
		this.#bytes.fill(0, at, at + DecodedPage.bytes);
		this.#view.setUint16(at + DecodedPage.end, Special.pageEnd, true);
		this.#view.setUint32(at + DecodedPage.page, page, true);
		this.#view.setUint32(at + DecodedPage.frame, frame, true);
		this.#codeMap[page] = at;
		this.#memory.pageMap[page]! |= PageFlag.code;
		this.#observer.codeAppeared(frame);
		return at;
	}

	/** Decodes from an undecoded entry on, up to an unconditional transfer or an entry that is decoded already. */
	decodeFrom(entry: number): void {
		const page = this.decodedPageOf(entry);
		const frame = this.#view.getUint32(page + DecodedPage.frame, true);
		let slot = (entry - page) / DecodedPage.entryBytes;
		for (let count = 0; count < AHEAD && slot < ENTRIES; count++) {
			const at = page + slot * DecodedPage.entryBytes;
			if (this.#view.getUint16(at, true) !== Special.undecoded) return;
			const low = this.#view.getUint16(frame + slot * 2, true);
			const wide = (low & 3) === 3;
			if (wide && slot === ENTRIES - 1) {
				this.#view.setUint16(at, Special.straddle, true);
				return;
			}
			const word = wide ? this.#view.getUint32(frame + slot * 2, true) : low;
			if (!this.#write(at, word, slot * 2)) return;
			slot += wide ? 2 : 1;
		}
	}

	/** Decodes an instruction that straddles two pages into its line slot. */
	decodeStraddling(word: number): void {
		const index = Math.imul(word, STRADDLE_HASH) >>> (32 - Math.log2(Straddle.slots));
		const slot = Straddle.base + index * Straddle.bytes;
		this.#view.setUint32(slot + Straddle.word, word, true);
		this.#view.setUint16(slot + Straddle.end, Special.pageEnd, true);
		this.#write(slot, word, undefined);
	}

	/** The instruction word of an entry: 16 bits of a compressed one. */
	wordAt(entry: number): number {
		if (entry < this.#layout.decodedStart) return this.#view.getUint32(entry + Straddle.word, true);
		const page = this.decodedPageOf(entry);
		const at = this.#view.getUint32(page + DecodedPage.frame, true) + (entry - page) / 8;
		const low = this.#view.getUint16(at, true);
		return (low & 3) === 3 ? this.#view.getUint32(at, true) : low;
	}

	/** Linear address of the decoded page that an entry is in. */
	decodedPageOf(entry: number): number {
		const { decodedStart } = this.#layout;
		return entry - ((entry - decodedStart) % DecodedPage.bytes);
	}

	/** Whether an entry belongs to a page that is still cached, or to a straddle slot. */
	isLive(entry: number): boolean {
		if (entry < this.#layout.decodedStart) return true;
		const at = this.decodedPageOf(entry);
		return this.#codeMap[this.#view.getUint32(at + DecodedPage.page, true)] === at;
	}

	/** A store is about to be made to a page with decoded code; the decoded page, or 0 where it was dropped instead. */
	storing(page: number): number {
		const at = this.#codeMap[page]!;
		const stores = this.#view.getInt32(at + DecodedPage.stores, true) + 1;
		this.#view.setInt32(at + DecodedPage.stores, stores, true);
		if (stores < STORES_UNTIL_DROPPED) return at;
		this.#drop(page);
		return 0;
	}

	/** Bytes of a page were written from `offset` on. */
	writtenIfCode(page: number, offset: number, length: number): void {
		if (this.#codeMap[page] !== 0) this.written(page * PAGE_SIZE + offset, length);
	}

	written(address: number, length: number): void {
		const page = Math.floor(address / PAGE_SIZE);
		const at = this.#codeMap[page]!;
		if (length === PAGE_SIZE) this.#drop(page);
		else if (at !== 0) this.#forget(at, address % PAGE_SIZE, length);
	}

	/** Drops everything. */
	clear(): void {
		for (let page = 0; page < this.#codeMap.length; page++) {
			if (this.#codeMap[page] === 0) continue;
			this.#codeMap[page] = 0;
			this.#memory.pageMap[page]! &= ~PageFlag.code;
		}
		this.#next = this.#layout.decodedStart;
		this.#free = [];
		this.#observer.codeDropped(0);
	}

	#drop(page: number): void {
		const at = this.#codeMap[page]!;
		this.#codeMap[page] = 0;
		this.#memory.pageMap[page]! &= ~PageFlag.code;
		// It may be executing right now: let it run into undecoded entries.
		this.#forget(at, 0, PAGE_SIZE);
		this.#free.push(at);
		this.#observer.codeDropped(at);
	}

	#allocate(): number {
		const free = this.#free.pop();
		if (free !== undefined) return free;
		if (this.#next >= this.#layout.decodedEnd) this.clear();
		const at = this.#next;
		this.#next += DecodedPage.bytes;
		return at;
	}

	/** Writes one entry; false where control does not go on behind it. `offset` is undefined where nothing is near. */
	#write(at: number, word: number, offset: number | undefined): boolean {
		const view = this.#view;
		const d = this.#decoded;
		if (!decode(word, d)) {
			view.setUint16(at, Special.system, true);
			return false;
		}
		const target = offset === undefined ? -1 : offset + d.imm;
		const near = hasNear[d.index]! && target >= 0 && target < PAGE_SIZE;
		const opcode = opcodeFor(d.index, near, d.rd !== 0);
		view.setUint16(at + DecodedPage.rd, d.rd === 0 && writesInteger[d.index] ? DISCARD : d.rd * 8, true);
		view.setUint16(at + DecodedPage.rs1, d.rs1 * 8, true);
		view.setUint16(at + DecodedPage.rs2, d.rs2 * 8, true);
		// Entries are eight times as far apart as the bytes that they stand for.
		view.setInt32(at + DecodedPage.imm, near ? d.imm * 8 : d.imm, true);
		view.setUint16(at + DecodedPage.rs3, d.rs3 * 8, true);
		view.setUint8(at + DecodedPage.length, d.length * 8);
		view.setUint8(at + DecodedPage.rm, d.rm);
		view.setUint16(at + DecodedPage.opcode, opcode, true);
		return d.index !== jal && d.index !== jalr;
	}
}
