// Interrupt controllers of a RISC-V board: ACLINT (software and timer interrupts) and PLIC (external interrupts).
export {
	ACLINT_MSIP,
	ACLINT_MTIME,
	ACLINT_MTIMECMP,
	ACLINT_SIZE,
	Aclint,
	type AclintOptions,
	type AclintState,
} from './aclint.ts';
export {
	FU540_PLIC,
	PLIC_CLAIM,
	PLIC_CONTEXT_STRIDE,
	PLIC_ENABLE,
	PLIC_ENABLE_STRIDE,
	PLIC_PENDING,
	PLIC_PRIORITY,
	PLIC_THRESHOLD,
	Plic,
	type PlicLayout,
	type PlicOptions,
	type PlicState,
	QEMU_VIRT_PLIC,
} from './plic.ts';
export type { AccessSize, InterruptLine } from './ports.ts';
export { StateError } from './state-error.ts';
