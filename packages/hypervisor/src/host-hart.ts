/**
 * What is the hypervisor's of a hart: M-mode and HS-mode are here, and not in the machine, so these registers say which traps
 * come here. RISC-V Privileged ISA, "Machine-Level CSRs"; Hypervisor extension.
 */
import { type Hart, resetState, Slot } from '@partita/cpu';
import { csrFields, interrupts } from '@partita/riscv';

/** Every exception leaves M-mode; hedeleg then says what the guest handles itself. */
const MEDELEG = 0xf0_b7ffn;
const { SSI, STI, SEI, VSSI, VSTI, VSEI } = csrFields.interruptBits;
const { STCE, PBMTE, CBZE, CBCFE } = csrFields.envcfg;
/** menvcfg.CBIE: cbo.inval flushes. */
const CBIE_FLUSH = 1n << 4n;
/** PMP entry 0: NAPOT over the whole physical address space, readable, writable, executable, not locked. */
const PMP_EVERYTHING = csrFields.pmpcfg.R | csrFields.pmpcfg.W | csrFields.pmpcfg.X | csrFields.pmpcfg.A;
const PMP_ADDRESS = (1n << 54n) - 1n;
const NEVER = 0xffff_ffff_ffff_ffffn;

/** Prepares a hart that has not run: it waits in HS-mode. */
export function prepareHart(hart: Hart): void {
	const { state } = hart;
	resetState(state, hart.id);
	state[Slot.medeleg] = MEDELEG;
	// The VS-level interrupts are hardwired to one.
	state[Slot.mideleg]! |= SSI | STI | SEI;
	state[Slot.mcounteren] = 0xffff_ffffn;
	state[Slot.menvcfg] = STCE | PBMTE | CBZE | CBCFE | CBIE_FLUSH;
	state[Slot.pmpcfg] = PMP_EVERYTHING;
	state[Slot.pmpaddr] = PMP_ADDRESS;
	state[Slot.mie] = 1n << BigInt(interrupts.SupervisorExternal);
	idleHart(hart);
	hart.stateChanged();
}

/** The hart waits in HS-mode for an interrupt of the board's; the guest's own no longer wake it. */
export function idleHart({ state, ports }: Hart): void {
	state[Slot.virtual] = 0n;
	state[Slot.privilege] = 1n;
	state[Slot.mstatus]! |= csrFields.mstatus.SIE;
	state[Slot.mie]! &= ~(VSSI | VSTI | VSEI);
	state[Slot.vstimecmp] = NEVER;
	state[Slot.waiting] = 1n;
	ports.contextChanged();
	ports.floatStateChanged();
	ports.interruptsChanged();
	ports.timerChanged();
}
