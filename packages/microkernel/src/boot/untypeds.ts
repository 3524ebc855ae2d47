/**
 * Physical memory as untypeds: ranges cut into naturally aligned powers of two, as the root task is given them. Not here:
 * their capabilities.
 */

/** A range of physical addresses; `end` is not in it. */
export interface PhysicalRange {
	readonly start: number;
	readonly end: number;
}

/** A block of untyped memory. */
export interface UntypedBlock {
	readonly address: number;
	/** log2 of its bytes. */
	readonly bits: number;
	/** It is not cleared, and no kernel objects but frames are made from it. */
	readonly device: boolean;
}

/** log2 of the smallest and largest untyped. */
const SMALLEST = 4;
const LARGEST = 38;

/** The fewest aligned blocks that cover a range, lowest address first. Bytes that fill no smallest block are lost. */
export function untypedBlocks({ start, end }: PhysicalRange, device: boolean): UntypedBlock[] {
	const blocks: UntypedBlock[] = [];
	const smallest = 2 ** SMALLEST;
	for (let address = Math.ceil(start / smallest) * smallest; address + smallest <= end; ) {
		let bits = SMALLEST;
		while (bits < LARGEST && address % 2 ** (bits + 1) === 0 && address + 2 ** (bits + 1) <= end) bits++;
		blocks.push({ address, bits, device });
		address += 2 ** bits;
	}
	return blocks;
}

/** What is left of a range when others are taken out of it, lowest address first. */
export function rangesWithout(range: PhysicalRange, taken: readonly PhysicalRange[]): PhysicalRange[] {
	const rest: PhysicalRange[] = [];
	let { start } = range;
	for (const hole of taken.toSorted((a, b) => a.start - b.start)) {
		if (hole.end <= start || hole.start >= range.end) continue;
		if (hole.start > start) rest.push({ start, end: hole.start });
		start = hole.end;
	}
	if (start < range.end) rest.push({ start, end: range.end });
	return rest;
}
