import { csrNumbers } from '@partita/riscv';
import { describe, expect, test } from 'vitest';
import { Slot } from '../state.ts';
import { readCsr, writeCsr } from './csr.ts';
import { EnvironmentConfig, Status } from './fields.ts';
import { nextTimerChange, pendingInterrupt, updateTimerLines, wakesFromWait } from './interrupts.ts';
import { createHart, createRandom, type Mode, modes, setMode } from './testing/recording-hart.ts';

const ONES = 0xffff_ffff_ffff_ffffn;

describe('pendingInterrupt', () => {
	test('priority among all, as each higher one is served: MEI MSI MTI SEI SSI STI SGEI VSEI VSSI VSTI', () => {
		const hart = createHart();
		const { state } = hart;
		state[Slot.mie] = 0x1eeen;
		state[Slot.mip] = 0x1eeen;
		// Nothing is delegated past M but what always is; V=1, so that each level is enabled in turn.
		setMode(hart, 'VU');
		const order: number[] = [];
		for (let cause = pendingInterrupt(state); cause !== -1; cause = pendingInterrupt(state)) {
			order.push(cause);
			state[Slot.mip] &= ~(1n << BigInt(cause));
		}
		expect(order).toEqual([11, 3, 7, 9, 1, 5, 12, 10, 2, 6]);
	});

	test('destination comes before cause: STI for M, SEI for HS, VSEI for VS', () => {
		const hart = createHart();
		const { state } = hart;
		state[Slot.mie] = state[Slot.mip] = 0x626n;
		state[Slot.mideleg] = 0x1644n;
		state[Slot.hideleg] = 0x400n;
		setMode(hart, 'VU');
		const order: number[] = [];
		for (let cause = pendingInterrupt(state); cause !== -1; cause = pendingInterrupt(state)) {
			order.push(cause);
			state[Slot.mip] &= ~(1n << BigInt(cause));
		}
		// M: SSI, STI; HS: SEI, VSSI; VS: VSEI.
		expect(order).toEqual([1, 5, 9, 2, 10]);
	});

	/**
	 * Section 'Machine Interrupt Registers' (a, b, c), 'Hypervisor Interrupt Registers' (norm:hideleg_hs), and for VS the
	 * same rule one level down, said in sets instead of masks.
	 */
	function takenBy(
		mode: Mode,
		cause: number,
		mideleg: Set<number>,
		hideleg: Set<number>,
		enables: Set<string>,
	): boolean {
		const owner = !mideleg.has(cause) ? 'M' : hideleg.has(cause) ? 'VS' : 'HS';
		const lower: Record<string, Mode[]> = { M: ['HS', 'U', 'VS', 'VU'], HS: ['U', 'VS', 'VU'], VS: ['VU'] };
		return lower[owner].includes(mode) || (mode === owner && enables.has(owner));
	}

	test('agrees with the rules said otherwise, for random enables and delegation', () => {
		const random = createRandom(7);
		const order = [11, 3, 7, 9, 1, 5, 12, 10, 2, 6];
		const rank: Record<string, number> = { M: 0, HS: 1, VS: 2 };
		for (let round = 0; round < 3000; round++) {
			const hart = createHart();
			const { state } = hart;
			const mode = modes[random(modes.length)];
			setMode(hart, mode);
			writeCsr(hart, csrNumbers.mideleg, BigInt(random(0x2000)));
			writeCsr(hart, csrNumbers.hideleg, BigInt(random(0x2000)));
			state[Slot.mie] = BigInt(random(0x2000) & 0x1eee);
			state[Slot.mip] = BigInt(random(0x2000) & random(0x2000) & 0x1eee);
			const enables = new Set<string>();
			if (random(2)) enables.add('M');
			if (random(2)) enables.add('HS');
			if (random(2)) enables.add('VS');
			state[Slot.mstatus] |= (enables.has('M') ? Status.MIE : 0n) | (enables.has('HS') ? Status.SIE : 0n);
			state[Slot.vsstatus] |= enables.has('VS') ? Status.SIE : 0n;

			const bits = (word: bigint) => new Set(order.filter((cause) => (word >> BigInt(cause)) & 1n));
			const mideleg = bits(state[Slot.mideleg]);
			const hideleg = bits(state[Slot.hideleg]);
			const both = bits(state[Slot.mie] & state[Slot.mip]);
			const owner = (cause: number) => (!mideleg.has(cause) ? 'M' : hideleg.has(cause) ? 'VS' : 'HS');
			const taken = order
				.filter((cause) => both.has(cause) && takenBy(mode, cause, mideleg, hideleg, enables))
				.sort((a, b) => rank[owner(a)] - rank[owner(b)] || order.indexOf(a) - order.indexOf(b));
			expect(pendingInterrupt(state)).toBe(taken[0] ?? -1);
		}
	});
});

