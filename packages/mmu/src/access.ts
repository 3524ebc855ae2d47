// Kinds of memory access and the exceptions that a failed one raises.
// Not here: delegation, trap entry, and the order among exceptions of one instruction.
// Privileged ISA 1.13: "Machine Cause (mcause) Register"; with the H extension "Trap Cause Codes".

/** What the original instruction does; `'store'` also stands for SC, AMO and cache-block zero. */
export type Access = 'fetch' | 'load' | 'store';

/** Effective privilege of an access: 0 is U (or VU), 1 is S, HS (or VS), 3 is M. */
export type Privilege = 0 | 1 | 3;

// Exception codes of `mcause`/`scause` that address translation and physical memory protection can raise.
/** Instruction access fault. */
export const CAUSE_FETCH_ACCESS = 1;
/** Load access fault. */
export const CAUSE_LOAD_ACCESS = 5;
/** Store or AMO access fault. */
export const CAUSE_STORE_ACCESS = 7;
/** Instruction page fault. */
export const CAUSE_FETCH_PAGE_FAULT = 12;
/** Load page fault. */
export const CAUSE_LOAD_PAGE_FAULT = 13;
/** Store or AMO page fault. */
export const CAUSE_STORE_PAGE_FAULT = 15;
/** Instruction guest-page fault. */
export const CAUSE_FETCH_GUEST_PAGE_FAULT = 20;
/** Load guest-page fault. */
export const CAUSE_LOAD_GUEST_PAGE_FAULT = 21;
/** Store or AMO guest-page fault. */
export const CAUSE_STORE_GUEST_PAGE_FAULT = 23;

/** Access-fault code by kind of access: the physical address is not there, or PMP or a PMA denies it. */
export const ACCESS_FAULT_CAUSE: Readonly<Record<Access, number>> = {
	fetch: CAUSE_FETCH_ACCESS,
	load: CAUSE_LOAD_ACCESS,
	store: CAUSE_STORE_ACCESS,
};

/** Page-fault code by kind of access: S-stage, or VS-stage when V=1. */
export const PAGE_FAULT_CAUSE: Readonly<Record<Access, number>> = {
	fetch: CAUSE_FETCH_PAGE_FAULT,
	load: CAUSE_LOAD_PAGE_FAULT,
	store: CAUSE_STORE_PAGE_FAULT,
};

/** Guest-page-fault code by kind of access: G-stage. */
export const GUEST_PAGE_FAULT_CAUSE: Readonly<Record<Access, number>> = {
	fetch: CAUSE_FETCH_GUEST_PAGE_FAULT,
	load: CAUSE_LOAD_GUEST_PAGE_FAULT,
	store: CAUSE_STORE_GUEST_PAGE_FAULT,
};

/**
 * `mtinst`/`htinst` pseudoinstruction when the G-stage refused to read a VS-stage PTE, VSXLEN=64
 * ("Special pseudoinstruction values for guest-page faults"); zero is not allowed there.
 */
export const TINST_VS_STAGE_READ = 0x3000n;
/** The same when the G-stage refused the update of A or D in a VS-stage PTE. */
export const TINST_VS_STAGE_WRITE = 0x3020n;
