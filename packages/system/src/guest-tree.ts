/** The devicetree that a virtual machine finds: its memory, its hart, its devices, as the kernels' VMs have them. */
import { cells, type FdtNode, node, ref, reg64, root, strings, writeFdt } from '@partita/fdt';
import { ISA_STRING, TIMEBASE_HERTZ } from '@partita/machine';
import { DEVICE_BYTES } from './checks.ts';
import type { Device, Vm } from './system.ts';

const S_EXTERNAL = 9;
/** Sources of the virtual interrupt controller. */
const SOURCES = 95;
const UART_HERTZ = 3_686_400;

/** The devicetree blob of a virtual machine. */
export function guestTree(vm: Vm, initrd: { readonly start: number; readonly end: number } | undefined): Uint8Array {
	const uart = vm.devices.find(({ kind }) => kind === 'uart');
	const chosen = node('chosen', {
		...(uart ? { 'stdout-path': `/soc/serial@${uart.address.toString(16)}` } : {}),
		...(vm.append === undefined ? {} : { bootargs: vm.append }),
		...(initrd ? { 'linux,initrd-start': BigInt(initrd.start), 'linux,initrd-end': BigInt(initrd.end) } : {}),
	});
	return writeFdt(
		root({ '#address-cells': 2, '#size-cells': 2, compatible: 'riscv-virtio', model: 'partita,vm' }, [
			chosen,
			node(`memory@${vm.base.toString(16)}`, { device_type: 'memory', reg: reg64(vm.base, vm.memory) }),
			node('cpus', { '#address-cells': 1, '#size-cells': 0, 'timebase-frequency': TIMEBASE_HERTZ }, [cpu()]),
			node(
				'soc',
				{ '#address-cells': 2, '#size-cells': 2, compatible: 'simple-bus', ranges: true },
				vm.devices.map(device),
			),
		]),
	);
}

function cpu(): FdtNode {
	return node(
		'cpu0: cpu@0',
		{
			device_type: 'cpu',
			reg: 0,
			status: 'okay',
			compatible: 'riscv',
			'riscv,isa': ISA_STRING.replace('fdch', 'fdc'),
			'riscv,cbom-block-size': 64,
			'riscv,cboz-block-size': 64,
			'mmu-type': 'riscv,sv57',
		},
		[
			node('intc0: interrupt-controller', {
				'#interrupt-cells': 1,
				'interrupt-controller': true,
				compatible: 'riscv,cpu-intc',
			}),
		],
	);
}

function device({ kind, address, interrupt }: Device): FdtNode {
	const at = address.toString(16);
	const reg = reg64(address, DEVICE_BYTES[kind]);
	switch (kind) {
		case 'uart':
			return node(`serial@${at}`, {
				compatible: 'ns16550a',
				'clock-frequency': UART_HERTZ,
				reg,
				...(interrupt === undefined ? {} : { interrupts: interrupt, 'interrupt-parent': ref('plic') }),
			});
		case 'plic':
			return node(`plic: plic@${at}`, {
				compatible: strings('sifive,plic-1.0.0', 'riscv,plic0'),
				'#address-cells': 0,
				'#interrupt-cells': 1,
				'interrupt-controller': true,
				'riscv,ndev': SOURCES,
				'interrupts-extended': cells(ref('intc0'), S_EXTERNAL),
				reg,
			});
	}
}
