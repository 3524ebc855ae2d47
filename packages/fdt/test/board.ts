// A small board for tests: every kind of value, labels, references.

import { cells, node, pathOf, ref, reg64, root } from '../src/build.ts';
import type { FdtNode } from '../src/tree.ts';

export function board(): FdtNode {
	return root(
		{ '#address-cells': 2, '#size-cells': 2, compatible: ['partita,test', 'riscv-virtio'], model: 'Test "1"' },
		[
			node('chosen', { bootargs: 'console=ttyS0', 'stdout-path': pathOf('uart0'), 'rng-seed': Uint8Array.of(1, 2, 3) }),
			node('aliases', { serial0: pathOf('uart0') }),
			node('memory@80000000', { device_type: 'memory', reg: reg64(0x8000_0000, 0x1000_0000) }),
			node('cpus', { '#address-cells': 1, '#size-cells': 0, 'timebase-frequency': 10_000_000 }, [
				node('cpu@0', { device_type: 'cpu', reg: 0, compatible: 'riscv', 'riscv,isa': 'rv64imafdch' }, [
					node('cpu0_intc: interrupt-controller', {
						'#interrupt-cells': 1,
						'interrupt-controller': true,
						compatible: 'riscv,cpu-intc',
					}),
				]),
			]),
			node('soc', { '#address-cells': 2, '#size-cells': 2, compatible: 'simple-bus', ranges: true, dma: false }, [
				node('plic: interrupt-controller@c000000', {
					compatible: ['sifive,plic-1.0.0', 'riscv,plic0'],
					reg: reg64(0xc00_0000, 0x60_0000),
					'#interrupt-cells': 1,
					'interrupt-controller': true,
					'interrupts-extended': cells(ref('cpu0_intc'), 11, ref('cpu0_intc'), 9),
					'riscv,ndev': 95,
				}),
				node('uart0: serial@10000000', {
					compatible: 'ns16550a',
					reg: reg64(0x1000_0000, 0x100),
					'clock-frequency': 3_686_400,
					'interrupt-parent': ref('plic'),
					interrupts: 10,
				}),
			]),
		],
	);
}
