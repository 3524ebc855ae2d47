/**
 * The composition as a hypervisor: each cell that exists is a virtual machine, whose monitor is in the kernel, as is the
 * driver of the terminal. Import it only where a hypervisor is wanted: it links no part of the microkernel.
 *
 * @packageDocumentation
 */
import {
	type ConsoleConfig,
	HypervisorError,
	hypervisor,
	type VcpuPolicy,
	type VmStatistics,
} from '@partita/hypervisor';
import type { CellRecord, EntityRecord } from '@partita/report';
import type { EntityParameters } from '@partita/sched';
import { VmError } from '@partita/vmm';
import type { DeviceParts, PolicyParts } from './parts.ts';
import type { Plan } from './plan.ts';
import { SystemError } from './problems.ts';
import { type AssemblyOptions, COSTS, missingPart, type RunningSystem, startSystem, touchedBytes } from './running.ts';
import { machineParts } from './virtual-devices.ts';

export type { DeviceParts, PolicyPart, PolicyParts } from './parts.ts';
export type { AssemblyOptions, RunEnd, RunningSystem, SystemTrace } from './running.ts';

/** What a hypervisor is put together from. */
export interface HypervisorParts {
	readonly policies: PolicyParts<VcpuPolicy<EntityParameters>>;
	readonly devices?: DeviceParts;
	/** The driver of the terminal: `linkedConsole` of `@partita/drivers`. Without it, guests print as they please. */
	readonly console?: ConsoleConfig['create'];
}

/**
 * Assembles a system as a hypervisor.
 * @throws SystemError where a part is missing, or the board does not have what is needed
 */
export function assembleHypervisor(plan: Plan, parts: HypervisorParts, options: AssemblyOptions = {}): RunningSystem {
	const { system, vms } = plan;
	const policy = parts.policies[system.scheduling.policy];
	if (!policy) throw missingPart('scheduling.policy', system.scheduling.policy);
	try {
		const factory = hypervisor({
			vms: vms.map((each) => ({
				name: each.cell.name,
				schedule: each.vm.scheduling,
				...machineParts(each, parts.devices ?? {}),
			})),
			policy: policy(system.scheduling),
			costs: COSTS[system.machine.costs],
			...(parts.console ? { console: { create: parts.console } } : {}),
			...(options.trace ? { trace: options.trace } : {}),
		});
		const view = () => {
			const kernel = factory.kernel!;
			const { statistics, state } = kernel;
			const read = (vm: string, address: number, into: Uint8Array): boolean => kernel.memory(vm).read(address, into);
			return {
				read,
				running: state.guests.find(({ vcpus }) => vcpus.some(({ entity }) => entity === state.dispatcher.current))
					?.name,
				kernel: {
					entries: statistics.entries,
					timerEntries: statistics.timerEntries,
					contextSwitches: statistics.contextSwitches,
					nanos: statistics.kernelNanos,
					idleNanos: statistics.idleNanos,
					exits: sumOf(statistics.vms.map(({ exits }) => ({ ...exits }))),
					ipc: {},
				},
				cells: system.cells.map((cell) => cellRecord(plan, cell.name, statistics.vms, read)),
			};
		};
		return startSystem(plan, factory, view, options);
	} catch (error) {
		if (error instanceof HypervisorError || error instanceof VmError)
			throw new SystemError([{ place: 'cells', reason: error.message, advice: 'change the description there' }]);
		throw error;
	}
}

function sumOf(records: readonly Readonly<Record<string, number>>[]): Record<string, number> {
	const sum: Record<string, number> = {};
	for (const record of records) for (const [key, value] of Object.entries(record)) sum[key] = (sum[key] ?? 0) + value;
	return sum;
}

function cellRecord(
	{ system, vms }: Plan,
	name: string,
	statistics: readonly VmStatistics[],
	read: (vm: string, address: number, into: Uint8Array) => boolean,
): Omit<CellRecord, 'tasks'> {
	const { licence } = system.cells.find((cell) => cell.name === name)!;
	const planned = vms.find(({ cell }) => cell.name === name);
	const found = statistics.find((vm) => vm.name === name);
	const start = { name, ...(licence === undefined ? {} : { licence }) };
	if (!planned || !found) {
		const memory = { reserved: 0, touched: 0 };
		return { ...start, placement: 'none', entities: [], memory, consoleBytes: 0, trusts: [] };
	}
	const { vm } = planned;
	const { priority, budget, period } = vm.scheduling;
	const entity = (vcpu: VmStatistics['vcpus'][number]): EntityRecord => ({
		name,
		kind: 'vcpu',
		priority,
		...(budget === undefined ? {} : { budget }),
		...(period === undefined ? {} : { period }),
		runNanos: vcpu.runNanos,
		dispatches: vcpu.dispatches,
		preemptions: vcpu.preemptions,
		status: found.status,
	});
	return {
		...start,
		placement: 'vm',
		entities: found.vcpus.map(entity),
		exits: { ...found.exits },
		memory: {
			reserved: found.memory,
			touched: touchedBytes((address, into) => read(name, address, into), vm.base, vm.memory),
		},
		consoleBytes: found.consoleBytes,
		...(found.ending ? { ending: endingText(found.ending) } : {}),
		trusts: ['kernel'],
	};
}

function endingText({ reason, code, detail }: NonNullable<VmStatistics['ending']>): string {
	const status = code === 0 ? reason : `${reason}, code ${code}`;
	return detail === undefined ? status : `${status}: ${detail}`;
}
