/**
 * Access to CSRs by number: who may (privilege, V, enables), and which register an access reaches.
 * What each CSR holds and does is defined in `csr-user.ts`, `csr-supervisor.ts`, `csr-hypervisor.ts`, `csr-machine.ts`.
 * RISC-V Privileged ISA: "CSR Address Mapping Conventions", the counter-enable registers, Sstc; Hypervisor extension,
 * "Trap Cause Codes" (which accesses are virtual-instruction exceptions).
 */

import { csrFields, csrNumbers, exceptions } from '@partita/riscv';
import { Slot } from '../state.ts';
import type { CsrDefinition } from './csr-definition.ts';
import { hypervisorCsrs } from './csr-hypervisor.ts';
import { machineCsrs } from './csr-machine.ts';
import { supervisorCsrs } from './csr-supervisor.ts';
import { userCsrs } from './csr-user.ts';
import { EnvironmentConfig, HypervisorStatus, Status } from './fields.ts';
import type { PrivilegedHart } from './hart.ts';
import { floatEnabled } from './status.ts';

const ALLOWED = 0;
const ILLEGAL = exceptions.IllegalInstruction;
const VIRTUAL = exceptions.VirtualInstruction;
const TIME = csrFields.counterBits.TM;

/** Definitions by number; a dense array, for speed. */
const definitions: (CsrDefinition | undefined)[] = new Array(4096).fill(undefined);
for (const table of [userCsrs, supervisorCsrs, hypervisorCsrs, machineCsrs]) {
	for (const [number, definition] of Object.entries(table)) definitions[Number(number)] = definition;
}

/** The number that an access reaches with V=1: the VS CSR in place of the supervisor CSR that it replicates. */
const substitutes: Uint16Array = Uint16Array.from({ length: 4096 }, (_, number) => number);
for (const number of [
	csrNumbers.sstatus,
	csrNumbers.sie,
	csrNumbers.stvec,
	csrNumbers.sscratch,
	csrNumbers.sepc,
	csrNumbers.scause,
	csrNumbers.stval,
	csrNumbers.sip,
	csrNumbers.stimecmp,
	csrNumbers.satp,
]) {
	substitutes[number] = number + 0x100;
}

/** Whether this hart has a CSR. */
export function csrExists(number: number): boolean {
	return definitions[number] !== undefined;
}

/**
 * Whether the current mode may access a CSR.
 * @param number 0 to 4095
 * @param write whether the instruction writes (CSRRS and CSRRC with rs1=x0 do not)
 * @returns 0 if it may; otherwise the exception's code: illegal instruction (2) or virtual instruction (22)
 */
export function checkCsrAccess(state: BigUint64Array, number: number, write: boolean): number {
	const definition = definitions[number];
	// Bits 11:10 all set: read-only. No mode can do this, so it is never a virtual-instruction exception.
	if (definition === undefined || (write && number >= 0xc00)) return ILLEGAL;
	const gate = definition.gate;
	if (gate === 'float') return floatEnabled(state) ? ALLOWED : ILLEGAL;
	const privilege = Number(state[Slot.privilege]);
	if (privilege === 3) return ALLOWED;
	// Bits 9:8: 0 for U, 1 for S, 2 for HS (the hypervisor and VS CSRs), 3 for M.
	const level = (number >> 8) & 3;
	if (level === 3) return ILLEGAL;
	if (state[Slot.virtual] !== 0n) return checkGuestAccess(state, number, gate, level, privilege);
	if (level > 0 && privilege === 0) return ILLEGAL;
	switch (gate) {
		case 'none':
			return ALLOWED;
		case 'counter': {
			const bit = 1n << BigInt(number & 31);
			if ((state[Slot.mcounteren] & bit) === 0n) return ILLEGAL;
			return privilege === 0 && (state[Slot.scounteren] & bit) === 0n ? ILLEGAL : ALLOWED;
		}
		case 'satp':
		case 'hgatp':
			return (state[Slot.mstatus] & Status.TVM) === 0n ? ALLOWED : ILLEGAL;
		case 'stimecmp':
			return timerAccessible(state) ? ALLOWED : ILLEGAL;
	}
}

