/**
 * Runs of the board's RAM that the kernel gives out, and takes back. Not here: what they are mapped as (address-space.ts).
 */

/** Physical memory by address; `PhysicalMemory` of `@partita/memory` fits. */
export interface FrameMemory {
	/** Fails, with nothing copied, where part of the range is not memory. */
	read(address: number, into: Uint8Array): boolean;
	/** Fails, with nothing copied, where part of the range is not memory. */
	write(address: number, from: Uint8Array): boolean;
}

/** Who hands out physical memory. */
export interface FrameAllocator {
	/**
	 * Physical address of `bytes` (whole pages) of zeros, aligned to `alignment` (a power of two); undefined if there are
	 * none.
	 */
	allocate(bytes: number, alignment: number): number | undefined;
	/** Takes a run back, whatever is in it. */
	free(address: number, bytes: number): void;
}

/** State of a {@link FrameRegion}. Plain data. */
export interface FrameRegionState {
	/** From here on nothing was ever given out: it is zero. */
	readonly fresh: number;
	/** Free runs by address: first and last-plus-one addresses, no two adjacent. */
	readonly free: readonly (readonly [number, number])[];
}

const PAGE = 4096;
const ZEROS = new Uint8Array(PAGE);

/** A region of RAM from which the first run that fits is given. */
export class FrameRegion implements FrameAllocator {
	readonly #memory: FrameMemory;
	#fresh: number;
	#free: [number, number][];

	/** Nobody else may write to the region. Throws a `RangeError` unless base and size are whole pages. */
	constructor(memory: FrameMemory, base: number, size: number) {
		if (!(base >= 0 && size > 0 && Number.isSafeInteger(base + size)) || base % PAGE !== 0 || size % PAGE !== 0)
			throw new RangeError(`region of frames: ${base}+${size} are no whole pages`);
		this.#memory = memory;
		this.#fresh = base;
		this.#free = [[base, base + size]];
	}

	/** A copy of the state. */
	get state(): FrameRegionState {
		return { fresh: this.#fresh, free: this.#free.map(([from, to]) => [from, to] as const) };
	}

	/** Goes on from a state. Throws a `RangeError`, and changes nothing, if it is broken. */
	restore({ fresh, free }: FrameRegionState): void {
		let last = -1;
		for (const [from, to] of free) {
			if (!(from > last && from < to && Number.isSafeInteger(to)) || from % PAGE !== 0 || to % PAGE !== 0)
				throw new RangeError('region of frames: broken state');
			last = to;
		}
		this.#fresh = fresh;
		this.#free = free.map(([from, to]) => [from, to]);
	}

	/** Bytes that are free. */
	get available(): number {
		return this.#free.reduce((sum, [from, to]) => sum + to - from, 0);
	}

	allocate(bytes: number, alignment: number = PAGE): number | undefined {
		const size = Math.ceil(bytes / PAGE) * PAGE;
		for (let index = 0; index < this.#free.length; index++) {
			const [from, to] = this.#free[index]!;
			const address = Math.ceil(from / alignment) * alignment;
			const end = address + size;
			if (end > to) continue;
			const rest: [number, number][] = [
				[from, address],
				[end, to],
			];
			this.#free.splice(index, 1, ...rest.filter(([first, last]) => first < last));
			for (let page = address; page < Math.min(end, this.#fresh); page += PAGE) this.#memory.write(page, ZEROS);
			this.#fresh = Math.max(this.#fresh, end);
			return address;
		}
		return undefined;
	}

	/** Takes a given run of whole pages, which is as it is: zero unless it was used. @returns whether all of it was free */
	claim(address: number, bytes: number): boolean {
		const end = address + bytes;
		const index = this.#free.findIndex(([from, to]) => from <= address && end <= to);
		if (index < 0 || address % PAGE !== 0 || bytes % PAGE !== 0 || bytes === 0) return false;
		const [from, to] = this.#free[index]!;
		const rest: [number, number][] = [
			[from, address],
			[end, to],
		];
		this.#free.splice(index, 1, ...rest.filter(([first, last]) => first < last));
		for (let page = address; page < Math.min(end, this.#fresh); page += PAGE) this.#memory.write(page, ZEROS);
		// What lies below is not all fresh any more, and what lies above is taken for used.
		this.#fresh = Math.max(this.#fresh, end);
		return true;
	}

	free(address: number, bytes: number): void {
		const end = address + Math.ceil(bytes / PAGE) * PAGE;
		let index = this.#free.findIndex(([from]) => from > address);
		if (index < 0) index = this.#free.length;
		const before = this.#free[index - 1];
		const after = this.#free[index];
		if ((before && before[1] > address) || (after && after[0] < end))
			throw new RangeError(`0x${address.toString(16)}: free already`);
		const joinBefore = before?.[1] === address;
		const joinAfter = after?.[0] === end;
		const run: [number, number] = [joinBefore ? before[0] : address, joinAfter ? after[1] : end];
		this.#free.splice(index - (joinBefore ? 1 : 0), (joinBefore ? 1 : 0) + (joinAfter ? 1 : 0), run);
	}
}