describe('pending bits', () => {
	test('SEIP reads as software bit or line', () => {
		const hart = createHart();
		hart.state[Slot.lines] = 1n << 9n;
		expect(readCsr(hart, csrNumbers.mip)).toBe(0x200n);
		writeCsr(hart, csrNumbers.mip, 0x200n);
		hart.state[Slot.lines] = 0n;
		expect(readCsr(hart, csrNumbers.mip)).toBe(0x200n);
	});

	test('hgeip: SGEIP through hgeie, VSEIP through VGEIN', () => {
		const hart = createHart(4);
		hart.state[Slot.hgeip] = 0x14n;
		expect(readCsr(hart, csrNumbers.hip)).toBe(0n);
		writeCsr(hart, csrNumbers.hgeie, 0x8n);
		expect(readCsr(hart, csrNumbers.hip)).toBe(0n);
		writeCsr(hart, csrNumbers.hgeie, 0x10n);
		expect(readCsr(hart, csrNumbers.hip)).toBe(0x1000n);
		writeCsr(hart, csrNumbers.hstatus, 3n << 12n);
		expect(readCsr(hart, csrNumbers.hip)).toBe(0x1000n);
		writeCsr(hart, csrNumbers.hstatus, 2n << 12n);
		expect(readCsr(hart, csrNumbers.hip)).toBe(0x1400n);
		// hgeie does not gate VSEIP, and hvip does not show it.
		writeCsr(hart, csrNumbers.hgeie, 0n);
		expect(readCsr(hart, csrNumbers.hip)).toBe(0x400n);
		expect(readCsr(hart, csrNumbers.hvip)).toBe(0n);
	});

	test('WFI wakes for what is locally enabled, whatever delegation and global enables say', () => {
		const hart = createHart();
		hart.state[Slot.mip] = 0x2n;
		expect(wakesFromWait(hart.state)).toBe(false);
		hart.state[Slot.mie] = 0x2n;
		expect(wakesFromWait(hart.state)).toBe(true);
		hart.state[Slot.mideleg] = 0x1446n;
		expect(pendingInterrupt(hart.state)).toBe(-1);
		expect(wakesFromWait(hart.state)).toBe(true);
	});
});

describe('views of mip and mie', () => {
	test('sie and sip show and change delegated S-level bits only; sip.SSIP alone is writable', () => {
		const hart = createHart();
		writeCsr(hart, csrNumbers.mideleg, 0x202n);
		writeCsr(hart, csrNumbers.mip, 0x222n);
		expect(readCsr(hart, csrNumbers.sip)).toBe(0x202n);
		writeCsr(hart, csrNumbers.sip, 0n);
		expect(readCsr(hart, csrNumbers.mip)).toBe(0x220n);
		writeCsr(hart, csrNumbers.mie, 0x888n);
		writeCsr(hart, csrNumbers.sie, ONES);
		expect(readCsr(hart, csrNumbers.mie)).toBe(0xa8an);
		expect(readCsr(hart, csrNumbers.sie)).toBe(0x202n);
	});

	test('hvip, hip and mip share the VS-level bits; hip writes VSSIP only', () => {
		const hart = createHart();
		writeCsr(hart, csrNumbers.hvip, ONES);
		expect([csrNumbers.hvip, csrNumbers.hip, csrNumbers.mip].map((csr) => readCsr(hart, csr))).toEqual([
			0x444n,
			0x444n,
			0x444n,
		]);
		writeCsr(hart, csrNumbers.hip, 0n);
		expect([csrNumbers.hvip, csrNumbers.hip, csrNumbers.mip].map((csr) => readCsr(hart, csr))).toEqual([
			0x440n,
			0x440n,
			0x440n,
		]);
		writeCsr(hart, csrNumbers.mip, 0x4n);
		expect(readCsr(hart, csrNumbers.hvip)).toBe(0x444n);
	});

	test('hie and mie share the VS-level bits and SGEIE', () => {
		const hart = createHart();
		writeCsr(hart, csrNumbers.mie, 0xaaan);
		writeCsr(hart, csrNumbers.hie, ONES);
		expect(readCsr(hart, csrNumbers.mie)).toBe(0x1eeen);
		expect(readCsr(hart, csrNumbers.hie)).toBe(0x1444n);
	});

	test.each([0n, 0x4n, 0x40n, 0x400n, 0x444n])('vsie and vsip under hideleg %s: one place lower', (hideleg) => {
		const hart = createHart();
		writeCsr(hart, csrNumbers.hideleg, hideleg);
		writeCsr(hart, csrNumbers.hvip, 0x444n);
		setMode(hart, 'VS');
		expect(readCsr(hart, csrNumbers.sip)).toBe(hideleg >> 1n);
		writeCsr(hart, csrNumbers.sie, ONES);
		expect(readCsr(hart, csrNumbers.sie)).toBe(hideleg >> 1n);
		writeCsr(hart, csrNumbers.sip, 0n);
		setMode(hart, 'HS');
		expect(readCsr(hart, csrNumbers.hie)).toBe(hideleg);
		expect(readCsr(hart, csrNumbers.hvip)).toBe(0x444n & ~(hideleg & 4n));
	});
});

