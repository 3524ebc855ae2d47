import { csrNumbers } from '@partita/riscv';
import { describe, expect, test } from 'vitest';
import { Slot } from '../state.ts';
import { HypervisorStatus, Status, SXL_64, UXL_64 } from './fields.ts';
import { checkCacheBlock, checkHypervisorAccess, executeSystem } from './system.ts';
import {
	createHart,
	createRandom,
	csrWord,
	fenceWord,
	type Mode,
	modes,
	type RecordingHart,
	setMode,
} from './testing/recording-hart.ts';

const ONES = 0xffff_ffff_ffff_ffffn;
const WFI = 0x1050_0073;

/** An outcome, with a trap as its cause. */
function outcome(hart: RecordingHart, mode: Mode, word: number): string | number {
	setMode(hart, mode);
	const result = executeSystem(hart, word);
	return typeof result === 'string' ? result : result.cause;
}

describe('CSR instructions', () => {
	test.each<[Parameters<typeof csrWord>[0], bigint, bigint]>([
		['csrrw', 0x0fn, 0x0fn],
		['csrrs', 0x0fn, 0xffn],
		['csrrc', 0x0fn, 0xf0n],
		['csrrwi', 0n, 6n],
		['csrrsi', 0n, 0xf6n],
		['csrrci', 0n, 0xf0n],
	])('%s', (name, operand, expected) => {
		const hart = createHart();
		hart.state[Slot.mscratch] = 0xf0n;
		hart.state[6] = operand;
		expect(executeSystem(hart, csrWord(name, 5, csrNumbers.mscratch, 6))).toBe('next');
		expect(hart.state[5]).toBe(0xf0n);
		expect(hart.state[Slot.mscratch]).toBe(expected);
	});

	test('rd = rs1 exchanges', () => {
		const hart = createHart();
		hart.state[Slot.mscratch] = 1n;
		hart.state[7] = ONES;
		executeSystem(hart, csrWord('csrrw', 7, csrNumbers.mscratch, 7));
		expect([hart.state[7], hart.state[Slot.mscratch]]).toEqual([1n, ONES]);
	});

	test('x0 stays zero; CSRRW with rd=x0 writes', () => {
		const hart = createHart();
		hart.state[7] = 9n;
		executeSystem(hart, csrWord('csrrw', 0, csrNumbers.mscratch, 7));
		expect([hart.state[0], hart.state[Slot.mscratch]]).toEqual([0n, 9n]);
	});

	test('a read-only CSR can be read by CSRRS and CSRRC with x0, and by nothing that names a source', () => {
		const hart = createHart();
		const cause = (word: number) => outcome(hart, 'M', word);
		expect(cause(csrWord('csrrs', 5, csrNumbers.mhartid, 0))).toBe('next');
		expect(cause(csrWord('csrrci', 5, csrNumbers.mhartid, 0))).toBe('next');
		expect(cause(csrWord('csrrs', 5, csrNumbers.mhartid, 6))).toBe(2);
		expect(cause(csrWord('csrrw', 5, csrNumbers.mhartid, 0))).toBe(2);
		expect(cause(csrWord('csrrwi', 0, csrNumbers.cycle, 0))).toBe(2);
	});

	test('a refused access changes nothing and reports the instruction', () => {
		const hart = createHart();
		setMode(hart, 'VS');
		const before = hart.state.slice();
		const word = csrWord('csrrw', 5, csrNumbers.hstatus, 6);
		expect(executeSystem(hart, word)).toEqual({ cause: 22, value: BigInt(word) });
		expect(hart.state).toEqual(before);
	});

	test('CSRRS of mip does not make the SEIP line a software bit', () => {
		const hart = createHart();
		hart.state[Slot.lines] = 1n << 9n;
		hart.state[6] = 2n;
		executeSystem(hart, csrWord('csrrs', 5, csrNumbers.mip, 6));
		expect([hart.state[5], hart.state[Slot.mip]]).toEqual([0x200n, 2n]);
		hart.state[Slot.mip] = 0x200n;
		executeSystem(hart, csrWord('csrrc', 5, csrNumbers.mip, 6));
		expect(hart.state[Slot.mip]).toBe(0x200n);
	});
});

