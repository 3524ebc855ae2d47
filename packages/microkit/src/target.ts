/**
 * What a board and a version of Microkit fix for descriptions and programs: page sizes, the places of stack and IPC
 * buffer, capability slots, limits. Microkit 2.3 on `qemu_virt_riscv64`: its manual, and libmicrokit's microkit.h.
 */

/** Bytes of the smallest page. */
export const PAGE = 0x1000;
/** Bytes of pages that descriptions may ask for, smallest first. */
export const PAGE_SIZES = [PAGE, 0x20_0000] as const;

/** Highest address of user programs: `seL4_UserVSpaceTop`, inclusive. */
const USER_TOP = 0x3f_ffff_efff;
/** Where every program's IPC buffer is: its highest page. */
export const IPC_BUFFER = USER_TOP - (USER_TOP % PAGE);
/** Where every program's stack ends; a page below the IPC buffer stays unmapped. */
export const STACK_TOP = IPC_BUFFER - PAGE;

/** Physical addresses end here. */
export const PHYSICAL_TOP = 2 ** 56;

/** Most protection domains of a system. */
export const MOST_DOMAINS = 63;
/** Largest identifier of a channel, an interrupt or a child. */
export const LARGEST_ID = 61;
/** Largest priority of a protection domain; the monitor's is one more. */
export const LARGEST_PRIORITY = 254;
/** Microseconds of budget, where a domain does not say. */
export const DEFAULT_BUDGET = 1000;
/** Microseconds of the least budget that seL4 takes. */
export const LEAST_BUDGET = 20;
/** Bytes of stack, where a domain does not say. */
export const DEFAULT_STACK = 0x2000;
/** Bytes of the largest stack. */
export const LARGEST_STACK = 16 << 20;
/** Slots in the root of a domain's capability space that a description may fill: 1 up to here, exclusive. */
export const USER_SLOTS = 128;
/** Domains of the domain scheduler. */
export const SCHEDULER_DOMAINS = 16;
/** Entries of the domain schedule. */
export const SCHEDULE_ENTRIES = 100;
/** Bytes of a domain's name that its program sees. */
export const NAME_BYTES = 64;
/** PLIC sources of the board: 1 up to here. */
export const LARGEST_IRQ = 95;
