/**
 * The physical address space of a machine: RAM as a pool of host frames, and MMIO windows.
 *
 * @packageDocumentation
 */
export { AddressMap, type MmioDevice, type MmioWindow } from './address-map.ts';
export { PAGE_BITS, PAGE_SIZE, PageFlag } from './page-word.ts';
export {
	type CodeCache,
	FramePoolExhausted,
	type MemoryLayout,
	PhysicalMemory,
	type PhysicalMemoryState,
} from './physical-memory.ts';
