// A guest's memory and tables made, and accesses decoded. Exits as a whole are timed by @partita/hypervisor.
import { createLinearLayout } from '@partita/cpu';
import { PhysicalMemory } from '@partita/memory';
import { GuestMemory } from '@partita/vmm';
import { test } from 'vitest';

const RAM = 0x8000_0000;
const MIB = 1 << 20;

for (const mebibytes of [2, 64, 512]) {
	test(`guest memory, ${mebibytes} MiB`, async ({ bench }) => {
		const memory = new PhysicalMemory(
			createLinearLayout({ harts: 1, physicalTop: RAM + 1024 * MIB, poolBytes: 16 * MIB }),
		);
		memory.addRegion(RAM, 1024 * MIB);
		await bench(`memory and tables of ${mebibytes} MiB`, () => {
			let next = RAM;
			new GuestMemory({ base: RAM, size: mebibytes * MIB }, memory, {
				allocate: (bytes, alignment) => {
					const address = Math.ceil(next / alignment) * alignment;
					next = address + bytes;
					// What is given out is zeroed: tables are left from the round before, guest memory was never written.
					if (bytes < MIB) memory.write(address, new Uint8Array(bytes));
					return address;
				},
				free: () => {},
			});
		}).run();
	});
}
