import { csrNumbers } from '@partita/riscv';
import { describe, expect, test } from 'vitest';
import { Slot } from '../state.ts';
import { checkCsrAccess, csrExists } from './csr.ts';
import { EnvironmentConfig, HypervisorStatus, Status } from './fields.ts';
import { createHart, type Mode, modes, type RecordingHart, setMode } from './testing/recording-hart.ts';

const OK = 0;
const ILL = 2;
const VIRT = 22;
const TM = 2n;
const ALL_COUNTERS = 0xffff_ffffn;

/** Everything that can be enabled is, so that privilege alone decides. */
function openHart(): RecordingHart {
	const hart = createHart();
	const { state } = hart;
	state[Slot.mstatus] |= Status.FS;
	state[Slot.vsstatus] |= Status.FS;
	state[Slot.mcounteren] = state[Slot.hcounteren] = state[Slot.scounteren] = ALL_COUNTERS;
	state[Slot.menvcfg] = state[Slot.henvcfg] = EnvironmentConfig.STCE;
	return hart;
}

function access(hart: RecordingHart, mode: Mode, csr: number, write = false): number {
	setMode(hart, mode);
	return checkCsrAccess(hart.state, csr, write);
}

describe('privilege, with everything enabled', () => {
	//                                       M    HS    U     VS    VU
	const levels: [string, number[], number[]][] = [
		[
			'machine',
			[OK, ILL, ILL, ILL, ILL],
			[
				csrNumbers.mstatus,
				csrNumbers.mepc,
				csrNumbers.pmpaddr15,
				csrNumbers.mcycle,
				csrNumbers.mhartid,
				csrNumbers.tdata1,
			],
		],
		[
			'hypervisor',
			[OK, OK, ILL, VIRT, VIRT],
			[csrNumbers.hstatus, csrNumbers.hgatp, csrNumbers.htinst, csrNumbers.hvip, csrNumbers.hgeip, csrNumbers.henvcfg],
		],
		[
			'virtual supervisor',
			[OK, OK, ILL, VIRT, VIRT],
			[csrNumbers.vsstatus, csrNumbers.vsatp, csrNumbers.vstimecmp, csrNumbers.vsip, csrNumbers.vstvec],
		],
		[
			'supervisor',
			[OK, OK, ILL, OK, VIRT],
			[csrNumbers.sstatus, csrNumbers.satp, csrNumbers.stimecmp, csrNumbers.senvcfg, csrNumbers.scounteren],
		],
		[
			'user',
			[OK, OK, OK, OK, OK],
			[
				csrNumbers.fflags,
				csrNumbers.fcsr,
				csrNumbers.cycle,
				csrNumbers.time,
				csrNumbers.instret,
				csrNumbers.hpmcounter31,
			],
		],
	];
	for (const [level, expected, numbers] of levels) {
		test(`${level} CSRs`, () => {
			const hart = openHart();
			for (const csr of numbers) {
				expect(
					modes.map((mode) => access(hart, mode, csr)),
					csr.toString(16),
				).toEqual(expected);
			}
		});
	}

	test('writing a read-only CSR is illegal in every mode, also where reading it is a virtual instruction', () => {
		const hart = openHart();
		for (const csr of [
			csrNumbers.cycle,
			csrNumbers.time,
			csrNumbers.mvendorid,
			csrNumbers.mhartid,
			csrNumbers.mconfigptr,
			csrNumbers.hgeip,
			csrNumbers.hpmcounter3,
		]) {
			for (const mode of modes) expect(access(hart, mode, csr, true)).toBe(ILL);
		}
	});

	test('a CSR that does not exist is illegal in every mode', () => {
		const hart = openHart();
		// seed, mseccfg, mstateen0, hstateen0, siselect, mcycleh, pmpcfg1, pmpaddr16, scountovf, dcsr, hcontext, mstatush
		for (const csr of [0x15, 0x747, 0x30c, 0x60c, 0x150, 0xb80, 0x3a1, 0x3c0, 0xda0, 0x7b0, 0x6a8, 0x310]) {
			expect(csrExists(csr)).toBe(false);
			for (const mode of modes) expect(access(hart, mode, csr), csr.toString(16)).toBe(ILL);
		}
	});
});

describe('floating-point CSRs are illegal, never virtual, instructions while FS is Off', () => {
	test.each([
		[0n, 0n, [ILL, ILL, ILL, ILL, ILL]],
		[Status.FS, 0n, [OK, OK, OK, ILL, ILL]],
		[0n, Status.FS, [ILL, ILL, ILL, ILL, ILL]],
		[0x2000n, 0x2000n, [OK, OK, OK, OK, OK]],
	])('mstatus.FS %s, vsstatus.FS %s', (machine, guest, expected) => {
		const hart = createHart();
		hart.state[Slot.mstatus] |= machine;
		hart.state[Slot.vsstatus] |= guest;
		for (const csr of [csrNumbers.fflags, csrNumbers.frm, csrNumbers.fcsr]) {
			expect(modes.map((mode) => access(hart, mode, csr, true))).toEqual(expected);
		}
	});
});

