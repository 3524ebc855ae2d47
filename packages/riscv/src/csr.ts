/**
 * Names and numbers of the control and status registers of RV64: user, supervisor, hypervisor, virtual
 * supervisor, machine and debug. What their bits mean is in `csr-fields.ts`. RV32's high halves are not here.
 *
 * Source: The RISC-V Instruction Set Manual, Volume II (20240411), CSR Listing; Sstc; Smstateen; AIA 1.0;
 * Debug Specification 1.0. Names are those of GNU as.
 */

const named = {
	// Floating point.
	fflags: 0x001,
	frm: 0x002,
	fcsr: 0x003,
	// Vector; entropy source.
	vstart: 0x008,
	vxsat: 0x009,
	vxrm: 0x00a,
	vcsr: 0x00f,
	seed: 0x015,
	vl: 0xc20,
	vtype: 0xc21,
	vlenb: 0xc22,
	// Unprivileged counters; hpmcounter3 to 31 follow.
	cycle: 0xc00,
	time: 0xc01,
	instret: 0xc02,
	// Supervisor.
	sstatus: 0x100,
	sie: 0x104,
	stvec: 0x105,
	scounteren: 0x106,
	senvcfg: 0x10a,
	sstateen0: 0x10c,
	sstateen1: 0x10d,
	sstateen2: 0x10e,
	sstateen3: 0x10f,
	sscratch: 0x140,
	sepc: 0x141,
	scause: 0x142,
	stval: 0x143,
	sip: 0x144,
	stimecmp: 0x14d,
	siselect: 0x150,
	sireg: 0x151,
	stopei: 0x15c,
	satp: 0x180,
	scontext: 0x5a8,
	scountovf: 0xda0,
	stopi: 0xdb0,
	// Virtual supervisor.
	vsstatus: 0x200,
	vsie: 0x204,
	vstvec: 0x205,
	vsscratch: 0x240,
	vsepc: 0x241,
	vscause: 0x242,
	vstval: 0x243,
	vsip: 0x244,
	vstimecmp: 0x24d,
	vsiselect: 0x250,
	vsireg: 0x251,
	vstopei: 0x25c,
	vsatp: 0x280,
	vstopi: 0xeb0,
	// Hypervisor.
	hstatus: 0x600,
	hedeleg: 0x602,
	hideleg: 0x603,
	hie: 0x604,
	htimedelta: 0x605,
	hcounteren: 0x606,
	hgeie: 0x607,
	hvien: 0x608,
	hvictl: 0x609,
	henvcfg: 0x60a,
	hstateen0: 0x60c,
	hstateen1: 0x60d,
	hstateen2: 0x60e,
	hstateen3: 0x60f,
	htval: 0x643,
	hip: 0x644,
	hvip: 0x645,
	hviprio1: 0x646,
	hviprio2: 0x647,
	htinst: 0x64a,
	hgatp: 0x680,
	hcontext: 0x6a8,
	hgeip: 0xe12,
	// Machine.
	mstatus: 0x300,
	misa: 0x301,
	medeleg: 0x302,
	mideleg: 0x303,
	mie: 0x304,
	mtvec: 0x305,
	mcounteren: 0x306,
	mvien: 0x308,
	mvip: 0x309,
	menvcfg: 0x30a,
	mstateen0: 0x30c,
	mstateen1: 0x30d,
	mstateen2: 0x30e,
	mstateen3: 0x30f,
	mcountinhibit: 0x320,
	mscratch: 0x340,
	mepc: 0x341,
	mcause: 0x342,
	mtval: 0x343,
	mip: 0x344,
	mtinst: 0x34a,
	mtval2: 0x34b,
	miselect: 0x350,
	mireg: 0x351,
	mtopei: 0x35c,
	mseccfg: 0x747,
	mtopi: 0xfb0,
	mvendorid: 0xf11,
	marchid: 0xf12,
	mimpid: 0xf13,
	mhartid: 0xf14,
	mconfigptr: 0xf15,
	// Machine counters; mhpmcounter3 to 31 and mhpmevent3 to 31 follow.
	mcycle: 0xb00,
	minstret: 0xb02,
	// Triggers and debug mode.
	tselect: 0x7a0,
	tdata1: 0x7a1,
	tdata2: 0x7a2,
	tdata3: 0x7a3,
	tinfo: 0x7a4,
	tcontrol: 0x7a5,
	mcontext: 0x7a8,
	mscontext: 0x7aa,
	dcsr: 0x7b0,
	dpc: 0x7b1,
	dscratch0: 0x7b2,
	dscratch1: 0x7b3,
} as const;

type Units = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;
type HpmNumber = 3 | 4 | 5 | 6 | 7 | 8 | 9 | `1${Units}` | `2${Units}` | 30 | 31;
type PmpNumber = Units | `${1 | 2 | 3 | 4 | 5}${Units}` | 60 | 61 | 62 | 63;

/** The name of a CSR. */
export type CsrName =
	| keyof typeof named
	| `hpmcounter${HpmNumber}`
	| `mhpmcounter${HpmNumber}`
	| `mhpmevent${HpmNumber}`
	| `pmpaddr${PmpNumber}`
	| `pmpcfg${0 | 2 | 4 | 6 | 8 | 10 | 12 | 14}`;

/** The number of each CSR, 0 to 4095. */
export const csrNumbers: Readonly<Record<CsrName, number>> = /* @__PURE__ */ numberAll();

function numberAll(): Record<CsrName, number> {
	const all: Record<string, number> = { ...named };
	for (let i = 3; i < 32; i++) {
		all[`hpmcounter${i}`] = 0xc00 + i;
		all[`mhpmcounter${i}`] = 0xb00 + i;
		all[`mhpmevent${i}`] = 0x320 + i;
	}
	for (let i = 0; i < 64; i++) all[`pmpaddr${i}`] = 0x3b0 + i;
	for (let i = 0; i < 16; i += 2) all[`pmpcfg${i}`] = 0x3a0 + i;
	return all as Record<CsrName, number>;
}

const names: ReadonlyMap<number, string> = /* @__PURE__ */ new Map(
	Object.entries(csrNumbers).map(([name, number]) => [number, name]),
);

/**
 * The name of a CSR.
 *
 * @param number - 0 to 4095
 * @returns undefined if this package has no name for it
 */
export function csrName(number: number): CsrName | undefined {
	return names.get(number) as CsrName | undefined;
}

/**
 * The number of a CSR.
 *
 * @param name - as in {@link CsrName}; any other string gives undefined
 */
export function csrNumber(name: string): number | undefined {
	return Object.hasOwn(csrNumbers, name) ? csrNumbers[name as CsrName] : undefined;
}
