import { type CsrName, csrNumbers } from '@partita/riscv';
import { describe, expect, test } from 'vitest';
import { Slot } from '../state.ts';
import { readCsr, writeCsr } from './csr.ts';
import { EnvironmentConfig } from './fields.ts';
import { createHart, type RecordingHart, setMode } from './testing/recording-hart.ts';

const ONES = 0xffff_ffff_ffff_ffffn;

function written(hart: RecordingHart, csr: number, value: bigint): bigint {
	writeCsr(hart, csr, value);
	return readCsr(hart, csr);
}

describe('what a CSR reads at reset, after all ones, and then after zero', () => {
	// From the register figures; QEMU 7.2 agrees wherever what it does is legal.
	test.each<[CsrName, bigint, bigint, bigint]>([
		['mvendorid', 0n, 0n, 0n],
		['marchid', 0n, 0n, 0n],
		['mimpid', 0n, 0n, 0n],
		['mconfigptr', 0n, 0n, 0n],
		['misa', 0x8000_0000_0014_11adn, 0x8000_0000_0014_11adn, 0x8000_0000_0014_11adn],
		['mstatus', 0xa_0000_0000n, 0x8000_00ca_007e_79aan, 0xa_0000_0000n],
		['medeleg', 0n, 0xf0_b7ffn, 0n],
		['mideleg', 0x1444n, 0x1666n, 0x1444n],
		['mie', 0n, 0x1eeen, 0n],
		['mip', 0n, 0x226n, 0n],
		['mcounteren', 0n, 0xffff_ffffn, 0n],
		['mcountinhibit', 0n, 0xffff_fffdn, 0n],
		['mtvec', 0n, 0n, 0n],
		['mscratch', 0n, ONES, 0n],
		['mepc', 0n, ONES - 1n, 0n],
		['mcause', 0n, ONES, 0n],
		['mtval', 0n, ONES, 0n],
		['mtval2', 0n, ONES, 0n],
		['mtinst', 0n, ONES, 0n],
		['menvcfg', 0n, 0xc000_0000_0000_00f1n, 0n],
		['mhpmcounter3', 0n, 0n, 0n],
		['mhpmcounter31', 0n, 0n, 0n],
		['mhpmevent3', 0n, 0n, 0n],
		['mhpmevent31', 0n, 0n, 0n],
		['tselect', 0n, 0n, 0n],
		['tdata1', 0n, 0n, 0n],
		['sstatus', 0x2_0000_0000n, 0x8000_0002_000c_6122n, 0x2_0000_0000n],
		['sie', 0n, 0n, 0n],
		['sip', 0n, 0n, 0n],
		['stvec', 0n, 0n, 0n],
		['scounteren', 0n, 0xffff_ffffn, 0n],
		['senvcfg', 0n, 0xf1n, 0n],
		['sscratch', 0n, ONES, 0n],
		['sepc', 0n, ONES - 1n, 0n],
		['scause', 0n, ONES, 0n],
		['stval', 0n, ONES, 0n],
		['satp', 0n, 0n, 0n],
		['stimecmp', ONES, ONES, 0n],
		['hstatus', 0x2_0000_0000n, 0x2_0070_03c0n, 0x2_0000_0000n],
		['hedeleg', 0n, 0xb1ffn, 0n],
		['hideleg', 0n, 0x444n, 0n],
		['hie', 0n, 0x1444n, 0n],
		['hip', 0n, 0x4n, 0n],
		['hvip', 0n, 0x444n, 0n],
		['hgeie', 0n, 0n, 0n],
		['hgeip', 0n, 0n, 0n],
		['hcounteren', 0n, 0xffff_ffffn, 0n],
		['henvcfg', 0n, 0xf1n, 0n],
		['htimedelta', 0n, ONES, 0n],
		['htval', 0n, ONES, 0n],
		['htinst', 0n, ONES, 0n],
		['hgatp', 0n, 0x03ff_ffff_ffff_fffcn, 0n],
		['vsstatus', 0x2_0000_0000n, 0x8000_0002_000c_6122n, 0x2_0000_0000n],
		['vsie', 0n, 0n, 0n],
		['vsip', 0n, 0n, 0n],
		['vstvec', 0n, 0n, 0n],
		['vsscratch', 0n, ONES, 0n],
		['vsepc', 0n, ONES - 1n, 0n],
		['vscause', 0n, ONES, 0n],
		['vstval', 0n, ONES, 0n],
		['vsatp', 0n, 0n, 0n],
		['vstimecmp', ONES, ONES, 0n],
	])('%s', (name, reset, ones, zero) => {
		const hart = createHart();
		expect(readCsr(hart, csrNumbers[name])).toBe(reset);
		expect(written(hart, csrNumbers[name], ONES)).toBe(ones);
		expect(written(hart, csrNumbers[name], 0n)).toBe(zero);
	});
});

