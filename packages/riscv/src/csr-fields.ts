/**
 * Fields of control and status registers, as masks: `value & mstatus.MPP`. A register that is a restricted view
 * of another one (`sstatus`, `sip`, `hie`) has the same bits, and no table of its own.
 *
 * Source: The RISC-V Instruction Set Manual, Volume II (20240411); Sstc; Svadu; Svpbmt; Smepmp 1.0.
 */

/** `mstatus`; `sstatus` and `vsstatus` have the fields of S-mode at the same bits. */
export const mstatus = {
	/** S-mode interrupts are enabled. */
	SIE: 0x2n,
	/** M-mode interrupts are enabled. */
	MIE: 0x8n,
	/** SIE before the trap into S-mode. */
	SPIE: 0x20n,
	/** U-mode data accesses are big-endian. */
	UBE: 0x40n,
	/** MIE before the trap into M-mode. */
	MPIE: 0x80n,
	/** Mode before the trap into S-mode: 0 is U, 1 is S. */
	SPP: 0x100n,
	/** State of the vector registers. */
	VS: 0x600n,
	/** Mode before the trap into M-mode. */
	MPP: 0x1800n,
	/** State of the floating-point registers: 0 is off, 1 initial, 2 clean, 3 dirty. */
	FS: 0x6000n,
	/** State of further user-mode extensions. */
	XS: 0x18000n,
	/** Loads and stores are made as in the mode MPP. */
	MPRV: 0x20000n,
	/** S-mode may access pages of U-mode. */
	SUM: 0x40000n,
	/** Pages that are executable may be read. */
	MXR: 0x80000n,
	/** satp, hgatp and address-translation fences trap from S-mode. */
	TVM: 0x100000n,
	/** wfi traps below M-mode. */
	TW: 0x200000n,
	/** sret traps from S-mode. */
	TSR: 0x400000n,
	/** XLEN of U-mode; 2 is 64. */
	UXL: 0x300000000n,
	/** XLEN of S-mode; 2 is 64. */
	SXL: 0xc00000000n,
	/** S-mode data accesses are big-endian. */
	SBE: 0x1000000000n,
	/** M-mode data accesses are big-endian. */
	MBE: 0x2000000000n,
	/** mtval holds a guest virtual address. */
	GVA: 0x4000000000n,
	/** Virtualization mode before the trap into M-mode. */
	MPV: 0x8000000000n,
	/** FS, VS or XS is dirty. */
	SD: 0x8000000000000000n,
} as const;

/** `hstatus`. */
export const hstatus = {
	/** VS-mode data accesses are big-endian. */
	VSBE: 0x20n,
	/** stval holds a guest virtual address. */
	GVA: 0x40n,
	/** Virtualization mode before the trap into HS-mode. */
	SPV: 0x80n,
	/** Mode of the guest before the trap: 0 is VU, 1 is VS. */
	SPVP: 0x100n,
	/** U-mode may use hlv, hlvx and hsv. */
	HU: 0x200n,
	/** Guest external interrupt that is VS-mode's, or 0. */
	VGEIN: 0x3f000n,
	/** satp and address-translation fences trap from VS-mode. */
	VTVM: 0x100000n,
	/** wfi traps from VS-mode. */
	VTW: 0x200000n,
	/** sret traps from VS-mode. */
	VTSR: 0x400000n,
	/** XLEN of VS-mode; 2 is 64. */
	VSXL: 0x300000000n,
} as const;

/** `mip`, `mie`, `mideleg`, and their views `sip`, `hip`, `hvip`, `hideleg`, …: one bit for each interrupt. */
export const interruptBits = {
	/** Supervisor software interrupt. */
	SSI: 0x2n,
	/** Virtual supervisor software interrupt. */
	VSSI: 0x4n,
	/** Machine software interrupt. */
	MSI: 0x8n,
	/** Supervisor timer interrupt. */
	STI: 0x20n,
	/** Virtual supervisor timer interrupt. */
	VSTI: 0x40n,
	/** Machine timer interrupt. */
	MTI: 0x80n,
	/** Supervisor external interrupt. */
	SEI: 0x200n,
	/** Virtual supervisor external interrupt. */
	VSEI: 0x400n,
	/** Machine external interrupt. */
	MEI: 0x800n,
	/** Supervisor guest external interrupt. */
	SGEI: 0x1000n,
	/** Local counter overflow interrupt. */
	LCOFI: 0x2000n,
} as const;

/** `satp` and `vsatp`. */
export const satp = {
	/** Physical page number of the root page table. */
	PPN: 0xfffffffffffn,
	/** Address-space identifier. */
	ASID: 0xffff00000000000n,
	/** Translation scheme: see {@link translationModes}. */
	MODE: 0xf000000000000000n,
} as const;

/** `hgatp`. */
export const hgatp = {
	/** Physical page number of the root page table, which is 16 KiB. */
	PPN: 0xfffffffffffn,
	/** Virtual-machine identifier. */
	VMID: 0x3fff00000000000n,
	/** Translation scheme: see {@link translationModes}. */
	MODE: 0xf000000000000000n,
} as const;

/** Values of MODE in `satp` and `vsatp`, and, as the schemes with suffix x4, in `hgatp`. */
export const translationModes = {
	/** No translation. */
	Bare: 0n,
	/** 39-bit virtual addresses, three levels. */
	Sv39: 8n,
	/** 48-bit virtual addresses, four levels. */
	Sv48: 9n,
	/** 57-bit virtual addresses, five levels. */
	Sv57: 10n,
} as const;

