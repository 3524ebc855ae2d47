/**
 * A virtual machine like QEMU's `virt` board: devices, devicetree and boot, for whoever hosts the virtual machine monitor.
 *
 * @packageDocumentation
 */
export { type VirtualBoard, VirtualBoardError, type VirtualBoardOptions, virtualBoard } from './board.ts';
export { type VirtualTreeOptions, virtualTree } from './device-tree.ts';
export { MOST_VIRTIO, VirtualInterrupt, VirtualMemoryMap } from './memory-map.ts';
export { PCI_DEVICE, type PciBar, PciHost, type PciHostState, type PciIdentity } from './pci.ts';
export { type PciSharedMemory, pciSharedMemory, type SharedMemoryState } from './shared-memory.ts';
export { type VirtualVirtio, VirtualVirtioDevice, type VirtualVirtioState } from './virtio.ts';
