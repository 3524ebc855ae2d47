// The methods of a CNode as they are invoked: slots given by a root, a pointer and a depth, with errors in the order in
// which the interface promises them. Decoding messages is the kernel's. object-api: seL4_CNode, seL4_Untyped.

import {
	type CapabilityFailure,
	DELETE_FIRST,
	failedLookup,
	ILLEGAL_OPERATION,
	LookupFailureKind,
	missingCapability,
} from './errors.ts';
import { type CapabilitySpace, checkDepth } from './space.ts';
import type { CapabilityId, ObjectId, Slot } from './state.ts';

/** Where a slot is, as a guest says it. */
export interface SlotAddress {
	/** The capability that should be a CNode's; 0 is none. */
	readonly root: CapabilityId;
	readonly pointer: bigint;
	/** Bits of the pointer to use: a word from the guest, unchecked. */
	readonly depth: number;
}

/**
 * The slot at an address; all bits must be used. `source` says what the error reply tells.
 * Errors: RangeError, FailedLookup.
 */
export function lookupSlot(space: CapabilitySpace, address: SlotAddress, source: boolean): Slot | CapabilityFailure {
	const { root, pointer, depth } = address;
	if (!space.isCNode(root)) {
		return failedLookup(source, { kind: LookupFailureKind.InvalidRoot });
	}
	const outOfRange = checkDepth(depth);
	if (outOfRange) return outOfRange;
	const found = space.resolve(root, pointer, depth);
	if ('kind' in found) return failedLookup(source, found);
	if (found.bitsLeft === 0) return found.slot;
	return failedLookup(source, { kind: LookupFailureKind.DepthMismatch, bitsLeft: found.bitsLeft, bitsFound: 0 });
}

/** As `lookupSlot`, for a destination, which must be empty. */
function lookupEmpty(space: CapabilitySpace, address: SlotAddress): Slot | CapabilityFailure {
	const slot = lookupSlot(space, address, false);
	return typeof slot === 'number' && space.at(slot) !== 0 ? DELETE_FIRST : slot;
}

/** As `lookupSlot`, for a slot that must not be empty. */
function lookupFull(space: CapabilitySpace, address: SlotAddress, source: boolean): Slot | CapabilityFailure {
	const slot = lookupSlot(space, address, source);
	if (typeof slot !== 'number' || space.at(slot) !== 0) return slot;
	return failedLookup(source, missingCapability(address.depth));
}

/** Finds both slots and then does it. */
function between(
	space: CapabilitySpace,
	to: SlotAddress,
	from: SlotAddress,
	act: (to: Slot, from: Slot) => CapabilityFailure | undefined,
): CapabilityFailure | undefined {
	const destination = lookupEmpty(space, to);
	if (typeof destination !== 'number') return destination;
	const source = lookupFull(space, from, true);
	return typeof source === 'number' ? act(destination, source) : source;
}

/** CNode_Copy. Returns nothing, or why not. */
export function cnodeCopy(
	space: CapabilitySpace,
	to: SlotAddress,
	from: SlotAddress,
	rights: number,
): CapabilityFailure | undefined {
	return between(space, to, from, (destination, source) => space.copy(destination, source, rights));
}

/** CNode_Mint. Returns nothing, or why not. */
export function cnodeMint(
	space: CapabilitySpace,
	to: SlotAddress,
	from: SlotAddress,
	rights: number,
	word: bigint,
): CapabilityFailure | undefined {
	return between(space, to, from, (destination, source) => space.mint(destination, source, rights, word));
}

/** CNode_Move. Returns nothing, or why not. */
export function cnodeMove(space: CapabilitySpace, to: SlotAddress, from: SlotAddress): CapabilityFailure | undefined {
	return between(space, to, from, (destination, source) => space.move(destination, source));
}

/** CNode_Mutate. Returns nothing, or why not. */
export function cnodeMutate(
	space: CapabilitySpace,
	to: SlotAddress,
	from: SlotAddress,
	word: bigint,
): CapabilityFailure | undefined {
	return between(space, to, from, (destination, source) => space.mutate(destination, source, word));
}

/** CNode_Rotate. Returns nothing, or why not. */
export function cnodeRotate(
	space: CapabilitySpace,
	to: SlotAddress,
	toWord: bigint,
	pivot: SlotAddress,
	pivotWord: bigint,
	from: SlotAddress,
): CapabilityFailure | undefined {
	const destination = lookupSlot(space, to, false);
	if (typeof destination !== 'number') return destination;
	const source = lookupSlot(space, from, true);
	if (typeof source !== 'number') return source;
	const turned = lookupSlot(space, pivot, false);
	if (typeof turned !== 'number') return turned;
	if (turned === source || turned === destination) return ILLEGAL_OPERATION;
	if (destination !== source && space.at(destination) !== 0) return DELETE_FIRST;
	if (space.at(source) === 0) return failedLookup(true, missingCapability(from.depth));
	if (space.at(turned) === 0) return failedLookup(false, missingCapability(pivot.depth));
	return space.rotate(destination, turned, source, toWord, pivotWord);
}

/**
 * The CNode that Untyped_Retype fills: the root itself if `depth` is 0, else what `pointer` leads to.
 * Errors: RangeError, FailedLookup.
 */
export function destinationNode(space: CapabilitySpace, address: SlotAddress): ObjectId | CapabilityFailure {
	let node = address.root;
	if (address.depth !== 0) {
		const slot = lookupSlot(space, address, false);
		if (typeof slot !== 'number') return slot;
		node = space.at(slot);
	}
	return space.isCNode(node) ? space.object(node) : failedLookup(false, missingCapability(address.depth));
}
