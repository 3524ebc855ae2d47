/**
 * What the SBI needs of the system that it serves. Whoever hosts it gives it: M-mode firmware for S-mode, a hypervisor for
 * VS-mode; what an effect is to the hart's registers differs, and is theirs.
 */

/** A fence of address translation, of one hart. */
export interface SbiFence {
	/** As `sfence.vma`, `hfence.vvma` or `hfence.gvma` of the supervisor. */
	readonly kind: 'vma' | 'vvma' | 'gvma';
	/** One page's address (`gvma`: guest physical); undefined: all. */
	readonly address: bigint | undefined;
	/** ASID (16 bits), or for `gvma` VMID (14 bits); undefined: all. */
	readonly id: bigint | undefined;
	/** Id of the hart that called: `vvma` is for the VMID of that one. */
	readonly caller: number;
}

/** A hart as the SBI acts upon it. Effects are complete when a method returns. */
export interface SbiHart {
	/** Instructions that it has retired. */
	readonly retired: bigint;
	/** It waits for an interrupt. */
	readonly waiting: boolean;
	/** The next timer interrupt is at `time` ticks; a pending one is withdrawn, unless that time has come. */
	setTimer(time: bigint): void;
	/** Makes a supervisor software interrupt pending. */
	raiseSoftware(): void;
	/** Withdraws a pending supervisor software interrupt. @returns whether there was one */
	clearSoftware(): boolean;
	/** Executes a fence. */
	fence(fence: SbiFence): void;
	/** It is to run in supervisor mode from `pc` on, its registers as "HSM Hart Start Register State" says. */
	start(pc: bigint, opaque: bigint): void;
	/**
	 * It waits for an interrupt that it enables. With `resume`, the suspension is non-retentive: its registers become those of
	 * "HSM Hart Resume Register State".
	 */
	suspend(resume: { readonly pc: bigint; readonly opaque: bigint } | undefined): void;
}

/** Kinds of system reset: SBI 2.0, "SRST System Reset Types". */
export type ResetType = 'shutdown' | 'cold-reboot' | 'warm-reboot';

/** The system around the SBI. */
export interface SbiPorts {
	/** All harts; their index is their hart id. */
	readonly harts: readonly SbiHart[];
	/** Whether harts have the hypervisor extension: fences of guests' translations are calls then. */
	readonly hypervisor: boolean;
	/** Physical memory of the supervisor: false, with nothing copied, where part of the range is not (writable) memory. */
	readonly memory: {
		/** Fills `into` from `address` on. */
		read(address: number, into: Uint8Array): boolean;
		/** Copies `from` to `address`. */
		write(address: number, from: Uint8Array): boolean;
	};
	/** The debug console. */
	readonly console: {
		/** Prints bytes. */
		write(bytes: Uint8Array): void;
		/** At most `max` bytes that have arrived; none is an empty array. */
		read(max: number): Uint8Array;
	};
	/**
	 * The system is to be reset: no hart may be run any further until it has been. The calling hart stays at its ECALL.
	 * @param failure the supervisor gave "system failure" as its reason
	 */
	reset(type: ResetType, failure: boolean): void;
}

/** What the SBI remembers of a hart. */
export interface SbiHartState {
	/** HSM state STOPPED. */
	readonly stopped: boolean;
	/**
	 * Instructions that the hart had retired when it last called `sbi_hart_suspend`: while it waits and this is still
	 * its count, it is SUSPENDED. -1: it has not.
	 */
	readonly suspendedAt: bigint;
}

/** Plain state of the SBI. All else that it does is in the harts' own state. */
export interface SbiState {
	readonly harts: readonly SbiHartState[];
}