describe('ECALL and EBREAK', () => {
	test('ECALL reports the mode it comes from', () => {
		const hart = createHart();
		expect(modes.map((mode) => outcome(hart, mode, 0x73))).toEqual([11, 9, 8, 10, 8]);
	});

	test('EBREAK is a breakpoint with value 0', () => {
		expect(executeSystem(createHart(), 0x0010_0073)).toEqual({ cause: 3, value: 0n });
	});
});

describe('WFI', () => {
	//  TW, VTW:                       M       HS      U  VS      VU
	test.each<[bigint, bigint, (string | number)[]]>([
		[0n, 0n, ['wait', 'wait', 2, 'wait', 22]],
		[0n, HypervisorStatus.VTW, ['wait', 'wait', 2, 22, 22]],
		[Status.TW, 0n, ['wait', 2, 2, 2, 2]],
		[Status.TW, HypervisorStatus.VTW, ['wait', 2, 2, 2, 2]],
	])('case %#', (tw, vtw, expected) => {
		const hart = createHart();
		hart.state[Slot.mstatus] |= tw;
		hart.state[Slot.hstatus] |= vtw;
		expect(modes.map((mode) => outcome(hart, mode, WFI))).toEqual(expected);
	});

	test('does not wait when an enabled interrupt is pending', () => {
		const hart = createHart();
		hart.state[Slot.mie] = hart.state[Slot.mip] = 2n;
		expect(outcome(hart, 'M', WFI)).toBe('next');
	});
});

describe('fences', () => {
	const sfence = fenceWord(0x09, 5, 6);
	const sinval = fenceWord(0x0b, 5, 6);
	const [hfenceV, hinvalV, hfenceG, hinvalG] = [0x11, 0x13, 0x31, 0x33].map((f) => fenceWord(f, 5, 6));
	const SFENCE_W_INVAL = 0x1800_0073;
	const SFENCE_INVAL_IR = 0x1810_0073;

	//  TVM, VTVM, words:            M       HS      U  VS      VU
	test.each<[string, bigint, bigint, number[], (string | number)[]]>([
		['supervisor fences', 0n, 0n, [sfence, sinval], ['next', 'next', 2, 'next', 22]],
		['with TVM', Status.TVM, 0n, [sfence, sinval], ['next', 2, 2, 'next', 22]],
		['with VTVM', 0n, HypervisorStatus.VTVM, [sfence, sinval], ['next', 'next', 2, 22, 22]],
		['ordering', Status.TVM, HypervisorStatus.VTVM, [SFENCE_W_INVAL, SFENCE_INVAL_IR], ['next', 'next', 2, 'next', 22]],
		['VVMA fences', Status.TVM, HypervisorStatus.VTVM, [hfenceV, hinvalV], ['next', 'next', 2, 22, 22]],
		['GVMA fences', 0n, HypervisorStatus.VTVM, [hfenceG, hinvalG], ['next', 'next', 2, 22, 22]],
		['GVMA fences with TVM', Status.TVM, 0n, [hfenceG, hinvalG], ['next', 2, 2, 22, 22]],
	])('%s', (_, tvm, vtvm, words, expected) => {
		for (const word of words) {
			const hart = createHart();
			hart.state[Slot.mstatus] |= tvm;
			hart.state[Slot.hstatus] |= vtvm;
			expect(modes.map((mode) => outcome(hart, mode, word))).toEqual(expected);
		}
	});

	test.each<[string, Mode, number, string]>([
		['sfence.vma', 'HS', 0x09, 'vma'],
		['sinval.vma', 'M', 0x0b, 'vma'],
		['sfence.vma with V=1', 'VS', 0x09, 'vvma'],
		['hfence.vvma', 'HS', 0x11, 'vvma'],
		['hinval.vvma', 'HS', 0x13, 'vvma'],
		['hfence.gvma', 'HS', 0x31, 'gvma'],
		['hinval.gvma', 'HS', 0x33, 'gvma'],
	])('%s', (_, mode, funct7, kind) => {
		const hart = createHart();
		hart.state[5] = 0x12340n;
		hart.state[6] = 0xff_abcdn;
		const id = kind === 'gvma' ? '2bcd' : 'abcd';
		const address = kind === 'gvma' ? '48d00' : '12340';
		for (const [rs1, rs2] of [
			[0, 0],
			[5, 0],
			[0, 6],
			[5, 6],
		]) {
			expect(outcome(hart, mode, fenceWord(funct7, rs1, rs2))).toBe('next');
			expect(hart.calls.pop()).toBe(`flush ${kind} ${rs1 ? address : '*'} ${rs2 ? id : '*'}`);
		}
	});

	test('a fence with rd is no instruction', () => {
		expect(outcome(createHart(), 'M', sfence | 0x80)).toBe(2);
		expect(outcome(createHart(), 'VS', hfenceV | 0x80)).toBe(2);
	});
});

