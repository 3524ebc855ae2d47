/**
 * SiFive U54 (FU540, HiFive Unleashed), at 1 GHz: a cycle is a nanosecond. An in-order RV64GC core without the hypervisor
 * extension; `u54h` is the same core as if it had it.
 *
 * Fitted: sums of figures equal what sel4.systems publishes for seL4 MCS on it, in cycles (page of 2026-03-18): IPC call 690,
 * notify 4359, interrupt 3615. IPC reply (612) was held out: its path must predict it. How a sum is divided among its
 * parts is estimated. The paths:
 *
 *   call       trapEntry, systemCall, capabilityLookup, ipcTransfer, contextSwitch, addressSpaceSwitch, trapExit
 *   reply      the same without capabilityLookup: a reply object is named by a register
 *   notify     trapEntry, systemCall, capabilityLookup, notification, schedule, contextSwitch, addressSpaceSwitch, trapExit
 *   interrupt  trapEntry, interruptDelivery, schedule, contextSwitch, addressSpaceSwitch, trapExit
 */
import type { CostBasis, CostProfile, Operation, OperationCost } from './profile.ts';

const PUBLISHED = 'sel4.systems performance page, 2026-03-18, seL4 MCS on RV64 U54';

/** A sequence of operations of which the cycles are published. */
export interface PublishedPath {
	readonly name: string;
	/** Operations, one unit each where the unit is a level, none where it is a word. */
	readonly operations: readonly Operation[];
	/** Cycles. */
	readonly published: number;
	/** Whether the figures were fitted to it; otherwise it was held out, and is predicted. */
	readonly fitted: boolean;
	readonly source: string;
}

const SWITCH = ['contextSwitch', 'addressSpaceSwitch', 'trapExit'] as const;

/** What the figures of {@link u54} are held to. */
export const publishedPaths: readonly PublishedPath[] = [
	{
		name: 'call',
		operations: ['trapEntry', 'systemCall', 'capabilityLookup', 'ipcTransfer', ...SWITCH],
		published: 690,
		fitted: true,
		source: PUBLISHED,
	},
	{
		name: 'reply',
		operations: ['trapEntry', 'systemCall', 'ipcTransfer', ...SWITCH],
		published: 612,
		fitted: false,
		source: PUBLISHED,
	},
	{
		name: 'notify',
		operations: ['trapEntry', 'systemCall', 'capabilityLookup', 'notification', 'schedule', ...SWITCH],
		published: 4359,
		fitted: true,
		source: PUBLISHED,
	},
	{
		name: 'interrupt',
		operations: ['trapEntry', 'interruptDelivery', 'schedule', ...SWITCH],
		published: 3615,
		fitted: true,
		source: PUBLISHED,
	},
];

function cost(basis: CostBasis, source: string, nanos: number, perUnit?: number): OperationCost {
	return { nanos, ...(perUnit === undefined ? {} : { perUnit }), kind: 'modelled', basis, source };
}

const CALL = `part of IPC call, 690 cycles: ${PUBLISHED}`;
const SLOW = `part of notify, 4359, and interrupt, 3615 cycles: ${PUBLISHED}`;

const core = {
	trapEntry: cost('fitted', CALL, 130),
	trapExit: cost('fitted', CALL, 100),
	systemCall: cost('fitted', CALL, 40),
	capabilityLookup: cost('fitted', CALL, 40, 20),
	ipcTransfer: cost('fitted', `${CALL}; per word a load and a store that hit the cache`, 100, 4),
	contextSwitch: cost('fitted', CALL, 120),
	addressSpaceSwitch: cost('fitted', CALL, 140),
	schedule: cost('fitted', SLOW, 2700),
	notification: cost('fitted', SLOW, 1069),
	interruptDelivery: cost('fitted', SLOW, 425),
	budgetCheck: cost('estimated', 'time read, a subtraction, a comparison', 30),
	capabilityOperation: cost('estimated', 'two slots and their neighbours in the derivation list: ten cache lines', 150),
	floatSwitch: cost('estimated', '64 accesses of 8 bytes, fcsr, sstatus.FS', 150),
	pageTableUpdate: cost('estimated', 'a walk of three levels that hit the cache, and a store', 40, 10),
	translationFence: cost('estimated', 'sfence.vma on an in-order core', 60),
	retype: cost('estimated', 'bookkeeping; 64 cache lines a page', 200, 600),
	timerProgram: cost('estimated', 'one write of stimecmp, or of a memory-mapped comparator', 50),
	faultDelivery: cost('estimated', 'fault registers read, four words of message', 120),
	copyWord: cost('estimated', 'a load and a store that hit the cache', 0, 3),
	deviceAccess: cost('estimated', 'an uncached access over the peripheral bus', 0, 60),
} as const;

/*
 * With the H extension, as an in-order core of this class would have it. A CSR access is taken as 5 cycles, a register saved
 * and restored as 4, since no figures of such a core are published in the sources here.
 */
const hypervisor = {
	vmExit: cost('estimated', 'trapEntry, and hstatus, htval, htinst, vsstatus, hvip and time read: six CSRs', 160),
	vmEntry: cost('estimated', 'trapExit, and hstatus, hvip and sepc written: three CSRs', 115),
	worldSwitch: cost('estimated', '19 VS and H CSRs read and written, 32 floating-point registers, hgatp', 340),
	mmioEmulation: cost('estimated', 'htinst decoded, a search among windows, registers patched: 120 instructions', 150),
	instructionEmulation: cost('estimated', 'instruction decoded, dispatch: 60 instructions', 80),
	sbiCall: cost('estimated', 'dispatch: 60 instructions; per word a load by hlv and a store', 80, 8),
	exceptionInjection: cost('estimated', 'five VS CSRs read or written', 45),
	interruptInjection: cost('estimated', "hvip, and the virtual controller's state: 60 instructions", 80),
} as const;

/** SiFive U54 as if it had the hypervisor extension, at 1 GHz: for comparisons of both kernels on one core. */
export const u54h: CostProfile = {
	name: 'u54h',
	source: `U54 at 1 GHz: ${PUBLISHED}; hypervisor extension: estimated, no such core is published`,
	hertz: 1_000_000_000,
	operations: { ...core, ...hypervisor },
};

/** What needs the hypervisor extension. */
export const hypervisorOperations: readonly Operation[] = Object.keys(hypervisor) as Operation[];

/** SiFive U54, at 1 GHz. It has no hypervisor extension: the operations that need it are not to be charged, and cost 0. */
export const u54: CostProfile = {
	name: 'u54',
	source: `U54 at 1 GHz: ${PUBLISHED}`,
	hertz: 1_000_000_000,
	operations: {
		...u54h.operations,
		...Object.fromEntries(
			hypervisorOperations.map((name) => [name, cost('estimated', 'the core has no H extension', 0)]),
		),
	},
};

/** Nothing costs anything: for tests of behaviour, and to see what costs are responsible for. */
export const free: CostProfile = {
	name: 'free',
	source: 'no model: kernel work takes no virtual time',
	hertz: 1_000_000_000,
	operations: Object.fromEntries(
		Object.keys(u54h.operations).map((name) => [name, cost('estimated', 'nothing is charged', 0)]),
	) as Record<Operation, OperationCost>,
};
