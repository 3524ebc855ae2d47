// Object types as data: sizes, what a capability's word means, which rights count, how capabilities are derived. A
// profile is an array of types whose index is the number that Untyped_Retype uses. What an object does is the kernel's.
// seL4 reference manual: "Summary of Object Sizes", "Capability Rights", "Capability Derivation Tree".

/** seL4_CapRights, as bits. */
export const Rights = { Write: 1, Read: 2, Grant: 4, GrantReply: 8, All: 15 } as const;

/** One type of object, and of the capabilities to it. */
export interface ObjectType {
	readonly name: string;
	/** What Retype's size_bits means: nothing, log2 of the bytes, or log2 of the number of slots. */
	readonly size: 'fixed' | 'bytes' | 'slots';
	/** log2 of the bytes of a `fixed` object, the least size_bits of `bytes`, log2 of the bytes of one of the `slots`. */
	readonly sizeBits: number;
	/** Whether Untyped_Retype makes it. */
	readonly retype: boolean;
	/** Whether it can be made from device memory. */
	readonly device: boolean;
	/** Rights that have a meaning for it; others are never set. */
	readonly rights: number;
	/**
	 * What the 64-bit word in a capability is: nothing, a badge, a CNode's guard (seL4_CNode_CapData), an untyped's
	 * watermark in bytes, or the kernel's own (where a frame is mapped).
	 */
	readonly word: 'none' | 'badge' | 'guard' | 'watermark' | 'private';
	/** Slots for capabilities that an object of fixed size has (a TCB's spaces and handlers). */
	readonly slots: number;
	/** Whether its capabilities can be derived: always, never, without children only, or as the port says. */
	readonly derive: 'always' | 'never' | 'childless' | 'ask';
	/** Whether the port is told of each capability that is removed, not only of the last one. */
	readonly watched: boolean;
}

const FIXED = {
	size: 'fixed',
	retype: true,
	device: false,
	rights: 0,
	word: 'none',
	slots: 0,
	derive: 'always',
	watched: false,
} as const satisfies Omit<ObjectType, 'name' | 'sizeBits'>;
const FRAME = {
	...FIXED,
	device: true,
	rights: Rights.Read | Rights.Write,
	word: 'private',
	derive: 'ask',
	watched: true,
} as const;
const SPECIAL = { ...FIXED, sizeBits: 0, retype: false } as const;

/** Type numbers of {@link SEL4_MCS_RISCV64}. Up to 10 they are seL4's (16.0.0); from 11 on this package's own. */
export const ObjectKind = {
	Untyped: 0,
	Tcb: 1,
	Endpoint: 2,
	Notification: 3,
	CNode: 4,
	SchedContext: 5,
	Reply: 6,
	GigaPage: 7,
	Page: 8,
	MegaPage: 9,
	PageTable: 10,
	IrqControl: 11,
	IrqHandler: 12,
	AsidControl: 13,
	AsidPool: 14,
	SchedControl: 15,
	Domain: 16,
	Vcpu: 17,
} as const;

/**
 * The types of seL4 in its MCS configuration on RISC-V64. A TCB has five slots: CSpace root, VSpace root, IPC-buffer
 * frame, fault handler, timeout handler. An interrupt handler has one: the notification that it signals.
 */
export const SEL4_MCS_RISCV64: readonly ObjectType[] = [
	{ ...FIXED, name: 'Untyped', size: 'bytes', sizeBits: 4, device: true, word: 'watermark', derive: 'childless' },
	{ ...FIXED, name: 'TCB', sizeBits: 11, slots: 5 },
	{ ...FIXED, name: 'Endpoint', sizeBits: 4, rights: Rights.All, word: 'badge' },
	{ ...FIXED, name: 'Notification', sizeBits: 6, rights: Rights.Read | Rights.Write, word: 'badge' },
	{ ...FIXED, name: 'CNode', size: 'slots', sizeBits: 5, word: 'guard' },
	{ ...FIXED, name: 'SchedContext', size: 'bytes', sizeBits: 7 },
	{ ...FIXED, name: 'Reply', sizeBits: 5, rights: Rights.Grant },
	{ ...FRAME, name: 'GigaPage', sizeBits: 30 },
	{ ...FRAME, name: 'Page', sizeBits: 12 },
	{ ...FRAME, name: 'MegaPage', sizeBits: 21 },
	{ ...FIXED, name: 'PageTable', sizeBits: 12, word: 'private', derive: 'ask', watched: true },
	{ ...SPECIAL, name: 'IRQControl', derive: 'never' },
	{ ...SPECIAL, name: 'IRQHandler', slots: 1 },
	{ ...SPECIAL, name: 'ASIDControl' },
	{ ...SPECIAL, name: 'ASIDPool', sizeBits: 12 },
	{ ...SPECIAL, name: 'SchedControl' },
	{ ...SPECIAL, name: 'Domain' },
	{ ...SPECIAL, name: 'VCPU', slots: 1 },
];

/** seL4_MaxUntypedBits on RISC-V64. */
export const MAX_UNTYPED_BITS = 38;
/** CONFIG_RETYPE_FAN_OUT_LIMIT. */
export const RETYPE_FAN_OUT_LIMIT = 256;
