/** CSR names against GNU objdump, and fields and causes against the manual's tables. */

import { describe, expect, test } from 'vitest';
import {
	csrFields,
	csrName,
	csrNumber,
	csrNumbers,
	exceptionName,
	exceptions,
	interruptName,
	interrupts,
} from '../src/index.ts';
import { gnuDisassemble, hasBinutils } from './binutils.ts';

describe.skipIf(!hasBinutils)('against GNU objdump', () => {
	test('all 4096 numbers have the name that objdump gives them', () => {
		const numbers = Array.from({ length: 4096 }, (_, number) => number);
		const source = `.option norvc\n${numbers.map((number) => `csrrw a0, ${number}, a1`).join('\n')}\n`;
		const differences = gnuDisassemble(source, true).flatMap(({ text }, number) => {
			const theirs = text.split('\t')[1]!.split(',')[1]!;
			const ours = csrName(number) ?? `0x${number.toString(16)}`;
			return ours === theirs ? [] : [theirs];
		});
		// Left: the high halves, odd pmpcfg and mstatush that only RV32 has.
		const foreign = /^(pmpcfg([13579]|1[135])|(m?hpmcounter|mhpmevent)\d+h|\w+h)$/;
		expect(differences.filter((name) => !foreign.test(name))).toEqual([]);
	});
});

test('names and numbers are inverse', () => {
	for (const [name, number] of Object.entries(csrNumbers)) {
		expect(csrName(number)).toBe(name);
		expect(csrNumber(name)).toBe(number);
	}
	expect(csrNumber('toString')).toBeUndefined();
	expect(csrName(0x7ff)).toBeUndefined();
	expect(csrNumbers).toMatchObject({ pmpaddr63: 0x3ef, pmpcfg14: 0x3ae, hpmcounter31: 0xc1f, mhpmevent3: 0x323 });
});

describe('fields', () => {
	test('of one register do not overlap', () => {
		const tables = Object.entries(csrFields).filter(
			([name, table]) => typeof table === 'object' && name !== 'translationModes',
		);
		expect(tables.length).toBe(14);
		for (const [register, table] of tables) {
			let all = 0n;
			for (const [field, mask] of Object.entries(table as Record<string, bigint>)) {
				expect(all & mask, `${register}.${field}`).toBe(0n);
				all |= mask;
			}
			expect(all >> 64n).toBe(0n);
		}
	});

	// Privileged ISA, figures of mstatus (RV64), hstatus, satp (RV64), hgatp (RV64) and mcause.
	test('are where the manual draws them', () => {
		const { cause, hgatp, hstatus, mstatus, satp } = csrFields;
		const allS = mstatus.SIE | mstatus.SPIE | mstatus.UBE | mstatus.SPP | mstatus.VS | mstatus.FS | mstatus.XS;
		// The writable and readable bits of sstatus, as Linux and Spike know them.
		expect(allS | mstatus.SUM | mstatus.MXR | mstatus.UXL | mstatus.SD).toBe(0x8000_0003_000d_e762n);
		expect(mstatus.MPP | mstatus.MPIE | mstatus.MIE).toBe(0x1888n);
		expect(hstatus.VSXL | hstatus.SPV | hstatus.SPVP).toBe(0x3_0000_0180n);
		expect([satp.MODE, satp.ASID, satp.PPN]).toEqual([
			0xf000_0000_0000_0000n,
			0x0fff_f000_0000_0000n,
			0xfff_ffff_ffffn,
		]);
		expect([hgatp.MODE, hgatp.VMID]).toEqual([0xf000_0000_0000_0000n, 0x03ff_f000_0000_0000n]);
		expect(cause.INTERRUPT).toBe(1n << 63n);
	});

	test('are read and replaced', () => {
		const { getField, mstatus, setField } = csrFields;
		expect(getField(0x1880n, mstatus.MPP)).toBe(3n);
		expect(setField(0x1880n, mstatus.MPP, 1n)).toBe(0x880n);
		expect(setField(0n, mstatus.MPP, 7n)).toBe(0x1800n);
		expect(setField(0n, mstatus.SD, 1n)).toBe(1n << 63n);
	});
});

test('causes have names, and interrupts their bits', () => {
	for (const [name, code] of Object.entries(exceptions)) expect(exceptionName(code)).toBe(name);
	for (const [name, code] of Object.entries(interrupts)) expect(interruptName(code)).toBe(name);
	expect(exceptionName(14)).toBeUndefined();
	expect(interruptName(0)).toBeUndefined();
	const bits = Object.values(interrupts).map((code) => 1n << BigInt(code));
	expect(bits).toEqual(Object.values(csrFields.interruptBits));
});
