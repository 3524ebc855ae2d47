// Pieces of guest memory that make one buffer: what a descriptor chain comes down to once it was walked.
import type { GuestMemory } from '../ports.ts';

/** A physically contiguous piece of a buffer. */
export interface Segment {
	/** Physical address of the first byte. */
	address: number;
	/** Bytes; never 0. */
	length: number;
}

/** The part of a buffer that starts at byte `offset` and has `length` bytes (fewer where the buffer ends before). */
export function sliceSegments(segments: readonly Segment[], offset: number, length: number): Segment[] {
	const slice: Segment[] = [];
	let skip = offset;
	let left = length;
	for (const segment of segments) {
		if (left <= 0) break;
		if (skip >= segment.length) {
			skip -= segment.length;
			continue;
		}
		const taken = Math.min(segment.length - skip, left);
		slice.push({ address: segment.address + skip, length: taken });
		skip = 0;
		left -= taken;
	}
	return slice;
}

/** Fills `into` from the start of a buffer; false where some of it is outside RAM. The buffer must be long enough. */
export function readSegments(memory: GuestMemory, segments: readonly Segment[], into: Uint8Array): boolean {
	let done = 0;
	for (const { address, length } of segments) {
		const taken = Math.min(length, into.length - done);
		if (taken === 0) break;
		if (!memory.read(address, into.subarray(done, done + taken))) return false;
		done += taken;
	}
	return true;
}

/** Stores `from` at the start of a buffer; false where some of it is outside RAM. The buffer must be long enough. */
export function writeSegments(memory: GuestMemory, segments: readonly Segment[], from: Uint8Array): boolean {
	let done = 0;
	for (const { address, length } of segments) {
		const taken = Math.min(length, from.length - done);
		if (taken === 0) break;
		if (!memory.write(address, from.subarray(done, done + taken))) return false;
		done += taken;
	}
	return true;
}
