/** The devicetree that the guest finds: the nodes of QEMU's `virt` for what the board has, under the same names. */
import { cells, type FdtNode, node, type PropertyInput, ref, reg64, root, strings, writeFdt } from '@partita/fdt';
import { ISA_STRING, TIMEBASE_HERTZ } from '@partita/machine';
import { VirtualInterrupt, VirtualMemoryMap } from './memory-map.ts';

const S_EXTERNAL = 9;
/** No interrupt: the context is not connected. */
const NOT_CONNECTED = 0xffff_ffff;
/** The guest has no hypervisor extension. */
const GUEST_ISA = ISA_STRING.replace('rv64imafdch', 'rv64imafdc');

/** What the devicetree depends on. */
export interface VirtualTreeOptions {
	/** Bytes of memory. */
	readonly memory: number;
	readonly vcpus: number;
	readonly append?: string;
	readonly randomSeed?: Uint8Array;
	readonly initrd?: { readonly start: number; readonly end: number };
	/** Number of virtio windows. */
	readonly virtio: number;
	/** Nodes of further devices, in `soc`. */
	readonly nodes: readonly FdtNode[];
	/** PCI devices are where they are: the kernel does not move them. */
	readonly pciFixed?: boolean;
}

/** The devicetree as a blob. */
export function virtualTree(options: VirtualTreeOptions): Uint8Array {
	const { memory, nodes } = options;
	const { memory: ram, virtio, uart, rtc, plic } = VirtualMemoryMap;
	const ids = Array.from({ length: options.vcpus }, (_, id) => id);
	return writeFdt(
		root({ '#address-cells': 2, '#size-cells': 2, compatible: 'riscv-virtio', model: 'riscv-virtio,partita-vm' }, [
			node('chosen', chosen(options)),
			node(`memory@${ram.base.toString(16)}`, { device_type: 'memory', reg: reg64(ram.base, memory) }),
			node('cpus', { '#address-cells': 1, '#size-cells': 0, 'timebase-frequency': TIMEBASE_HERTZ }, ids.map(cpu)),
			node('soc', { '#address-cells': 2, '#size-cells': 2, compatible: 'simple-bus', ranges: true }, [
				device('rtc', rtc, { compatible: 'google,goldfish-rtc' }, VirtualInterrupt.rtc),
				device('serial', uart, { compatible: 'ns16550a', 'clock-frequency': 3_686_400 }, VirtualInterrupt.uart),
				...Array.from({ length: options.virtio }, (_, slot) =>
					device(
						'virtio_mmio',
						{ base: virtio.base + slot * virtio.size, size: virtio.size },
						{ compatible: 'virtio,mmio' },
						VirtualInterrupt.virtio + slot,
					),
				),
				...nodes,
				device('plic: plic', plic, {
					compatible: strings('sifive,plic-1.0.0', 'riscv,plic0'),
					'#address-cells': 0,
					'#interrupt-cells': 1,
					'interrupt-controller': true,
					'riscv,ndev': 95,
					'interrupts-extended': cells(
						...ids.flatMap((id) => [ref(`intc${id}`), NOT_CONNECTED, ref(`intc${id}`), S_EXTERNAL]),
					),
				}),
			]),
		]),
	);
}

function chosen({ append, initrd, randomSeed, pciFixed }: VirtualTreeOptions): Record<string, PropertyInput> {
	return {
		'stdout-path': `/soc/serial@${VirtualMemoryMap.uart.base.toString(16)}`,
		...(append === undefined ? {} : { bootargs: append }),
		...(initrd && { 'linux,initrd-start': BigInt(initrd.start), 'linux,initrd-end': BigInt(initrd.end) }),
		...(randomSeed && { 'rng-seed': randomSeed }),
		...(pciFixed ? { 'linux,pci-probe-only': 1 } : {}),
	};
}

function cpu(id: number): FdtNode {
	return node(
		`cpu${id}: cpu@${id.toString(16)}`,
		{
			device_type: 'cpu',
			reg: id,
			status: 'okay',
			compatible: 'riscv',
			'riscv,isa': GUEST_ISA,
			'riscv,cbom-block-size': 64,
			'riscv,cboz-block-size': 64,
			'mmu-type': 'riscv,sv57',
		},
		[
			node(`intc${id}: interrupt-controller`, {
				'#interrupt-cells': 1,
				'interrupt-controller': true,
				compatible: 'riscv,cpu-intc',
			}),
		],
	);
}

function device(
	name: string,
	{ base, size }: { readonly base: number; readonly size: number },
	properties: Record<string, PropertyInput>,
	interrupt?: number,
): FdtNode {
	return node(`${name}@${base.toString(16)}`, {
		...properties,
		reg: reg64(base, size),
		...(interrupt === undefined ? {} : { interrupts: interrupt, 'interrupt-parent': ref('plic') }),
	});
}
