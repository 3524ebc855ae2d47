// Who may read, write and execute a leaf PTE's page: R, W, X, U against SUM, MXR and HLVX.
// Not here: A and D (stage.ts), PMP (pmp.ts).
// Privileged ISA 1.13: "Memory Privilege in sstatus Register", "Virtual Address Translation Process" steps 6 and 8,
// "Hypervisor Virtual-Machine Load and Store Instructions".

import type { Access } from './access.ts';
import { PTE_R, PTE_U, PTE_W, PTE_X } from './pte.ts';

/** How one stage judges a leaf PTE. */
export interface RightsCheck {
	/** The access is made as a user: U or VU; always true for the G-stage. */
	readonly user: boolean;
	/** A supervisor's loads and stores may use user pages. */
	readonly sum: boolean;
	/** Loads may read executable pages. */
	readonly mxr: boolean;
	/** HLVX: loads need X, and R does not matter. */
	readonly hlvx: boolean;
}

/** What the access rights of a page allow. */
export interface Rights {
	readonly readable: boolean;
	readonly writable: boolean;
	readonly executable: boolean;
}

/** Everything is allowed: no translation stage is in the way. */
export const ALL_RIGHTS: Rights = { readable: true, writable: true, executable: true };

/** Rights that a valid leaf PTE grants under a check; A and D are not looked at. */
export function leafRights(pte: bigint, { user, sum, mxr, hlvx }: RightsCheck): Rights {
	const userPage = (pte & PTE_U) !== 0n;
	const r = (pte & PTE_R) !== 0n;
	const x = (pte & PTE_X) !== 0n;
	const data = user ? userPage : !userPage || sum;
	// Irrespective of SUM, a supervisor never executes a user page.
	const code = user === userPage;
	return {
		readable: data && (hlvx ? x : r || (mxr && x)),
		writable: data && (pte & PTE_W) !== 0n,
		executable: code && x,
	};
}

/** Whether the rights allow an access. */
export function allows(rights: Rights, access: Access): boolean {
	if (access === 'fetch') return rights.executable;
	return access === 'load' ? rights.readable : rights.writable;
}
