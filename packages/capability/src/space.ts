// The capability space of a kernel: all CNodes, capabilities and objects, and what can be done with them, addressed by
// slot. Not here: pointers with roots and depths of CNode invocations (cnode.ts), what an object does (the kernel).
// seL4 reference manual, chapters "Capability Spaces" and "Kernel Services and Objects".

import {
	type CapabilityFailure,
	DELETE_FIRST,
	failedLookup,
	ILLEGAL_OPERATION,
	type LookupFailure,
	missingCapability,
	REVOKE_FIRST,
	rangeError,
} from './errors.ts';
import { checkState } from './invariants.ts';
import { guardSize, guardWord, Lookup } from './lookup.ts';
import { Removal, type RemovalPort } from './removal.ts';
import {
	type CapabilityId,
	type CapabilityState,
	DEVICE,
	emptyState,
	MAX_RADIX,
	MAX_ROWS,
	NO_SLOTS,
	type ObjectId,
	ORIGINAL,
	type Slot,
	Store,
	slotOf,
	ZOMBIE,
} from './state.ts';
import { firstChild, insertChild, insertSibling } from './tree.ts';
import type { ObjectType } from './types.ts';
import { type RetypeRequest, retype } from './untyped.ts';

/** What a capability space needs from its kernel. No method may call back into the space. */
export interface ObjectPort extends RemovalPort {
	/** An object has been made, with `2^sizeBits` bytes at `address` (both 0 if it has no memory). */
	created(object: ObjectId, type: number, address: number, sizeBits: number): void;
	/**
	 * The word for a capability derived from one with `word` (an unmapped frame), or undefined if it cannot be derived
	 * now (a page table that is not mapped). Asked for types with `derive: 'ask'`.
	 */
	derive(object: ObjectId, type: number, word: bigint): bigint | undefined;
	/** Memory of an untyped will be used anew: the first `bytes` at `address` must read as zero. Not for device memory. */
	clear(address: number, bytes: number): void;
}

/** What a capability space is made of. */
export interface CapabilitySpaceOptions {
	readonly types: readonly ObjectType[];
	readonly port: ObjectPort;
	/** Most capabilities, and most objects, that there may be: at most 2^24, the default. */
	readonly limit?: number;
	/** A state to go on from; it is owned by the space from then on. */
	readonly state?: CapabilityState;
}

/** Where an object's memory is. */
export interface ObjectMemory {
	/** Physical address, aligned to the size. */
	readonly address: number;
	/** log2 of the bytes; for containers of variable size this decides the number of slots. */
	readonly sizeBits: number;
	readonly device?: boolean;
}

/** Progress of a step: `more` asks to be called again with the same slot. */
export type Progress = 'done' | 'more';

/** See the file's head. Slots and capability numbers given to it must be ones that it gave out. */
export class CapabilitySpace {
	readonly #types: readonly ObjectType[];
	readonly #port: ObjectPort;
	readonly #cnode: number;
	readonly #store: Store;
	readonly #lookup: Lookup;
	readonly #removal: Removal;

	/** Throws a `RangeError` for a broken state, types without a CNode, or a limit out of range. */
	constructor(options: CapabilitySpaceOptions) {
		const limit = options.limit ?? MAX_ROWS;
		if (!Number.isInteger(limit) || limit < 2 || limit > MAX_ROWS)
			throw new RangeError(`limit ${limit} is not 2 to 2^24`);
		const cnode = options.types.findIndex((type) => type.size === 'slots');
		if (cnode < 0 || options.types.length >= ZOMBIE) throw new RangeError('the types need a CNode, and at most 254');
		this.#types = options.types;
		this.#port = options.port;
		this.#cnode = cnode;
		this.#store = new Store(emptyState(), limit);
		this.#lookup = new Lookup(this.#store, cnode);
		this.#removal = new Removal(this.#store, options.types, options.port);
		if (options.state) this.restore(options.state);
	}

