/**
 * The board's devicetree: what QEMU 7.2's `virt` would say of the devices that this board has, under the same node
 * names, addresses, interrupt numbers and compatible strings.
 */
import { cells, type FdtNode, node, type PropertyInput, ref, reg64, root, strings } from '@partita/fdt';
import { InterruptNumber, MemoryMap, TIMEBASE_HERTZ, VIRTIO_SLOTS } from './memory-map.ts';

type Properties = Readonly<Record<string, PropertyInput>>;

/** What the devicetree depends on. */
export interface DeviceTreeOptions {
	readonly harts: number;
	/** Bytes of RAM. */
	readonly memory: number;
	/** Kernel command line. */
	readonly append?: string;
	/** Where the initial RAM disk is. */
	readonly initrd?: { readonly start: number; readonly end: number };
	/** Seed of the kernel's random number generator, 32 bytes. */
	readonly randomSeed?: Uint8Array;
	/** There is no M-mode firmware in the guest: M-mode's interrupts are not offered to it. */
	readonly supervisorOnly: boolean;
}

/** Extensions of a hart, as `riscv,isa` lists them. */
export const ISA_STRING =
	'rv64imafdch_zicbom_zicboz_zicntr_zicond_zicsr_zifencei_zihintpause_zba_zbb_zbc_zbs_sstc_svinval_svnapot_svpbmt';

const M_SOFTWARE = 3;
const M_TIMER = 7;
const M_EXTERNAL = 11;
const S_EXTERNAL = 9;
/** No interrupt: the context is not connected. */
const NOT_CONNECTED = 0xffff_ffff;

/** The devicetree as a tree; phandles are given when it is written. */
export function virtDeviceTree(options: DeviceTreeOptions): FdtNode {
	const { harts, memory } = options;
	const ids = Array.from({ length: harts }, (_, id) => id);
	return root({ '#address-cells': 2, '#size-cells': 2, compatible: 'riscv-virtio', model: 'riscv-virtio,partita' }, [
		node('chosen', chosen(options)),
		node(`memory@${MemoryMap.ram.base.toString(16)}`, {
			device_type: 'memory',
			reg: reg64(MemoryMap.ram.base, memory),
		}),
		node('cpus', { '#address-cells': 1, '#size-cells': 0, 'timebase-frequency': TIMEBASE_HERTZ }, [
			...ids.map(cpu),
			node('cpu-map', {}, [
				node(
					'cluster0',
					{},
					ids.map((id) => node(`core${id}`, { cpu: ref(`cpu${id}`) })),
				),
			]),
		]),
		node('pmu', { compatible: 'riscv,pmu' }),
		node('poweroff', { compatible: 'syscon-poweroff', value: 0x5555, offset: 0, regmap: ref('test') }),
		node('reboot', { compatible: 'syscon-reboot', value: 0x7777, offset: 0, regmap: ref('test') }),
		node('soc', { '#address-cells': 2, '#size-cells': 2, compatible: 'simple-bus', ranges: true }, [
			device('rtc', MemoryMap.rtc, { compatible: 'google,goldfish-rtc' }, InterruptNumber.rtc),
			device('serial', MemoryMap.uart, { compatible: 'ns16550a', 'clock-frequency': 3_686_400 }, InterruptNumber.uart),
			device('test: test', MemoryMap.finisher, { compatible: strings('sifive,test1', 'sifive,test0', 'syscon') }),
			...Array.from({ length: VIRTIO_SLOTS }, (_, slot) =>
				device(
					'virtio_mmio',
					{ base: MemoryMap.virtio.base + slot * MemoryMap.virtio.size, size: MemoryMap.virtio.size },
					{ compatible: 'virtio,mmio' },
					InterruptNumber.virtio + slot,
				),
			),
			device('plic: plic', MemoryMap.plic, {
				compatible: strings('sifive,plic-1.0.0', 'riscv,plic0'),
				'#address-cells': 0,
				'#interrupt-cells': 1,
				'interrupt-controller': true,
				'riscv,ndev': 95,
				'interrupts-extended': cells(
					...ids.flatMap((id) => [
						ref(`intc${id}`),
						options.supervisorOnly ? NOT_CONNECTED : M_EXTERNAL,
						ref(`intc${id}`),
						S_EXTERNAL,
					]),
				),
			}),
			...(options.supervisorOnly
				? []
				: [
						device('clint', MemoryMap.aclint, {
							compatible: strings('sifive,clint0', 'riscv,clint0'),
							'interrupts-extended': cells(
								...ids.flatMap((id) => [ref(`intc${id}`), M_SOFTWARE, ref(`intc${id}`), M_TIMER]),
							),
						}),
					]),
		]),
	]);
}

function chosen(options: DeviceTreeOptions): Properties {
	return {
		'stdout-path': `/soc/serial@${MemoryMap.uart.base.toString(16)}`,
		...(options.append === undefined ? {} : { bootargs: options.append }),
		...(options.initrd === undefined
			? {}
			: {
					'linux,initrd-start': BigInt(options.initrd.start),
					'linux,initrd-end': BigInt(options.initrd.end),
				}),
		...(options.randomSeed === undefined ? {} : { 'rng-seed': options.randomSeed }),
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
			'riscv,isa': ISA_STRING,
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
	properties: Properties,
	interrupt?: number,
): FdtNode {
	return node(`${name}@${base.toString(16)}`, {
		...properties,
		reg: reg64(base, size),
		...(interrupt === undefined ? {} : { interrupts: interrupt, 'interrupt-parent': ref('plic') }),
	});
}
