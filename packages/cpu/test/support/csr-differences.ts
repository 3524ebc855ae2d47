/**
 * CSRs of which QEMU 7.2 is no judge, or of some bits, and why.
 */

import { csrNumbers } from '@partita/riscv';

const ALL = 0xffff_ffff_ffff_ffffn;

interface Known {
	readonly csrs: readonly number[];
	/** Bits that are compared; none: whether an access traps is still compared. `skip`: not even that. */
	readonly compared: bigint | 'skip';
	readonly reason: string;
}

const range = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, i) => first + i);

/** The table. */
export const knownDifferences: readonly Known[] = [
	{
		csrs: [csrNumbers.cycle, csrNumbers.time, csrNumbers.instret, csrNumbers.mcycle, csrNumbers.minstret],
		compared: 0n,
		reason: 'counts: QEMU without -icount counts host time',
	},
	{
		csrs: range(csrNumbers.pmpcfg0, csrNumbers.pmpaddr0 + 63),
		compared: 'skip',
		reason: 'the frame of the test rests on them; pmp.test.ts',
	},
	{
		csrs: [csrNumbers.mepc, csrNumbers.sepc, csrNumbers.vsepc],
		compared: ALL & ~1n,
		reason: 'QEMU stores bit 0 ("The low bit of mepc (mepc[0]) is always zero")',
	},
	{
		csrs: [
			...range(csrNumbers.mhpmcounter3, csrNumbers.mhpmcounter3 + 15),
			...range(csrNumbers.mhpmevent3, csrNumbers.mhpmevent31),
			...range(csrNumbers.hpmcounter3, csrNumbers.hpmcounter3 + 15),
		],
		compared: 0n,
		reason: 'QEMU has 16 event counters; here they are zero, which "Hardware Performance Monitor" allows',
	},
	{
		csrs: [
			...range(csrNumbers.hpmcounter3 + 16, csrNumbers.hpmcounter31),
			...range(csrNumbers.mhpmcounter3 + 16, csrNumbers.mhpmcounter31),
		],
		compared: 'skip',
		reason: 'QEMU has no counters past 16; the specification wants all, though they may be zero',
	},
	{
		csrs: range(0x7a0, 0x7af),
		compared: 'skip',
		reason: 'debug triggers: QEMU has two, here are none (tselect and tdata are zero)',
	},
	{
		csrs: [csrNumbers.mstatus, csrNumbers.sstatus],
		compared: ALL & ~0x3_0000_0600n,
		reason: 'QEMU lets UXL take reserved values, and VS be written without V',
	},
	{
		csrs: [csrNumbers.mip],
		compared: ALL & ~0x24c0n,
		reason:
			"MTIP and VSTIP: mtimecmp's reset value is not defined, and QEMU's is 0; VSEIP: QEMU lets it be written, and it is an alias of hip's (\"VSEIP is read-only in hip\"); LCOFIP as below",
	},
	{
		csrs: [csrNumbers.hvip],
		compared: ALL & ~0x40n,
		reason: 'VSTIP: with menvcfg.STCE QEMU lets M-mode not write it; Sstc takes that from STIP in mip only',
	},
	{
		csrs: [csrNumbers.mideleg, csrNumbers.mie, csrNumbers.sie, csrNumbers.sip],
		compared: ALL & ~0x2000n,
		reason: 'QEMU has bit 13, LCOFI, also without Sscofpmf',
	},
	{
		csrs: [csrNumbers.medeleg],
		compared: ALL & ~0x800n,
		reason: 'QEMU lets bit 11, ECALL from M, be written ("medeleg[11] is read-only zero")',
	},
	{
		csrs: [csrNumbers.mcounteren, csrNumbers.scounteren, csrNumbers.hcounteren],
		compared: 0xffff_ffffn,
		reason: 'a 32-bit register, of which QEMU keeps 64',
	},
	{
		csrs: [csrNumbers.mcountinhibit],
		compared: 0xffff_fffdn,
		reason: 'as these, and QEMU stores bit 1, which is read-only zero: time cannot be inhibited',
	},
	{
		csrs: [csrNumbers.menvcfg, csrNumbers.senvcfg],
		compared: ALL & ~0x30n,
		reason: 'QEMU stores the reserved value 2 of CBIE',
	},
	{
		csrs: [csrNumbers.hstatus],
		compared: 0x70_03c0n,
		reason: 'QEMU stores all bits, also VSBE, VGEIN and those that are reserved',
	},
	{
		csrs: [csrNumbers.vsstatus],
		compared: 0x0c_6122n,
		reason: 'QEMU stores all bits, also UXL, and does not derive SD',
	},
	{
		csrs: [csrNumbers.vstvec, csrNumbers.htinst, csrNumbers.hedeleg, csrNumbers.hideleg, csrNumbers.henvcfg],
		compared: 0n,
		reason: 'QEMU takes every value in some, and ignores writes of others; csr-warl.test.ts cites the specification',
	},
	{
		csrs: [csrNumbers.hgatp],
		compared: 'skip',
		reason: 'QEMU does not apply TVM to it ("Hypervisor Guest Address Translation and Protection Register")',
	},
];

const byNumber = new Map(knownDifferences.flatMap(({ csrs, compared }) => csrs.map((csr) => [csr, compared] as const)));

/** What of a CSR is compared; undefined: everything. */
export function differences(csr: number): bigint | 'skip' | undefined {
	return byNumber.get(csr);
}
