// The reference translation of an address: Bare, S-stage, or VS-stage and G-stage, as the context says.
// Not here: the TLB (the walk reads memory each time), PMP and PMAs of the final access (pmp.ts and the physical map
// check the answer), which context an instruction has (MPRV, HLV, SPVP: the hart), pointer masking.
// Privileged ISA 1.13: "Virtual Address Translation Process", "Two-Stage Address Translation", "Guest-Page Faults".

import {
	ACCESS_FAULT_CAUSE,
	type Access,
	GUEST_PAGE_FAULT_CAUSE,
	PAGE_FAULT_CAUSE,
	type Privilege,
	TINST_VS_STAGE_READ,
	TINST_VS_STAGE_WRITE,
} from './access.ts';
import { decodeHgatp, decodeSatp, firstStageFormat, secondStageFormat } from './paging-mode.ts';
import { type MemoryType, PBMT_PMA } from './pte.ts';
import { ALL_RIGHTS } from './rights.ts';
import { PAGE_FAULT, type Stage, type StageMapping, type StagePort, walkStage } from './stage.ts';

/**
 * The physical accesses that a walk makes, at supervisor physical addresses, 8 bytes, aligned, little-endian.
 * PMP checks belong into the port: the effective privilege of a page-table access is S.
 */
export interface PageTableMemory {
	/** Reads a PTE, 64 bits unsigned; undefined is an access fault (no memory there, or PMP denies the read). */
	readPte(address: bigint): bigint | undefined;
	/**
	 * Sets A and D: atomically stores `desired` if the PTE still equals `expected`. False if it does not (the walk
	 * reads it again), `'fault'` is an access fault (PMP denies the write).
	 */
	updatePte(address: bigint, expected: bigint, desired: bigint): boolean | 'fault';
}

/** The state of a hart that decides a translation. `bareContext` has every field, to spread from. */
export interface TranslationContext {
	/** Effective privilege of the access (after MPRV, or SPVP for HLV and HSV). 3 is never translated. */
	readonly privilege: Privilege;
	/** Effective virtualization mode V. */
	readonly virtual: boolean;
	/** In use when V=0. */
	readonly satp: bigint;
	/** In use when V=1. */
	readonly vsatp: bigint;
	/** In use when V=1. */
	readonly hgatp: bigint;
	/** sstatus.SUM of HS: in use when V=0. */
	readonly sum: boolean;
	/** sstatus.MXR of HS: in use for S, and when V=1 for both stages. */
	readonly mxr: boolean;
	/** vsstatus.SUM: in use when V=1. */
	readonly vsSum: boolean;
	/** vsstatus.MXR: in use when V=1, for the VS-stage only. */
	readonly vsMxr: boolean;
	/** The access is an HLVX: execute permission takes the place of read permission in both stages. */
	readonly hlvx: boolean;
	/** menvcfg.ADUE: hardware updates A and D in S-stage and G-stage tables. */
	readonly adue: boolean;
	/** henvcfg.ADUE: the same for VS-stage tables. */
	readonly vsAdue: boolean;
	/** menvcfg.PBMTE: Svpbmt in S-stage and G-stage tables. */
	readonly pbmte: boolean;
	/** henvcfg.PBMTE: the same for VS-stage tables. */
	readonly vsPbmte: boolean;
	/** Svnapot is implemented. */
	readonly svnapot: boolean;
}

/** M-mode, no translation, hardware A/D updates and Svnapot on, Svpbmt off (its CSR bits reset to zero). */
export const bareContext: TranslationContext = {
	privilege: 3,
	virtual: false,
	satp: 0n,
	vsatp: 0n,
	hgatp: 0n,
	sum: false,
	mxr: false,
	vsSum: false,
	vsMxr: false,
	hlvx: false,
	adue: true,
	vsAdue: true,
	pbmte: false,
	vsPbmte: false,
	svnapot: true,
};

/** How many PTEs a translation read, retries included: what a clock model may charge. */
export interface WalkReads {
	/** S-stage or VS-stage. */
	readonly first: number;
	/** G-stage, those on behalf of VS-stage PTEs included. */
	readonly second: number;
}

/** `pageBits` of a stage that is Bare or absent: the whole 64-bit space is one span. */
export const BARE_BITS = 64;