describe('mstatus', () => {
	test('MPP=2 is reserved and leaves MPP as it was', () => {
		const hart = createHart();
		for (const mpp of [0n, 1n, 3n]) {
			expect((written(hart, csrNumbers.mstatus, mpp << 11n) >> 11n) & 3n).toBe(mpp);
			expect((written(hart, csrNumbers.mstatus, 2n << 11n) >> 11n) & 3n).toBe(mpp);
		}
	});

	test('SD follows FS=Dirty', () => {
		const hart = createHart();
		for (const fs of [0n, 1n, 2n, 3n]) {
			expect(written(hart, csrNumbers.mstatus, fs << 13n) >> 63n).toBe(fs === 3n ? 1n : 0n);
			expect(readCsr(hart, csrNumbers.sstatus) >> 63n).toBe(fs === 3n ? 1n : 0n);
			expect(written(hart, csrNumbers.vsstatus, fs << 13n) >> 63n).toBe(fs === 3n ? 1n : 0n);
		}
	});

	test('sstatus is a window on mstatus, and leaves the rest of it alone', () => {
		const hart = createHart();
		writeCsr(hart, csrNumbers.mstatus, ONES);
		writeCsr(hart, csrNumbers.sstatus, 0n);
		expect(readCsr(hart, csrNumbers.mstatus)).toBe(0xca_0072_1888n);
	});

	test('tells the ports what changed, and only that', () => {
		const hart = createHart();
		const effects = (csr: number, value: bigint): string[] => {
			hart.calls.length = 0;
			writeCsr(hart, csr, value);
			return [...hart.calls];
		};
		expect(effects(csrNumbers.mstatus, 0n)).toEqual([]);
		expect(effects(csrNumbers.mstatus, 0x8n)).toEqual(['interrupts']);
		expect(effects(csrNumbers.mstatus, 0x2008n)).toEqual(['float']);
		expect(effects(csrNumbers.mstatus, 0x42008n)).toEqual(['context']);
		expect(effects(csrNumbers.mstatus, 0x43808n)).toEqual([]);
		expect(effects(csrNumbers.mstatus, 0x63808n)).toEqual(['context']);
		expect(effects(csrNumbers.mstatus, 0x62008n)).toEqual(['context']);
	});
});

describe('what governs protection and translation tells the ports', () => {
	test.each<[CsrName, bigint, string]>([
		['pmpcfg0', 0x1fn, 'protection'],
		['pmpaddr0', 1n, 'protection'],
		['menvcfg', 0x80n, 'protection'],
		['henvcfg', 0x80n, 'protection'],
		['senvcfg', 0x80n, 'context'],
		['satp', 0x8000_0000_0000_0001n, 'context'],
		['vsatp', 0x8000_0000_0000_0001n, 'context'],
		['hgatp', 0x8000_0000_0000_0004n, 'context'],
		['hstatus', 0x100n, 'context'],
		['vsstatus', 0x4_0000n, 'context'],
		['mie', 2n, 'interrupts'],
		['mip', 2n, 'interrupts'],
		['mideleg', 2n, 'interrupts'],
		['hideleg', 4n, 'interrupts'],
		['hvip', 4n, 'interrupts'],
		['hie', 4n, 'interrupts'],
		['stimecmp', 5n, 'timer'],
		['vstimecmp', 5n, 'timer'],
		['htimedelta', 5n, 'timer'],
	])('%s', (name, value, call) => {
		const hart = createHart();
		writeCsr(hart, csrNumbers[name], value);
		expect(hart.calls).toContain(call);
	});
});

describe('tvec', () => {
	test.each([csrNumbers.mtvec, csrNumbers.stvec, csrNumbers.vstvec])(
		'%i: direct and vectored; a reserved MODE is ignored',
		(csr) => {
			const hart = createHart();
			expect(written(hart, csr, 0x8000_1000n)).toBe(0x8000_1000n);
			expect(written(hart, csr, 0x8000_2001n)).toBe(0x8000_2001n);
			expect(written(hart, csr, 0x8000_3002n)).toBe(0x8000_2001n);
			expect(written(hart, csr, 0x8000_3003n)).toBe(0x8000_2001n);
		},
	);
});

