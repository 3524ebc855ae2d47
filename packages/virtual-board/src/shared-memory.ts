/**
 * Shared memory with a doorbell, as a PCI function that an unmodified kernel finds: an ivshmem device of revision 0, with INTx.
 * QEMU, docs/specs/ivshmem-spec. BAR 0 holds the registers, BAR 2 is the memory:
 *
 * ```
 * 0x0  interrupt mask      1: interrupts
 * 0x4  interrupt status    1: it was rung; reading clears it
 * 0x8  position            the number of this VM among those that share
 * 0xc  doorbell            a store of (peer << 16) | vector rings the peer, 0 to 31
 * ```
 * A Linux program maps the memory through `resource2` of the device in sysfs, and takes interrupts with `uio_pci_generic`.
 */
import { cells, type FdtNode, node, ref, reg64 } from '@partita/fdt';
import type { VirtualDevice, VirtualDeviceDescription } from '@partita/vmm';
import { VirtualInterrupt, VirtualMemoryMap } from './memory-map.ts';
import { PciHost, type PciIdentity } from './pci.ts';

const MASK = 0x0;
const STATUS = 0x4;
const POSITION = 0x8;
const DOORBELL = 0xc;
const REGISTERS_SIZE = 0x1000;

/** Plain state of the registers. */
export interface SharedMemoryState {
	readonly mask: number;
	readonly status: number;
}

/** The registers, in BAR 0. */
class Registers implements VirtualDevice {
	readonly #host: PciHost;
	readonly #position: number;
	readonly #ring: (peer: number) => void;
	#mask = 0;
	#status = 0;

	constructor(host: PciHost, position: number, ring: (peer: number) => void) {
		this.#host = host;
		this.#position = position;
		this.#ring = ring;
	}

	get state(): SharedMemoryState {
		return { mask: this.#mask, status: this.#status };
	}

	restore({ mask, status }: SharedMemoryState): void {
		this.#mask = mask >>> 0;
		this.#status = status & 1;
		this.#update();
	}

	rung(): void {
		this.#status = 1;
		this.#update();
	}

	read(offset: number): number {
		switch (offset) {
			case MASK:
				return this.#mask;
			case STATUS: {
				const status = this.#status;
				this.#status = 0;
				this.#update();
				return status;
			}
			case POSITION:
				return this.#position;
			default:
				return 0;
		}
	}

	write(offset: number, _size: 1 | 2 | 4, value: number): void {
		if (offset === MASK) this.#mask = value >>> 0;
		else if (offset === STATUS) this.#status = value & 1;
		else if (offset === DOORBELL) {
			const peer = value >>> 16;
			if (peer < 32) this.#ring(peer);
		}
		this.#update();
	}

	#update(): void {
		this.#host.interrupt((this.#mask & this.#status & 1) !== 0);
	}
}

/** Where the shared memory is, and how it is described. */
export interface PciSharedMemory {
	/** Guest physical address of BAR 2. */
	readonly base: number;
	/** Of the host. */
	readonly node: FdtNode;
	/**
	 * The devices of the machine that sees the memory.
	 * @param ring - the guest rings a peer, 0 to 31
	 */
	devices(ring: (peer: number) => void): readonly VirtualDeviceDescription[];
}

/**
 * Shared memory as a PCI function.
 * @param size - bytes, a power of two, 4 KiB to 512 MiB
 * @param position - the number that the guest finds
 */
export function pciSharedMemory(size: number, position: number): PciSharedMemory {
	const { ecam, pciMemory } = VirtualMemoryMap;
	const base = Math.ceil((pciMemory.base + REGISTERS_SIZE) / size) * size;
	const identity: PciIdentity = {
		vendor: 0x1af4,
		device: 0x1110,
		subsystemVendor: 0x1af4,
		subsystem: 0x1100,
		// RAM.
		classCode: 0x05_0000,
		revision: 0,
		bars: { 0: { base: pciMemory.base, size: REGISTERS_SIZE }, 2: { base, size } },
	};
	return {
		base,
		node: node(`pci@${ecam.base.toString(16)}`, {
			compatible: 'pci-host-ecam-generic',
			device_type: 'pci',
			'#address-cells': 3,
			'#size-cells': 2,
			'#interrupt-cells': 1,
			reg: reg64(ecam.base, ecam.size),
			'bus-range': cells(0, 0),
			'dma-coherent': true,
			// Memory of 32 bits, where the board has it.
			ranges: cells(0x0200_0000, 0, pciMemory.base, 0, pciMemory.base, 0, pciMemory.size),
			'interrupt-map-mask': cells(0, 0, 0, 0),
			'interrupt-map': cells(0, 0, 0, 0, ref('plic'), VirtualInterrupt.pci),
		}),
		devices: (ring) => {
			let host: PciHost | undefined;
			return [
				{
					name: 'pci',
					...ecam,
					interrupt: VirtualInterrupt.pci,
					create: ({ line }) => {
						host = new PciHost(identity, line);
						return host;
					},
				},
				{
					name: 'shared-memory',
					base: pciMemory.base,
					size: REGISTERS_SIZE,
					// Devices are made in their order.
					create: () => new Registers(host!, position, ring),
				},
			];
		},
	};
}
