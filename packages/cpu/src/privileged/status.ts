/**
 * Writes of mstatus and of its view sstatus, of vsstatus, and the dirty state of the floating-point unit.
 * RISC-V Privileged ISA: "Machine Status Registers"; Hypervisor extension, "Virtual Supervisor Status Register".
 * XS, VS and the endianness fields are read-only zero; UXL and SXL are fixed.
 */

import { Slot } from '../state.ts';
import { Status, UXL_64 } from './fields.ts';
import type { PrivilegedHart } from './hart.ts';

const SSTATUS_WRITABLE = Status.SIE | Status.SPIE | Status.SPP | Status.FS | Status.SUM | Status.MXR;
const SSTATUS_VISIBLE = SSTATUS_WRITABLE | UXL_64 | Status.SD;
const MSTATUS_WRITABLE =
	SSTATUS_WRITABLE |
	Status.MIE |
	Status.MPIE |
	Status.MPP |
	Status.MPRV |
	Status.TVM |
	Status.TW |
	Status.TSR |
	Status.GVA |
	Status.MPV;
/** Fields that decide how accesses are translated; MPP and MPV do so under MPRV only. */
const TRANSLATION = Status.MPRV | Status.SUM | Status.MXR;
const PREVIOUS = Status.MPP | Status.MPV;
const INTERRUPT_ENABLES = Status.SIE | Status.MIE;
/** MPP=2 is reserved. */
const MPP_RESERVED = 2n << 11n;

/** sstatus. */
export function readSstatus(hart: PrivilegedHart): bigint {
	return hart.state[Slot.mstatus] & SSTATUS_VISIBLE;
}

/** Write sstatus: the fields of mstatus that it shows. */
export function writeSstatus(hart: PrivilegedHart, value: bigint): void {
	modifyMstatus(hart, value, SSTATUS_WRITABLE);
}

/** Write mstatus. */
export function writeMstatus(hart: PrivilegedHart, value: bigint): void {
	// A reserved MPP leaves the field as it was.
	const mask = (value & Status.MPP) === MPP_RESERVED ? MSTATUS_WRITABLE & ~Status.MPP : MSTATUS_WRITABLE;
	modifyMstatus(hart, value, mask);
}

function modifyMstatus(hart: PrivilegedHart, value: bigint, mask: bigint): void {
	const { state, ports } = hart;
	const before = state[Slot.mstatus];
	const after = withDirtySummary((before & ~mask) | (value & mask));
	if (after === before) return;
	state[Slot.mstatus] = after;
	const changed = before ^ after;
	if ((changed & INTERRUPT_ENABLES) !== 0n) ports.interruptsChanged();
	if ((changed & Status.FS) !== 0n) ports.floatStateChanged();
	if ((changed & TRANSLATION) !== 0n || ((changed & PREVIOUS) !== 0n && (after & Status.MPRV) !== 0n)) {
		ports.contextChanged();
	}
}

/** Write vsstatus, as itself or as sstatus with V=1. */
export function writeVsstatus(hart: PrivilegedHart, value: bigint): void {
	const { state, ports } = hart;
	const before = state[Slot.vsstatus];
	const after = withDirtySummary((value & SSTATUS_WRITABLE) | UXL_64);
	if (after === before) return;
	state[Slot.vsstatus] = after;
	const changed = before ^ after;
	if ((changed & Status.SIE) !== 0n) ports.interruptsChanged();
	if ((changed & Status.FS) !== 0n) ports.floatStateChanged();
	// In effect with V=0 too: HLV, HSV, and MPRV with MPV=1.
	if ((changed & TRANSLATION) !== 0n) ports.contextChanged();
}

/** Whether floating-point instructions and CSRs are enabled: FS is not Off, with V=1 in vsstatus as well. */
export function floatEnabled(state: BigUint64Array): boolean {
	if ((state[Slot.mstatus] & Status.FS) === 0n) return false;
	return state[Slot.virtual] === 0n || (state[Slot.vsstatus] & Status.FS) !== 0n;
}

/** Set FS to Dirty, with V=1 in vsstatus as well: floating-point state has been modified. */
export function markFloatDirty(state: BigUint64Array): void {
	state[Slot.mstatus] |= Status.FS | Status.SD;
	if (state[Slot.virtual] !== 0n) state[Slot.vsstatus] |= Status.FS | Status.SD;
}

function withDirtySummary(status: bigint): bigint {
	return (status & Status.FS) === Status.FS ? status | Status.SD : status & ~Status.SD;
}
