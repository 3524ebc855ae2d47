/**
 * A virtual machine monitor: guest memory, exits, SBI, virtual devices; privileged or not.
 *
 * @packageDocumentation
 */
export type { GuestBoot, GuestPart, VirtualMachineOptions } from './description.ts';
export { VmError } from './errors.ts';
export { GuestMemory, type GuestMemoryLayout, type GuestMemoryPlacement } from './guest-memory.ts';
export type {
	FrameAllocator,
	InterruptControllerDescription,
	InterruptLine,
	MonitorWork,
	PhysicalAccess,
	VcpuHart,
	VirtualDevice,
	VirtualDeviceDescription,
	VirtualDevicePorts,
	VirtualInterruptController,
	VmEnvironment,
	VmExit,
	Window,
} from './ports.ts';
export { Vcpu, type VcpuOptions, type VcpuState } from './vcpu.ts';
export {
	VirtualMachine,
	type VirtualMachineState,
	type VmAction,
	type VmEnding,
	type VmExitCounts,
	type VmPlacement,
} from './virtual-machine.ts';
