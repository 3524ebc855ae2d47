/** A bounded queue of bytes over plain state. */

/** The queue's content: `count` bytes from `head` on, around the end of `bytes`. */
export interface ByteRing {
	/** The storage: its length is the capacity. */
	readonly bytes: Uint8Array;
	/** Index of the oldest byte. */
	head: number;
	/** Bytes held. */
	count: number;
}

/** An empty queue. */
export function emptyRing(capacity: number): ByteRing {
	return { bytes: new Uint8Array(capacity), head: 0, count: 0 };
}

/** Whether a saved queue is one of this capacity. */
export function isRing(ring: ByteRing | undefined, capacity: number): boolean {
	const index = (value: number, end: number): boolean => Number.isInteger(value) && value >= 0 && value < end;
	return (
		ring?.bytes instanceof Uint8Array &&
		ring.bytes.length === capacity &&
		index(ring.head, capacity) &&
		index(ring.count, capacity + 1)
	);
}

/** Appends bytes. @returns how many there was room for, from the front */
export function push(ring: ByteRing, bytes: Uint8Array): number {
	const { length } = ring.bytes;
	const taken = Math.min(bytes.length, length - ring.count);
	for (let i = 0; i < taken; i++) ring.bytes[(ring.head + ring.count + i) % length] = bytes[i]!;
	ring.count += taken;
	return taken;
}

/** Takes the oldest byte out; the queue must have one. */
export function shift(ring: ByteRing): number {
	const byte = ring.bytes[ring.head]!;
	ring.head = (ring.head + 1) % ring.bytes.length;
	ring.count--;
	return byte;
}

/** Takes at most `most` bytes out, the oldest first. */
export function shiftMany(ring: ByteRing, most: number): Uint8Array {
	const bytes = new Uint8Array(Math.min(most, ring.count));
	for (let i = 0; i < bytes.length; i++) bytes[i] = shift(ring);
	return bytes;
}
