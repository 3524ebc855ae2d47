/**
 * An invocation of a kernel object, decoded as far as that is the same for all: label, words, capabilities; and what can
 * come of it. Not here: what objects do (invocations/).
 */
import {
	CapabilityError,
	type CapabilityFailure,
	type CapabilityId,
	lookupSlot,
	type Slot,
	type SlotAddress,
} from '@partita/capability';
import type { KernelParts } from './parts.ts';
import type { Thread } from './thread.ts';

/**
 * What came of an invocation: the words of the answer, a failure; `again`: there is more to do, and the thread is to do its
 * system call again; `silent`: the answer, if any, is given already.
 */
export type Outcome = readonly bigint[] | CapabilityFailure | 'again' | 'silent';

/** An invocation. */
export interface Invocation {
	readonly parts: KernelParts;
	readonly thread: Thread;
	/** The invoked capability, and where it is. */
	readonly capability: CapabilityId;
	readonly slot: Slot;
	/** Words of the message: as many as it has. */
	readonly words: readonly bigint[];
	/** Where the capabilities that go along are; {@link NO_SLOT}: it is none. */
	readonly extra: readonly Slot[];
	/** Whether the thread waits for the answer. */
	readonly call: boolean;
}

/** In place of a slot, for a capability that is none. */
export const NO_SLOT = -1;

export const DONE: Outcome = [];
export const TRUNCATED: CapabilityFailure = { error: CapabilityError.TruncatedMessage };
export const ILLEGAL: CapabilityFailure = { error: CapabilityError.IllegalOperation };
export const ALIGNMENT: CapabilityFailure = { error: CapabilityError.AlignmentError };
export const DELETE_FIRST: CapabilityFailure = { error: CapabilityError.DeleteFirst };
export const REVOKE_FIRST: CapabilityFailure = { error: CapabilityError.RevokeFirst };

export function invalidArgument(argument: number): CapabilityFailure {
	return { error: CapabilityError.InvalidArgument, argument };
}

export function invalidCapability(capability: number): CapabilityFailure {
	return { error: CapabilityError.InvalidCapability, capability };
}

export function rangeError(minimum: number, maximum: number): CapabilityFailure {
	return { error: CapabilityError.RangeError, minimum, maximum };
}

/** Whether a message has so many words and capabilities. */
export function has({ words, extra }: Invocation, wordCount: number, capabilities = 0): boolean {
	return words.length >= wordCount && extra.length >= capabilities;
}

/** A word as a number: a large one stays large, if not exact. */
export function num(word: bigint | undefined): number {
	return Number(word ?? 0n);
}

/** The capability that goes along at an index, or 0. */
export function extraCapability({ parts, extra }: Invocation, index: number): CapabilityId {
	const slot = extra[index];
	return slot === undefined || slot === NO_SLOT ? 0 : parts.space.at(slot);
}

/** An empty slot that a message names. */
export function emptySlot({ parts }: Invocation, address: SlotAddress): Slot | CapabilityFailure {
	const slot = lookupSlot(parts.space, address, false);
	return typeof slot === 'number' && parts.space.at(slot) !== 0 ? DELETE_FIRST : slot;
}
