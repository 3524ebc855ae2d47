import { describe, expect, test } from 'vitest';
import { Slot } from '../state.ts';
import { HypervisorStatus, Status, SXL_64, UXL_64, VSXL_64 } from './fields.ts';
import { executeSystem } from './system.ts';
import {
	createHart,
	createRandom,
	type Mode,
	modeOf,
	modes,
	type RecordingHart,
	setMode,
} from './testing/recording-hart.ts';
import { takeTrap, trapTarget } from './trap.ts';

const MRET = 0x3020_0073;
const SRET = 0x1020_0073;
const INTERRUPT = 1n << 63n;

function hartIn(mode: Mode): RecordingHart {
	const hart = createHart();
	const { state } = hart;
	state[Slot.pc] = 0x1234n;
	state[Slot.mtvec] = 0x1_0001n;
	state[Slot.stvec] = 0x2_0001n;
	state[Slot.vstvec] = 0x3_0001n;
	setMode(hart, mode);
	return hart;
}

describe('delegation', () => {
	test('agrees with "Trap Entry" said as a walk down the delegation chain', () => {
		const random = createRandom(11);
		for (let round = 0; round < 4000; round++) {
			const hart = createHart();
			const { state } = hart;
			const mode = modes[random(5)];
			setMode(hart, mode);
			const interrupt = random(2) === 1;
			const cause = interrupt ? [1, 2, 3, 5, 6, 7, 9, 10, 11, 12][random(10)] : random(24);
			const m = random(2);
			const h = random(2);
			state[interrupt ? Slot.mideleg : Slot.medeleg] = BigInt(m) << BigInt(cause);
			state[interrupt ? Slot.hideleg : Slot.hedeleg] = BigInt(h) << BigInt(cause);
			// An interrupt that goes to VS is only taken there; an exception reaches VS from VS and VU alone.
			const guest = mode === 'VS' || mode === 'VU';
			let expected = 'M';
			if (mode !== 'M' && m === 1) {
				expected = 'HS';
				if (h === 1 && (guest || interrupt)) expected = 'VS';
			}
			expect(trapTarget(state, cause, interrupt)).toBe(expected);
		}
	});
});

describe('a trap into M-mode', () => {
	test.each<[Mode, bigint, bigint]>([
		['M', 3n, 0n],
		['HS', 1n, 0n],
		['U', 0n, 0n],
		['VS', 1n, 1n],
		['VU', 0n, 1n],
	])('from %s: MPP %s, MPV %s', (mode, mpp, mpv) => {
		for (const enabled of [0n, Status.MIE]) {
			const hart = hartIn(mode);
			const { state } = hart;
			state[Slot.mstatus] |= enabled | Status.SIE | Status.MPRV;
			const hstatus = state[Slot.hstatus];
			expect(takeTrap(hart, 2, false, 0xdeadn)).toBe('M');
			expect(modeOf(hart)).toBe('M');
			const mstatus = state[Slot.mstatus];
			expect((mstatus >> 11n) & 3n).toBe(mpp);
			expect((mstatus >> 39n) & 1n).toBe(mpv);
			expect(mstatus & Status.MIE).toBe(0n);
			expect((mstatus & Status.MPIE) !== 0n).toBe(enabled !== 0n);
			expect(mstatus & (Status.SIE | Status.MPRV | Status.GVA)).toBe(Status.SIE | Status.MPRV);
			expect([state[Slot.mepc], state[Slot.mcause], state[Slot.mtval]]).toEqual([0x1234n, 2n, 0xdeadn]);
			expect(state[Slot.pc]).toBe(0x1_0000n);
			expect(state[Slot.hstatus]).toBe(hstatus);
			expect(hart.calls).toContain('context');
		}
	});

	test('an interrupt enters a vectored handler', () => {
		const hart = hartIn('U');
		takeTrap(hart, 7, true, 0n);
		expect(hart.state[Slot.pc]).toBe(0x1_001cn);
		expect(hart.state[Slot.mcause]).toBe(INTERRUPT | 7n);
	});

	test('a guest-page fault writes mtval2, mtinst and GVA; the next trap clears them', () => {
		const hart = hartIn('VS');
		const { state } = hart;
		takeTrap(hart, 21, false, 0x5003n, { virtualAddress: true, physicalAddress: 0x8000_7003n, instruction: 0x2003n });
		expect([state[Slot.mtval2], state[Slot.mtinst], state[Slot.mtval]]).toEqual([0x2000_1c00n, 0x2003n, 0x5003n]);
		expect(state[Slot.mstatus] & Status.GVA).toBe(Status.GVA);
		takeTrap(hart, 2, false, 0n);
		expect([state[Slot.mtval2], state[Slot.mtinst], state[Slot.mstatus] & Status.GVA]).toEqual([0n, 0n, 0n]);
	});
});

