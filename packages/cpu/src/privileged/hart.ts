/**
 * What the privileged architecture needs of a hart, and a hart's state at reset.
 *
 * The functions beside this file are behaviour over the plain state of `state.ts`; whatever an engine derives from that
 * state (address-translation caches, decoded privilege, event times) is told of changes through {@link PrivilegedPorts}.
 */

import { Slot, STATE_WORDS } from '../state.ts';
import { SXL_64, UXL_64, VSXL_64 } from './fields.ts';

/** What a fence names: HS-level, VS-level (of the current VMID), or guest-physical translation structures. */
export type FenceKind = 'vma' | 'vvma' | 'gvma';

/** Effects of privileged operations that reach beyond a hart's architectural state. All run to completion at once. */
export interface PrivilegedPorts {
	/**
	 * Invalidate address-translation caches.
	 * @param kind which structures; `vvma` applies to the VMID that hgatp holds now
	 * @param address virtual address (`vma`, `vvma`) or guest physical address (`gvma`); undefined: all
	 * @param id ASID (16 bits; `vma`, `vvma`) or VMID (14 bits; `gvma`); undefined: all
	 */
	flush(kind: FenceKind, address: bigint | undefined, id: bigint | undefined): void;
	/** Privilege, V, or a CSR that governs translation or instruction enables has changed. */
	contextChanged(): void;
	/** PMP, menvcfg or henvcfg has changed: rights found under the old values are void. */
	protectionChanged(): void;
	/** fcsr, or an FS field in effect, has changed. */
	floatStateChanged(): void;
	/** A pending, enable or delegation bit has changed: an interrupt may have become pending, or none any more. */
	interruptsChanged(): void;
	/** mtime, in ticks, modulo 2^64. */
	time(): bigint;
	/** A timer comparator, or what a timer is compared with, has changed. */
	timerChanged(): void;
}

/** A hart as the privileged architecture sees it. */
export interface PrivilegedHart {
	/** The words of `state.ts`. `Slot.retired` is exact and `Slot.pc` is the current instruction's whenever a function is called. */
	readonly state: BigUint64Array;
	readonly ports: PrivilegedPorts;
	/** GEILEN: guest external interrupts that the interrupt controller drives through `Slot.hgeip`, 0 to 63. */
	readonly guestExternalInterrupts: number;
}

/** misa: RV64, A C D F H I M S U. Bit B stays 0, which leaves Zba, Zbb and Zbs to be named apart, as QEMU 7.2 does. */
export const MISA = 0x8000_0000_0014_11adn;

/**
 * Bits of mideleg that are read-only one: VSSI, VSTI, VSEI and SGEI, "always delegated past M-mode to HS-mode"
 * (Hypervisor extension, "Machine Interrupt Delegation Register").
 */
export const MIDELEG_FIXED = 0x1444n;

/**
 * Put a hart's state into its reset values: M-mode, interrupts off, translation and PMP off, no timer armed.
 * @param state the words to overwrite; `pc` becomes 0, for the board to set
 * @param hartId mhartid
 */
export function resetState(state: BigUint64Array, hartId: number): void {
	state.fill(0n, 0, STATE_WORDS);
	state[Slot.privilege] = 3n;
	state[Slot.reservation] = 0xffff_ffff_ffff_ffffn;
	state[Slot.mstatus] = UXL_64 | SXL_64;
	state[Slot.misa] = MISA;
	state[Slot.mideleg] = MIDELEG_FIXED;
	state[Slot.mhartid] = BigInt(hartId);
	state[Slot.hstatus] = VSXL_64;
	state[Slot.vsstatus] = UXL_64;
	state[Slot.stimecmp] = 0xffff_ffff_ffff_ffffn;
	state[Slot.vstimecmp] = 0xffff_ffff_ffff_ffffn;
}
