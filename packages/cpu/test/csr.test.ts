/**
 * Generator 5: every CSR number, read, written in each way and read back, from M, S and U.
 */

import { assemble, csrName, csrNumbers, findInstruction } from '@partita/riscv';
import { Batch } from './support/batch.ts';
import { campaign } from './support/campaign.ts';
import { differences } from './support/csr-differences.ts';
import type { Random } from './support/random.ts';
import { CaseField } from './support/runtime.ts';
import { EBREAK, randomRegisters } from './support/straight-line.ts';

const OPERATIONS = ['csrrw', 'csrrs', 'csrrc', 'csrrwi', 'csrrsi', 'csrrci'] as const;
const COUNTERS = 0xffff_ffffn;
const ALL = 0xffff_ffff_ffff_ffffn;

/** Enables that decide who may access what: x20 to x22 of the case. */
const setup = assemble(
	['mcounteren', 'scounteren', 'menvcfg']
		.map((name, i) => `ld t0, ${CaseField.x + 8 * (20 + i)}(s0)\ncsrw ${name}, t0`)
		.join('\n')
		.concat('\nret'),
).bytes;

const csrWord = (name: 'csrrw' | 'csrrs', csr: number, rd: number, rs1: number): number =>
	(findInstruction(name)!.match | (csr << 20) | (rs1 << 15) | (rd << 7)) >>> 0;
const and = (rd: number, rs2: number): number => (0x0000_7033 | (rs2 << 20) | (rd << 15) | (rd << 7)) >>> 0;

/** The access at hand, then restoring what was there; values come masked, in x9 (before), x5 (read), x7 (after). */
function sequence(random: Random, csr: number, compared: bigint): number[] {
	const row = findInstruction(random.pick(OPERATIONS))!;
	const source = row.name.endsWith('i') ? random.below(32) : random.oneIn(4) ? 0 : 6;
	const access = (row.match | (csr << 20) | (source << 15) | (5 << 7)) >>> 0;
	// A counter: its value may not even be seen at a trap, and it need not be restored.
	if (compared === 0n) {
		return [
			csrWord('csrrs', csr, 9, 0),
			and(9, 10),
			access,
			and(5, 10),
			csrWord('csrrs', csr, 7, 0),
			and(7, 10),
			EBREAK,
		];
	}
	return [
		csrWord('csrrs', csr, 9, 0),
		access,
		csrWord('csrrs', csr, 7, 0),
		csrWord('csrrw', csr, 0, 9),
		and(9, 10),
		and(5, 10),
		and(7, 10),
		EBREAK,
	];
}

campaign({
	name: 'CSRs',
	seeds: [1],
	generate: (random) => {
		const batch = new Batch();
		const prepare = batch.place(setup);
		for (let csr = 0; csr < 4096; csr++) {
			// Numbers that nobody has: some of them for each seed.
			if (csrName(csr) === undefined && !random.oneIn(4)) continue;
			for (const mode of [0n, 1n, 3n]) {
				const known = differences(csr);
				if (known === 'skip') continue;
				// What QEMU has more or less, with one privilege or with all.
				const words = sequence(random, csr, known ?? ALL);
				const codeStart = batch.code(words);
				const { x } = randomRegisters(random);
				if (random.oneIn(2)) x[6] = random.double();
				x[10] = known ?? ALL;
				x[20] = random.oneIn(2) ? COUNTERS : random.double() & COUNTERS;
				x[21] = random.oneIn(2) ? COUNTERS : random.double() & COUNTERS;
				x[22] = random.oneIn(2) ? ALL : 0n;
				if (mode === 1n && csr === csrNumbers.satp) x[6] &= ALL >> 4n;
				// CSRRS and CSRRC from a register that holds zero: QEMU takes them for reads, also where writes are illegal.
				if (csr >> 10 === 3) x[6] |= 1n;
				// QEMU stores VS, and sets SD for it; and the reserved value 2 of MPP.
				if (csr === csrNumbers.mstatus || csr === csrNumbers.sstatus) x[6] &= ~0x600n;
				if (csr === csrNumbers.mstatus && (x[6] & 0x1800n) === 0x1000n) x[6] |= 0x800n;
				// QEMU stores MODEs that it does not have; csr-warl.test.ts.
				if (csr === csrNumbers.vsatp) x[6] = (x[6] & (ALL >> 4n)) | (random.pick([0n, 8n, 9n, 10n]) << 60n);
				// TVM, TW, TSR, SUM, MXR, FS.
				const status = random.double() & 0x7c_6000n;
				const end = codeStart + 4 * (words.length - 1);
				batch.add({
					name: `${csrName(csr) ?? csr.toString(16)} in mode ${mode}, x6 ${x[6].toString(16)}`,
					start: codeStart,
					end,
					codeStart,
					codeEnd: end + 4,
					setup: prepare,
					logLimit: 6,
					mstatus: (mode << 11n) | status,
					x,
				});
			}
		}
		return batch;
	},
});