describe('a trap into HS-mode', () => {
	test.each<[Mode, bigint, bigint, bigint]>([
		['HS', 1n, 0n, 0n],
		['U', 0n, 0n, 0n],
		['VS', 1n, 1n, 1n],
		['VU', 0n, 1n, 0n],
	])('from %s: SPP %s, SPV %s; SPVP %s of one that was 0', (mode, spp, spv, spvp) => {
		for (const before of [0n, HypervisorStatus.SPVP]) {
			const hart = hartIn(mode);
			const { state } = hart;
			state[Slot.medeleg] = 1n << 13n;
			state[Slot.mstatus] |= Status.SIE | Status.MIE;
			state[Slot.hstatus] |= before;
			expect(takeTrap(hart, 13, false, 0x77n)).toBe('HS');
			expect(modeOf(hart)).toBe('HS');
			expect((state[Slot.mstatus] >> 8n) & 1n).toBe(spp);
			expect(state[Slot.mstatus] & (Status.SIE | Status.SPIE | Status.MIE)).toBe(Status.SPIE | Status.MIE);
			const hstatus = state[Slot.hstatus];
			expect((hstatus >> 7n) & 1n).toBe(spv);
			const kept = spv === 0n && before !== 0n ? 1n : spvp;
			expect((hstatus >> 8n) & 1n).toBe(kept);
			expect((hstatus >> 6n) & 1n).toBe(spv);
			expect([state[Slot.sepc], state[Slot.scause], state[Slot.stval]]).toEqual([0x1234n, 13n, 0x77n]);
			expect(state[Slot.pc]).toBe(0x2_0000n);
		}
	});

	test('a VS-level interrupt that is not delegated further keeps its code', () => {
		const hart = hartIn('VU');
		hart.state[Slot.mideleg] = 0x1444n;
		expect(takeTrap(hart, 10, true, 0n)).toBe('HS');
		expect(hart.state[Slot.scause]).toBe(INTERRUPT | 10n);
		expect(hart.state[Slot.pc]).toBe(0x2_0028n);
	});

	test('HLV faults with V=0: GVA=1 and SPV=0', () => {
		const hart = hartIn('HS');
		const { state } = hart;
		state[Slot.medeleg] = 1n << 21n;
		state[Slot.hstatus] |= HypervisorStatus.SPV;
		takeTrap(hart, 21, false, 0n, { virtualAddress: true, physicalAddress: 0x1000n, instruction: 0x3000n });
		expect(state[Slot.hstatus] & (HypervisorStatus.GVA | HypervisorStatus.SPV)).toBe(HypervisorStatus.GVA);
		expect([state[Slot.htval], state[Slot.htinst]]).toEqual([0x400n, 0x3000n]);
	});

	test('GVA is set exactly by traps that write a guest virtual address', () => {
		const address = new Set([0, 1, 4, 5, 6, 7, 12, 13, 15, 20, 21, 23]);
		for (let cause = 0; cause < 24; cause++) {
			const hart = hartIn('VS');
			hart.state[Slot.medeleg] = 0xff_ffffn;
			takeTrap(hart, cause, false, 0n);
			expect((hart.state[Slot.hstatus] & HypervisorStatus.GVA) !== 0n, `${cause}`).toBe(address.has(cause));
		}
		// A breakpoint counts if it reports an address.
		const hart = hartIn('VS');
		takeTrap(hart, 3, false, 0x1234n);
		expect(hart.state[Slot.mstatus] & Status.GVA).toBe(Status.GVA);
	});
});

describe('a trap into VS-mode', () => {
	test.each<[Mode, bigint]>([
		['VS', 1n],
		['VU', 0n],
	])('from %s: vsstatus.SPP %s; mstatus and hstatus stay', (mode, spp) => {
		const hart = hartIn(mode);
		const { state } = hart;
		state[Slot.medeleg] = state[Slot.hedeleg] = 1n << 8n;
		state[Slot.vsstatus] |= Status.SIE;
		const before = [state[Slot.mstatus], state[Slot.hstatus]];
		expect(takeTrap(hart, 8, false, 0n)).toBe('VS');
		expect(modeOf(hart)).toBe('VS');
		expect((state[Slot.vsstatus] >> 8n) & 1n).toBe(spp);
		expect(state[Slot.vsstatus] & (Status.SIE | Status.SPIE)).toBe(Status.SPIE);
		expect([state[Slot.mstatus], state[Slot.hstatus]]).toEqual(before);
		expect([state[Slot.vsepc], state[Slot.vscause], state[Slot.pc]]).toEqual([0x1234n, 8n, 0x3_0000n]);
	});

	test.each([
		[2, 1n, 0x3_0004n],
		[6, 5n, 0x3_0014n],
		[10, 9n, 0x3_0024n],
	])('interrupt %i becomes %s', (cause, code, pc) => {
		const hart = hartIn('VU');
		hart.state[Slot.hideleg] = 0x444n;
		expect(takeTrap(hart, cause, true, 0n)).toBe('VS');
		expect([hart.state[Slot.vscause], hart.state[Slot.pc]]).toEqual([INTERRUPT | code, pc]);
	});
});

