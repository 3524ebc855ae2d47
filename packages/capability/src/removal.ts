// Deletion and revocation, in steps of bounded length. What a step leaves undone is in the tables themselves (a zombie
// capability stands for a container that is partly emptied), so that a step can be followed by anything, a snapshot
// included, and repeated later. Manual: "Deletion and Revocation", and its footnote on recursion.

import { type CapabilityId, NO_SLOTS, type ObjectId, type Slot, type Store, slotOf, ZOMBIE } from './state.ts';
import { firstChild, unlink } from './tree.ts';
import type { ObjectType } from './types.ts';

/** What removal tells the kernel. */
export interface RemovalPort {
	/**
	 * The last capability to an object is being removed: the object ends. Called once per object; its slots, if it has
	 * any, are emptied afterwards. Must not call back into the capability space.
	 */
	finalise(object: ObjectId, type: number): void;
	/** A capability of a watched type is removed, and `word` with it: a mapping ends. */
	dropped(object: ObjectId, type: number, word: bigint): void;
}

export class Removal {
	readonly #store: Store;
	readonly #types: readonly ObjectType[];
	readonly #port: RemovalPort;
	#units = 0;

	constructor(store: Store, types: readonly ObjectType[], port: RemovalPort) {
		this.#store = store;
		this.#types = types;
		this.#port = port;
	}

	/** Empties a slot; true when that is done. Each unit removes one capability. */
	delete(slot: Slot, units: number): boolean {
		this.#units = units;
		const capability = this.#store.at(slot);
		return capability === 0 || this.#remove(capability);
	}

	/** Removes all descendants of the capability in a slot; true when that is done. */
	revoke(slot: Slot, units: number): boolean {
		this.#units = units;
		const store = this.#store;
		const capability = store.at(slot);
		if (capability === 0) return true;
		// The descendants may include the container that the slot is in: then the target goes, and the work is done.
		while (store.at(slot) === capability) {
			const child = firstChild(store.capabilities, capability);
			if (child === 0) return true;
			if (!this.#remove(child)) return false;
		}
		return true;
	}

	/** Whether this is the last capability to an object whose slots hold others than itself. */
	#guardsOthers(capability: CapabilityId): boolean {
		const { capabilities, objects } = this.#store;
		const object = capabilities.object[capability];
		if (objects.radix[object] === NO_SLOTS || objects.references[object] !== 1) return false;
		const first = objects.first[object];
		return first !== 0 && (first !== capability || capabilities.after[first] !== 0);
	}

	#remove(capability: CapabilityId): boolean {
		const store = this.#store;
		while (this.#guardsOthers(capability)) {
			if (this.#units === 0) return false;
			this.#units--;
			this.#makeZombie(capability);
			const first = store.objects.first[store.capabilities.object[capability]];
			const inner = first === capability ? store.capabilities.after[first] : first;
			if (this.#guardsOthers(inner)) this.#encloseInItself(inner);
			else this.#drop(inner);
		}
		if (this.#units === 0) return false;
		this.#units--;
		this.#drop(capability);
		return true;
	}

	#makeZombie(capability: CapabilityId): void {
		const { capabilities } = this.#store;
		if (capabilities.kind[capability] === ZOMBIE) return;
		const type = capabilities.kind[capability];
		capabilities.kind[capability] = ZOMBIE;
		this.#port.finalise(capabilities.object[capability], type);
	}

	/**
	 * Ends the recursion where a container is found in a container: the found one is not emptied but becomes
	 * unreachable, its capability changing places with what is in its own slot 0. Revoking the untyped memory that both
	 * came from removes it.
	 */
	#encloseInItself(capability: CapabilityId): void {
		const store = this.#store;
		this.#makeZombie(capability);
		const inside = slotOf(store.capabilities.object[capability], 0);
		const outside = store.capabilities.slot[capability];
		const other = store.at(inside);
		store.displace(capability);
		if (other !== 0) {
			store.displace(other);
			store.place(other, outside);
		}
		store.place(capability, inside);
	}

	#drop(capability: CapabilityId): void {
		const store = this.#store;
		const { capabilities, objects } = store;
		const object = capabilities.object[capability];
		const kind = capabilities.kind[capability];
		const type = objects.type[object];
		const word = capabilities.word[capability];
		unlink(capabilities, capability);
		store.displace(capability);
		store.releaseCapability(capability);
		if (this.#types[type].watched) this.#port.dropped(object, type, word);
		if (--objects.references[object] === 0) {
			if (kind !== ZOMBIE) this.#port.finalise(object, type);
			store.releaseObject(object);
		}
	}
}
