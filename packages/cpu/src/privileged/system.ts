/**
 * Execution of the SYSTEM instructions other than HLV, HLVX and HSV, and the permission checks of those and of the
 * cache-block instructions, whose memory accesses are the engine's.
 * RISC-V Privileged ISA: "Machine-Mode Privileged Instructions", "Supervisor Instructions", Svinval; Hypervisor
 * extension, "Hypervisor Instructions" and "Trap Cause Codes"; Zicbom and Zicboz.
 */

import { exceptions } from '@partita/riscv';
import { Slot } from '../state.ts';
import { executeCsr } from './csr.ts';
import { EnvironmentConfig, HypervisorStatus, Status } from './fields.ts';
import type { FenceKind, PrivilegedHart } from './hart.ts';
import { wakesFromWait } from './interrupts.ts';
import { machineReturn, supervisorReturn } from './trap-return.ts';

/** A synchronous exception that an instruction raises; nothing has been changed, `takeTrap` remains to be called. */
export interface ExceptionOutcome {
	/** Exception code. */
	readonly cause: number;
	/** mtval, stval or vstval. */
	readonly value: bigint;
}

/**
 * What an instruction came to.
 * - `next`: done; the engine advances pc by 4.
 * - `jump`: done; pc, and with it privilege and V, are set.
 * - `wait`: WFI with nothing to wake for; the engine advances pc by 4, and waits until {@link wakesFromWait}.
 */
export type Outcome = 'next' | 'jump' | 'wait' | ExceptionOutcome;

const ALLOWED = 0;
const ILLEGAL = exceptions.IllegalInstruction;
const VIRTUAL = exceptions.VirtualInstruction;

const ECALL = 0x0000_0073;
const EBREAK = 0x0010_0073;
const SRET = 0x1020_0073;
const MRET = 0x3020_0073;
const WFI = 0x1050_0073;
const SFENCE_W_INVAL = 0x1800_0073;
const SFENCE_INVAL_IR = 0x1810_0073;

/** funct7 of the fences, which leave rd zero. */
const SFENCE_VMA = 0x09;
const SINVAL_VMA = 0x0b;
const HFENCE_VVMA = 0x11;
const HINVAL_VVMA = 0x13;
const HFENCE_GVMA = 0x31;
const HINVAL_GVMA = 0x33;

const ecallFromU: ExceptionOutcome = { cause: exceptions.EnvironmentCallFromU, value: 0n };
const ecallFromHS: ExceptionOutcome = { cause: exceptions.EnvironmentCallFromS, value: 0n };
const ecallFromVS: ExceptionOutcome = { cause: exceptions.EnvironmentCallFromVS, value: 0n };
const ecallFromM: ExceptionOutcome = { cause: exceptions.EnvironmentCallFromM, value: 0n };
/** EBREAK writes 0, as QEMU 7.2 does: the address is in the epc register already. */
const breakpoint: ExceptionOutcome = { cause: exceptions.Breakpoint, value: 0n };

/**
 * Execute an instruction with opcode SYSTEM. Any 32-bit word is safe to give: one that is no such instruction, or HLV,
 * HLVX or HSV, is an illegal instruction.
 */
export function executeSystem(hart: PrivilegedHart, word: number): Outcome {
	const funct3 = (word >>> 12) & 7;
	if (funct3 === 0) return executePrivileged(hart, word);
	if (funct3 === 4) return refused(ILLEGAL, word);
	return completed(executeCsr(hart, word), 'next', word);
}

function executePrivileged(hart: PrivilegedHart, word: number): Outcome {
	const { state } = hart;
	switch (word | 0) {
		case ECALL:
			return environmentCall(state);
		case EBREAK:
			return breakpoint;
		case MRET:
			return completed(machineReturn(hart), 'jump', word);
		case SRET:
			return completed(supervisorReturn(hart), 'jump', word);
		case WFI: {
			const fault = checkWait(state);
			if (fault !== ALLOWED) return refused(fault, word);
			return wakesFromWait(state) ? 'next' : 'wait';
		}
		case SFENCE_W_INVAL:
		case SFENCE_INVAL_IR:
			// SINVAL has already done its work at once: there is nothing left to order.
			return completed(checkSupervisorFence(state, false), 'next', word);
	}
	if (((word >>> 7) & 31) !== 0) return refused(ILLEGAL, word);
	switch (word >>> 25) {
		case SFENCE_VMA:
		case SINVAL_VMA: {
			const fault = checkSupervisorFence(state, true);
			if (fault !== ALLOWED) return refused(fault, word);
			return fence(hart, word, state[Slot.virtual] === 0n ? 'vma' : 'vvma');
		}
		case HFENCE_VVMA:
		case HINVAL_VVMA: {
			const fault = checkHypervisorFence(state, false);
			return fault === ALLOWED ? fence(hart, word, 'vvma') : refused(fault, word);
		}
		case HFENCE_GVMA:
		case HINVAL_GVMA: {
			const fault = checkHypervisorFence(state, true);
			return fault === ALLOWED ? fence(hart, word, 'gvma') : refused(fault, word);
		}
		default:
			return refused(ILLEGAL, word);
	}
}