describe('MRET', () => {
	test.each<[bigint, bigint, Mode]>([
		[0n, 0n, 'U'],
		[1n, 0n, 'HS'],
		[3n, 0n, 'M'],
		[0n, 1n, 'VU'],
		[1n, 1n, 'VS'],
		[3n, 1n, 'M'],
	])('MPP %s, MPV %s: to %s', (mpp, mpv, mode) => {
		for (const mpie of [0n, Status.MPIE]) {
			const hart = hartIn('M');
			const { state } = hart;
			state[Slot.mstatus] |= (mpp << 11n) | (mpv << 39n) | mpie | Status.MPRV;
			state[Slot.mepc] = 0x4000n;
			expect(executeSystem(hart, MRET)).toBe('jump');
			expect(modeOf(hart)).toBe(mode);
			expect(state[Slot.virtual]).toBe(mode === 'VS' || mode === 'VU' ? 1n : 0n);
			expect(state[Slot.pc]).toBe(0x4000n);
			const mprv = mode === 'M' ? Status.MPRV : 0n;
			const mie = mpie === 0n ? 0n : Status.MIE;
			expect(state[Slot.mstatus]).toBe(UXL_64 | SXL_64 | Status.MPIE | mie | mprv);
		}
	});

	test('is illegal below M-mode, never a virtual instruction', () => {
		for (const mode of modes.slice(1)) {
			expect(executeSystem(hartIn(mode), MRET)).toEqual({ cause: 2, value: BigInt(MRET) });
		}
	});
});

describe('SRET', () => {
	test.each<[Mode, bigint, bigint, Mode]>([
		['HS', 0n, 0n, 'U'],
		['HS', 1n, 0n, 'HS'],
		['HS', 0n, 1n, 'VU'],
		['HS', 1n, 1n, 'VS'],
		['M', 0n, 0n, 'U'],
		['M', 1n, 1n, 'VS'],
	])('in %s with SPP %s, SPV %s: to %s', (from, spp, spv, to) => {
		const hart = hartIn(from);
		const { state } = hart;
		state[Slot.mstatus] |= (spp << 8n) | Status.SPIE | Status.MPRV | Status.MPP;
		state[Slot.hstatus] |= (spv << 7n) | HypervisorStatus.SPVP;
		state[Slot.sepc] = 0x4000n;
		expect(executeSystem(hart, SRET)).toBe('jump');
		expect(modeOf(hart)).toBe(to);
		expect(state[Slot.pc]).toBe(0x4000n);
		expect(state[Slot.mstatus]).toBe(UXL_64 | SXL_64 | Status.SIE | Status.SPIE | Status.MPP);
		expect(state[Slot.hstatus]).toBe(VSXL_64 | HypervisorStatus.SPVP);
	});

	test.each<[bigint, Mode]>([
		[0n, 'VU'],
		[1n, 'VS'],
	])('in VS-mode with vsstatus.SPP %s: to %s', (spp, to) => {
		const hart = hartIn('VS');
		const { state } = hart;
		state[Slot.vsstatus] |= (spp << 8n) | Status.SIE;
		state[Slot.vsepc] = 0x4000n;
		const before = [state[Slot.mstatus], state[Slot.hstatus]];
		expect(executeSystem(hart, SRET)).toBe('jump');
		expect(modeOf(hart)).toBe(to);
		expect(state[Slot.vsstatus]).toBe(UXL_64 | Status.SPIE);
		expect([state[Slot.mstatus], state[Slot.hstatus]]).toEqual(before);
	});

	test('TSR traps HS-mode only, VTSR VS-mode only', () => {
		const cause = (mode: Mode, tsr: bigint, vtsr: bigint) => {
			const hart = hartIn(mode);
			hart.state[Slot.mstatus] |= tsr;
			hart.state[Slot.hstatus] |= vtsr;
			const outcome = executeSystem(hart, SRET);
			return typeof outcome === 'string' ? outcome : outcome.cause;
		};
		const { VTSR } = HypervisorStatus;
		expect(modes.map((mode) => cause(mode, 0n, 0n))).toEqual(['jump', 'jump', 2, 'jump', 22]);
		expect(modes.map((mode) => cause(mode, Status.TSR, 0n))).toEqual(['jump', 2, 2, 'jump', 22]);
		expect(modes.map((mode) => cause(mode, 0n, VTSR))).toEqual(['jump', 'jump', 2, 22, 22]);
	});
});
