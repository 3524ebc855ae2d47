// What an operation on capabilities answers when it fails: seL4_Error numbers and the details that go to message
// registers with them. Not here: faults of threads, which a kernel builds from a `LookupFailure`.
// seL4 reference manual: "Errors" and "Lookup Failure Description".

/** seL4_Error, by name. */
export const CapabilityError = {
	InvalidArgument: 1,
	InvalidCapability: 2,
	IllegalOperation: 3,
	RangeError: 4,
	AlignmentError: 5,
	FailedLookup: 6,
	TruncatedMessage: 7,
	DeleteFirst: 8,
	RevokeFirst: 9,
	NotEnoughMemory: 10,
} as const;

/** seL4_LookupFailureType, by name. */
export const LookupFailureKind = {
	InvalidRoot: 1,
	MissingCapability: 2,
	DepthMismatch: 3,
	GuardMismatch: 4,
} as const;

/** Why a capability pointer could not be resolved. `bitsLeft`: bits of the pointer that were not decoded yet. */
export type LookupFailure =
	| { readonly kind: typeof LookupFailureKind.InvalidRoot }
	| { readonly kind: typeof LookupFailureKind.MissingCapability; readonly bitsLeft: number }
	| {
			readonly kind: typeof LookupFailureKind.DepthMismatch;
			readonly bitsLeft: number;
			/** Bits that the CNode at hand decodes: guard and radix; 0 if the capability at hand is no CNode. */
			readonly bitsFound: number;
	  }
	| {
			readonly kind: typeof LookupFailureKind.GuardMismatch;
			readonly bitsLeft: number;
			readonly guardFound: bigint;
			readonly bitsFound: number;
	  };

/** A refused operation; nothing has changed. */
export type CapabilityFailure =
	| { readonly error: typeof CapabilityError.InvalidArgument /** Index of the argument. */; readonly argument: number }
	| {
			readonly error: typeof CapabilityError.InvalidCapability;
			/** Index of the capability: 0 is the invoked one. */ readonly capability: number;
	  }
	| { readonly error: typeof CapabilityError.IllegalOperation }
	| { readonly error: typeof CapabilityError.RangeError; readonly minimum: number; readonly maximum: number }
	| { readonly error: typeof CapabilityError.AlignmentError }
	| {
			readonly error: typeof CapabilityError.FailedLookup;
			/** Whether the source, and not the destination, could not be found. */
			readonly source: boolean;
			readonly lookup: LookupFailure;
	  }
	| { readonly error: typeof CapabilityError.TruncatedMessage }
	| { readonly error: typeof CapabilityError.DeleteFirst }
	| { readonly error: typeof CapabilityError.RevokeFirst }
	| { readonly error: typeof CapabilityError.NotEnoughMemory /** Bytes that are left. */; readonly bytes: number };

export const ILLEGAL_OPERATION: CapabilityFailure = Object.freeze({ error: CapabilityError.IllegalOperation });
export const DELETE_FIRST: CapabilityFailure = Object.freeze({ error: CapabilityError.DeleteFirst });
export const REVOKE_FIRST: CapabilityFailure = Object.freeze({ error: CapabilityError.RevokeFirst });
const INVALID_ROOT: LookupFailure = Object.freeze({ kind: LookupFailureKind.InvalidRoot });

/** A capability was looked up in something that is no CNode. */
export function invalidRoot(): LookupFailure {
	return INVALID_ROOT;
}

export function rangeError(minimum: number, maximum: number): CapabilityFailure {
	return { error: CapabilityError.RangeError, minimum, maximum };
}

export function invalidArgument(argument: number): CapabilityFailure {
	return { error: CapabilityError.InvalidArgument, argument };
}

export function failedLookup(source: boolean, lookup: LookupFailure): CapabilityFailure {
	return { error: CapabilityError.FailedLookup, source, lookup };
}

export function missingCapability(bitsLeft: number): LookupFailure {
	return { kind: LookupFailureKind.MissingCapability, bitsLeft };
}

/** The words that describe a lookup failure: its kind first (manual, "Lookup Failure Description"). */
export function lookupWords(failure: LookupFailure): bigint[] {
	switch (failure.kind) {
		case LookupFailureKind.InvalidRoot:
			return [BigInt(failure.kind)];
		case LookupFailureKind.MissingCapability:
			return [BigInt(failure.kind), BigInt(failure.bitsLeft)];
		case LookupFailureKind.DepthMismatch:
			return [BigInt(failure.kind), BigInt(failure.bitsLeft), BigInt(failure.bitsFound)];
		case LookupFailureKind.GuardMismatch:
			return [BigInt(failure.kind), BigInt(failure.bitsLeft), failure.guardFound, BigInt(failure.bitsFound)];
	}
}

/** The message registers of an error reply, from register 0 on. The reply's label is `failure.error`. */
export function messageRegisters(failure: CapabilityFailure): bigint[] {
	switch (failure.error) {
		case CapabilityError.InvalidArgument:
			return [BigInt(failure.argument)];
		case CapabilityError.InvalidCapability:
			return [BigInt(failure.capability)];
		case CapabilityError.RangeError:
			return [BigInt(failure.minimum), BigInt(failure.maximum)];
		case CapabilityError.FailedLookup:
			return [failure.source ? 1n : 0n, ...lookupWords(failure.lookup)];
		case CapabilityError.NotEnoughMemory:
			return [BigInt(failure.bytes)];
		default:
			return [];
	}
}