describe('counter enables (hcounteren: Hypervisor extension, virtual-instruction cases 1 and 3)', () => {
	//  m, h, s:             M   HS   U    VS    VU
	test.each<[number, number, number, number[]]>([
		[0, 0, 0, [OK, ILL, ILL, ILL, ILL]],
		[0, 1, 1, [OK, ILL, ILL, ILL, ILL]],
		[1, 0, 0, [OK, OK, ILL, VIRT, VIRT]],
		[1, 0, 1, [OK, OK, OK, VIRT, VIRT]],
		[1, 1, 0, [OK, OK, ILL, OK, VIRT]],
		[1, 1, 1, [OK, OK, OK, OK, OK]],
	])('mcounteren %i, hcounteren %i, scounteren %i', (m, h, s, expected) => {
		for (const index of [0, 1, 2, 3, 31]) {
			const hart = createHart();
			const bit = 1n << BigInt(index);
			// All other bits are the opposite, so that looking at the wrong one shows.
			const word = (set: number) => (set ? bit : ALL_COUNTERS & ~bit);
			hart.state[Slot.mcounteren] = word(m);
			hart.state[Slot.hcounteren] = word(h);
			hart.state[Slot.scounteren] = word(s);
			expect(modes.map((mode) => access(hart, mode, 0xc00 + index))).toEqual(expected);
		}
	});
});

describe('stimecmp and vstimecmp (Sstc)', () => {
	const S = EnvironmentConfig.STCE;
	//  menvcfg, henvcfg, mcounteren, hcounteren: stimecmp in M HS U VS VU; vstimecmp in M HS U VS VU
	test.each<[bigint, bigint, bigint, bigint, number[], number[]]>([
		[0n, 0n, TM, TM, [OK, ILL, ILL, ILL, ILL], [OK, ILL, ILL, ILL, ILL]],
		[S, S, 0n, TM, [OK, ILL, ILL, ILL, ILL], [OK, ILL, ILL, ILL, ILL]],
		[S, 0n, TM, TM, [OK, OK, ILL, VIRT, VIRT], [OK, OK, ILL, VIRT, VIRT]],
		[S, S, TM, 0n, [OK, OK, ILL, VIRT, VIRT], [OK, OK, ILL, VIRT, VIRT]],
		[S, S, TM, TM, [OK, OK, ILL, OK, VIRT], [OK, OK, ILL, VIRT, VIRT]],
	])('case %#', (menvcfg, henvcfg, mcounteren, hcounteren, stimecmp, vstimecmp) => {
		const hart = createHart();
		const { state } = hart;
		state[Slot.menvcfg] = menvcfg;
		state[Slot.henvcfg] = henvcfg;
		state[Slot.mcounteren] = mcounteren;
		state[Slot.hcounteren] = hcounteren;
		for (const write of [false, true]) {
			expect(modes.map((mode) => access(hart, mode, csrNumbers.stimecmp, write))).toEqual(stimecmp);
			expect(modes.map((mode) => access(hart, mode, csrNumbers.vstimecmp, write))).toEqual(vstimecmp);
		}
	});
});

describe('TVM and VTVM', () => {
	test('TVM: satp and hgatp are illegal in HS-mode, and nothing changes with V=1', () => {
		const hart = openHart();
		hart.state[Slot.mstatus] |= Status.TVM;
		expect(modes.map((mode) => access(hart, mode, csrNumbers.satp))).toEqual([OK, ILL, ILL, OK, VIRT]);
		expect(modes.map((mode) => access(hart, mode, csrNumbers.hgatp))).toEqual([OK, ILL, ILL, VIRT, VIRT]);
		expect(modes.map((mode) => access(hart, mode, csrNumbers.vsatp))).toEqual([OK, OK, ILL, VIRT, VIRT]);
	});

	test('VTVM: satp is a virtual instruction in VS-mode', () => {
		const hart = openHart();
		hart.state[Slot.hstatus] |= HypervisorStatus.VTVM;
		expect(modes.map((mode) => access(hart, mode, csrNumbers.satp))).toEqual([OK, OK, ILL, VIRT, VIRT]);
		expect(modes.map((mode) => access(hart, mode, csrNumbers.vsatp))).toEqual([OK, OK, ILL, VIRT, VIRT]);
	});
});