/** `menvcfg` and `henvcfg`; `senvcfg` has the first four. */
export const envcfg = {
	/** Fences of I/O imply memory, in less privileged modes. */
	FIOM: 0x1n,
	/** cbo.inval: 0 traps, 1 flushes, 3 invalidates. */
	CBIE: 0x30n,
	/** cbo.clean and cbo.flush are enabled. */
	CBCFE: 0x40n,
	/** cbo.zero is enabled. */
	CBZE: 0x80n,
	/** Hardware updates the A and D bits (Svadu). */
	ADUE: 0x2000000000000000n,
	/** Page-based memory types are enabled (Svpbmt). */
	PBMTE: 0x4000000000000000n,
	/** stimecmp, or vstimecmp, is enabled (Sstc). */
	STCE: 0x8000000000000000n,
} as const;

/** `mseccfg` (Smepmp and Zkr). */
export const mseccfg = {
	/** Machine-mode lockdown. */
	MML: 0x1n,
	/** Machine-mode allow-list policy. */
	MMWP: 0x2n,
	/** Locked rules may be changed. */
	RLB: 0x4n,
	/** U-mode may read seed. */
	USEED: 0x100n,
	/** S-mode may read seed. */
	SSEED: 0x200n,
} as const;

/** `mcounteren`, `scounteren`, `hcounteren` and `mcountinhibit`: bit n is hpmcounter n. */
export const counterBits = {
	/** cycle. */
	CY: 0x1n,
	/** time (not in mcountinhibit). */
	TM: 0x2n,
	/** instret. */
	IR: 0x4n,
} as const;

/** `fcsr`; `fflags` has the flags, and `frm` the rounding mode at bit 0. */
export const fcsr = {
	/** Inexact. */
	NX: 0x1n,
	/** Underflow. */
	UF: 0x2n,
	/** Overflow. */
	OF: 0x4n,
	/** Division by zero. */
	DZ: 0x8n,
	/** Invalid operation. */
	NV: 0x10n,
	/** Rounding mode. */
	FRM: 0xe0n,
} as const;

/** `mtvec`, `stvec` and `vstvec`. */
export const tvec = {
	/** 0: all traps go to BASE; 1: interrupts go to BASE + 4 times the cause. */
	MODE: 0x3n,
	/** Address of the handler, a multiple of 4. */
	BASE: 0xfffffffffffffffcn,
} as const;

/** `mcause`, `scause` and `vscause`. */
export const cause = {
	/** Number of the exception or interrupt. */
	CODE: 0x7fffffffffffffffn,
	/** It is an interrupt. */
	INTERRUPT: 0x8000000000000000n,
} as const;

/** One of the eight bytes of a `pmpcfg` register. */
export const pmpcfg = {
	/** Reads are allowed. */
	R: 0x1n,
	/** Writes are allowed. */
	W: 0x2n,
	/** Instruction fetches are allowed. */
	X: 0x4n,
	/** Address matching: 0 off, 1 TOR, 2 NA4, 3 NAPOT. */
	A: 0x18n,
	/** Locked, and enforced in M-mode. */
	L: 0x80n,
} as const;

/** `misa`. */
export const misa = {
	/** Atomic instructions. */
	A: 0x1n,
	/** Zba, Zbb and Zbs. */
	B: 0x2n,
	/** Compressed instructions. */
	C: 0x4n,
	/** Double-precision floating point. */
	D: 0x8n,
	/** Single-precision floating point. */
	F: 0x20n,
	/** Hypervisor extension. */
	H: 0x80n,
	/** The base integer ISA. */
	I: 0x100n,
	/** Multiplication and division. */
	M: 0x1000n,
	/** Supervisor mode. */
	S: 0x40000n,
	/** User mode. */
	U: 0x100000n,
	/** Vector instructions. */
	V: 0x200000n,
	/** XLEN of M-mode; 2 is 64. */
	MXL: 0xc000000000000000n,
} as const;

/** `dcsr` (Debug Specification 1.0). */
export const dcsr = {
	/** Mode before debug mode. */
	PRV: 0x3n,
	/** Single-step. */
	STEP: 0x4n,
	/** Virtualization mode before debug mode. */
	V: 0x20n,
	/** Why debug mode was entered. */
	CAUSE: 0x1c0n,
	/** ebreak in U-mode enters debug mode. */
	EBREAKU: 0x1000n,
	/** ebreak in S-mode enters debug mode. */
	EBREAKS: 0x2000n,
	/** ebreak in M-mode enters debug mode. */
	EBREAKM: 0x8000n,
} as const;

/**
 * The value of a field, moved down to bit 0.
 *
 * @param value - of the register
 * @param mask - of the field: adjacent bits, not 0
 */
export function getField(value: bigint, mask: bigint): bigint {
	return (value & mask) / (mask & -mask);
}

/**
 * A register's value with one field replaced.
 *
 * @param value - of the register
 * @param mask - of the field: adjacent bits, not 0
 * @param field - the new content, from bit 0; bits that do not fit are dropped
 */
export function setField(value: bigint, mask: bigint, field: bigint): bigint {
	return (value & ~mask) | ((field * (mask & -mask)) & mask);
}
