// A bounded queue of bytes over plain state: what waits to be read by the guest.
import type { StateCheck } from './state-error.ts';

/** The queue's content: `count` bytes from `head` on, around the end of `bytes`. */
export interface ByteQueueState {
	/** The storage; its length is the capacity. */
	bytes: Uint8Array;
	/** Index of the oldest byte. */
	head: number;
	/** Bytes held. */
	count: number;
}

/** An empty queue for `capacity` bytes. */
export function emptyByteQueue(capacity: number): ByteQueueState {
	return { bytes: new Uint8Array(capacity), head: 0, count: 0 };
}

/** Appends as many bytes as there is room for, and says how many. */
export function pushBytes(queue: ByteQueueState, bytes: Uint8Array): number {
	const capacity = queue.bytes.length;
	const taken = Math.min(bytes.length, capacity - queue.count);
	const tail = (queue.head + queue.count) % capacity;
	const first = Math.min(taken, capacity - tail);
	queue.bytes.set(bytes.subarray(0, first), tail);
	queue.bytes.set(bytes.subarray(first, taken), 0);
	queue.count += taken;
	return taken;
}

/** Takes up to `most` bytes out, the oldest first. */
export function shiftBytes(queue: ByteQueueState, most: number): Uint8Array {
	const taken = new Uint8Array(Math.min(most, queue.count));
	const first = Math.min(taken.length, queue.bytes.length - queue.head);
	taken.set(queue.bytes.subarray(queue.head, queue.head + first));
	taken.set(queue.bytes.subarray(0, taken.length - first), first);
	queue.head = (queue.head + taken.length) % queue.bytes.length;
	queue.count -= taken.length;
	return taken;
}

/** Takes the oldest byte out; -1: there is none. */
export function shiftByte(queue: ByteQueueState): number {
	if (queue.count === 0) return -1;
	const byte = queue.bytes[queue.head];
	queue.head = (queue.head + 1) % queue.bytes.length;
	queue.count--;
	return byte;
}

/** Checks a saved queue of a known capacity. */
export function checkByteQueue(check: StateCheck, name: string, queue: ByteQueueState, capacity: number): void {
	check.that(
		queue?.bytes instanceof Uint8Array && queue.bytes.length === capacity,
		`${name}.bytes must hold ${capacity} bytes`,
	);
	check.integer(`${name}.head`, queue.head, capacity - 1);
	check.integer(`${name}.count`, queue.count, capacity);
}