describe('satp, vsatp, hgatp', () => {
	test.each([csrNumbers.satp, csrNumbers.vsatp])('%i: a write with an unsupported MODE is ignored entirely', (csr) => {
		const hart = createHart();
		const rest = 0x0abc_d123_4567_89abn;
		for (let mode = 0n; mode < 16n; mode++) {
			writeCsr(hart, csr, 0x8000_0000_0000_0042n);
			const supported = mode === 0n || (mode >= 8n && mode <= 10n);
			expect(written(hart, csr, (mode << 60n) | rest)).toBe(supported ? (mode << 60n) | rest : 0x8000_0000_0000_0042n);
		}
	});

	test('hgatp keeps its MODE, and takes the other fields', () => {
		const hart = createHart();
		writeCsr(hart, csrNumbers.hgatp, 0x9000_0000_0000_0000n);
		expect(written(hart, csrNumbers.hgatp, 0xf123_4000_0000_0007n)).toBe(0x9123_4000_0000_0004n);
		expect(written(hart, csrNumbers.hgatp, 0xa000_0000_0000_0010n)).toBe(0xa000_0000_0000_0010n);
	});
});

describe('envcfg', () => {
	test.each([csrNumbers.menvcfg, csrNumbers.henvcfg, csrNumbers.senvcfg])(
		'%i: CBIE=2 is reserved and leaves CBIE as it was',
		(csr) => {
			const hart = createHart();
			for (const cbie of [0n, 1n, 3n]) {
				expect(written(hart, csr, cbie << 4n)).toBe(cbie << 4n);
				expect(written(hart, csr, 0x21n)).toBe((cbie << 4n) | 1n);
			}
		},
	);

	test('PBMTE and STCE of henvcfg are read-only zero where menvcfg has zero', () => {
		const hart = createHart();
		const { PBMTE, STCE } = EnvironmentConfig;
		for (const bits of [0n, PBMTE, STCE, PBMTE | STCE]) {
			writeCsr(hart, csrNumbers.menvcfg, bits);
			expect(written(hart, csrNumbers.henvcfg, ONES)).toBe(0xf1n | bits);
		}
		writeCsr(hart, csrNumbers.menvcfg, PBMTE);
		expect(readCsr(hart, csrNumbers.henvcfg)).toBe(0xf1n | PBMTE);
	});
});

describe('guest external interrupts', () => {
	test('GEILEN bounds hgeie and VGEIN', () => {
		const hart = createHart(5);
		expect(written(hart, csrNumbers.hgeie, ONES)).toBe(0x3en);
		for (const [vgein, expected] of [
			[5n, 5n],
			[6n, 5n],
			[63n, 5n],
			[0n, 0n],
		]) {
			expect((written(hart, csrNumbers.hstatus, vgein << 12n) >> 12n) & 63n).toBe(expected);
		}
		expect(written(createHart(63), csrNumbers.hgeie, ONES)).toBe(ONES - 1n);
	});
});

describe('with V=1, supervisor CSRs are their VS replicas', () => {
	test.each<[CsrName, CsrName, bigint]>([
		['sstatus', 'vsstatus', 0x2_000c_0122n],
		['stvec', 'vstvec', 0x4000n],
		['sscratch', 'vsscratch', 5n],
		['sepc', 'vsepc', 0x4002n],
		['scause', 'vscause', 9n],
		['stval', 'vstval', 77n],
		['satp', 'vsatp', 0x8001_0000_0000_0004n],
		['stimecmp', 'vstimecmp', 1234n],
	])('%s', (name, replica, value) => {
		const hart = createHart();
		const own = readCsr(hart, csrNumbers[name]);
		setMode(hart, 'VS');
		expect(written(hart, csrNumbers[name], value)).toBe(value);
		setMode(hart, 'HS');
		expect(readCsr(hart, csrNumbers[replica])).toBe(value);
		expect(readCsr(hart, csrNumbers[name])).toBe(own);
	});

	test('senvcfg and scounteren have no replica', () => {
		const hart = createHart();
		setMode(hart, 'VS');
		writeCsr(hart, csrNumbers.senvcfg, 0xf1n);
		writeCsr(hart, csrNumbers.scounteren, 7n);
		expect([hart.state[Slot.senvcfg], hart.state[Slot.scounteren]]).toEqual([0xf1n, 7n]);
	});
});

