/**
 * The board's physical memory map and interrupt numbers: those of QEMU 7.2's `virt` machine for RISC-V.
 *
 * ```
 * 0x0000_1000  boot ROM (reset vector, devicetree when there is no RAM for it)
 * 0x0010_0000  test finisher: power-off, reset
 * 0x0010_1000  real-time clock                       interrupt 11
 * 0x0200_0000  ACLINT: MSIP, MTIMECMP, MTIME
 * 0x0c00_0000  PLIC
 * 0x1000_0000  UART (ns16550a)                       interrupt 10
 * 0x1000_1000  eight virtio-mmio windows             interrupts 1 to 8
 * 0x8000_0000  RAM
 * ```
 */
export const MemoryMap = {
	rom: { base: 0x1000, size: 0xf000 },
	finisher: { base: 0x10_0000, size: 0x1000 },
	rtc: { base: 0x10_1000, size: 0x1000 },
	aclint: { base: 0x200_0000, size: 0x1_0000 },
	plic: { base: 0xc00_0000, size: 0x60_0000 },
	uart: { base: 0x1000_0000, size: 0x100 },
	virtio: { base: 0x1000_1000, size: 0x1000 },
	ram: { base: 0x8000_0000 },
} as const;

/** virtio-mmio windows. */
export const VIRTIO_SLOTS = 8;

/** PLIC sources. */
export const InterruptNumber = {
	/** Of virtio window 0; the others follow. */
	virtio: 1,
	uart: 10,
	rtc: 11,
} as const;

/** Ticks of mtime a second. */
export const TIMEBASE_HERTZ = 10_000_000;
/** Nanoseconds a tick of mtime. */
export const TICK_NANOS = 100;
