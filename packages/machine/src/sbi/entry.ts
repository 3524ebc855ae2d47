/**
 * How harts enter S-mode: what firmware in M-mode would set up, and the registers that the specification names.
 * RISC-V SBI 2.0, "HSM Hart Start Register State"; RISC-V Privileged ISA, "Machine-Level CSRs".
 */
import { resetState, Slot } from '@partita/cpu';
import { csrFields } from '@partita/riscv';
import type { FirmwareHart } from './ports.ts';

/** a0, the first of the argument registers. */
export const A0: number = Slot.x + 10;

/**
 * Every exception that modes below M raise goes to S-mode, guest-page faults and virtual instructions too, but for the
 * environment call from S-mode (9), which is the SBI call. Bits 0 to 8, 10, 12, 13, 15, 20 to 23.
 */
const MEDELEG = 0xf0_b5ffn;

const { SSI, STI, SEI } = csrFields.interruptBits;
const { STCE, PBMTE, CBZE, CBCFE } = csrFields.envcfg;
/** menvcfg.CBIE: cbo.inval flushes. */
const CBIE_FLUSH = 1n << 4n;
/** PMP entry 0: NAPOT over the whole physical address space, readable, writable, executable, not locked. */
const PMP_EVERYTHING = csrFields.pmpcfg.R | csrFields.pmpcfg.W | csrFields.pmpcfg.X | csrFields.pmpcfg.A;
const PMP_ADDRESS = (1n << 54n) - 1n;

/**
 * Puts a hart at `pc` in S-mode, without translation, interrupts off, a0 = its id, a1 = `opaque`; all else is as after
 * reset. What a reset of the hart does not reach stays: instructions retired, and the lines that controllers drive.
 */
export function enterSupervisor(hart: FirmwareHart, id: number, pc: bigint, opaque: bigint): void {
	const { state } = hart;
	const retired = state[Slot.retired];
	const lines = state[Slot.lines];
	const guestLines = state[Slot.hgeip];
	resetState(state, id);
	state[Slot.retired] = retired;
	state[Slot.lines] = lines;
	state[Slot.hgeip] = guestLines;

	state[Slot.medeleg] = MEDELEG;
	// The VS-level interrupts are hardwired to one.
	state[Slot.mideleg] |= SSI | STI | SEI;
	state[Slot.mcounteren] = 0xffff_ffffn;
	state[Slot.menvcfg] = STCE | PBMTE | CBZE | CBCFE | CBIE_FLUSH;
	state[Slot.pmpcfg] = PMP_EVERYTHING;
	state[Slot.pmpaddr] = PMP_ADDRESS;

	state[Slot.privilege] = 1n;
	state[Slot.pc] = pc;
	state[A0] = BigInt(id);
	state[A0 + 1] = opaque;
	hart.ports.protectionChanged();
	hart.stateChanged();
}

/**
 * The registers of a hart that resumes from a non-retentive suspension ("HSM Hart Resume Register State"): they are set
 * when it goes to sleep, since nothing can see them before it wakes. Interrupt enables stay, so that it does.
 */
export function resumeSupervisor(hart: FirmwareHart, id: number, pc: bigint, opaque: bigint): void {
	const { state } = hart;
	state[Slot.satp] = 0n;
	state[Slot.mstatus] &= ~csrFields.mstatus.SIE;
	state[Slot.pc] = pc;
	state[A0] = BigInt(id);
	state[A0 + 1] = opaque;
	hart.stateChanged();
}
