/**
 * A microkernel with the seL4 MCS interface on RISC-V64: threads, address spaces, capabilities, IPC, scheduling contexts;
 * programs in U-mode, hosted components, and guests of virtual CPUs.
 *
 * @packageDocumentation
 */
export type { BootContext, BootModule } from './boot/boot.ts';
export { SystemBuilder } from './boot/builder.ts';
export type {
	CapabilityDescription,
	ComponentDescription,
	DomainDescription,
	MappingDescription,
	ProtectionDomainDescription,
	RegionDescription,
	SchedulingDescription,
	SystemDescription,
} from './boot/description.ts';
export { type RootTaskConfig, rootTask } from './boot/root-task.ts';
export { staticSystem } from './boot/static.ts';
export type {
	ComponentBehaviour,
	ComponentEnvironment,
	ComponentFactory,
	MemoryPool,
	Message,
	VcpuControl,
	VcpuRegisters,
} from './component.ts';
export { type ComponentPlacement, Components, type ComponentsState } from './component-runner.ts';
export { type KernelPolicy, type MicrokernelConfig, MicrokernelError } from './config.ts';
export type { ContextSettings } from './context.ts';
export type { HostedThreads } from './hosted.ts';
export { Microkernel, type MicrokernelFactory, type MicrokernelState, microkernel } from './kernel.ts';
export type { KernelMemory, KernelParts } from './parts.ts';
export {
	type AbiProfile,
	type FaultName,
	type InvocationName,
	MICROKIT_2_0_1,
	MICROKIT_2_3,
	SEL4_MCS_16,
	type SystemCallName,
} from './profile.ts';
export type { KernelCounters, KernelStatistics, ThreadStatistics } from './statistics.ts';
export {
	type FaultKind,
	type FaultRecord,
	type Received,
	Register,
	TcbSlot,
	type Thread,
	type ThreadId,
	type ThreadKind,
	type ThreadStatus,
} from './thread.ts';
export type { KernelTrace } from './trace.ts';
export type { PageRights, TableRecord } from './vspace.ts';
