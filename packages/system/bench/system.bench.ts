// What it takes to check a description, to have a system at its first instruction, and to run it.
import { checkSystem, planSystem, readSystem, type SystemDescription } from '@partita/system';
import { assembleHypervisor } from '@partita/system/hypervisor';
import { assembleMicrokernel } from '@partita/system/microkernel';
import { fixedPriority } from '@partita/system/parts';
import { test } from 'vitest';

const description = (cells: number): SystemDescription => ({
	name: 'many',
	machine: { memory: '64MiB' },
	scheduling: { policy: 'fixed-priority' },
	images: { guest: { guest: 'real-time', control: { name: 'task', period: '10ms', work: 100_000 } } },
	cells: Array.from({ length: cells }, (_, index) => ({
		name: `cell${index}`,
		vm: { image: 'guest', memory: '128KiB', priority: 1 + index },
		placement: { hypervisor: 'vm', microkernel: 'vm' },
	})),
});
const parts = { policies: { 'fixed-priority': fixedPriority } };

test('description of 100 cells', async ({ bench }) => {
	const many = description(100);
	const text = JSON.stringify(many, undefined, 1);
	await bench('checked', () => {
		checkSystem(many);
	}).run();
	await bench('read from text and checked', () => {
		readSystem(text);
	}).run();
});

for (const [composition, assemble] of [
	['hypervisor', assembleHypervisor],
	['microkernel', assembleMicrokernel],
] as const) {
	test(composition, async ({ bench }) => {
		const plan = planSystem(checkSystem(description(8)), composition);
		await bench(`${composition}: 8 virtual machines, to the first instruction`, () => {
			assemble(plan, parts);
		}).run();
		const running = assemble(plan, parts);
		await bench(`${composition}: 10 ms of virtual time, 8 virtual machines`, () => {
			running.runUntil(running.machine.now() + 10_000_000);
		}).run();
	});
}
