/** The privileged architecture over a hart's plain state: CSRs, traps, interrupts, SYSTEM instructions. */

export { checkCsrAccess, csrExists, executeCsr, readCsr, writeCsr } from './csr.ts';
export { type FenceKind, MISA, type PrivilegedHart, type PrivilegedPorts, resetState } from './hart.ts';
export {
	nextTimerChange,
	pendingBits,
	pendingInterrupt,
	updateTimerLines,
	wakesFromWait,
} from './interrupts.ts';
export { floatEnabled, markFloatDirty } from './status.ts';
export {
	checkCacheBlock,
	checkHypervisorAccess,
	type ExceptionOutcome,
	executeSystem,
	type Outcome,
} from './system.ts';
export { transformInstruction, VS_STAGE_READ, VS_STAGE_WRITE } from './transformed-instruction.ts';
export { type GuestAccess, type TrapTarget, takeTrap, trapTarget } from './trap.ts';
export { machineReturn, supervisorReturn } from './trap-return.ts';