	/** All that the space knows: plain data, live. Clone it to keep it. */
	get state(): CapabilityState {
		return this.#store.state;
	}

	/** Goes on from another state. Throws a `RangeError`, and changes nothing, if the state is broken. */
	restore(state: CapabilityState): void {
		const faults = checkState(state, this.#types);
		if (faults.length > 0) throw new RangeError(`broken capability state: ${faults[0]}`);
		this.#store.state = state;
		this.#store.capabilities = state.capabilities;
		this.#store.objects = state.objects;
	}

	// Objects.

	/**
	 * Makes an object that comes from no untyped: what there is at boot, or what a control capability gives out. It has
	 * no capability yet. Throws a `RangeError` if the size does not fit the type or the table is full.
	 */
	createObject(type: number, memory: ObjectMemory = { address: 0, sizeBits: 0 }): ObjectId {
		const descriptor = this.#types[type];
		if (!descriptor) throw new RangeError(`no object type ${type}`);
		if (!this.#store.hasRoom(1)) throw new RangeError('the object table is full');
		const radix = this.#radix(descriptor, memory.sizeBits);
		if (radix !== NO_SLOTS && (radix < 0 || radix > MAX_RADIX)) {
			throw new RangeError(
				`a ${descriptor.name} of 2^${memory.sizeBits} bytes has no slots, or more than 2^${MAX_RADIX}`,
			);
		}
		const { address, sizeBits } = memory;
		const object = this.#store.allocateObject(type, address, sizeBits, radix, memory.device ? DEVICE : 0);
		this.#port.created(object, type, address, sizeBits);
		return object;
	}

	#radix(type: ObjectType, sizeBits: number): number {
		if (type.size === 'slots') return sizeBits > type.sizeBits ? sizeBits - type.sizeBits : -1;
		return type.slots === 0 ? NO_SLOTS : 32 - Math.clz32(type.slots - 1);
	}

	/**
	 * Puts a new original capability to an object into an empty slot: all rights of its type, an empty word unless given.
	 * With `parent` it is that capability's child (an interrupt handler is IRQControl's), else a root; an untyped parent is
	 * used up by it. Fails with DeleteFirst or NotEnoughMemory.
	 */
	place(slot: Slot, object: ObjectId, word = 0n, parent: CapabilityId = 0): CapabilityFailure | undefined {
		const store = this.#store;
		if (store.at(slot) !== 0) return DELETE_FIRST;
		if (!store.hasFreeCapability()) return FULL;
		const type = store.objects.type[object];
		const capability = this.#make(type, object, this.#types[type].rights, word, true);
		store.place(capability, slot);
		insertChild(store.capabilities, parent, capability);
		const { kind, object: objects, word: words } = store.capabilities;
		if (parent !== 0 && this.#types[kind[parent]]?.word === 'watermark')
			words[parent] = 1n << BigInt(store.objects.sizeBits[objects[parent]]);
		return undefined;
	}

	#make(kind: number, object: ObjectId, rights: number, word: bigint, original: boolean): CapabilityId {
		const store = this.#store;
		const capability = store.allocateCapability();
		const columns = store.capabilities;
		columns.kind[capability] = kind;
		columns.object[capability] = object;
		columns.rights[capability] = rights;
		columns.word[capability] = word;
		columns.flags[capability] = original ? ORIGINAL : 0;
		store.objects.references[object]++;
		return capability;
	}

	/** The type that the object was made with. */
	objectType(object: ObjectId): number {
		return this.#store.objects.type[object];
	}

	/** Physical address of its memory. */
	address(object: ObjectId): number {
		return this.#store.objects.address[object];
	}

	/** log2 of its bytes. */
	sizeBits(object: ObjectId): number {
		return this.#store.objects.sizeBits[object];
	}

	/** Whether the object is in device memory. */
	isDevice(object: ObjectId): boolean {
		return (this.#store.objects.flags[object] & DEVICE) !== 0;
	}

	/** log2 of its slots, or undefined if it has none. */
	radix(object: ObjectId): number | undefined {
		const radix = this.#store.objects.radix[object];
		return radix === NO_SLOTS ? undefined : radix;
	}

	/** How many capabilities name it. */
	references(object: ObjectId): number {
		return this.#store.objects.references[object];
	}

	/** A slot of a container. Throws a `RangeError` if there is no such slot. */
	slot(object: ObjectId, index: number): Slot {
		const slot = slotOf(object, index);
		if (!(index >= 0) || !this.#store.hasSlot(slot)) throw new RangeError(`object ${object} has no slot ${index}`);
		return slot;
	}

	// Capabilities.

	/** The capability in a slot, or 0. Its number stays the same when it is moved. */
	at(slot: Slot): CapabilityId {
		return this.#store.at(slot);
	}

	/** The capability in a slot of a container, or 0: as `at` of `slot`, and also where there is no such slot. */
	held(object: ObjectId, index: number): CapabilityId {
		return this.#store.atIndex(object, index) ?? 0;
	}

	/** Type of the object, or `ZOMBIE`. */
	kind(capability: CapabilityId): number {
		return this.#store.capabilities.kind[capability];
	}

	/** The object that the capability names. */
	object(capability: CapabilityId): ObjectId {
		return this.#store.capabilities.object[capability];
	}

	/** `Rights` bits. */
	rights(capability: CapabilityId): number {
		return this.#store.capabilities.rights[capability];
	}

	/** Badge, guard word, watermark, or the kernel's own word: as the type says. */
	word(capability: CapabilityId): bigint {
		return this.#store.capabilities.word[capability];
	}

	/** Sets the kernel's own word of a capability (where a frame is mapped). Throws a `TypeError` for other types. */
	setWord(capability: CapabilityId, word: bigint): void {
		const { kind, word: words } = this.#store.capabilities;
		if (this.#types[kind[capability]]?.word !== 'private')
			throw new TypeError(`the word of capability ${capability} is not private`);
		words[capability] = word;
	}

	/** Where a capability is. */
	slotOf(capability: CapabilityId): Slot {
		return this.#store.capabilities.slot[capability];
	}

	/** Whether what is derived from it becomes its child. */
	isOriginal(capability: CapabilityId): boolean {
		return (this.#store.capabilities.flags[capability] & ORIGINAL) !== 0;
	}

	/** Whether it can be walked through. */
	isCNode(capability: CapabilityId): boolean {
		return capability !== 0 && this.#store.capabilities.kind[capability] === this.#cnode;
	}

	/** Whether another capability is derived from this one. */
	hasChildren(capability: CapabilityId): boolean {
		return firstChild(this.#store.capabilities, capability) !== 0;
	}

	// Looking up.

	/**
	 * The slot that `depth` (1 to 64) bits of a pointer lead to from a CNode capability, and how many of these bits are
	 * left over where the walk met something that is no CNode. A throwing `RangeError` is for other depths only.
	 */
	resolve(root: CapabilityId, pointer: bigint, depth: number): { slot: Slot; bitsLeft: number } | LookupFailure {
		if (!(depth >= 1 && depth <= 64)) throw new RangeError(`depth ${depth} is not 1 to 64`);
		const lookup = this.#lookup;
		const failure = lookup.walk(root, Number(pointer & LOW), Number((pointer >> 32n) & LOW), depth);
		return failure ?? { slot: lookup.slot, bitsLeft: lookup.bitsLeft };
	}

	/**
	 * The capability that a pointer of 64 bits, given as halves, names for an invocation: bits left over are ignored. The
	 * common path allocates nothing.
	 */
	lookup(root: CapabilityId, low: number, high: number): CapabilityId | LookupFailure {
		const lookup = this.#lookup;
		const failure = lookup.walk(root, low, high, 64);
		if (failure) return failure;
		const capability = this.#store.at(lookup.slot);
		return capability === 0 ? missingCapability(lookup.bitsLeft) : capability;
	}

	// Deriving and moving.

	/** Copies a capability, with `rights` at most. Errors: DeleteFirst, FailedLookup, IllegalOperation, RevokeFirst. */
	copy(to: Slot, from: Slot, rights: number): CapabilityFailure | undefined {
		return this.#derive(to, from, rights, undefined);
	}

	/** As `copy`, with a badge for an unbadged endpoint or notification, or a guard word for a CNode. */
	mint(to: Slot, from: Slot, rights: number, word: bigint): CapabilityFailure | undefined {
		return this.#derive(to, from, rights, word);
	}

	/** Whether a capability could be derived from this one now, before anything is changed. */
	canDerive(capability: CapabilityId): CapabilityFailure | undefined {
		const derived = this.#derivedWord(capability);
		return typeof derived === 'bigint' ? undefined : derived;
	}

	#derivedWord(capability: CapabilityId): bigint | CapabilityFailure {
		const { kind, object, word } = this.#store.capabilities;
		const type = this.#types[kind[capability]];
		switch (type?.derive) {
			case 'always':
				return word[capability];
			case 'childless':
				return this.hasChildren(capability) ? REVOKE_FIRST : word[capability];
			case 'ask':
				return this.#port.derive(object[capability], kind[capability], word[capability]) ?? ILLEGAL_OPERATION;
			default:
				return ILLEGAL_OPERATION;
		}
	}

	#derive(to: Slot, from: Slot, rights: number, data: bigint | undefined): CapabilityFailure | undefined {
		const store = this.#store;
		if (store.at(to) !== 0) return DELETE_FIRST;
		const source = store.at(from);
		if (source === 0) return failedLookup(true, missingCapability(0));
		let word = this.#derivedWord(source);
		if (typeof word !== 'bigint') return word;
		const { kind, object, flags, rights: held, word: words } = store.capabilities;
		const type = this.#types[kind[source]];
		const target = object[source];
		const old = word;
		if (data !== undefined) {
			const changed = this.#withData(type, target, old, data, true);
			if (changed === undefined) return ILLEGAL_OPERATION;
			word = changed;
		}
		if (!store.hasFreeCapability()) return FULL;
		// An untyped's copy takes over what is free; the source is full until it has no children again.
		if (type.word === 'watermark') words[source] = 1n << BigInt(store.objects.sizeBits[target]);
		const original = type.word === 'watermark' || (type.word === 'badge' && word !== old);
		const sourceIsOriginal = (flags[source] & ORIGINAL) !== 0;
		const derived = this.#make(kind[source], target, held[source] & rights & type.rights, word, original);
		store.place(derived, to);
		if (sourceIsOriginal) insertChild(store.capabilities, source, derived);
		else insertSibling(store.capabilities, source, derived);
		return undefined;
	}

	/** The word with new capability data, or undefined if the type refuses it. */
	#withData(type: ObjectType, object: ObjectId, word: bigint, data: bigint, badge: boolean): bigint | undefined {
		if (type.word === 'badge') return badge && word === 0n ? data & WORD : undefined;
		if (type.word !== 'guard') return word;
		const size = guardSize(data);
		if (size + this.#store.objects.radix[object] > 64) return undefined;
		return guardWord(data >> 6n, size);
	}

	/** Moves a capability to an empty slot. Errors: DeleteFirst, FailedLookup. */
	move(to: Slot, from: Slot): CapabilityFailure | undefined {
		const store = this.#store;
		if (store.at(to) !== 0) return DELETE_FIRST;
		const capability = store.at(from);
		if (capability === 0) return failedLookup(true, missingCapability(0));
		store.displace(capability);
		store.place(capability, to);
		return undefined;
	}

	/**
	 * Moves a capability and sets a CNode's guard. It sets no badge: endpoints and notifications are refused with
	 * IllegalOperation. Errors: DeleteFirst, FailedLookup, IllegalOperation.
	 */
	mutate(to: Slot, from: Slot, word: bigint): CapabilityFailure | undefined {
		if (this.#store.at(to) !== 0) return DELETE_FIRST;
		const capability = this.#store.at(from);
		if (capability === 0) return failedLookup(true, missingCapability(0));
		const changed = this.#mutated(capability, word);
		if (changed === undefined) return ILLEGAL_OPERATION;
		this.#store.capabilities.word[capability] = changed;
		return this.move(to, from);
	}

	#mutated(capability: CapabilityId, data: bigint): bigint | undefined {
		const { kind, object, word } = this.#store.capabilities;
		const type = this.#types[kind[capability]];
		if (type === undefined) return word[capability];
		return this.#withData(type, object[capability], word[capability], data, false);
	}

	/**
	 * Moves pivot to destination and source to pivot, setting guards as `mutate` does; destination and source may be the
	 * same slot, which swaps. Errors: DeleteFirst, FailedLookup, IllegalOperation (the pivot is one of the others).
	 */
	rotate(to: Slot, pivot: Slot, from: Slot, toWord: bigint, pivotWord: bigint): CapabilityFailure | undefined {
		const store = this.#store;
		if (pivot === from || pivot === to) return ILLEGAL_OPERATION;
		if (to !== from && store.at(to) !== 0) return DELETE_FIRST;
		const moved = store.at(from);
		const turned = store.at(pivot);
		if (moved === 0) return failedLookup(true, missingCapability(0));
		if (turned === 0) return failedLookup(false, missingCapability(0));
		const movedWord = this.#mutated(moved, pivotWord);
		const turnedWord = this.#mutated(turned, toWord);
		if (movedWord === undefined || turnedWord === undefined) return ILLEGAL_OPERATION;
		store.capabilities.word[moved] = movedWord;
		store.capabilities.word[turned] = turnedWord;
		store.displace(moved);
		store.displace(turned);
		store.place(turned, to);
		store.place(moved, pivot);
		return undefined;
	}

	// Removing.

	/**
	 * Empties a slot, removing at most `units` (at least 1) capabilities. `more`: a container is being emptied and its
	 * capability has become a zombie; call again. An empty slot is done.
	 */
	deleteStep(slot: Slot, units: number): Progress {
		return this.#removal.delete(slot, checkUnits(units)) ? 'done' : 'more';
	}

	/**
	 * Removes what was derived from the capability in a slot, at most `units` (at least 1) capabilities. Between steps
	 * anything may happen; resolve the slot anew.
	 */
	revokeStep(slot: Slot, units: number): Progress {
		return this.#removal.revoke(slot, checkUnits(units)) ? 'done' : 'more';
	}

	/** Empties a slot, however long it takes. */
	delete(slot: Slot): void {
		this.#removal.delete(slot, Number.POSITIVE_INFINITY);
	}

	/** Removes all that was derived from the capability in a slot, however long it takes. */
	revoke(slot: Slot): void {
		this.#removal.revoke(slot, Number.POSITIVE_INFINITY);
	}

	// Untyped memory.

	/** Makes objects from an untyped capability's memory: {@link RetypeRequest}. Returns nothing, or why not. */
	retype(request: RetypeRequest): CapabilityFailure | undefined {
		return retype(
			{
				store: this.#store,
				types: this.#types,
				port: this.#port,
				make: (kind, object, rights) => this.#make(kind, object, rights, 0n, true),
				radix: (type, sizeBits) => this.#radix(type, sizeBits),
			},
			request,
		);
	}
}

const LOW = 0xffff_ffffn;
const WORD = (1n << 64n) - 1n;
const FULL: CapabilityFailure = Object.freeze({ error: 10, bytes: 0 });

function checkUnits(units: number): number {
	if (!(units >= 1)) throw new RangeError(`a step of ${units} units does nothing`);
	return units;
}

/** For callers that check a depth before they look up: the manual's range of 1 to 64 bits. */
export function checkDepth(depth: bigint | number): CapabilityFailure | undefined {
	return depth < 1 || depth > 64 ? rangeError(1, 64) : undefined;
}
