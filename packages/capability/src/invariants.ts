// Whether a state is one that a capability space can be in: each capability in exactly one slot and one place of the
// tree, counts right, no rights beyond those of the original, no memory outside its untyped. In time linear in its size.

import {
	type CapabilityId,
	type CapabilityState,
	DEVICE,
	indexOfSlot,
	NO_SLOTS,
	ORIGINAL,
	objectOfSlot,
	Store,
	ZOMBIE,
} from './state.ts';
import type { ObjectType } from './types.ts';

/** What is wrong with a state; empty if nothing is. The first fault may hide others. */
export function checkState(state: CapabilityState, types: readonly ObjectType[]): string[] {
	const shape = checkShape(state);
	if (shape !== undefined) return [shape];
	const faults: string[] = [];
	const live = checkTree(state, types, faults);
	if (faults.length === 0) checkSlots(state, live, faults);
	if (faults.length === 0) checkReferences(state, types, live, faults);
	return faults;
}

function checkShape(state: CapabilityState): string | undefined {
	const { capabilities: c, objects: o } = state;
	const rows = c.kind.length;
	for (const column of [c.object, c.rights, c.flags, c.word, c.slot, c.after, c.before]) {
		if (column.length !== rows) return 'columns of capabilities differ in length';
	}
	if (c.next.length !== 2 * rows || c.previous.length !== 2 * rows) return 'columns of brackets differ in length';
	for (const column of [o.references, o.address, o.sizeBits, o.radix, o.flags, o.first]) {
		if (column.length !== o.type.length) return 'columns of objects differ in length';
	}
	if (!(c.rows >= 1 && c.rows <= rows && o.rows >= 1 && o.rows <= o.type.length && o.slots.length === o.rows)) {
		return 'more rows than the columns have';
	}
	return undefined;
}

/** Walks the brackets; returns the capabilities in them. */
function checkTree(state: CapabilityState, types: readonly ObjectType[], faults: string[]): Set<CapabilityId> {
	const { capabilities: c, objects: o } = state;
	const live = new Set<CapabilityId>();
	const stack: CapabilityId[] = [0];
	let bracket = c.next[0];
	let last = 0;
	for (; stack.length > 0 && faults.length === 0; bracket = c.next[bracket]) {
		const capability = bracket >> 1;
		if (c.previous[bracket] !== last) faults.push(`bracket ${bracket} has the wrong predecessor`);
		last = bracket;
		if (bracket & 1) {
			if (stack.pop() !== capability) faults.push(`brackets cross at capability ${capability}`);
			continue;
		}
		if (capability === 0 || capability >= c.rows || live.has(capability)) {
			faults.push(`capability ${capability} cannot be here in the tree`);
			break;
		}
		live.add(capability);
		const parent = stack[stack.length - 1];
		stack.push(capability);
		const object = c.object[capability];
		const type = types[o.type[object]];
		const kind = c.kind[capability];
		if (object < 1 || object >= o.rows || type === undefined || (kind !== ZOMBIE && kind !== o.type[object])) {
			faults.push(`capability ${capability} names no object of its kind`);
		} else if (c.rights[capability] & ~type.rights) {
			faults.push(`capability ${capability} has rights that its type does not know`);
		} else if (parent !== 0) {
			checkChild(state, types, parent, capability, faults);
		}
	}
	return live;
}

function checkChild(
	state: CapabilityState,
	types: readonly ObjectType[],
	parent: CapabilityId,
	child: CapabilityId,
	faults: string[],
): void {
	const { capabilities: c, objects: o } = state;
	const from = c.object[parent];
	const object = c.object[child];
	if ((c.flags[parent] & ORIGINAL) === 0) faults.push(`capability ${parent} has a child and is no original`);
	if (object === from) {
		if (c.rights[child] & ~c.rights[parent]) faults.push(`capability ${child} has rights beyond its parent's`);
		if (types[o.type[object]].word === 'badge' && c.word[parent] !== 0n && c.word[parent] !== c.word[child]) {
			faults.push(`capability ${child} has another badge than its parent`);
		}
	} else if (types[o.type[from]].word === 'watermark') {
		const end = o.address[from] + Number(c.word[parent]);
		if (o.address[object] < o.address[from] || o.address[object] + 2 ** o.sizeBits[object] > end) {
			faults.push(`object ${object} is outside the used part of its untyped`);
		}
		if ((o.flags[object] & DEVICE) !== (o.flags[from] & DEVICE)) faults.push(`object ${object} is of the wrong memory`);
	}
}

function checkSlots(state: CapabilityState, live: ReadonlySet<CapabilityId>, faults: string[]): void {
	const { capabilities: c, objects: o } = state;
	const store = new Store(state, 0);
	let placed = 0;
	for (let object = 1; object < o.rows; object++) {
		const pages = o.slots[object];
		if (!pages) continue;
		let held = 0;
		for (const key of Object.keys(pages)) for (const capability of pages[Number(key)]) if (capability !== 0) held++;
		let before = 0;
		for (let capability = o.first[object]; capability !== 0; capability = c.after[capability]) {
			const slot = c.slot[capability];
			if (!live.has(capability) || c.before[capability] !== before || --held < 0) {
				faults.push(`the list of container ${object} is broken at capability ${capability}`);
				return;
			}
			if (objectOfSlot(slot) !== object || indexOfSlot(slot) >= 2 ** o.radix[object] || store.at(slot) !== capability) {
				faults.push(`capability ${capability} is not in the slot that it names`);
			}
			before = capability;
			placed++;
		}
		if (held !== 0) faults.push(`container ${object} holds capabilities that are not in its list`);
	}
	if (placed !== live.size) faults.push('a capability is in the tree and in no slot');
}

function checkReferences(
	state: CapabilityState,
	types: readonly ObjectType[],
	live: ReadonlySet<CapabilityId>,
	faults: string[],
): void {
	const { capabilities: c, objects: o } = state;
	const counts = new Map<number, number>();
	for (const capability of live) counts.set(c.object[capability], (counts.get(c.object[capability]) ?? 0) + 1);
	const free = new Set<number>();
	for (let object = o.free; object !== 0; object = o.references[object]) {
		if (object >= o.rows || free.has(object)) {
			faults.push('the list of free objects is broken');
			return;
		}
		free.add(object);
	}
	for (let object = 1; object < o.rows; object++) {
		if (free.has(object)) {
			if (counts.has(object)) faults.push(`object ${object} is free and named by a capability`);
			continue;
		}
		if (o.references[object] !== (counts.get(object) ?? 0)) faults.push(`object ${object} has the wrong count`);
		const type = types[o.type[object]];
		if (type === undefined) faults.push(`object ${object} has no type`);
		else if ((o.slots[object] === null) !== (o.radix[object] === NO_SLOTS))
			faults.push(`object ${object} lost its slots`);
	}
	let unused = c.rows - 1 - live.size;
	for (let capability = c.free; capability !== 0; capability = c.object[capability]) {
		if (live.has(capability) || --unused < 0) {
			faults.push('the list of free capabilities is broken');
			return;
		}
	}
	if (unused !== 0) faults.push('a row of capabilities is neither used nor free');
}