/** A translation that succeeded. A and D have been set where the access asks for it. */
export interface TranslationSuccess {
	readonly ok: true;
	/** Supervisor physical address. Bare passes all 64 bits: addresses that do not exist are the physical map's concern. */
	readonly physical: bigint;
	/**
	 * log2 of the largest aligned span around the address that has one linear translation, rights and memory type, through
	 * both stages; PMP aside. {@link BARE_BITS} if nothing is translated.
	 */
	readonly pageBits: number;
	/** Loads of this context pass (with `hlvx`: HLVX does). A is set in both stages. */
	readonly readable: boolean;
	/** Stores of this context pass and D is already set in both stages: no later store needs the walk. */
	readonly writable: boolean;
	/** Fetches of this context pass. */
	readonly executable: boolean;
	/** The S- or VS-stage mapping is global: SFENCE.VMA with an ASID may spare it. False for Bare. */
	readonly global: boolean;
	/** Final memory type: the VS-stage's if not PMA, else the G-stage's. */
	readonly memoryType: MemoryType;
	/** V=1: the guest physical address. */
	readonly guestPhysical: bigint | undefined;
	/** log2 of the S- or VS-stage leaf's span (what SFENCE.VMA and HFENCE.VVMA name), or {@link BARE_BITS}. */
	readonly firstStageBits: number;
	/** log2 of the G-stage leaf's span (what HFENCE.GVMA names), or {@link BARE_BITS}. */
	readonly secondStageBits: number;
	readonly reads: WalkReads;
}

/** A translation that raises an exception. */
export interface TranslationFault {
	readonly ok: false;
	/** Exception code, always for the original kind of access. */
	readonly cause: number;
	/** Faulting virtual address: for mtval or stval. */
	readonly tval: bigint;
	/** Guest-page faults: the guest physical address that the G-stage refused; mtval2 or htval is it shifted right by 2. */
	readonly guestPhysical: bigint | undefined;
	/** Guest-page faults on a VS-stage PTE: whether it was read or updated; see {@link pseudoinstruction}. */
	readonly implicit: 'read' | 'write' | undefined;
	readonly reads: WalkReads;
}

/** What {@link translate} answers. */
export type Translation = TranslationSuccess | TranslationFault;

/** mtinst or htinst of a fault: the pseudoinstruction when one is required, else undefined (the hart chooses). */
export function pseudoinstruction(fault: TranslationFault): bigint | undefined {
	if (fault.implicit === undefined) return undefined;
	return fault.implicit === 'read' ? TINST_VS_STAGE_READ : TINST_VS_STAGE_WRITE;
}

/**
 * Translates an address and sets A and D where needed.
 *
 * The address is one byte's: an access that straddles a page is translated per page. Never throws unless the port does;
 * a walk reads at most 5 PTEs per stage and VS-stage PTE, plus a bounded number of retries.
 * @param address virtual address (V=1: guest virtual), 64 bits unsigned.
 * @param access kind of the original access.
 */
export function translate(
	memory: PageTableMemory,
	context: TranslationContext,
	address: bigint,
	access: Access,
): Translation {
	const counter = { first: 0, second: 0 };
	const result =
		context.virtual && context.privilege !== 3
			? translateTwoStage(memory, context, address, access, counter)
			: translateOneStage(memory, context, address, access, counter);
	if (!('failure' in result)) return result;
	const { failure } = result;
	const fault = { ok: false, tval: address, guestPhysical: undefined, implicit: undefined, reads: counter } as const;
	switch (failure) {
		case 'access':
			return { ...fault, cause: ACCESS_FAULT_CAUSE[access] };
		case 'page':
			return { ...fault, cause: PAGE_FAULT_CAUSE[access] };
		case 'guest-page': {
			const { guestPhysical, implicit } = result;
			return { ...fault, cause: GUEST_PAGE_FAULT_CAUSE[access], guestPhysical, implicit };
		}
	}
}

type Failure =
	| { readonly failure: 'access' | 'page' }
	| {
			readonly failure: 'guest-page';
			readonly guestPhysical: bigint;
			readonly implicit: 'read' | 'write' | undefined;
	  };

type Counter = { first: number; second: number };

const ACCESS_FAILURE: Failure = { failure: 'access' };
const PAGE_FAILURE: Failure = { failure: 'page' };

function bare(address: bigint): StageMapping {
	return { address, pageBits: BARE_BITS, rights: ALL_RIGHTS, global: false, memoryType: PBMT_PMA };
}

/** Serves PTE accesses at supervisor physical addresses. */
function physicalPort(memory: PageTableMemory, counter: Counter, stage: keyof Counter): StagePort<Failure> {
	return {
		read(pteAddress) {
			counter[stage] += 1;
			return memory.readPte(pteAddress) ?? ACCESS_FAILURE;
		},
		update(pteAddress, expected, desired) {
			const updated = memory.updatePte(pteAddress, expected, desired);
			return updated === 'fault' ? ACCESS_FAILURE : updated;
		},
	};
}

