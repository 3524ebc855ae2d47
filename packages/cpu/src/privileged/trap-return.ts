/**
 * MRET and SRET. Not here: trap entry (`trap.ts`).
 * RISC-V Privileged ISA: "Trap-Return Instructions"; Hypervisor extension, "Trap Return".
 */

import { exceptions } from '@partita/riscv';
import { Slot } from '../state.ts';
import { HypervisorStatus, Status } from './fields.ts';
import type { PrivilegedHart } from './hart.ts';

/** MRET: sets pc, privilege and V. @returns 0, or the exception's code with nothing changed */
export function machineReturn(hart: PrivilegedHart): number {
	const { state } = hart;
	if (state[Slot.privilege] !== 3n) return exceptions.IllegalInstruction;
	let mstatus = state[Slot.mstatus];
	const privilege = (mstatus & Status.MPP) >> 11n;
	const virtual = privilege !== 3n && (mstatus & Status.MPV) !== 0n ? 1n : 0n;
	const enable = (mstatus & Status.MPIE) >> 4n;
	mstatus = (mstatus & ~(Status.MIE | Status.MPP | Status.MPV)) | enable | Status.MPIE;
	state[Slot.mstatus] = mstatus;
	enter(hart, privilege, virtual, state[Slot.mepc]);
	return 0;
}

/** SRET: sets pc, privilege and V. @returns 0, or the exception's code with nothing changed */
export function supervisorReturn(hart: PrivilegedHart): number {
	const { state } = hart;
	const privilege = state[Slot.privilege];
	if (state[Slot.virtual] !== 0n) {
		if (privilege === 0n || (state[Slot.hstatus] & HypervisorStatus.VTSR) !== 0n) return exceptions.VirtualInstruction;
		const vsstatus = state[Slot.vsstatus];
		state[Slot.vsstatus] = leaveSupervisor(vsstatus);
		enter(hart, (vsstatus & Status.SPP) >> 8n, 1n, state[Slot.vsepc]);
		return 0;
	}
	if (privilege === 0n) return exceptions.IllegalInstruction;
	const mstatus = state[Slot.mstatus];
	if (privilege === 1n && (mstatus & Status.TSR) !== 0n) return exceptions.IllegalInstruction;
	const hstatus = state[Slot.hstatus];
	state[Slot.mstatus] = leaveSupervisor(mstatus);
	state[Slot.hstatus] = hstatus & ~HypervisorStatus.SPV;
	enter(hart, (mstatus & Status.SPP) >> 8n, (hstatus & HypervisorStatus.SPV) >> 7n, state[Slot.sepc]);
	return 0;
}

/** sstatus or vsstatus after SRET: SIE = SPIE, SPIE = 1, SPP = U. */
function leaveSupervisor(status: bigint): bigint {
	return (status & ~(Status.SIE | Status.SPP)) | ((status & Status.SPIE) >> 4n) | Status.SPIE;
}

function enter(hart: PrivilegedHart, privilege: bigint, virtual: bigint, pc: bigint): void {
	const { state, ports } = hart;
	const virtualChanged = state[Slot.virtual] !== virtual;
	if (privilege !== 3n) state[Slot.mstatus] &= ~Status.MPRV;
	state[Slot.privilege] = privilege;
	state[Slot.virtual] = virtual;
	state[Slot.pc] = pc;
	if (virtualChanged) ports.floatStateChanged();
	ports.contextChanged();
	ports.interruptsChanged();
}