describe('floating-point CSRs', () => {
	test('fflags and frm are fields of fcsr; a write makes FS Dirty where it is in effect', () => {
		const hart = createHart();
		setMode(hart, 'U');
		expect(written(hart, csrNumbers.fcsr, ONES)).toBe(0xffn);
		expect(written(hart, csrNumbers.frm, 0x2n)).toBe(2n);
		expect(written(hart, csrNumbers.fflags, 0x20n | 0x11n)).toBe(0x11n);
		expect(readCsr(hart, csrNumbers.fcsr)).toBe(0x51n);
		expect(hart.state[Slot.mstatus]).toBe(0x8000_000a_0000_6000n);
		expect(hart.state[Slot.vsstatus]).toBe(0x2_0000_0000n);
		setMode(hart, 'VU');
		writeCsr(hart, csrNumbers.frm, 0n);
		expect(hart.state[Slot.vsstatus]).toBe(0x8000_0002_0000_6000n);
		expect(hart.calls).toContain('float');
	});
});

describe('time', () => {
	test('htimedelta is added with V=1, modulo 2^64', () => {
		const hart = createHart();
		hart.now = 1000n;
		hart.state[Slot.htimedelta] = ONES - 99n;
		setMode(hart, 'HS');
		expect(readCsr(hart, csrNumbers.time)).toBe(1000n);
		setMode(hart, 'VU');
		expect(readCsr(hart, csrNumbers.time)).toBe(900n);
	});
});

describe('counters', () => {
	test('what one instruction writes, the next one reads', () => {
		const hart = createHart();
		for (const csr of [csrNumbers.mcycle, csrNumbers.minstret]) {
			hart.state[Slot.retired] = 500n;
			writeCsr(hart, csr, 7n);
			hart.state[Slot.retired] = 501n;
			expect(readCsr(hart, csr)).toBe(7n);
			hart.state[Slot.retired] = 511n;
			expect(readCsr(hart, csr)).toBe(17n);
			writeCsr(hart, csr, ONES);
			hart.state[Slot.retired] = 513n;
			expect(readCsr(hart, csr)).toBe(0n);
		}
		expect(readCsr(hart, csrNumbers.cycle)).toBe(readCsr(hart, csrNumbers.mcycle));
		expect(readCsr(hart, csrNumbers.instret)).toBe(readCsr(hart, csrNumbers.minstret));
	});

	test('mcountinhibit stops each counter by itself, and lets it be written while stopped', () => {
		const hart = createHart();
		const { state } = hart;
		state[Slot.retired] = 100n;
		writeCsr(hart, csrNumbers.mcountinhibit, 4n);
		state[Slot.retired] = 200n;
		expect(readCsr(hart, csrNumbers.minstret)).toBe(101n);
		expect(readCsr(hart, csrNumbers.mcycle)).toBe(200n);
		writeCsr(hart, csrNumbers.minstret, 5n);
		state[Slot.retired] = 300n;
		expect(readCsr(hart, csrNumbers.minstret)).toBe(5n);
		writeCsr(hart, csrNumbers.mcountinhibit, 1n);
		state[Slot.retired] = 310n;
		expect(readCsr(hart, csrNumbers.minstret)).toBe(14n);
		expect(readCsr(hart, csrNumbers.mcycle)).toBe(301n);
	});
});

describe('PMP', () => {
	test('reserved bits are zero, R=0 with W=1 clears W, addresses have 54 bits', () => {
		const hart = createHart();
		expect(written(hart, csrNumbers.pmpcfg0, 0x7f02_0306_0705_0400n)).toBe(0x1f00_0304_0705_0400n);
		expect(written(hart, csrNumbers.pmpaddr0, ONES)).toBe((1n << 54n) - 1n);
	});

	test('a locked entry keeps its configuration and address, and a TOR one the address below', () => {
		const hart = createHart();
		for (let i = 0; i < 16; i++) writeCsr(hart, csrNumbers.pmpaddr0 + i, BigInt(i + 1));
		// Entries 1 (NAPOT) and 8 (TOR) are locked.
		writeCsr(hart, csrNumbers.pmpcfg0, 0x9f1fn);
		writeCsr(hart, csrNumbers.pmpcfg0, 0x9f1fn);
		writeCsr(hart, csrNumbers.pmpcfg0, 0n);
		writeCsr(hart, csrNumbers.pmpcfg0, 0x18_0000n);
		writeCsr(hart, csrNumbers.pmpcfg2, 0x8fn);
		expect(written(hart, csrNumbers.pmpcfg0, ONES & ~0x8080_8080_8080_8080n)).toBe(0x1f1f_1f1f_1f1f_9f1fn);
		expect(written(hart, csrNumbers.pmpcfg2, 0n)).toBe(0x8fn);
		const after = Array.from({ length: 16 }, (_, i) => written(hart, csrNumbers.pmpaddr0 + i, 99n));
		expect(after.map((address, i) => (address === 99n ? '' : i)).filter((i) => i !== '')).toEqual([1, 7, 8]);
	});
});