/** {@link checkCsrAccess} with V=1: virtual instruction if the same access is allowed in HS-mode (TVM aside). */
function checkGuestAccess(
	state: BigUint64Array,
	number: number,
	gate: CsrDefinition['gate'],
	level: number,
	privilege: number,
): number {
	const bit = gate === 'counter' ? 1n << BigInt(number & 31) : 0n;
	if (gate === 'counter' && (state[Slot.mcounteren] & bit) === 0n) return ILLEGAL;
	if (gate === 'stimecmp' && !timerAccessible(state)) return ILLEGAL;
	if (level === 2 || (level === 1 && privilege === 0)) return VIRTUAL;
	switch (gate) {
		case 'counter':
			if ((state[Slot.hcounteren] & bit) === 0n) return VIRTUAL;
			return privilege === 0 && (state[Slot.scounteren] & bit) === 0n ? VIRTUAL : ALLOWED;
		case 'satp':
			return (state[Slot.hstatus] & HypervisorStatus.VTVM) === 0n ? ALLOWED : VIRTUAL;
		case 'stimecmp':
			return (state[Slot.henvcfg] & EnvironmentConfig.STCE) !== 0n && (state[Slot.hcounteren] & TIME) !== 0n
				? ALLOWED
				: VIRTUAL;
		default:
			return ALLOWED;
	}
}

/** Whether HS-mode may access stimecmp and vstimecmp. */
function timerAccessible(state: BigUint64Array): boolean {
	return (state[Slot.menvcfg] & EnvironmentConfig.STCE) !== 0n && (state[Slot.mcounteren] & TIME) !== 0n;
}

/**
 * Read a CSR as the current mode sees it (with V=1, a supervisor CSR's VS replica), without an access check.
 * @returns its 64-bit value; 0 for a CSR that does not exist
 */
export function readCsr(hart: PrivilegedHart, number: number): bigint {
	const definition = reached(hart.state, number);
	return definition === undefined ? 0n : definition.read(hart);
}

/**
 * Write a CSR as the current mode sees it, without an access check; WARL rules apply, the ports are told.
 * A CSR that does not exist is left alone. Writes of counters assume that an instruction makes them, and will retire.
 */
export function writeCsr(hart: PrivilegedHart, number: number, value: bigint): void {
	reached(hart.state, number)?.write(hart, BigInt.asUintN(64, value));
}

function reached(state: BigUint64Array, number: number): CsrDefinition | undefined {
	return definitions[state[Slot.virtual] === 0n ? number : substitutes[number]];
}

/**
 * Execute CSRRW, CSRRS, CSRRC or an immediate form, and write rd. pc is not advanced.
 * @param word an instruction with opcode SYSTEM and funct3 1, 2, 3, 5, 6 or 7
 * @returns 0, or the exception's code with nothing changed
 */
export function executeCsr(hart: PrivilegedHart, word: number): number {
	const { state } = hart;
	const number = word >>> 20;
	const source = (word >>> 15) & 31;
	const rd = (word >>> 7) & 31;
	const operation = (word >>> 12) & 3;
	const write = operation === 1 || source !== 0;
	const fault = checkCsrAccess(state, number, write);
	if (fault !== ALLOWED) return fault;
	const definition = reached(state, number) as CsrDefinition;
	const old = rd !== 0 || operation !== 1 ? definition.read(hart) : 0n;
	if (write) {
		const operand = (word & 0x4000) !== 0 ? BigInt(source) : state[Slot.x + source];
		if (operation === 1) {
			definition.write(hart, operand);
		} else {
			const base = definition.readForModify === undefined ? old : definition.readForModify(hart);
			definition.write(hart, operation === 2 ? base | operand : base & ~operand);
		}
	}
	if (rd !== 0) state[Slot.x + rd] = old;
	return ALLOWED;
}
