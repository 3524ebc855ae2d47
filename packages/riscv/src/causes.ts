/**
 * Numbers of exceptions and interrupts, as in the CODE field of a cause register, and their names.
 *
 * Source: The RISC-V Instruction Set Manual, Volume II (20240411), Machine Cause Register, and the hypervisor
 * extension's additions to it; Sscofpmf 1.0 for LCOFI.
 */

/** Exceptions by name. */
export const exceptions = {
	/** Instruction address misaligned. */
	InstructionAddressMisaligned: 0,
	/** Instruction access fault. */
	InstructionAccessFault: 1,
	/** Illegal instruction. */
	IllegalInstruction: 2,
	/** Breakpoint. */
	Breakpoint: 3,
	/** Load address misaligned. */
	LoadAddressMisaligned: 4,
	/** Load access fault. */
	LoadAccessFault: 5,
	/** Store/AMO address misaligned. */
	StoreAddressMisaligned: 6,
	/** Store/AMO access fault. */
	StoreAccessFault: 7,
	/** Environment call from U-mode or VU-mode. */
	EnvironmentCallFromU: 8,
	/** Environment call from HS-mode, or S-mode without the hypervisor extension. */
	EnvironmentCallFromS: 9,
	/** Environment call from VS-mode. */
	EnvironmentCallFromVS: 10,
	/** Environment call from M-mode. */
	EnvironmentCallFromM: 11,
	/** Instruction page fault. */
	InstructionPageFault: 12,
	/** Load page fault. */
	LoadPageFault: 13,
	/** Store/AMO page fault. */
	StorePageFault: 15,
	/** Software check (Zicfilp, Zicfiss). */
	SoftwareCheck: 18,
	/** Hardware error. */
	HardwareError: 19,
	/** Instruction guest-page fault. */
	InstructionGuestPageFault: 20,
	/** Load guest-page fault. */
	LoadGuestPageFault: 21,
	/** Virtual instruction. */
	VirtualInstruction: 22,
	/** Store/AMO guest-page fault. */
	StoreGuestPageFault: 23,
} as const;

/** Interrupts by name. */
export const interrupts = {
	/** Supervisor software interrupt. */
	SupervisorSoftware: 1,
	/** Virtual supervisor software interrupt. */
	VirtualSupervisorSoftware: 2,
	/** Machine software interrupt. */
	MachineSoftware: 3,
	/** Supervisor timer interrupt. */
	SupervisorTimer: 5,
	/** Virtual supervisor timer interrupt. */
	VirtualSupervisorTimer: 6,
	/** Machine timer interrupt. */
	MachineTimer: 7,
	/** Supervisor external interrupt. */
	SupervisorExternal: 9,
	/** Virtual supervisor external interrupt. */
	VirtualSupervisorExternal: 10,
	/** Machine external interrupt. */
	MachineExternal: 11,
	/** Supervisor guest external interrupt. */
	SupervisorGuestExternal: 12,
	/** Local counter overflow interrupt. */
	LocalCounterOverflow: 13,
} as const;

/** The name of an exception. */
export type ExceptionName = keyof typeof exceptions;
/** The name of an interrupt. */
export type InterruptName = keyof typeof interrupts;

/** The name of an exception's number; undefined if it is reserved or custom. */
export function exceptionName(code: number): ExceptionName | undefined {
	return nameOf(exceptions, code);
}

/** The name of an interrupt's number; undefined if it is reserved or local to a platform. */
export function interruptName(code: number): InterruptName | undefined {
	return nameOf(interrupts, code);
}

function nameOf<Name extends string>(table: Readonly<Record<Name, number>>, code: number): Name | undefined {
	return (Object.keys(table) as Name[]).find((name) => table[name] === code);
}
