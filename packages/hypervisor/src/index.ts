/**
 * A thin hypervisor: virtual CPUs under any scheduling policy, with budgets and counters.
 *
 * @packageDocumentation
 */
export { type DoorbellEnd, type HypervisorConfig, HypervisorError, type ShareConfig, type VmConfig } from './config.ts';
export { type HypervisorFactory, hypervisor } from './factory.ts';
export type { FreeRun } from './frames.ts';
export { Hypervisor } from './hypervisor.ts';
export type {
	ConsoleConfig,
	ConsoleDriver,
	ConsoleEnvironment,
	HypervisorBoard,
	KernelPart,
	MmioRegisters,
	PartEnvironment,
	SchedulingDecision,
	VcpuPolicy,
} from './ports.ts';
export type { DispatcherState, GuestState, HypervisorState, VcpuRecordState } from './state.ts';
export type { HypervisorCounters, HypervisorStatistics, VcpuStatistics, VmStatistics } from './statistics.ts';
export type { KernelTrace } from './trace.ts';
