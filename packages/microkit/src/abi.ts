/**
 * Slots and badges that libmicrokit and the monitor know: the run-time interface of Microkit 2.3, from its microkit.h.
 */

/** Slots of a domain's CNode. */
export const Slots = {
	/** Where it receives: its endpoint if it is called or has children, else its notification. */
	input: 1,
	/** Where its faults go. */
	fault: 2,
	vspace: 3,
	reply: 4,
	/** The monitor's endpoint: passive domains only. */
	monitor: 5,
	notifications: 10,
	endpoints: 74,
	irqs: 138,
	children: 202,
} as const;

/** log2 of the slots of a domain's CNode. */
export const CNODE_BITS = 9;
/** log2 of the slots of the root of a domain's capability space; slot 0 has the domain's CNode. */
export const ROOT_BITS = 6;

/** Slots of the monitor's CNode. */
export const MonitorSlots = { endpoint: 1, reply: 2, tcbs: 10, contexts: 138, notifications: 202 } as const;

/** Badge bit of protected calls. */
export const CALL_BADGE: bigint = 1n << 63n;
/** Badge bit of children's faults. */
export const FAULT_BADGE: bigint = 1n << 62n;
/** Timeout handlers see this plus the domain's index. */
export const CONTEXT_BADGE = 0x100;
