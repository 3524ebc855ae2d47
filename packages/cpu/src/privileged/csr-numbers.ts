/**
 * Numbers of the CSRs that this hart implements, and the fields of its status and configuration registers.
 * Names only: what a CSR does is in `csr-*.ts`. RISC-V Privileged ISA, "CSR Listing" and the register chapters.
 */

/** CSR numbers. */
export const Csr = {
	fflags: 0x001,
	frm: 0x002,
	fcsr: 0x003,
	cycle: 0xc00,
	time: 0xc01,
	instret: 0xc02,
	hpmcounter3: 0xc03,
	hpmcounter31: 0xc1f,

	sstatus: 0x100,
	sie: 0x104,
	stvec: 0x105,
	scounteren: 0x106,
	senvcfg: 0x10a,
	sscratch: 0x140,
	sepc: 0x141,
	scause: 0x142,
	stval: 0x143,
	sip: 0x144,
	stimecmp: 0x14d,
	satp: 0x180,

	vsstatus: 0x200,
	vsie: 0x204,
	vstvec: 0x205,
	vsscratch: 0x240,
	vsepc: 0x241,
	vscause: 0x242,
	vstval: 0x243,
	vsip: 0x244,
	vstimecmp: 0x24d,
	vsatp: 0x280,

	hstatus: 0x600,
	hedeleg: 0x602,
	hideleg: 0x603,
	hie: 0x604,
	htimedelta: 0x605,
	hcounteren: 0x606,
	hgeie: 0x607,
	henvcfg: 0x60a,
	htval: 0x643,
	hip: 0x644,
	hvip: 0x645,
	htinst: 0x64a,
	hgatp: 0x680,
	hgeip: 0xe12,

	mstatus: 0x300,
	misa: 0x301,
	medeleg: 0x302,
	mideleg: 0x303,
	mie: 0x304,
	mtvec: 0x305,
	mcounteren: 0x306,
	menvcfg: 0x30a,
	mcountinhibit: 0x320,
	mhpmevent3: 0x323,
	mhpmevent31: 0x33f,
	mscratch: 0x340,
	mepc: 0x341,
	mcause: 0x342,
	mtval: 0x343,
	mip: 0x344,
	mtinst: 0x34a,
	mtval2: 0x34b,
	pmpcfg0: 0x3a0,
	pmpcfg2: 0x3a2,
	pmpaddr0: 0x3b0,
	pmpaddr15: 0x3bf,
	tselect: 0x7a0,
	tdata1: 0x7a1,
	tdata2: 0x7a2,
	tdata3: 0x7a3,
	mcycle: 0xb00,
	minstret: 0xb02,
	mhpmcounter3: 0xb03,
	mhpmcounter31: 0xb1f,
	mvendorid: 0xf11,
	marchid: 0xf12,
	mimpid: 0xf13,
	mhartid: 0xf14,
	mconfigptr: 0xf15,
} as const;

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
