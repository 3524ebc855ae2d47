/**
 * A QEMU-`virt`-compatible RISC-V machine.
 *
 * @packageDocumentation
 */
export type { BootImages, BootLayout } from './boot.ts';
export { type DeviceTreeOptions, ISA_STRING, virtDeviceTree } from './device-tree.ts';
export { MachineError } from './errors.ts';
export type { Ending, HostedKernel, HostedKernelFactory, KernelBoard } from './hosted-kernel.ts';
export { type Image, type ImagePart, placeImage } from './image.ts';
export {
	CHECKPOINT,
	Machine,
	type MachineOptions,
	type MachineState,
	type RunOptions,
	type RunResult,
	TURN,
	type VirtioDescription,
	type VirtioState,
} from './machine.ts';
export { InterruptNumber, MemoryMap, TICK_NANOS, TIMEBASE_HERTZ, VIRTIO_SLOTS } from './memory-map.ts';
export { decodeSnapshot, encodeSnapshot, SNAPSHOT_VERSION, type Snapshot, type SnapshotMachine } from './snapshot.ts';
export type { PlainValue } from './snapshot-values.ts';
