// One stage of translation: the walk over one set of page tables.
// Not here: which stages apply, and what a failure is called (translate.ts); who serves a PTE access (a port: physical
// memory, or for VS-stage tables the G-stage first).
// Privileged ISA 1.13: "Virtual Address Translation Process" (the step numbers below), "Svade", "Svadu", "Svnapot".

import type { Access } from './access.ts';
import { isCanonical, type PagingFormat, PTE_SIZE, tableIndex } from './paging-mode.ts';
import { decodePte, type MemoryType, PTE_A, PTE_D, PTE_G, type PteExtensions } from './pte.ts';
import { allows, leafRights, type Rights, type RightsCheck } from './rights.ts';

/** PTE accesses of one stage. `F` is what the port answers instead when an access fails. */
export interface StagePort<F> {
	/** Reads the PTE at an address of this stage's output space. */
	read(address: bigint): bigint | F;
	/** Atomically replaces a PTE that still equals `expected`; false if it does not. */
	update(address: bigint, expected: bigint, desired: bigint): boolean | F;
}

/** What one stage needs to know. */
export interface Stage {
	readonly format: PagingFormat;
	/** Address of the root table. */
	readonly root: bigint;
	readonly extensions: PteExtensions;
	readonly check: RightsCheck;
	/** Hardware sets A and D (Svadu, ADUE=1); else a clear A, or D on a store, is a page fault (Svade). */
	readonly adue: boolean;
}

/** A successful walk of one stage. */
export interface StageMapping {
	/** The translated address. */
	readonly address: bigint;
	/** log2 of the span that the leaf maps. */
	readonly pageBits: number;
	/** Rights of the page under the stage's check; writable only if D is set by now. */
	readonly rights: Rights;
	/** G in the leaf or in a pointer on the way. */
	readonly global: boolean;
	readonly memoryType: MemoryType;
}

/** The stage refuses: a page fault, or for the G-stage a guest-page fault. */
export const PAGE_FAULT = 'page-fault';

/**
 * How often a PTE may change between its read and its update before the walk gives up with a page fault. Only another
 * hart, or tables that contain themselves, can change it; a self-made change is at most one A and one D.
 */
export const UPDATE_ATTEMPTS = 64;

/**
 * Walks one stage's tables.
 * @param access what this stage checks for; for a VS-stage PTE in the G-stage, the implicit load or store.
 * @returns the mapping, {@link PAGE_FAULT}, or what the port answered to a failed PTE access.
 */
export function walkStage<F extends object>(
	stage: Stage,
	address: bigint,
	access: Access,
	port: StagePort<F>,
): StageMapping | typeof PAGE_FAULT | F {
	const { format, check } = stage;
	if (!isCanonical(format, address)) return PAGE_FAULT;

	let table = stage.root; // step 1
	let level = format.levels - 1;
	let global = false;
	let attempts = 0;
	for (;;) {
		const pteAddress = table + tableIndex(format, level, address) * PTE_SIZE;
		const pte = port.read(pteAddress); // step 2
		if (typeof pte !== 'bigint') return pte;

		const entry = decodePte(pte, level, stage.extensions); // steps 3 to 5
		if (entry.kind === 'invalid') return PAGE_FAULT;
		if (entry.kind === 'table') {
			global ||= (pte & PTE_G) !== 0n;
			table = entry.table;
			level -= 1;
			continue;
		}

		const rights = leafRights(pte, check);
		if (!allows(rights, access)) return PAGE_FAULT; // steps 6 and 8

		const desired = pte | PTE_A | (access === 'store' ? PTE_D : 0n);
		if (desired !== pte) {
			if (!stage.adue) return PAGE_FAULT; // step 9
			const updated = port.update(pteAddress, pte, desired);
			if (typeof updated !== 'boolean') return updated;
			if (!updated) {
				attempts += 1;
				if (attempts === UPDATE_ATTEMPTS) return PAGE_FAULT;
				continue; // to step 2, at the same level
			}
		}

		return {
			address: entry.base | BigInt.asUintN(entry.pageBits, address), // step 10
			pageBits: entry.pageBits,
			rights: { ...rights, writable: rights.writable && (desired & PTE_D) !== 0n },
			global: global || (pte & PTE_G) !== 0n,
			memoryType: entry.memoryType,
		};
	}
}
