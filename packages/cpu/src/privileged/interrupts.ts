/**
 * Which interrupts are pending, which one is taken, and the timer lines of Sstc.
 * Not here: who drives the other lines (controllers write `Slot.lines` and `Slot.hgeip`), and trap entry (`trap.ts`).
 * RISC-V Privileged ISA: "Machine Interrupt Registers", "Hypervisor Interrupt Registers", "Sstc".
 */

import { csrFields, interrupts } from '@partita/riscv';
import { Slot } from '../state.ts';
import { EnvironmentConfig, Status } from './fields.ts';
import type { PrivilegedHart } from './hart.ts';

/** SSI, STI, SEI: the interrupts of sie and sip. */
export const SUPERVISOR_INTERRUPTS = 0x222;
/** VSSI, VSTI, VSEI: the interrupts of hvip, hideleg, vsie and vsip. */
export const VIRTUAL_SUPERVISOR_INTERRUPTS = 0x444;
/** The interrupts of hie and hip: the VS-level ones, and SGEI. */
export const HYPERVISOR_INTERRUPTS = 0x1444;
/** The interrupts of mie and mip. */
export const MACHINE_INTERRUPTS = 0x1eee;

const { STI: STIP, VSTI: VSTIP } = csrFields.interruptBits;
const SGEIP = 1 << interrupts.SupervisorGuestExternal;
const VSEIP = 1 << interrupts.VirtualSupervisorExternal;
const VGEIN_SHIFT = 12n;

/** Decreasing priority among interrupts that are destined for the same mode. */
const priority: readonly number[] = [
	interrupts.MachineExternal,
	interrupts.MachineSoftware,
	interrupts.MachineTimer,
	interrupts.SupervisorExternal,
	interrupts.SupervisorSoftware,
	interrupts.SupervisorTimer,
	interrupts.SupervisorGuestExternal,
	interrupts.VirtualSupervisorExternal,
	interrupts.VirtualSupervisorSoftware,
	interrupts.VirtualSupervisorTimer,
];

/** mip as software reads it: software-written bits, lines, and the guest external interrupts that are selected. */
export function pendingBits(state: BigUint64Array): number {
	let pending = Number((state[Slot.mip] | state[Slot.lines]) & 0x1eeen);
	const guest = state[Slot.hgeip];
	if (guest !== 0n) {
		if ((guest & state[Slot.hgeie]) !== 0n) pending |= SGEIP;
		// Bit 0 of hgeip is always 0, so VGEIN=0 selects nothing.
		if (((guest >> ((state[Slot.hstatus] >> VGEIN_SHIFT) & 63n)) & 1n) !== 0n) pending |= VSEIP;
	}
	return pending;
}

/** Whether WFI completes: an interrupt is pending and locally enabled, whatever the global enables and delegation say. */
export function wakesFromWait(state: BigUint64Array): boolean {
	return (pendingBits(state) & Number(state[Slot.mie])) !== 0;
}

/**
 * The interrupt to be taken before the next instruction: its code as mip numbers it (VS-level ones are not translated),
 * or -1. Those destined for M come before those for HS, and those before the ones for VS.
 */
export function pendingInterrupt(state: BigUint64Array): number {
	const pending = pendingBits(state) & Number(state[Slot.mie]);
	if (pending === 0) return -1;
	const privilege = Number(state[Slot.privilege]);
	const virtual = state[Slot.virtual] !== 0n;
	const mideleg = Number(state[Slot.mideleg]);
	const hideleg = Number(state[Slot.hideleg]);

	const machine = pending & ~mideleg;
	if (machine !== 0 && (privilege < 3 || (state[Slot.mstatus] & Status.MIE) !== 0n)) return highest(machine);
	if (privilege === 3) return -1;

	const supervisor = pending & mideleg & ~hideleg;
	if (supervisor !== 0 && (virtual || privilege === 0 || (state[Slot.mstatus] & Status.SIE) !== 0n)) {
		return highest(supervisor);
	}
	if (!virtual) return -1;

	const guest = pending & mideleg & hideleg;
	if (guest !== 0 && (privilege === 0 || (state[Slot.vsstatus] & Status.SIE) !== 0n)) return highest(guest);
	return -1;
}

function highest(bits: number): number {
	for (let i = 0; i < priority.length; i++) {
		if ((bits & (1 << priority[i])) !== 0) return priority[i];
	}
	return -1;
}

/**
 * Recompute the timer lines STIP and VSTIP of `Slot.lines` from the current time (Sstc). To be called when the time that
 * {@link nextTimerChange} gave has come; writes to the CSRs that it depends on call it themselves.
 */
export function updateTimerLines(hart: PrivilegedHart): void {
	const { state, ports } = hart;
	const before = state[Slot.lines];
	let lines = before & ~(STIP | VSTIP);
	if ((state[Slot.menvcfg] & EnvironmentConfig.STCE) !== 0n) {
		const now = ports.time();
		if (now >= state[Slot.stimecmp]) lines |= STIP;
		if (
			(state[Slot.henvcfg] & EnvironmentConfig.STCE) !== 0n &&
			BigInt.asUintN(64, now + state[Slot.htimedelta]) >= state[Slot.vstimecmp]
		) {
			lines |= VSTIP;
		}
	}
	if (lines !== before) {
		state[Slot.lines] = lines;
		ports.interruptsChanged();
	}
}

/**
 * The earliest mtime after `now` at which {@link updateTimerLines} would change a line, or undefined if none will before
 * mtime wraps. A guest's time wraps earlier when htimedelta is negative: then VSTIP falls.
 */
export function nextTimerChange(state: BigUint64Array, now: bigint): bigint | undefined {
	if ((state[Slot.menvcfg] & EnvironmentConfig.STCE) === 0n) return undefined;
	let next: bigint | undefined;
	const stimecmp = state[Slot.stimecmp];
	if (stimecmp > now) next = stimecmp;
	if ((state[Slot.henvcfg] & EnvironmentConfig.STCE) !== 0n) {
		const delta = state[Slot.htimedelta];
		const vstimecmp = state[Slot.vstimecmp];
		const pending = BigInt.asUintN(64, now + delta) >= vstimecmp;
		const change = BigInt.asUintN(64, (pending ? 0n : vstimecmp) - delta);
		if (vstimecmp !== 0n && change > now && (next === undefined || change < next)) next = change;
	}
	return next;
}
