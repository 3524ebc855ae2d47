/**
 * Fields of the status and configuration CSRs that this hart implements, and the trap causes that it treats apart.
 * Names only: what a CSR does is in `csr-*.ts`. RISC-V Privileged ISA, the registers' figures and the cause tables.
 */

/** Fields of mstatus; those of sstatus and vsstatus are at the same bits. */
export const Status = {
	SIE: 0x2n,
	MIE: 0x8n,
	SPIE: 0x20n,
	MPIE: 0x80n,
	SPP: 0x100n,
	MPP: 0x1800n,
	FS: 0x6000n,
	MPRV: 0x20000n,
	SUM: 0x40000n,
	MXR: 0x80000n,
	TVM: 0x100000n,
	TW: 0x200000n,
	TSR: 0x400000n,
	/** UXL=2 (64 bits), fixed. */
	UXL: 0x200000000n,
	/** SXL=2 (64 bits), fixed. */
	SXL: 0x800000000n,
	GVA: 0x4000000000n,
	MPV: 0x8000000000n,
	SD: 0x8000000000000000n,
} as const;

/** Fields of hstatus. */
export const HypervisorStatus = {
	GVA: 0x40n,
	SPV: 0x80n,
	SPVP: 0x100n,
	HU: 0x200n,
	VGEIN: 0x3f000n,
	VTVM: 0x100000n,
	VTW: 0x200000n,
	VTSR: 0x400000n,
	/** VSXL=2 (64 bits), fixed. */
	VSXL: 0x200000000n,
} as const;

/** Fields of menvcfg; those of henvcfg and senvcfg are at the same bits. */
export const EnvironmentConfig = {
	FIOM: 0x1n,
	CBIE: 0x30n,
	CBCFE: 0x40n,
	CBZE: 0x80n,
	PBMTE: 0x4000000000000000n,
	STCE: 0x8000000000000000n,
} as const;

/** Exception codes of the causes that the privileged architecture itself raises or treats apart. */
export const Exception = {
	illegalInstruction: 2,
	breakpoint: 3,
	ecallFromU: 8,
	ecallFromHS: 9,
	ecallFromVS: 10,
	ecallFromM: 11,
	instructionGuestPageFault: 20,
	loadGuestPageFault: 21,
	virtualInstruction: 22,
	storeGuestPageFault: 23,
} as const;

/** Interrupt codes: also the bit numbers of mip and mie. */
export const Interrupt = {
	supervisorSoftware: 1,
	virtualSupervisorSoftware: 2,
	machineSoftware: 3,
	supervisorTimer: 5,
	virtualSupervisorTimer: 6,
	machineTimer: 7,
	supervisorExternal: 9,
	virtualSupervisorExternal: 10,
	machineExternal: 11,
	supervisorGuestExternal: 12,
} as const;
