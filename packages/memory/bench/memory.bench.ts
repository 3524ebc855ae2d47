// Guest memory: copies as devices make them, and what a snapshot and the trace hash cost. 128 MiB of RAM at 0x80000000.
import { AddressMap, PhysicalMemory } from '@partita/memory';
import { test } from 'vitest';

const RAM = 0x8000_0000;
const PAGES = (RAM + 0x800_0000) / 4096;

function board(touched: number): PhysicalMemory {
	const poolStart = Math.ceil((PAGES * 4) / 4096) * 4096;
	const memory = new PhysicalMemory({
		memory: new WebAssembly.Memory({ initial: Math.ceil((poolStart + 0x800_0000) / 65536) }),
		pageMap: 0,
		pages: PAGES,
		poolStart,
		poolEnd: poolStart + 0x800_0000,
	});
	memory.addRegion(RAM, 0x800_0000);
	for (let page = 0; page < touched; page++) memory.write(RAM + page * 4096, Uint8Array.of(1));
	return memory;
}

for (const length of [16, 512, 65_536]) {
	test(`copies of ${length} bytes`, async ({ bench }) => {
		const memory = board(32);
		const bytes = new Uint8Array(length);
		await bench(`1000 x write ${length} bytes`, () => {
			for (let i = 0; i < 1000; i++) memory.write(RAM + (i & 0xff) * 8, bytes);
		}).run();
		await bench(`1000 x read ${length} bytes`, () => {
			for (let i = 0; i < 1000; i++) memory.read(RAM + (i & 0xff) * 8, bytes);
		}).run();
	});
}

test('whole memory', async ({ bench }) => {
	const memory = board(4096);
	let pages = 0;
	await bench('takeDirty, 16 of 32768 pages', () => {
		for (let page = 0; page < 16; page++) memory.write(RAM + page * 0x10_0000, Uint8Array.of(1));
		memory.takeDirty(() => pages++);
	}).run();
	const state = memory.save();
	await bench('save, 16 MiB touched', () => void memory.save()).run();
	await bench('restore, 16 MiB touched', () => memory.restore(state)).run();
});

test('MMIO windows', async ({ bench }) => {
	const bus = new AddressMap();
	const device = { read: () => 0, write: () => {} };
	for (let slot = 0; slot < 16; slot++) bus.add({ name: `${slot}`, base: 0x1000 * (slot + 1), size: 0x200, device });
	await bench('1000 x find in 16 windows', () => {
		for (let i = 0; i < 1000; i++) bus.find(0x1000 + (i & 0xf) * 0x1000, 4);
	}).run();
});