describe('HLV, HLVX, HSV', () => {
	test('need V=0, and HU in U-mode', () => {
		const hart = createHart();
		const causes = () =>
			modes.map((mode) => {
				setMode(hart, mode);
				return checkHypervisorAccess(hart.state);
			});
		expect(causes()).toEqual([0, 0, 2, 22, 22]);
		hart.state[Slot.hstatus] |= HypervisorStatus.HU;
		expect(causes()).toEqual([0, 0, 0, 22, 22]);
	});
});

describe('cache-block instructions: the table of the CMO extensions', () => {
	const operations: [string, number, bigint][] = [
		['cbo.inval', 0, 0x10n],
		['cbo.clean', 1, 0x40n],
		['cbo.flush', 2, 0x40n],
		['cbo.zero', 4, 0x80n],
	];
	test.each(operations)('%s', (_, operation, enable) => {
		//  m, h, s enabled:   M  HS U  VS  VU
		const table: [number, number, number, number[]][] = [
			[0, 0, 0, [0, 2, 2, 2, 2]],
			[0, 1, 1, [0, 2, 2, 2, 2]],
			[1, 0, 0, [0, 0, 2, 22, 22]],
			[1, 0, 1, [0, 0, 0, 22, 22]],
			[1, 1, 0, [0, 0, 2, 0, 22]],
			[1, 1, 1, [0, 0, 0, 0, 0]],
		];
		for (const [m, h, s, expected] of table) {
			const hart = createHart();
			const others = 0xf1n & ~(enable === 0x10n ? 0x30n : enable);
			hart.state[Slot.menvcfg] = m ? enable : others;
			hart.state[Slot.henvcfg] = h ? enable : others;
			hart.state[Slot.senvcfg] = s ? enable : others;
			const causes = modes.map((mode) => {
				setMode(hart, mode);
				return checkCacheBlock(hart.state, operation);
			});
			expect(causes, `${m}${h}${s}`).toEqual(expected);
		}
	});

	test('other operations do not exist', () => {
		expect([3, 5, 6, 0xfff].map((operation) => checkCacheBlock(createHart().state, operation))).toEqual([2, 2, 2, 2]);
	});
});

describe('hostile input', () => {
	test('random words and CSR contents never throw, keep x0 zero and fixed fields fixed', () => {
		const random = createRandom(99);
		const hart = createHart();
		const { state } = hart;
		for (let round = 0; round < 10_000; round++) {
			setMode(hart, modes[random(5)]);
			for (let i = 1; i < 32; i += 7) state[i] = (BigInt(random(2 ** 32)) << 32n) | BigInt(random(2 ** 32));
			const word = ((random(2 ** 32) & ~0x7f) | 0x73) >>> 0;
			const result = executeSystem(hart, word);
			if (typeof result !== 'string') expect([2, 3, 8, 9, 10, 11, 22]).toContain(result.cause);
			expect(state[0]).toBe(0n);
			expect(state[Slot.mstatus] & (0xfn << 32n)).toBe(UXL_64 | SXL_64);
			expect((state[Slot.mstatus] >> 11n) & 3n).not.toBe(2n);
			expect(state[Slot.mideleg] & ~0x222n).toBe(0x1444n);
		}
	});
});
