/**
 * CSRs of which QEMU 7.2 is no judge, or of some bits, and why.
 */

import { csrNumbers } from '@partita/riscv';

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
		compared: ~1n & 0xffff_ffff_ffff_ffffn,
		reason: 'QEMU stores bit 0 ("The low bit of mepc (mepc[0]) is always zero")',
	},
];

const byNumber = new Map(knownDifferences.flatMap(({ csrs, compared }) => csrs.map((csr) => [csr, compared] as const)));

/** What of a CSR is compared; undefined: everything. */
export function differences(csr: number): bigint | 'skip' | undefined {
	return byNumber.get(csr);
}
