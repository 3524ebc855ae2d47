// The derivation tree, as a list of brackets: a capability c is an opening bracket 2c and a closing bracket 2c+1, and
// its descendants are what stands between them. So a capability is inserted, removed (its children then belong to its
// parent) and asked for a child in constant time, whatever the size of the tree, and moving it between slots does not
// touch the tree. Row 0's pair encloses all trees. Manual: "Capability Derivation Tree".

import type { CapabilityColumns, CapabilityId } from './state.ts';

/** Puts the pair of `capability` right after a bracket. */
function insertAfter(columns: CapabilityColumns, bracket: number, capability: CapabilityId): void {
	const { next, previous } = columns;
	const open = 2 * capability;
	const close = open + 1;
	const following = next[bracket];
	next[bracket] = open;
	previous[open] = bracket;
	next[open] = close;
	previous[close] = open;
	next[close] = following;
	previous[following] = close;
}

/** Makes `capability` the first child of `parent`; 0 makes it a root. */
export function insertChild(columns: CapabilityColumns, parent: CapabilityId, capability: CapabilityId): void {
	insertAfter(columns, 2 * parent, capability);
}

/** Gives `capability` the parent of `sibling`. */
export function insertSibling(columns: CapabilityColumns, sibling: CapabilityId, capability: CapabilityId): void {
	insertAfter(columns, 2 * sibling + 1, capability);
}

/** Takes `capability` out; its children become children of its parent. */
export function unlink(columns: CapabilityColumns, capability: CapabilityId): void {
	const { next, previous } = columns;
	const open = 2 * capability;
	const close = open + 1;
	next[previous[open]] = next[open];
	previous[next[open]] = previous[open];
	next[previous[close]] = next[close];
	previous[next[close]] = previous[close];
	next[open] = 0;
	previous[open] = 0;
	next[close] = 0;
	previous[close] = 0;
}

/** The first child, or 0. */
export function firstChild(columns: CapabilityColumns, capability: CapabilityId): CapabilityId {
	const following = columns.next[2 * capability];
	return following === 2 * capability + 1 ? 0 : following >> 1;
}

/** The child of the same parent that comes next, or 0. */
export function nextSibling(columns: CapabilityColumns, capability: CapabilityId): CapabilityId {
	const following = columns.next[2 * capability + 1];
	return following & 1 ? 0 : following >> 1;
}