function translateOneStage(
	memory: PageTableMemory,
	context: TranslationContext,
	address: bigint,
	access: Access,
	counter: Counter,
): TranslationSuccess | Failure {
	const { mode, root } = decodeSatp(context.satp);
	const format = context.privilege === 3 ? 'bare' : firstStageFormat(mode);
	// satp cannot hold a reserved MODE (such a write has no effect); if the caller's does, nothing is mapped.
	if (format === 'reserved') return PAGE_FAILURE;
	let mapping = bare(address);
	if (format !== 'bare') {
		const stage: Stage = {
			format,
			root,
			extensions: { svnapot: context.svnapot, pbmte: context.pbmte },
			check: { user: context.privilege === 0, sum: context.sum, mxr: context.mxr, hlvx: false },
			adue: context.adue,
		};
		const walked = walkStage(stage, address, access, physicalPort(memory, counter, 'first'));
		if (walked === PAGE_FAULT) return PAGE_FAILURE;
		if ('failure' in walked) return walked;
		mapping = walked;
	}
	return {
		ok: true,
		physical: mapping.address,
		pageBits: mapping.pageBits,
		...mapping.rights,
		global: mapping.global,
		memoryType: mapping.memoryType,
		guestPhysical: undefined,
		firstStageBits: mapping.pageBits,
		secondStageBits: BARE_BITS,
		reads: counter,
	};
}

function translateTwoStage(
	memory: PageTableMemory,
	context: TranslationContext,
	address: bigint,
	access: Access,
	counter: Counter,
): TranslationSuccess | Failure {
	const first = walkVsStage(memory, context, address, access, counter);
	if ('failure' in first) return first;
	const second = walkGStage(memory, context, first.address, access, undefined, counter);
	if ('failure' in second) return second;
	return {
		ok: true,
		physical: second.address,
		pageBits: Math.min(first.pageBits, second.pageBits),
		readable: first.rights.readable && second.rights.readable,
		writable: first.rights.writable && second.rights.writable,
		executable: first.rights.executable && second.rights.executable,
		global: first.global,
		memoryType: first.memoryType === PBMT_PMA ? second.memoryType : first.memoryType,
		guestPhysical: first.address,
		firstStageBits: first.pageBits,
		secondStageBits: second.pageBits,
		reads: counter,
	};
}

/** First stage when V=1: guest virtual to guest physical. Each access to its tables goes through the G-stage. */
function walkVsStage(
	memory: PageTableMemory,
	context: TranslationContext,
	address: bigint,
	access: Access,
	counter: Counter,
): StageMapping | Failure {
	const { mode, root } = decodeSatp(context.vsatp);
	const format = firstStageFormat(mode);
	// A reserved MODE can reach vsatp only while V=0 (a write then is WARL, not ignored): nothing is mapped.
	if (format === 'reserved') return PAGE_FAILURE;
	if (format === 'bare') return bare(address);
	const stage: Stage = {
		format,
		root,
		extensions: { svnapot: context.svnapot, pbmte: context.vsPbmte },
		check: {
			user: context.privilege === 0,
			sum: context.vsSum,
			mxr: context.mxr || context.vsMxr,
			hlvx: context.hlvx,
		},
		adue: context.vsAdue,
	};
	const physical = physicalPort(memory, counter, 'first');
	const walked = walkStage<Failure>(stage, address, access, {
		read(pteAddress) {
			const pte = walkGStage(memory, context, pteAddress, 'load', 'read', counter);
			return 'failure' in pte ? pte : physical.read(pte.address);
		},
		update(pteAddress, expected, desired) {
			const pte = walkGStage(memory, context, pteAddress, 'store', 'write', counter);
			return 'failure' in pte ? pte : physical.update(pte.address, expected, desired);
		},
	});
	return walked === PAGE_FAULT ? PAGE_FAILURE : walked;
}

/**
 * Second stage: guest physical to supervisor physical, every access as a user's.
 * @param access kind to check: the original one, or the implicit load or store of a VS-stage PTE.
 * @param implicit set for a VS-stage PTE. MXR and HLVX are for explicit accesses and do not apply to it.
 */
function walkGStage(
	memory: PageTableMemory,
	context: TranslationContext,
	guestPhysical: bigint,
	access: Access,
	implicit: 'read' | 'write' | undefined,
	counter: Counter,
): StageMapping | Failure {
	const { mode, root } = decodeHgatp(context.hgatp);
	const format = secondStageFormat(mode);
	if (format === 'bare') return bare(guestPhysical);
	const failure: Failure = { failure: 'guest-page', guestPhysical, implicit };
	if (format === 'reserved') return failure;
	const explicit = implicit === undefined;
	const stage: Stage = {
		format,
		root,
		extensions: { svnapot: context.svnapot, pbmte: context.pbmte },
		check: { user: true, sum: false, mxr: explicit && context.mxr, hlvx: explicit && context.hlvx },
		adue: context.adue,
	};
	const walked = walkStage(stage, guestPhysical, access, physicalPort(memory, counter, 'second'));
	return walked === PAGE_FAULT ? failure : walked;
}