describe('Sstc', () => {
	const STCE = EnvironmentConfig.STCE;

	test('STIP is software-writable without STCE, and the timer line with it', () => {
		const hart = createHart();
		hart.now = 50n;
		writeCsr(hart, csrNumbers.stimecmp, 0n);
		expect(readCsr(hart, csrNumbers.mip)).toBe(0n);
		writeCsr(hart, csrNumbers.mip, 0x20n);
		expect(readCsr(hart, csrNumbers.mip)).toBe(0x20n);
		writeCsr(hart, csrNumbers.stimecmp, 60n);
		writeCsr(hart, csrNumbers.menvcfg, STCE);
		expect(readCsr(hart, csrNumbers.mip)).toBe(0n);
		writeCsr(hart, csrNumbers.mip, 0x20n);
		expect(readCsr(hart, csrNumbers.mip)).toBe(0n);
		writeCsr(hart, csrNumbers.stimecmp, 50n);
		expect(readCsr(hart, csrNumbers.mip)).toBe(0x20n);
		writeCsr(hart, csrNumbers.menvcfg, 0n);
		expect(readCsr(hart, csrNumbers.mip)).toBe(0n);
	});

	test('rises when the time comes, and falls by a later stimecmp', () => {
		const hart = createHart();
		writeCsr(hart, csrNumbers.menvcfg, STCE);
		writeCsr(hart, csrNumbers.stimecmp, 100n);
		expect(nextTimerChange(hart.state, 0n)).toBe(100n);
		hart.now = 99n;
		updateTimerLines(hart);
		expect(readCsr(hart, csrNumbers.mip)).toBe(0n);
		hart.now = 100n;
		hart.calls.length = 0;
		updateTimerLines(hart);
		expect(hart.calls).toEqual(['interrupts']);
		expect(readCsr(hart, csrNumbers.mip)).toBe(0x20n);
		expect(nextTimerChange(hart.state, 100n)).toBe(undefined);
		writeCsr(hart, csrNumbers.stimecmp, 101n);
		expect(readCsr(hart, csrNumbers.mip)).toBe(0n);
		expect(hart.calls).toEqual(['interrupts', 'interrupts', 'timer']);
		expect(nextTimerChange(hart.state, 100n)).toBe(101n);
	});

	test('VSTIP: time + htimedelta against vstimecmp, or hvip.VSTIP', () => {
		const hart = createHart();
		hart.now = 1000n;
		writeCsr(hart, csrNumbers.menvcfg, STCE);
		writeCsr(hart, csrNumbers.henvcfg, STCE);
		writeCsr(hart, csrNumbers.vstimecmp, 500n);
		expect(readCsr(hart, csrNumbers.hip)).toBe(0x40n);
		expect(readCsr(hart, csrNumbers.hvip)).toBe(0n);
		writeCsr(hart, csrNumbers.htimedelta, ONES - 599n);
		expect(readCsr(hart, csrNumbers.hip)).toBe(0n);
		expect(nextTimerChange(hart.state, 1000n)).toBe(1100n);
		writeCsr(hart, csrNumbers.stimecmp, 1050n);
		expect(nextTimerChange(hart.state, 1000n)).toBe(1050n);
		writeCsr(hart, csrNumbers.hvip, 0x40n);
		expect(readCsr(hart, csrNumbers.hip)).toBe(0x40n);
		writeCsr(hart, csrNumbers.hvip, 0n);
		writeCsr(hart, csrNumbers.vstimecmp, 400n);
		expect(readCsr(hart, csrNumbers.hip)).toBe(0x40n);
		writeCsr(hart, csrNumbers.henvcfg, 0n);
		expect(readCsr(hart, csrNumbers.hip)).toBe(0n);
	});

	test('a guest whose time has not begun yet sees VSTIP fall when it does', () => {
		const hart = createHart();
		writeCsr(hart, csrNumbers.menvcfg, STCE);
		writeCsr(hart, csrNumbers.henvcfg, STCE);
		hart.now = 10n;
		writeCsr(hart, csrNumbers.vstimecmp, 5n);
		writeCsr(hart, csrNumbers.htimedelta, ONES - 99n);
		expect(readCsr(hart, csrNumbers.hip)).toBe(0x40n);
		expect(nextTimerChange(hart.state, 10n)).toBe(100n);
		hart.now = 100n;
		updateTimerLines(hart);
		expect(readCsr(hart, csrNumbers.hip)).toBe(0n);
		expect(nextTimerChange(hart.state, 100n)).toBe(105n);
		// A vstimecmp of 0 is reached at any time, before and after.
		writeCsr(hart, csrNumbers.vstimecmp, 0n);
		writeCsr(hart, csrNumbers.stimecmp, 0n);
		expect(nextTimerChange(hart.state, 10n)).toBe(undefined);
		expect(readCsr(hart, csrNumbers.hip)).toBe(0x40n);
	});
});
