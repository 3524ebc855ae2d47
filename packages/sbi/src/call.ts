/**
 * The calling convention: error codes, extension ids, hart masks and physical addresses in arguments.
 * RISC-V SBI 2.0, "Binary Encoding". Not here: what the extensions do.
 */
import type { SbiHartState, SbiPorts } from './ports.ts';

/** Values of `sbiret.error`: "Standard SBI Errors". */
export const SbiError = {
	SUCCESS: 0n,
	FAILED: -1n,
	NOT_SUPPORTED: -2n,
	INVALID_PARAM: -3n,
	DENIED: -4n,
	INVALID_ADDRESS: -5n,
	ALREADY_AVAILABLE: -6n,
	ALREADY_STARTED: -7n,
	ALREADY_STOPPED: -8n,
	NO_SHMEM: -9n,
} as const;

/** Extension ids (EID) that are implemented; the legacy ones are in `legacy.ts`. */
export const ExtensionId = {
	BASE: 0x10,
	/** "TIME" */
	TIME: 0x54494d45,
	/** "sPI" */
	IPI: 0x735049,
	/** "RFNC" */
	RFENCE: 0x52464e43,
	/** "HSM" */
	HSM: 0x48534d,
	/** "SRST" */
	SRST: 0x53525354,
	/** "DBCN" */
	DBCN: 0x4442434e,
	/** "PMU" */
	PMU: 0x504d55,
} as const;

/** A call of an extension since version 0.2. */
export interface SbiCall {
	/** Id of the calling hart. */
	readonly hart: number;
	/** FID. */
	readonly function: number;
	/** a0 to a5, unsigned. */
	readonly args: readonly bigint[];
}

/** `struct sbiret`, signed. */
export interface SbiReturn {
	readonly error: bigint;
	readonly value: bigint;
}

/** What extensions work on. */
export interface SbiMachine {
	readonly ports: SbiPorts;
	/** By hart id. */
	readonly harts: SbiHartState[];
}

/** An extension. `undefined`: the call does not return, the hart's registers and pc are left as they are. */
export type Extension = (machine: SbiMachine, call: SbiCall) => SbiReturn | undefined;

/** A hart that has not suspended itself. */
export const STARTED: SbiHartState = { stopped: false, suspendedAt: -1n };
/** A hart that is stopped. */
export const STOPPED: SbiHartState = { stopped: true, suspendedAt: -1n };

/** The call succeeded. */
export function success(value = 0n): SbiReturn {
	return { error: SbiError.SUCCESS, value };
}

/** The call failed. */
export function failure(name: Exclude<keyof typeof SbiError, 'SUCCESS'>): SbiReturn {
	return { error: SbiError[name], value: 0n };
}

/** An argument that is defined as 32 bits wide: what is above them does not count. */
export function word(argument: bigint): number {
	return Number(BigInt.asUintN(32, argument));
}

/** -1, as an unsigned argument. */
export const ALL_ONES: bigint = 0xffff_ffff_ffff_ffffn;

/** Hart ids that a hart list names; undefined where one of them, or the base, is not valid ("Hart list parameter"). */
export function hartList(harts: number, mask: bigint, base: bigint): number[] | undefined {
	const ids: number[] = [];
	if (base === ALL_ONES) {
		for (let id = 0; id < harts; id++) ids.push(id);
		return ids;
	}
	if (base >= BigInt(harts)) return undefined;
	const first = Number(base);
	if (mask >> BigInt(harts - first) !== 0n) return undefined;
	for (let id = first; id < harts; id++) {
		if (((mask >> BigInt(id - first)) & 1n) !== 0n) ids.push(id);
	}
	return ids;
}

/** Physical addresses have 56 bits and numbers 53: from here on there is no memory. */
const NOWHERE = 1n << 53n;

/** A physical address as a number; undefined where there can be no memory. */
export function physicalAddress(low: bigint, high = 0n): number | undefined {
	return high === 0n && low < NOWHERE ? Number(low) : undefined;
}
