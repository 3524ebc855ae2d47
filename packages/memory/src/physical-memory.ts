/**
 * Guest memory: regions of the physical address space backed by a pool of host frames inside one linear memory.
 *
 * A page gets its frame when it is first written or mapped for direct access, so memory is sparse: a board may have more
 * RAM than the pool, as long as less is touched. It is not an MMIO bus (address-map.ts), and it knows no CPU: whoever
 * caches decoded code registers as the {@link CodeCache}.
 */
import { PAGE_BITS, PAGE_SIZE, PageFlag } from './page-word.ts';

/** Told when bytes of a page that is flagged as code are written from outside the code cache. */
export interface CodeCache {
	/** `length` bytes from physical `address` on, all in one page, were written. */
	written(address: number, length: number): void;
}

/** Where things are in the linear memory. */
export interface MemoryLayout {
	readonly memory: WebAssembly.Memory;
	/** Linear address of the page map. */
	readonly pageMap: number;
	/** Pages of the physical address space that the map covers, from address 0 on. */
	readonly pages: number;
	/** First and last-plus-one linear addresses of the frame pool, multiples of 4 KiB. */
	readonly poolStart: number;
	readonly poolEnd: number;
}

/** Plain state: which pages hold which bytes. */
export interface PhysicalMemoryState {
	/** Numbers of all pages that are memory, ascending. */
	readonly pages: Uint32Array;
	/** Their page words, with frames counted from the pool's start. */
	readonly words: Uint32Array;
	/** Contents of the frames in use, in pool order. */
	readonly frames: Uint8Array;
}

/** Flags of page words that a snapshot keeps. */
const SAVED_FLAGS = PageFlag.ram | PageFlag.rom | PageFlag.held | PageFlag.dirty;

/** The pool has no frame left: the guest touched more memory than the host gave. */
export class FramePoolExhausted extends Error {
	/** @param frames - how many the pool has */
	constructor(frames: number) {
		super(
			`guest memory: all ${frames} host frames (${(frames * PAGE_SIZE) / 1048576} MiB) are in use; give the machine a larger pool`,
		);
		this.name = 'FramePoolExhausted';
	}
}

/** Physical memory over a pool of frames. */
export class PhysicalMemory {
	/** What it was made with. */
	readonly layout: MemoryLayout;
	/** The page map; see page-word.ts. */
	readonly pageMap: Uint32Array;
	/** The whole linear memory. */
	readonly bytes: Uint8Array;
	/** Set by the code cache, if there is one. */
	codeCache: CodeCache | undefined;
	#nextFrame: number;
	/** First and last-plus-one pages of the regions, by address: most of the page map is no memory. */
	readonly #regions: (readonly [number, number])[] = [];

	/** A memory without regions; see {@link addRegion}. */
	constructor(layout: MemoryLayout) {
		this.layout = layout;
		this.pageMap = new Uint32Array(layout.memory.buffer, layout.pageMap, layout.pages);
		this.bytes = new Uint8Array(layout.memory.buffer);
		this.#nextFrame = layout.poolStart;
	}

