/**
 * MMIO windows: which device answers at which physical address. Memory itself is in physical-memory.ts.
 */

/** A device's registers. Offsets count from the window's base; values are unsigned. */
export interface MmioDevice {
	/** A guest's load. */
	read(offset: number, size: 1 | 2 | 4): number;
	/** A guest's store. */
	write(offset: number, size: 1 | 2 | 4, value: number): void;
}

/** A range of physical addresses that a device answers. */
export interface MmioWindow {
	/** For messages. */
	readonly name: string;
	/** First physical address. */
	readonly base: number;
	/** Bytes. */
	readonly size: number;
	/** Who answers. */
	readonly device: MmioDevice;
}

/** The MMIO windows of a board. */
export class AddressMap {
	#windows: MmioWindow[] = [];

	/** All windows, by address. */
	get windows(): readonly MmioWindow[] {
		return this.#windows;
	}

	/**
	 * Adds a window.
	 * @throws RangeError where it overlaps another, or is no range of addresses
	 */
	add(window: MmioWindow): void {
		if (!Number.isSafeInteger(window.base + window.size) || window.base < 0 || !(window.size > 0))
			throw new RangeError(`MMIO window ${window.name}: base ${window.base} and size ${window.size} are no range`);
		for (const other of this.#windows) {
			if (window.base < other.base + other.size && other.base < window.base + window.size) {
				throw new RangeError(`MMIO window ${window.name} overlaps ${other.name} at 0x${window.base.toString(16)}`);
			}
		}
		this.#windows.push(window);
		this.#windows.sort((a, b) => a.base - b.base);
	}

	/** The window that holds all `size` bytes at `address`. */
	find(address: number, size: number): MmioWindow | undefined {
		let low = 0;
		let high = this.#windows.length - 1;
		while (low <= high) {
			const middle = (low + high) >> 1;
			const window = this.#windows[middle]!;
			if (address < window.base) high = middle - 1;
			else if (address >= window.base + window.size) low = middle + 1;
			else return address + size <= window.base + window.size ? window : undefined;
		}
		return undefined;
	}
}
