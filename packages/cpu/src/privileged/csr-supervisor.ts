/**
 * Definitions of the supervisor CSRs, as HS-level ones: with V=1, `csr.ts` substitutes their VS replicas.
 * RISC-V Privileged ISA, "Supervisor CSRs"; Sstc.
 */

import { csrFields, csrNumbers } from '@partita/riscv';
import { Slot } from '../state.ts';
import { ALL, type CsrDefinition, type CsrTable, storage, trapVector } from './csr-definition.ts';
import { EnvironmentConfig } from './fields.ts';
import type { PrivilegedHart } from './hart.ts';
import { pendingBits, SUPERVISOR_INTERRUPTS, updateTimerLines } from './interrupts.ts';
import { readSstatus, writeSstatus } from './status.ts';

const INTERRUPTS = BigInt(SUPERVISOR_INTERRUPTS);
/** The one bit of sip that is writable. */
const SSIP = csrFields.interruptBits.SSI;
const SATP_WRITABLE = csrFields.satp.MODE | csrFields.satp.ASID | csrFields.satp.PPN;
const { Bare, Sv39, Sv48, Sv57 } = csrFields.translationModes;

/** A 32-bit counter-enable register: every bit is writable, as each counter exists. */
export const COUNTER_ENABLE_MASK = 0xffff_ffffn;
/** mepc and its kin: IALIGN is 16. */
export const EPC_MASK: bigint = ALL & ~1n;
/** FIOM, CBIE, CBCFE and CBZE: the fields that all three envcfg registers have. */
export const ENVCFG_COMMON: bigint =
	EnvironmentConfig.FIOM | EnvironmentConfig.CBIE | EnvironmentConfig.CBCFE | EnvironmentConfig.CBZE;
const CBIE_RESERVED = 2n << 4n;

/** An envcfg value after a write: CBIE=2 is reserved and leaves that field as it was. */
export function environmentConfig(before: bigint, value: bigint, writable: bigint): bigint {
	const mask = (value & EnvironmentConfig.CBIE) === CBIE_RESERVED ? writable & ~EnvironmentConfig.CBIE : writable;
	return (before & writable & ~mask) | (value & mask);
}

/** Whether satp, vsatp or hgatp may hold a value's MODE. */
export function translationModeSupported(value: bigint): boolean {
	const mode = value >> 60n;
	return mode === Bare || mode === Sv39 || mode === Sv48 || mode === Sv57;
}

/** satp or vsatp: MODE, a 16-bit ASID, a 44-bit PPN. A write with an unsupported MODE has no effect at all. */
export function addressTranslation(slot: number): CsrDefinition {
	return {
		// vsatp is not gated by TVM or VTVM.
		gate: slot === Slot.satp ? 'satp' : 'none',
		read: ({ state }) => state[slot],
		write: ({ state, ports }, value) => {
			if (!translationModeSupported(value)) return;
			state[slot] = value & SATP_WRITABLE;
			ports.contextChanged();
		},
	};
}

/** stimecmp or vstimecmp: a write moves the timer line at once. */
export function timerCompare(slot: number): CsrDefinition {
	return {
		gate: 'stimecmp',
		read: ({ state }) => state[slot],
		write: (hart, value) => {
			hart.state[slot] = value;
			updateTimerLines(hart);
			hart.ports.timerChanged();
		},
	};
}

function writeSie({ state, ports }: PrivilegedHart, value: bigint): void {
	const writable = state[Slot.mideleg] & INTERRUPTS;
	state[Slot.mie] = (state[Slot.mie] & ~writable) | (value & writable);
	ports.interruptsChanged();
}

function writeSip({ state, ports }: PrivilegedHart, value: bigint): void {
	const writable = state[Slot.mideleg] & SSIP;
	state[Slot.mip] = (state[Slot.mip] & ~writable) | (value & writable);
	ports.interruptsChanged();
}

/** The supervisor CSRs. */
export const supervisorCsrs: CsrTable = {
	[csrNumbers.sstatus]: { gate: 'none', read: readSstatus, write: writeSstatus },
	[csrNumbers.sie]: {
		gate: 'none',
		read: ({ state }) => state[Slot.mie] & state[Slot.mideleg] & INTERRUPTS,
		write: writeSie,
	},
	[csrNumbers.sip]: {
		gate: 'none',
		read: ({ state }) => BigInt(pendingBits(state)) & state[Slot.mideleg] & INTERRUPTS,
		write: writeSip,
	},
	[csrNumbers.stvec]: trapVector(Slot.stvec),
	[csrNumbers.scounteren]: storage(Slot.scounteren, COUNTER_ENABLE_MASK),
	[csrNumbers.senvcfg]: {
		gate: 'none',
		read: ({ state }) => state[Slot.senvcfg],
		write: ({ state, ports }, value) => {
			const before = state[Slot.senvcfg];
			const after = environmentConfig(before, value, ENVCFG_COMMON);
			if (after === before) return;
			state[Slot.senvcfg] = after;
			ports.contextChanged();
		},
	},
	[csrNumbers.sscratch]: storage(Slot.sscratch),
	[csrNumbers.sepc]: storage(Slot.sepc, EPC_MASK),
	[csrNumbers.scause]: storage(Slot.scause),
	[csrNumbers.stval]: storage(Slot.stval),
	[csrNumbers.stimecmp]: timerCompare(Slot.stimecmp),
	[csrNumbers.satp]: addressTranslation(Slot.satp),
};
