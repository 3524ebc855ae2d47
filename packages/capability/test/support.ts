// A small kernel's worth of objects for tests: a port that records, a root CNode and some untyped memory.
import {
	CapabilitySpace,
	type CapabilityState,
	ObjectKind,
	type ObjectPort,
	SEL4_MCS_RISCV64,
	type Slot,
} from '../src/index.ts';

export interface Recorder extends ObjectPort {
	readonly alive: Set<number>;
	readonly finalised: number[];
	readonly log: string[];
}

export function recorder(): Recorder {
	const alive = new Set<number>();
	const finalised: number[] = [];
	const log: string[] = [];
	return {
		alive,
		finalised,
		log,
		created: (object) => {
			if (alive.has(object)) throw new Error(`object ${object} made twice`);
			alive.add(object);
		},
		finalise: (object, type) => {
			if (!alive.delete(object)) throw new Error(`object ${object} finalised twice`);
			finalised.push(object);
			log.push(`finalise ${SEL4_MCS_RISCV64[type].name}`);
		},
		dropped: (_object, type, word) => log.push(`dropped ${SEL4_MCS_RISCV64[type].name} ${word}`),
		derive: (_object, type, word) => (type === ObjectKind.PageTable ? (word === 0n ? undefined : word) : 0n),
		clear: (address, bytes) => log.push(`clear ${address} ${bytes}`),
	};
}

export interface Bench {
	readonly space: CapabilitySpace;
	readonly port: Recorder;
	/** Slot of the root CNode by index. Index 1 holds the CNode's own capability, index 2 an untyped of `untypedBits`. */
	at(index: number): Slot;
	readonly node: number;
}

export const UNTYPED_ADDRESS = 0x8000_0000;

/** A root CNode of 2^radix slots with an untyped in it. */
export function bench(radix = 8, untypedBits = 20, state?: CapabilityState): Bench {
	const port = recorder();
	const space = new CapabilitySpace({ types: SEL4_MCS_RISCV64, port });
	const node = space.createObject(ObjectKind.CNode, { address: 0x4000_0000, sizeBits: radix + 5 });
	const untyped = space.createObject(ObjectKind.Untyped, { address: UNTYPED_ADDRESS, sizeBits: untypedBits });
	const at = (index: number): Slot => space.slot(node, index);
	space.place(at(1), node, BigInt(64 - radix));
	space.place(at(2), untyped);
	if (state) space.restore(state);
	return { space, port, at, node };
}

/** Makes objects of a type from the untyped in slot 2. */
export function make(on: Bench, type: number, offset: number, count = 1, sizeBits = 0): void {
	const failure = on.space.retype({ untyped: on.space.at(on.at(2)), type, sizeBits, node: on.node, offset, count });
	if (failure) throw new Error(`retype: ${JSON.stringify(failure)}`);
}
