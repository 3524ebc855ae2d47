/**
 * A virtual machine monitor: guest memory, exits, SBI, virtual devices; privileged or not.
 *
 * @packageDocumentation
 */
export { type GuestBoot, type GuestPart, MOST_VCPUS, type VirtualMachineOptions } from './description.ts';
export { Doorbell, type DoorbellOptions, type DoorbellState, doorbell } from './doorbell.ts';
export { VmError } from './errors.ts';
export {
	GuestMemory,
	type GuestMemoryLayout,
	type GuestMemoryPlacement,
	type SharedMemoryDescription,
} from './guest-memory.ts';
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
export type { VirtualMachineState, VmAction, VmEnding, VmExitCounts, VmPlacement } from './state.ts';
export { Vcpu, type VcpuOptions, type VcpuState } from './vcpu.ts';
export { VirtualMachine } from './virtual-machine.ts';
