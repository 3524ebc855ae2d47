// The tables: capabilities and objects as columns of typed arrays, plain and serializable, with free lists and growth.
// Knows nothing of rules; who may do what is decided in the files above it.
//
//   capability c (1...)          object o (1...)
//   kind      type, or ZOMBIE    type
//   object    o                  references   capabilities that name it
//   rights    Rights bits        address      physical, of its memory
//   flags     ORIGINAL           sizeBits     log2 of its bytes
//   word      badge, guard...    radix        log2 of its slots, or NO_SLOTS
//   slot      where it is        flags        DEVICE
//   next/previous [2c, 2c+1]     first        a capability in its slots, or 0
//             its two brackets   slots        pages of 256 slots, made when first used; null if it has none
//   after/before  neighbours in the same container
//
// Number 0 means "none" in every column. A free row links to the next free one in `object` or `references`.

/** Number of a capability: a row of {@link CapabilityColumns}. */
export type CapabilityId = number;
/** Number of an object: a row of {@link ObjectColumns}. */
export type ObjectId = number;
/**
 * A place for a capability: object * 2^28 + index, below 2^53. The object is a CNode or another container. It names the
 * place also while that is empty.
 */
export type Slot = number;

/** The capabilities, a column a field, as drawn at the head of this file. */
export interface CapabilityColumns {
	/** Rows in use, free ones among them; row 0 is not a capability. */
	rows: number;
	/** The first free row, or 0. */
	free: number;
	kind: Uint8Array<ArrayBuffer>;
	object: Int32Array<ArrayBuffer>;
	rights: Uint8Array<ArrayBuffer>;
	flags: Uint8Array<ArrayBuffer>;
	word: BigUint64Array<ArrayBuffer>;
	slot: Float64Array<ArrayBuffer>;
	next: Int32Array<ArrayBuffer>;
	previous: Int32Array<ArrayBuffer>;
	after: Int32Array<ArrayBuffer>;
	before: Int32Array<ArrayBuffer>;
}

/** The objects, a column a field, as drawn at the head of this file. */
export interface ObjectColumns {
	rows: number;
	free: number;
	type: Uint8Array<ArrayBuffer>;
	references: Int32Array<ArrayBuffer>;
	address: Float64Array<ArrayBuffer>;
	sizeBits: Uint8Array<ArrayBuffer>;
	radix: Uint8Array<ArrayBuffer>;
	flags: Uint8Array<ArrayBuffer>;
	first: Int32Array<ArrayBuffer>;
	slots: (Record<number, Int32Array<ArrayBuffer>> | null)[];
}

/** All that a capability space knows: plain data. */
export interface CapabilityState {
	capabilities: CapabilityColumns;
	objects: ObjectColumns;
}

/** The kind of a capability whose object is being destroyed: it can be deleted, and nothing else. */
export const ZOMBIE = 255;
/** Flag of a capability that is its object's first (or first of its badge): what is derived from it is its child. */
export const ORIGINAL = 1;
/** Flag of an object in device memory. */
export const DEVICE = 1;
/** Radix of an object that has no slots. */
export const NO_SLOTS = 255;

const INDEX_BITS = 28;
const INDEX_SPAN = 2 ** INDEX_BITS;
const PAGE_BITS = 8;
const PAGE_MASK = (1 << PAGE_BITS) - 1;
const FIRST_ROWS = 64;
/** A CNode has at most 2^28 slots: 8 GiB of them. */
export const MAX_RADIX: number = INDEX_BITS;
/** Rows that a table may have at most: slots stay below 2^53, bracket numbers below 2^31. */
export const MAX_ROWS: number = 2 ** 24;

export function slotOf(object: ObjectId, index: number): Slot {
	return object * INDEX_SPAN + index;
}

export function objectOfSlot(slot: Slot): ObjectId {
	return Math.floor(slot / INDEX_SPAN);
}

export function indexOfSlot(slot: Slot): number {
	return slot % INDEX_SPAN;
}

function capabilityColumns(rows: number): CapabilityColumns {
	const columns: CapabilityColumns = {
		rows: 1,
		free: 0,
		kind: new Uint8Array(rows),
		object: new Int32Array(rows),
		rights: new Uint8Array(rows),
		flags: new Uint8Array(rows),
		word: new BigUint64Array(rows),
		slot: new Float64Array(rows),
		next: new Int32Array(2 * rows),
		previous: new Int32Array(2 * rows),
		after: new Int32Array(rows),
		before: new Int32Array(rows),
	};
	// Row 0 is the bracket pair around all trees.
	columns.next[0] = 1;
	columns.previous[1] = 0;
	return columns;
}

function objectColumns(rows: number): ObjectColumns {
	return {
		rows: 1,
		free: 0,
		type: new Uint8Array(rows),
		references: new Int32Array(rows),
		address: new Float64Array(rows),
		sizeBits: new Uint8Array(rows),
		radix: new Uint8Array(rows),
		flags: new Uint8Array(rows),
		first: new Int32Array(rows),
		slots: [null],
	};
}

export function emptyState(): CapabilityState {
	return { capabilities: capabilityColumns(FIRST_ROWS), objects: objectColumns(FIRST_ROWS) };
}

type Column = { length: number; set(from: never): void };

