// Systems of periodic tasks, each with a priority of its own: a virtual machine for each on a hypervisor, a native domain for
// each on a microkernel.
import type { SystemDescription } from '../../src/index.ts';

/** A task. Nanoseconds; its work is as many instructions. */
export interface TestTask {
	readonly name: string;
	readonly priority: number;
	readonly period: number;
	readonly work: number;
	/** For each period, where it is not unlimited (VM), or its work and some (domain). */
	readonly budget?: number;
}

/** What a native job takes beside its work: the kernel's paths on its behalf, which fall to its budget. */
export const NATIVE_MARGIN = 20_000;

export function taskSystem(tasks: readonly TestTask[], more: Partial<SystemDescription> = {}): SystemDescription {
	return {
		name: 'tasks',
		machine: { memory: '32MiB' },
		scheduling: { policy: 'fixed-priority' },
		images: Object.fromEntries(
			tasks.flatMap(({ name, period, work }) => [
				[`${name}-vm`, { guest: 'real-time', control: { name, period, work } }],
				[name, { guest: 'periodic', task: { name, period, work } }],
			]),
		),
		cells: tasks.map(({ name, priority, period, work, budget }) => ({
			name: `cell-${name}`,
			vm: {
				image: `${name}-vm`,
				memory: '1MiB',
				priority,
				...(budget === undefined ? {} : { budget, period }),
			},
			domains: [{ name, image: name, priority, budget: budget ?? work + NATIVE_MARGIN, period }],
			placement: { hypervisor: 'vm', microkernel: 'domains' },
		})),
		...more,
	};
}
