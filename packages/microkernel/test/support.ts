/** Machines with a microkernel, and what their guests report. */
import { readReportArea, type TaskReport } from '@partita/guests';
import { free } from '@partita/kernel-costs';
import { Machine, type MachineOptions } from '@partita/machine';
import { elfSymbolMap, readElf } from '@partita/riscv';
import { FixedPriority } from '@partita/sched';
import {
	type MicrokernelConfig,
	type MicrokernelFactory,
	microkernel,
	type SystemDescription,
	staticSystem,
} from '../src/index.ts';

/** A machine, its kernel, and what was printed. */
export interface Running {
	readonly machine: Machine;
	readonly kernel: MicrokernelFactory['kernel'];
	text(): string;
}

/** Boots a static system. */
export function boot(
	description: SystemDescription,
	config: Partial<MicrokernelConfig> = {},
	options: Partial<MachineOptions> = {},
): Running {
	let text = '';
	const factory = microkernel({
		boot: staticSystem(description),
		policy: new FixedPriority(),
		costs: free,
		...config,
	});
	const machine = new Machine({
		memory: 32 * 1024 * 1024,
		kernel: factory,
		console: (byte) => {
			text += String.fromCharCode(byte);
		},
		...options,
	});
	return { machine, kernel: factory.kernel, text: () => text };
}

/** What the tasks of a program have reported. */
export function report({ kernel }: Running, domain: string, elf: Uint8Array): TaskReport[] {
	const area = Number(elfSymbolMap(readElf(elf)).get('report_area'));
	const tasks = readReportArea((offset, into) => kernel.readMemory(domain, area + offset, into));
	if (!tasks) throw new Error(`${domain} has no report area`);
	return tasks;
}

/** Statistics of a thread. */
export function threadOf({ kernel }: Running, name: string) {
	const found = kernel.statistics.threads.find((thread) => thread.name === name);
	if (!found) throw new Error(`there is no thread ${name}`);
	return found;
}
