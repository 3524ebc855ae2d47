// A guest's RAM for tests: a few regions in an otherwise empty address space, which counts what was refused.
import type { GuestMemory } from '../ports.ts';

/** One region of RAM. */
export interface MockRegion {
	/** Address of the first byte. */
	readonly base: number;
	/** The content. */
	readonly bytes: Uint8Array;
}

/** RAM in regions; a transfer must lie in one region, everything else is refused. */
export class MockMemory implements GuestMemory {
	/** The regions, in the order they were given. */
	readonly regions: readonly MockRegion[];
	/** Transfers that were refused so far. */
	refused = 0;

	/**
	 * @param base - where the first region lies.
	 * @param size - its bytes.
	 * @param more - further regions.
	 */
	constructor(base: number, size: number, ...more: MockRegion[]) {
		this.regions = [{ base, bytes: new Uint8Array(size) }, ...more];
	}

	read(address: number, into: Uint8Array): boolean {
		const found = this.#find(address, into.length);
		if (found === undefined) return false;
		into.set(found);
		return true;
	}

	write(address: number, from: Uint8Array): boolean {
		const found = this.#find(address, from.length);
		found?.set(from);
		return found !== undefined;
	}

	/** `length` bytes at `address`, as a copy; throws where they are not RAM, since a test is wrong then. */
	bytes(address: number, length: number): Uint8Array {
		const found = this.#find(address, length);
		if (found === undefined) throw new RangeError(`0x${address.toString(16)}+${length} is not in the mock memory`);
		return found.slice();
	}

	/** A little-endian unsigned value of 2, 4 or 8 bytes at `address`. */
	load(address: number, size: 2 | 4 | 8): number {
		return this.bytes(address, size).reduceRight((value, byte) => value * 256 + byte, 0);
	}

	/** Stores a little-endian value of 2, 4 or 8 bytes at `address`. */
	store(address: number, size: 2 | 4 | 8, value: number): void {
		const bytes = new Uint8Array(size);
		let rest = value;
		for (let index = 0; index < size; index++) {
			bytes[index] = rest % 256;
			rest = Math.floor(rest / 256);
		}
		if (!this.write(address, bytes)) throw new RangeError(`0x${address.toString(16)} is not in the mock memory`);
	}

	#find(address: number, length: number): Uint8Array | undefined {
		for (const { base, bytes } of this.regions) {
			const start = address - base;
			if (start >= 0 && start + length <= bytes.length) return bytes.subarray(start, start + length);
		}
		this.refused++;
		return undefined;
	}
}
