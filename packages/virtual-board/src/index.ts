/**
 * A virtual machine like QEMU's `virt` board: devices, devicetree and boot, for whoever hosts the virtual machine monitor.
 *
 * @packageDocumentation
 */
export { type VirtualBoard, VirtualBoardError, type VirtualBoardOptions, virtualBoard } from './board.ts';
export { type VirtualTreeOptions, virtualTree } from './device-tree.ts';
export { MOST_VIRTIO, VirtualInterrupt, VirtualMemoryMap } from './memory-map.ts';
export { type VirtualVirtio, VirtualVirtioDevice, type VirtualVirtioState } from './virtio.ts';
