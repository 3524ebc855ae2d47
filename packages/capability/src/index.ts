// Capability spaces in the style of seL4: objects and capabilities in plain tables, CNodes with guards, the derivation
// tree, untyped memory, removal in bounded steps. Knows nothing of processors, threads or messages.

export {
	cnodeCopy,
	cnodeMint,
	cnodeMove,
	cnodeMutate,
	cnodeRotate,
	destinationNode,
	lookupSlot,
	type SlotAddress,
} from './cnode.ts';
export {
	CapabilityError,
	type CapabilityFailure,
	type LookupFailure,
	LookupFailureKind,
	lookupWords,
	messageRegisters,
} from './errors.ts';
export { checkState } from './invariants.ts';
export { guardSize, guardWord } from './lookup.ts';
export type { RemovalPort } from './removal.ts';
export {
	CapabilitySpace,
	type CapabilitySpaceOptions,
	checkDepth,
	type ObjectMemory,
	type ObjectPort,
	type Progress,
} from './space.ts';
export {
	type CapabilityColumns,
	type CapabilityId,
	type CapabilityState,
	MAX_RADIX,
	MAX_ROWS,
	type ObjectColumns,
	type ObjectId,
	type Slot,
	ZOMBIE,
} from './state.ts';
export {
	MAX_UNTYPED_BITS,
	ObjectKind,
	type ObjectType,
	RETYPE_FAN_OUT_LIMIT,
	Rights,
	SEL4_MCS_RISCV64,
} from './types.ts';
export type { RetypeRequest } from './untyped.ts';
