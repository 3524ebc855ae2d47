/**
 * Where things are for the guest, as on QEMU's `virt` board, of which an unmodified kernel makes nothing else.
 *
 * ```
 * 0x0010_1000  real-time clock                interrupt 11
 * 0x0c00_0000  PLIC: contexts M and S of each virtual CPU, M not connected
 * 0x1000_0000  UART (ns16550a)                interrupt 10
 * 0x1000_1000  virtio-mmio windows            interrupts 1 to 8
 * 0x3000_0000  PCI configuration space        interrupt 32, where there is shared memory
 * 0x4000_0000  PCI memory
 * 0x8000_0000  memory
 * ```
 */
export const VirtualMemoryMap = {
	rtc: { base: 0x10_1000, size: 0x1000 },
	plic: { base: 0xc00_0000, size: 0x60_0000 },
	uart: { base: 0x1000_0000, size: 0x100 },
	virtio: { base: 0x1000_1000, size: 0x1000 },
	/** Of bus 0. */
	ecam: { base: 0x3000_0000, size: 0x10_0000 },
	pciMemory: { base: 0x4000_0000, size: 0x4000_0000 },
	memory: { base: 0x8000_0000 },
} as const;

/** Sources at the PLIC. */
export const VirtualInterrupt = {
	/** Of virtio window 0; the others follow. */
	virtio: 1,
	uart: 10,
	rtc: 11,
	/** INTA. */
	pci: 32,
} as const;

/** Most virtio devices. */
export const MOST_VIRTIO = 8;