	/** Frames handed out so far. */
	get framesInUse(): number {
		return (this.#nextFrame - this.layout.poolStart) / PAGE_SIZE;
	}

	/**
	 * Declares `size` bytes from `base` on (multiples of 4 KiB) to be memory.
	 * @throws RangeError for parts of pages, another region's pages, or pages beyond the map
	 */
	addRegion(base: number, size: number, readOnly = false): void {
		if (base % PAGE_SIZE !== 0 || size % PAGE_SIZE !== 0 || size <= 0)
			throw new RangeError(
				`memory region 0x${base.toString(16)}+0x${size.toString(16)} is not a whole number of pages`,
			);
		const first = base / PAGE_SIZE;
		const last = first + size / PAGE_SIZE;
		if (last > this.layout.pages)
			throw new RangeError(`memory region 0x${base.toString(16)}+0x${size.toString(16)} is beyond the page map`);
		for (let page = first; page < last; page++) {
			if (this.pageMap[page] !== 0)
				throw new RangeError(`memory region 0x${base.toString(16)}+0x${size.toString(16)} overlaps another one`);
		}
		this.pageMap.fill(PageFlag.ram | (readOnly ? PageFlag.rom : 0), first, last);
		this.#regions.push([first, last]);
		this.#regions.sort(([a], [b]) => a - b);
	}

	/** Whether every byte of the range is memory. */
	contains(address: number, length: number): boolean {
		if (!(length >= 0 && address >= 0)) return false;
		const last = Math.floor((address + Math.max(length, 1) - 1) / PAGE_SIZE);
		for (let page = Math.floor(address / PAGE_SIZE); page <= last; page++) {
			if (!((this.pageMap[page] ?? 0) & PageFlag.ram)) return false;
		}
		return true;
	}

	/**
	 * Linear address of a page's frame, attached now if need be; 0 where the page is not memory.
	 * @throws FramePoolExhausted where the pool has none left
	 */
	frame(page: number): number {
		const word = this.pageMap[page] ?? 0;
		if (word & PageFlag.held) return (word & ~(PAGE_SIZE - 1)) >>> 0;
		if (!(word & PageFlag.ram)) return 0;
		if (this.#nextFrame >= this.layout.poolEnd) {
			throw new FramePoolExhausted((this.layout.poolEnd - this.layout.poolStart) / PAGE_SIZE);
		}
		const frame = this.#nextFrame;
		this.#nextFrame += PAGE_SIZE;
		this.pageMap[page] = (word | PageFlag.held | frame) >>> 0;
		return frame;
	}

	/** Copies guest memory into `into`; false, with nothing copied, where part of the range is not memory. */
	read(address: number, into: Uint8Array): boolean {
		if (!this.contains(address, into.length)) return false;
		this.#pieces(address, into.length, (page, offset, done, length) => {
			const word = this.pageMap[page]!;
			if (word & PageFlag.held) {
				const from = ((word & ~(PAGE_SIZE - 1)) >>> 0) + offset;
				into.set(this.bytes.subarray(from, from + length), done);
			} else into.fill(0, done, done + length);
		});
		return true;
	}

	/**
	 * Copies `from` into guest memory as a device would; false, with nothing copied, where part of the range is not
	 * writable memory.
	 * @throws FramePoolExhausted where the pool has no frame left for it
	 */
	write(address: number, from: Uint8Array): boolean {
		if (!this.contains(address, from.length)) return false;
		const last = Math.floor((address + Math.max(from.length, 1) - 1) / PAGE_SIZE);
		for (let page = Math.floor(address / PAGE_SIZE); page <= last; page++) {
			if (this.pageMap[page]! & PageFlag.rom) return false;
		}
		this.load(address, from);
		return true;
	}

	/**
	 * Places bytes as the board's loader does: read-only regions too.
	 * @throws RangeError, with nothing placed, where the range is not all memory; FramePoolExhausted
	 */
	load(address: number, from: Uint8Array): void {
		if (!this.contains(address, from.length))
			throw new RangeError(`0x${address.toString(16)}+0x${from.length.toString(16)} is not all memory`);
		this.#pieces(address, from.length, (page, offset, done, length) => {
			const frame = this.frame(page);
			this.bytes.set(from.subarray(done, done + length), frame + offset);
			this.pageMap[page]! |= PageFlag.dirty;
			if (this.pageMap[page]! & PageFlag.code) this.codeCache?.written(page * PAGE_SIZE + offset, length);
		});
	}

	/** Calls `visit` for each dirty page in address order, after clearing its flag. */
	takeDirty(visit: (page: number, frame: number) => void): void {
		for (const [first, last] of this.#regions) {
			for (let page = first; page < last; page++) {
				const word = this.pageMap[page]!;
				if (!(word & PageFlag.dirty)) continue;
				this.pageMap[page] = word & ~PageFlag.dirty;
				visit(page, (word & ~(PAGE_SIZE - 1)) >>> 0);
			}
		}
	}

	/** The contents, for a snapshot. */
	save(): PhysicalMemoryState {
		const numbers: number[] = [];
		for (const [first, last] of this.#regions) for (let page = first; page < last; page++) numbers.push(page);
		const words = new Uint32Array(numbers.length);
		const { poolStart } = this.layout;
		for (let i = 0; i < numbers.length; i++) {
			const word = this.pageMap[numbers[i]!]! & ~PageFlag.code;
			words[i] = word & PageFlag.held ? word - poolStart : word;
		}
		return {
			pages: new Uint32Array(numbers),
			words,
			frames: this.bytes.slice(poolStart, this.#nextFrame),
		};
	}

	/**
	 * Takes the contents of a snapshot of a memory with the same regions.
	 * @throws RangeError for other regions or a damaged page map, FramePoolExhausted for a larger snapshot than the pool;
	 * the memory is then unchanged
	 */
	restore(state: PhysicalMemoryState): void {
		const { poolStart, poolEnd } = this.layout;
		const frames = state.frames.length / PAGE_SIZE;
		if (!Number.isInteger(frames) || state.pages.length !== state.words.length)
			throw new RangeError('memory snapshot: lengths do not agree');
		if (state.frames.length > poolEnd - poolStart) throw new FramePoolExhausted((poolEnd - poolStart) / PAGE_SIZE);
		const region = PageFlag.ram | PageFlag.rom;
		const seen = new Uint8Array(frames);
		const memoryPages = this.#regions.reduce((sum, [first, last]) => sum + last - first, 0);
		if (memoryPages !== state.pages.length) throw new RangeError('memory snapshot: taken with other memory regions');
		for (let i = 0; i < state.pages.length; i++) {
			const word = state.words[i]!;
			const mine = this.pageMap[state.pages[i]!] ?? 0;
			if (mine === 0 || ((mine ^ word) & region) !== 0)
				throw new RangeError('memory snapshot: taken with other memory regions');
			const frame = word >>> PAGE_BITS;
			const held = (word & PageFlag.held) !== 0;
			const ascending = i === 0 || state.pages[i - 1]! < state.pages[i]!;
			const strange =
				(word & (PAGE_SIZE - 1) & ~SAVED_FLAGS) !== 0 || (held ? frame >= frames || seen[frame] : frame !== 0);
			if (!ascending || strange) throw new RangeError('memory snapshot: page map is damaged');
			if (held) seen[frame] = 1;
		}
		this.bytes.fill(0, poolStart + state.frames.length, this.#nextFrame);
		this.bytes.set(state.frames, poolStart);
		this.#nextFrame = poolStart + state.frames.length;
		for (let i = 0; i < state.pages.length; i++) {
			const word = state.words[i]! & ~PageFlag.code;
			this.pageMap[state.pages[i]!] = word & PageFlag.held ? word + poolStart : word;
		}
	}

	#pieces(
		address: number,
		total: number,
		visit: (page: number, offset: number, done: number, length: number) => void,
	): void {
		let done = 0;
		while (done < total) {
			const at = address + done;
			const offset = at % PAGE_SIZE;
			const length = Math.min(PAGE_SIZE - offset, total - done);
			visit((at - offset) / PAGE_SIZE, offset, done, length);
			done += length;
		}
	}
}
