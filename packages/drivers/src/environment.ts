/**
 * What a driver is given, wherever it is: linked into a kernel, where a call is a call, or in a protection domain of a
 * microkernel, where it is a message. `ComponentEnvironment` of `@partita/microkernel` fits; a kernel that links a driver makes
 * its own (see linked-console.ts).
 *
 * A driver is a set of handlers that run to completion over plain state: `init` once, `notified` with the badges of signals,
 * `protected` with a client's message, of which it returns the answer.
 */

/** A message between components: label and words of 64 bits, as seL4's. */
export interface Message {
	readonly label: number;
	readonly words: readonly bigint[];
}

/** What a driver is given. Slots are those of its capability space. */
export interface DriverEnvironment {
	/** It computes for so many nanoseconds. */
	work(nanos: number): void;
	/** Signals the notification in a slot. */
	notify(slot: number): void;
	/** Lets the interrupt of a handler in a slot through again. */
	acknowledge(slot: number): void;
	/** Loads from a device in its address space, which takes time; undefined where there is none. */
	load(address: number, size: 1 | 2 | 4): number | undefined;
	/** Stores to a device in its address space, which takes time; false where there is none. */
	store(address: number, size: 1 | 2 | 4, value: number): boolean;
}
