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

/** Nanoseconds that no path of the microkernel in these systems exceeds. */
const PATH = 4_000;

/**
 * The budget of a native task: its work, and the kernel's paths that fall to it, which are those after which it runs. Four are
 * its own; whenever another task is released, it is interrupted, and goes on when that has completed.
 */
export function nativeBudget(task: TestTask, tasks: readonly TestTask[]): number {
	let paths = 4;
	for (const other of tasks) if (other !== task) paths += 2 * (Math.ceil(task.period / other.period) + 1);
	return Math.min(task.work + paths * PATH, task.period - 1);
}

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
		cells: tasks.map((task) => {
			const { name, priority, period, budget } = task;
			return {
				name: `cell-${name}`,
				vm: {
					image: `${name}-vm`,
					memory: '1MiB',
					priority,
					...(budget === undefined ? {} : { budget, period }),
				},
				domains: [{ name, image: name, priority, budget: budget ?? nativeBudget(task, tasks), period }],
				placement: { hypervisor: 'vm', microkernel: 'domains' },
			};
		}),
		...more,
	};
}
