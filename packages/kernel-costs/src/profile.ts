/**
 * What a cost profile is, and what an operation costs under one. Profiles themselves are data, in files of their own.
 *
 * Kernels written in TypeScript execute no RISC-V instructions, so their work would take no virtual time: they charge each
 * operation by what it does. Every figure here is modelled; none is counted.
 */

/** The operations, each with what it is made of and the unit of `perUnit`. */
export const operations = {
	/** From the trapping instruction to the kernel's handler: registers of the thread saved, cause decoded. */
	trapEntry: 'trap',
	/** The way back: registers restored, SRET. */
	trapExit: 'trap',
	/** A system call's number and message info decoded. */
	systemCall: 'call',
	/** One capability found; per further level of the capability space. */
	capabilityLookup: 'level',
	/** A capability copied, minted, moved, deleted, or one descendant revoked. */
	capabilityOperation: 'capability',
	/** A message from one thread to another; per word that is not in a register. */
	ipcTransfer: 'word',
	/** A notification signalled or polled. */
	notification: 'signal',
	/** An interrupt claimed at the controller, and acknowledged. */
	interruptDelivery: 'interrupt',
	/** The scheduler runs: accounts, queues, the choice. Not charged where the same entity goes on. */
	schedule: 'decision',
	/** Accounting at an entry that needs no decision. */
	budgetCheck: 'check',
	/** The kernel's idea of the current thread changes. */
	contextSwitch: 'switch',
	/** Another address space: satp, with an ASID. */
	addressSpaceSwitch: 'switch',
	/** Floating-point registers saved and restored. */
	floatSwitch: 'switch',
	/** One page or table entered or removed. */
	pageTableUpdate: 'entry',
	/** A fence of address translation, local. */
	translationFence: 'fence',
	/** An object made of untyped memory; per 4 KiB that is cleared. */
	retype: 'page',
	/** The one hardware timer is armed. */
	timerProgram: 'timer',
	/** A fault of a thread made into a message for its handler. */
	faultDelivery: 'fault',
	/** A word moved by the kernel or a hosted component. */
	copyWord: 'word',
	/** From the guest's instruction to the monitor: trap entry, and the hypervisor's CSRs read. */
	vmExit: 'exit',
	/** The way back into a guest. */
	vmEntry: 'entry',
	/** From one virtual CPU to another: VS CSRs, hgatp, floating-point registers. */
	worldSwitch: 'switch',
	/** A faulting load or store decoded, and the device found; the device's own work is not in it. */
	mmioEmulation: 'access',
	/** A trapped instruction decoded and emulated, or reflected. */
	instructionEmulation: 'instruction',
	/** An SBI call decoded; per word of a message that it moves. */
	sbiCall: 'word',
	/** An exception entered on behalf of a guest. */
	exceptionInjection: 'exception',
	/** A virtual interrupt made pending. */
	interruptInjection: 'interrupt',
	/** One access of a driver to its device's registers. */
	deviceAccess: 'access',
} as const;

/** A kernel operation. */
export type Operation = keyof typeof operations;

/** What a figure is worth. */
export type CostBasis =
	/** It, or a sum that it is part of, was fitted to published figures. */
	| 'fitted'
	/** Worked out from the instructions and CSR accesses that it takes. */
	| 'estimated';

/** What an operation costs. */
export interface OperationCost {
	/** Nanoseconds, an integer: once. */
	readonly nanos: number;
	/** Nanoseconds for each unit (see {@link operations}) of the operation, the first one too; default 0. */
	readonly perUnit?: number;
	/** No cost is counted: every one is a model's. */
	readonly kind: 'modelled';
	readonly basis: CostBasis;
	/** Where the figure comes from. */
	readonly source: string;
}

/** What privileged code costs on one core: plain data. */
export interface CostProfile {
	readonly name: string;
	/** The core, its clock, and where the figures come from. */
	readonly source: string;
	/** Clock of the core: cycles of a source were made into nanoseconds with it. */
	readonly hertz: number;
	/** Complete: an operation that a core does not have has no entry in {@link operations}. */
	readonly operations: Readonly<Record<Operation, OperationCost>>;
}

/**
 * What `units` units of an operation cost, in nanoseconds: `nanos + units * perUnit`.
 * @param units - how much of it; default 1. Words of a message, levels, pages: see {@link operations}.
 * @throws RangeError for a number of units that is negative or no integer
 */
export function chargeOf(profile: CostProfile, operation: Operation, units = 1): number {
	if (!Number.isSafeInteger(units) || units < 0) throw new RangeError(`${operation}: ${units} is no number of units`);
	const { nanos, perUnit = 0 } = profile.operations[operation];
	return nanos + units * perUnit;
}

/**
 * A profile with every figure, or those of some operations, multiplied: for "does the conclusion hold when each modelled
 * constant is halved and doubled?". Results are rounded to whole nanoseconds.
 */
export function scaleProfile(profile: CostProfile, factor: number, only?: readonly Operation[]): CostProfile {
	if (!(factor >= 0 && Number.isFinite(factor))) throw new RangeError(`a cost cannot be multiplied by ${factor}`);
	const scaled = Object.fromEntries(
		Object.entries(profile.operations).map(([name, cost]): [string, OperationCost] => {
			if (only && !only.includes(name as Operation)) return [name, cost];
			const perUnit = cost.perUnit === undefined ? {} : { perUnit: Math.round(cost.perUnit * factor) };
			return [name, { ...cost, nanos: Math.round(cost.nanos * factor), ...perUnit }];
		}),
	) as Record<Operation, OperationCost>;
	const which = only ? only.join(', ') : 'all';
	return { ...profile, name: `${profile.name} (${which} x ${factor})`, operations: scaled };
}
