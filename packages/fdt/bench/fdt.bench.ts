// Nodes per second: a tree of 1001 nodes, each with five properties as devices have them.
import { findByCompatible, node, readFdt, ref, reg64, root, toDts, writeFdt } from '@partita/fdt';
import { test } from 'vitest';

const tree = root({ '#address-cells': 2, '#size-cells': 2 }, [
	node('plic: plic@c000000', { compatible: 'riscv,plic0', '#interrupt-cells': 1 }),
	...Array.from({ length: 999 }, (_, i) =>
		node(`virtio_mmio@${(0x1000_0000 + i * 0x1000).toString(16)}`, {
			compatible: 'virtio,mmio',
			reg: reg64(0x1000_0000 + i * 0x1000, 0x1000),
			interrupts: i,
			'interrupt-parent': ref('plic'),
			'dma-coherent': true,
		}),
	),
]);
const blob = writeFdt(tree);

test('flattened devicetrees', async ({ bench }) => {
	await bench('write 1001 nodes', () => {
		writeFdt(tree);
	}).run();
	await bench('read 1001 nodes', () => {
		readFdt(blob);
	}).run();
	await bench('find by compatible among 1001 nodes', () => {
		findByCompatible(tree, 'riscv,plic0');
	}).run();
	await bench('source of 1001 nodes', () => {
		toDts(tree);
	}).run();
});