function environmentCall(state: BigUint64Array): ExceptionOutcome {
	const privilege = state[Slot.privilege];
	if (privilege === 3n) return ecallFromM;
	if (privilege === 0n) return ecallFromU;
	return state[Slot.virtual] === 0n ? ecallFromHS : ecallFromVS;
}

/** WFI never waits for a bounded time first: TW and VTW trap at once, and so does U-mode. */
function checkWait(state: BigUint64Array): number {
	const privilege = state[Slot.privilege];
	if (privilege === 3n) return ALLOWED;
	if ((state[Slot.mstatus] & Status.TW) !== 0n) return ILLEGAL;
	if (state[Slot.virtual] === 0n) return privilege === 0n ? ILLEGAL : ALLOWED;
	return privilege === 0n || (state[Slot.hstatus] & HypervisorStatus.VTW) !== 0n ? VIRTUAL : ALLOWED;
}

/** SFENCE.VMA and SINVAL.VMA, which TVM and VTVM trap; SFENCE.W.INVAL and SFENCE.INVAL.IR, which they do not. */
function checkSupervisorFence(state: BigUint64Array, trappable: boolean): number {
	const privilege = state[Slot.privilege];
	if (privilege === 3n) return ALLOWED;
	if (state[Slot.virtual] === 0n) {
		return privilege === 0n || (trappable && (state[Slot.mstatus] & Status.TVM) !== 0n) ? ILLEGAL : ALLOWED;
	}
	return privilege === 0n || (trappable && (state[Slot.hstatus] & HypervisorStatus.VTVM) !== 0n) ? VIRTUAL : ALLOWED;
}

/** HFENCE and HINVAL; TVM traps the GVMA ones. */
function checkHypervisorFence(state: BigUint64Array, trappable: boolean): number {
	if (state[Slot.virtual] !== 0n) return VIRTUAL;
	const privilege = state[Slot.privilege];
	if (privilege === 3n) return ALLOWED;
	return privilege === 0n || (trappable && (state[Slot.mstatus] & Status.TVM) !== 0n) ? ILLEGAL : ALLOWED;
}

function fence({ state, ports }: PrivilegedHart, word: number, kind: FenceKind): Outcome {
	const rs1 = (word >>> 15) & 31;
	const rs2 = (word >>> 20) & 31;
	let address: bigint | undefined;
	let id: bigint | undefined;
	// HFENCE.GVMA's address is shifted right by 2, as in htval.
	if (rs1 !== 0) address = kind === 'gvma' ? state[Slot.x + rs1] << 2n : state[Slot.x + rs1];
	if (rs2 !== 0) id = state[Slot.x + rs2] & (kind === 'gvma' ? 0x3fffn : 0xffffn);
	ports.flush(kind, address, id);
	return 'next';
}

/**
 * Whether HLV, HLVX and HSV may be executed now.
 * @returns 0, or the exception's code: illegal instruction (2) or virtual instruction (22)
 */
export function checkHypervisorAccess(state: BigUint64Array): number {
	if (state[Slot.virtual] !== 0n) return VIRTUAL;
	return state[Slot.privilege] === 0n && (state[Slot.hstatus] & HypervisorStatus.HU) === 0n ? ILLEGAL : ALLOWED;
}

/**
 * Whether a cache-block instruction may be executed now. Caches are coherent, so that CBO.INVAL need not know whether
 * CBIE wants a flush of it.
 * @param operation the instruction's bits 31:20: 0 CBO.INVAL, 1 CBO.CLEAN, 2 CBO.FLUSH, 4 CBO.ZERO
 * @returns 0, or the exception's code: illegal instruction (2) or virtual instruction (22)
 */
export function checkCacheBlock(state: BigUint64Array, operation: number): number {
	let enable: bigint;
	if (operation === 0) enable = EnvironmentConfig.CBIE;
	else if (operation === 1 || operation === 2) enable = EnvironmentConfig.CBCFE;
	else if (operation === 4) enable = EnvironmentConfig.CBZE;
	else return ILLEGAL;
	const privilege = state[Slot.privilege];
	if (privilege === 3n) return ALLOWED;
	if ((state[Slot.menvcfg] & enable) === 0n) return ILLEGAL;
	const user = privilege !== 0n || (state[Slot.senvcfg] & enable) !== 0n;
	if (state[Slot.virtual] === 0n) return user ? ALLOWED : ILLEGAL;
	return user && (state[Slot.henvcfg] & enable) !== 0n ? ALLOWED : VIRTUAL;
}

function completed(fault: number, outcome: 'next' | 'jump', word: number): Outcome {
	return fault === ALLOWED ? outcome : refused(fault, word);
}

/** Illegal- and virtual-instruction exceptions write the instruction. */
function refused(cause: number, word: number): ExceptionOutcome {
	return { cause, value: BigInt(word >>> 0) };
}
