/**
 * Trap entry: which mode takes a trap, and what entering it writes.
 * Not here: when to trap (the engine), returns (`trap-return.ts`), values for mtinst (`transformed-instruction.ts`).
 * RISC-V Privileged ISA: "Machine Trap Delegation Registers"; Hypervisor extension, "Trap Entry".
 */

import { csrFields, exceptions } from '@partita/riscv';
import { Slot } from '../state.ts';
import { HypervisorStatus, Status } from './fields.ts';
import type { PrivilegedHart } from './hart.ts';

/** The mode that takes a trap. HS is S while V=0. */
export type TrapTarget = 'M' | 'HS' | 'VS';

/** What a memory access adds to its trap when guest addresses are involved. */
export interface GuestAccess {
	/** tval is a guest virtual address: the access was made with V=1, by HLV, HLVX or HSV, or under MPRV with MPV=1. */
	readonly virtualAddress: boolean;
	/** On a guest-page fault, the guest physical address that faulted, not shifted; else 0. */
	readonly physicalAddress: bigint;
	/** Transformed instruction, or `VS_STAGE_READ` or `VS_STAGE_WRITE`; 0 says nothing. */
	readonly instruction: bigint;
}

/** Causes that write an address to tval, as bits: 0, 1, 3 to 7, 12, 13, 15, 20, 21, 23. */
const ADDRESS_CAUSES = 0xb0_b0fb;
const { INTERRUPT } = csrFields.cause;

/**
 * The mode that takes a trap in the current privilege mode, by medeleg and hedeleg, or mideleg and hideleg.
 * @param cause exception code, or interrupt code as mip numbers it
 */
export function trapTarget(state: BigUint64Array, cause: number, interrupt: boolean): TrapTarget {
	if (state[Slot.privilege] === 3n) return 'M';
	const bit = 1n << BigInt(cause);
	if (interrupt) {
		if ((state[Slot.mideleg] & bit) === 0n) return 'M';
		return (state[Slot.hideleg] & bit) === 0n ? 'HS' : 'VS';
	}
	if ((state[Slot.medeleg] & bit) === 0n) return 'M';
	return state[Slot.virtual] !== 0n && (state[Slot.hedeleg] & bit) !== 0n ? 'VS' : 'HS';
}

/**
 * Take a trap: write the target mode's trap CSRs, enter that mode, and set pc to its handler.
 * `Slot.pc` must be the trapping instruction's (for an interrupt: the next one to execute).
 * @param cause exception code, or interrupt code as mip numbers it; VS-level codes become S-level ones in vscause
 * @param value mtval, stval or vstval; 0 for an interrupt
 * @param guest given for memory accesses; without it, a value that is an address is a guest's exactly if V=1
 * @returns the mode that was entered
 */
export function takeTrap(
	hart: PrivilegedHart,
	cause: number,
	interrupt: boolean,
	value: bigint,
	guest?: GuestAccess,
): TrapTarget {
	const { state } = hart;
	const target = trapTarget(state, cause, interrupt);
	const privilege = state[Slot.privilege];
	const virtual = state[Slot.virtual];
	const code = target === 'VS' && interrupt ? cause - 1 : cause;
	const causeWord = interrupt ? INTERRUPT | BigInt(code) : BigInt(code);
	const guestValue = guest === undefined ? writesGuestAddress(virtual, cause, interrupt, value) : guest.virtualAddress;
	const guestPhysical = guest === undefined ? 0n : guest.physicalAddress >> 2n;
	const instruction = guest === undefined ? 0n : guest.instruction;

	if (target === 'VS') {
		state[Slot.vsstatus] = enterSupervisor(state[Slot.vsstatus], privilege);
		state[Slot.vsepc] = state[Slot.pc];
		state[Slot.vscause] = causeWord;
		state[Slot.vstval] = value;
		state[Slot.pc] = handler(state[Slot.vstvec], code, interrupt);
		state[Slot.privilege] = 1n;
	} else if (target === 'HS') {
		state[Slot.mstatus] = enterSupervisor(state[Slot.mstatus], privilege);
		let hstatus = state[Slot.hstatus] & ~(HypervisorStatus.SPV | HypervisorStatus.GVA);
		if (virtual !== 0n) {
			// SPVP follows SPP, but keeps its value on traps from U and HS.
			hstatus = (hstatus & ~HypervisorStatus.SPVP) | HypervisorStatus.SPV;
			if (privilege !== 0n) hstatus |= HypervisorStatus.SPVP;
		}
		if (guestValue) hstatus |= HypervisorStatus.GVA;
		state[Slot.hstatus] = hstatus;
		state[Slot.sepc] = state[Slot.pc];
		state[Slot.scause] = causeWord;
		state[Slot.stval] = value;
		state[Slot.htval] = guestPhysical;
		state[Slot.htinst] = instruction;
		state[Slot.pc] = handler(state[Slot.stvec], code, interrupt);
		state[Slot.privilege] = 1n;
		state[Slot.virtual] = 0n;
	} else {
		let mstatus = state[Slot.mstatus];
		const enable = mstatus & Status.MIE;
		mstatus &= ~(Status.MIE | Status.MPIE | Status.MPP | Status.MPV | Status.GVA);
		// MIE is bit 3, MPIE bit 7; MPP is bits 12:11.
		mstatus |= (enable << 4n) | (privilege << 11n);
		if (virtual !== 0n) mstatus |= Status.MPV;
		if (guestValue) mstatus |= Status.GVA;
		state[Slot.mstatus] = mstatus;
		state[Slot.mepc] = state[Slot.pc];
		state[Slot.mcause] = causeWord;
		state[Slot.mtval] = value;
		state[Slot.mtval2] = guestPhysical;
		state[Slot.mtinst] = instruction;
		state[Slot.pc] = handler(state[Slot.mtvec], code, interrupt);
		state[Slot.privilege] = 3n;
		state[Slot.virtual] = 0n;
	}
	state[Slot.waiting] = 0n;
	if (virtual !== state[Slot.virtual]) hart.ports.floatStateChanged();
	hart.ports.contextChanged();
	hart.ports.interruptsChanged();
	return target;
}

/** sstatus or vsstatus after a trap into its mode: SPP = privilege, SPIE = SIE, SIE = 0. SIE is bit 1, SPIE bit 5. */
function enterSupervisor(status: bigint, privilege: bigint): bigint {
	const enable = status & Status.SIE;
	return (status & ~(Status.SIE | Status.SPIE | Status.SPP)) | (enable << 4n) | (privilege << 8n);
}

/** Entry address of a tvec: vectored (MODE=1) interrupts enter at BASE + 4 * code. */
function handler(tvec: bigint, code: number, interrupt: boolean): bigint {
	const base = tvec & ~3n;
	return interrupt && (tvec & 1n) !== 0n ? BigInt.asUintN(64, base + BigInt(4 * code)) : base;
}

function writesGuestAddress(virtual: bigint, cause: number, interrupt: boolean, value: bigint): boolean {
	if (virtual === 0n || interrupt || cause > 31 || ((ADDRESS_CAUSES >> cause) & 1) === 0) return false;
	// EBREAK writes 0, which is not an address.
	return cause !== exceptions.Breakpoint || value !== 0n;
}