function copyColumns<T extends object>(from: T, to: T): void {
	for (const name of Object.keys(from) as (keyof T)[]) {
		const column = from[name];
		if (ArrayBuffer.isView(column)) (to[name] as Column).set(column as never);
		else to[name] = column;
	}
}

/** Rows and links of the tables; the state's only writer besides the tree's brackets. */
export class Store {
	readonly #limit: number;
	state: CapabilityState;
	capabilities: CapabilityColumns;
	objects: ObjectColumns;

	constructor(state: CapabilityState, limit: number) {
		this.#limit = limit;
		this.state = state;
		this.capabilities = state.capabilities;
		this.objects = state.objects;
	}

	/** Whether so many more capabilities and objects fit under the limit. */
	hasRoom(count: number): boolean {
		// Free rows are not counted: an operation near the limit may be refused although some are left over.
		return this.capabilities.rows + count <= this.#limit && this.objects.rows + count <= this.#limit;
	}

	hasFreeCapability(): boolean {
		return this.capabilities.free !== 0 || this.capabilities.rows < this.#limit;
	}

	allocateCapability(): CapabilityId {
		let columns = this.capabilities;
		const free = columns.free;
		if (free !== 0) {
			columns.free = columns.object[free];
			return free;
		}
		if (columns.rows === columns.kind.length) {
			columns = capabilityColumns(2 * columns.rows);
			copyColumns(this.capabilities, columns);
			this.capabilities = columns;
			this.state.capabilities = columns;
		}
		return columns.rows++;
	}

	releaseCapability(capability: CapabilityId): void {
		const columns = this.capabilities;
		columns.kind[capability] = 0;
		columns.rights[capability] = 0;
		columns.flags[capability] = 0;
		columns.word[capability] = 0n;
		columns.slot[capability] = 0;
		columns.object[capability] = columns.free;
		columns.free = capability;
	}

	allocateObject(type: number, address: number, sizeBits: number, radix: number, flags: number): ObjectId {
		let columns = this.objects;
		let object = columns.free;
		if (object !== 0) {
			columns.free = columns.references[object];
		} else {
			if (columns.rows === columns.type.length) {
				columns = objectColumns(2 * columns.rows);
				copyColumns(this.objects, columns);
				this.objects = columns;
				this.state.objects = columns;
			}
			object = columns.rows++;
		}
		columns.type[object] = type;
		columns.references[object] = 0;
		columns.address[object] = address;
		columns.sizeBits[object] = sizeBits;
		columns.radix[object] = radix;
		columns.flags[object] = flags;
		columns.first[object] = 0;
		columns.slots[object] = radix === NO_SLOTS ? null : {};
		return object;
	}

	releaseObject(object: ObjectId): void {
		const columns = this.objects;
		columns.type[object] = 0;
		columns.address[object] = 0;
		columns.sizeBits[object] = 0;
		columns.radix[object] = 0;
		columns.flags[object] = 0;
		columns.slots[object] = null;
		columns.references[object] = columns.free;
		columns.free = object;
	}

	/** The capability in a slot, or 0. */
	at(slot: Slot): CapabilityId {
		return this.atIndex(Math.floor(slot / INDEX_SPAN), slot % INDEX_SPAN);
	}

	atIndex(object: ObjectId, index: number): CapabilityId {
		const pages = this.objects.slots[object];
		if (!pages) return 0;
		const page = pages[index >>> PAGE_BITS];
		return page === undefined ? 0 : page[index & PAGE_MASK];
	}

	/** Whether there is such a slot. */
	hasSlot(slot: Slot): boolean {
		const object = objectOfSlot(slot);
		return (
			object > 0 &&
			object < this.objects.rows &&
			this.objects.slots[object] !== null &&
			indexOfSlot(slot) < 2 ** this.objects.radix[object]
		);
	}

	/** Puts a capability that is in no slot into an empty one. */
	place(capability: CapabilityId, slot: Slot): void {
		const { slot: slots, after, before } = this.capabilities;
		const { first, radix, slots: containers } = this.objects;
		const object = objectOfSlot(slot);
		const index = indexOfSlot(slot);
		const pages = containers[object]!;
		let page = pages[index >>> PAGE_BITS];
		if (page === undefined) {
			page = new Int32Array(1 << Math.min(PAGE_BITS, radix[object]));
			pages[index >>> PAGE_BITS] = page;
		}
		page[index & PAGE_MASK] = capability;
		slots[capability] = slot;
		const head = first[object];
		after[capability] = head;
		before[capability] = 0;
		if (head !== 0) before[head] = capability;
		first[object] = capability;
	}

	/** Takes a capability out of its slot. */
	displace(capability: CapabilityId): void {
		const { slot: slots, after, before } = this.capabilities;
		const slot = slots[capability];
		const object = objectOfSlot(slot);
		const index = indexOfSlot(slot);
		this.objects.slots[object]![index >>> PAGE_BITS][index & PAGE_MASK] = 0;
		const next = after[capability];
		const previous = before[capability];
		if (previous === 0) this.objects.first[object] = next;
		else after[previous] = next;
		if (next !== 0) before[next] = previous;
		after[capability] = 0;
		before[capability] = 0;
	}
}
