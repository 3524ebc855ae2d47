// Exits per second: SBI calls, loads of a device, waiting and switching between two virtual machines; and a VM made.
import { hypervisor } from '@partita/hypervisor';
import { free } from '@partita/kernel-costs';
import { Machine } from '@partita/machine';
import { assemble } from '@partita/riscv';
import { FixedPriority } from '@partita/sched';
import type { VirtualDeviceDescription } from '@partita/vmm';
import { test } from 'vitest';

const BASE = 0x8000_0000;
const register: VirtualDeviceDescription = {
	name: 'register',
	base: 0x1000_0000,
	size: 16,
	create: () => ({ state: undefined, restore: () => {}, read: () => 1, write: () => {} }),
};

function vm(name: string, source: string, memory = 2 << 20) {
	const { bytes } = assemble(source, { base: BigInt(BASE) });
	return {
		name,
		memory: { base: BASE, size: memory },
		boot: { parts: [{ address: BASE, bytes }], entry: BASE },
		devices: [register],
		schedule: { priority: 1 },
	};
}

function system(...vms: ReturnType<typeof vm>[]) {
	const factory = hypervisor({ vms, policy: new FixedPriority({ slice: 10_000 }), costs: free });
	return { machine: new Machine({ memory: 128 << 20, kernel: factory }), factory };
}

for (const [name, source] of [
	['SBI calls', '1: li a7, 0x10\nli a6, 0\necall\nj 1b'],
	['loads of a device', 'li t0, 0x10000000\n1: lw t1, 0(t0)\nj 1b'],
	['stores to a device', 'li t0, 0x10000000\n1: sw t1, 0(t0)\nj 1b'],
] as const) {
	test(name, async ({ bench }) => {
		const { machine, factory } = system(vm('a', source));
		const exits = (): number => {
			const { sbi, mmioLoad, mmioStore } = factory.kernel!.statistics.vms[0]!.exits;
			return sbi + mmioLoad + mmioStore;
		};
		await bench(`100000 ${name}`, () => {
			const end = exits() + 100_000;
			while (exits() < end) machine.run(100_000);
		}).run();
	});
}

test('switches', async ({ bench }) => {
	const { machine, factory } = system(vm('a', '1: j 1b'), vm('b', '1: j 1b'));
	await bench('1000 world switches between two virtual machines', () => {
		const end = factory.kernel!.statistics.worldSwitches + 1000;
		while (factory.kernel!.statistics.worldSwitches < end) machine.run(100_000);
	}).run();
});

test('life', async ({ bench }) => {
	const { machine, factory } = system(vm('a', '1: j 1b'));
	const description = vm('b', '1: j 1b', 64 << 20);
	await bench('a VM of 64 MiB made, run for an instruction, and destroyed', () => {
		factory.kernel!.create(description);
		machine.run(1);
		factory.kernel!.destroy('b');
		// It is gone when its memory has been cleared.
		while (factory.kernel!.statistics.vms.some(({ name }) => name === 'b')) machine.run(10_000);
	}).run();
});
