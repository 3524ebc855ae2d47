// Untyped_Retype: objects from memory, at a watermark that only rises until the untyped has no children again.
// Manual: "Kernel Memory Allocation", "Capabilities to Newly-Retyped Objects"; object-api: Untyped_Retype.

import {
	CapabilityError,
	type CapabilityFailure,
	DELETE_FIRST,
	ILLEGAL_OPERATION,
	invalidArgument,
	rangeError,
} from './errors.ts';
import { type CapabilityId, DEVICE, MAX_RADIX, type ObjectId, type Store, slotOf } from './state.ts';
import { firstChild, insertChild } from './tree.ts';
import { MAX_UNTYPED_BITS, type ObjectType, RETYPE_FAN_OUT_LIMIT } from './types.ts';

/** What Untyped_Retype is asked for, its destination CNode already found (`destinationNode` in cnode.ts). */
export interface RetypeRequest {
	/** The invoked capability. */
	readonly untyped: CapabilityId;
	/** Words from the guest, unchecked. */
	readonly type: number;
	readonly sizeBits: number;
	/** The CNode object that receives the capabilities. */
	readonly node: ObjectId;
	/** Words from the guest, unchecked. */
	readonly offset: number;
	readonly count: number;
}

interface RetypePort {
	created(object: ObjectId, type: number, address: number, sizeBits: number): void;
	clear(address: number, bytes: number): void;
}

/** What retype works on. */
export interface RetypeContext {
	readonly store: Store;
	readonly types: readonly ObjectType[];
	readonly port: RetypePort;
	readonly make: (kind: number, object: ObjectId, rights: number) => CapabilityId;
	readonly radix: (type: ObjectType, sizeBits: number) => number;
}

export function retype(context: RetypeContext, request: RetypeRequest): CapabilityFailure | undefined {
	const { store, types } = context;
	const { untyped, node, offset, count } = request;
	const { kind, object, word } = store.capabilities;
	if (untyped === 0 || types[kind[untyped]]?.word !== 'watermark') return ILLEGAL_OPERATION;
	const type = types[request.type];
	if (!type?.retype) return invalidArgument(0);
	const size = objectBits(type, request.sizeBits);
	if (typeof size !== 'number') return size;

	const slots = 2 ** store.objects.radix[node];
	if (!(offset >= 0 && offset < slots)) return rangeError(0, slots - 1);
	if (!(count >= 1 && count <= RETYPE_FAN_OUT_LIMIT)) return rangeError(1, RETYPE_FAN_OUT_LIMIT);
	if (count > slots - offset) return rangeError(1, slots - offset);
	for (let i = 0; i < count; i++) if (store.atIndex(node, offset + i) !== 0) return DELETE_FIRST;

	const region = object[untyped];
	const device = store.objects.flags[region] & DEVICE;
	if (device !== 0 && !type.device) return invalidArgument(1);
	const bytes = 2 ** size;
	const total = 2 ** store.objects.sizeBits[region];
	const unused = firstChild(store.capabilities, untyped) === 0;
	const watermark = unused ? 0 : Number(word[untyped]);
	const start = Math.ceil(watermark / bytes) * bytes;
	if (start + count * bytes > total || !store.hasRoom(count)) {
		return { error: CapabilityError.NotEnoughMemory, bytes: total - watermark };
	}

	const base = store.objects.address[region];
	if (unused && device === 0 && word[untyped] !== 0n) context.port.clear(base, Number(word[untyped]));
	word[untyped] = BigInt(start + count * bytes);
	const radix = context.radix(type, size);
	for (let i = 0; i < count; i++) {
		const address = base + start + i * bytes;
		const made = store.allocateObject(request.type, address, size, radix, device);
		const capability = context.make(request.type, made, type.rights);
		store.place(capability, slotOf(node, offset + i));
		insertChild(store.capabilities, untyped, capability);
		context.port.created(made, request.type, address, size);
	}
	return undefined;
}

/** log2 of the bytes of one object, or why it cannot be. */
function objectBits(type: ObjectType, sizeBits: number): number | CapabilityFailure {
	if (type.size === 'fixed') return type.sizeBits;
	if (!(sizeBits >= 0 && sizeBits <= MAX_UNTYPED_BITS)) return rangeError(0, MAX_UNTYPED_BITS);
	if (type.size === 'bytes') return sizeBits >= type.sizeBits ? sizeBits : invalidArgument(1);
	if (sizeBits === 0) return invalidArgument(1);
	return sizeBits <= MAX_RADIX ? sizeBits + type.sizeBits : rangeError(0, MAX_UNTYPED_BITS);
}
