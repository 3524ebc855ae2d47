/**
 * The composition as a microkernel system: cells are native protection domains, or virtual machines, each with its monitor in
 * a protection domain of its own. Import it only where a microkernel is wanted: it links no part of the hypervisor.
 *
 * @packageDocumentation
 */
import {
	type CapabilityDescription,
	type ComponentDescription,
	type DomainDescription,
	type KernelPolicy,
	type KernelStatistics,
	MicrokernelError,
	microkernel,
	staticSystem,
} from '@partita/microkernel';
import type { CellRecord, EntityRecord } from '@partita/report';
import { readElf } from '@partita/riscv';
import { VmError } from '@partita/vmm';
import type { DeviceParts, PolicyParts } from './parts.ts';
import type { DomainPlan, Plan, VmPlan } from './plan.ts';
import { SystemError } from './problems.ts';
import { type AssemblyOptions, COSTS, missingPart, type RunningSystem, startSystem, touchedBytes } from './running.ts';
import type { Channel, Scheduling } from './system.ts';
import { machineParts } from './virtual-devices.ts';
import { VmMonitor } from './vm-monitor.ts';

export type { DeviceParts, PolicyPart, PolicyParts } from './parts.ts';
export type { AssemblyOptions, RunEnd, RunningSystem, SystemTrace } from './running.ts';
export { VmMonitor, type VmMonitorState } from './vm-monitor.ts';

/** What a microkernel system is put together from. */
export interface MicrokernelParts {
	readonly policies: PolicyParts<KernelPolicy>;
	readonly devices?: DeviceParts;
}

const PAGE = 4096;
/** Runs of memory of this alignment are shown to guests by large pages. */
const LARGE_PAGE = 0x20_0000;

/**
 * Assembles a system on a microkernel.
 * @throws SystemError where a part is missing, or the board does not have what is needed
 */
export function assembleMicrokernel(plan: Plan, parts: MicrokernelParts, options: AssemblyOptions = {}): RunningSystem {
	const { system, vms, domains } = plan;
	const policy = parts.policies[system.scheduling.policy];
	if (!policy) throw missingPart('scheduling.policy', system.scheduling.policy);
	const monitors = new Map<string, VmMonitor>();
	try {
		const factory = microkernel({
			boot: staticSystem({
				domains: domains.map((domain) => describeDomain(domain, plan.channels)),
				components: vms.map((vm, index) => describeMonitor(vm, index, parts.devices ?? {}, monitors, plan)),
			}),
			policy: policy(system.scheduling),
			costs: COSTS[system.machine.costs],
			...(options.trace ? { trace: options.trace } : {}),
		});
		const view = () => {
			const { kernel } = factory;
			const { statistics, state } = kernel;
			const read = (owner: string, address: number, into: Uint8Array): boolean =>
				monitors.get(owner)?.machine.memory.read(address, into) ?? kernel.readMemory(owner, address, into);
			return {
				read,
				running: state.core.threads.find(({ id }) => id === state.core.current)?.name,
				kernel: {
					entries: statistics.entries,
					timerEntries: statistics.timerEntries,
					contextSwitches: statistics.contextSwitches,
					nanos: statistics.kernelNanos,
					idleNanos: statistics.idleNanos,
					exits: exitsOf([...monitors.values()]),
					ipc: { ...statistics.ipc },
				},
				cells: system.cells.map((cell): Omit<CellRecord, 'tasks'> => {
					const { name, licence } = cell;
					const start = { name, ...(licence === undefined ? {} : { licence }) };
					const vm = vms.find((each) => each.cell === cell);
					if (vm) return { ...start, ...vmRecord(vm, monitors.get(name)!, statistics) };
					const own = domains.filter((each) => each.cell === cell);
					return { ...start, ...domainsRecord(own, statistics, read) };
				}),
			};
		};
		return startSystem(plan, factory, view, options);
	} catch (error) {
		if (error instanceof MicrokernelError || error instanceof VmError)
			throw new SystemError([{ place: 'cells', reason: error.message, advice: 'change the description there' }]);
		throw error;
	}
}

/** The capabilities of a domain: its ends of channels. */
function describeDomain({ domain, elf }: DomainPlan, channels: readonly Channel[]): DomainDescription {
	const { name, scheduling, stack, passive } = domain;
	const capabilities = channels.flatMap(({ name: channel, kind, from, to }): CapabilityDescription[] => {
		const object = kind === 'endpoint' ? { endpoint: channel } : { notification: channel };
		if (from.domain === name) return [{ slot: from.slot, ...object, badge: BigInt(from.badge) }];
		if (to.domain !== name) return [];
		const receive = { slot: to.slot, ...object };
		return to.reply === undefined ? [receive] : [receive, { slot: to.reply, reply: channel }];
	});
	return { name, elf, stack, ...scheduling, ...(passive ? { passive } : {}), capabilities };
}

/** Threads of a virtual machine. Names of domains have no point in them. */
const vcpuName = (cell: string): string => `${cell}.vcpu`;
const monitorName = (cell: string): string => `${cell}.monitor`;

function describeMonitor(
	plan: VmPlan,
	index: number,
	devices: DeviceParts,
	monitors: Map<string, VmMonitor>,
	{ system }: Plan,
): ComponentDescription {
	const { cell, vm } = plan;
	const options = { name: cell.name, vmid: index + 1, ...machineParts(plan, devices) };
	return {
		name: monitorName(cell.name),
		...vm.monitor,
		pool: poolBytes(vm.memory),
		vcpus: [{ name: vcpuName(cell.name), ...vm.scheduling }],
		create: (environment) => {
			const monitor = new VmMonitor(options, COSTS[system.machine.costs], environment);
			monitors.set(cell.name, monitor);
			return monitor;
		},
	};
}

/** Guest memory and its second-stage tables: 16 KiB of root, a table for each GiB, and for each 2 MiB in small pages. */
function poolBytes(memory: number): number {
	const large = Math.ceil(memory / LARGE_PAGE) * LARGE_PAGE;
	return large + 0x4000 + 2 * PAGE * (1 + Math.ceil(memory / 2 ** 30)) + (large / LARGE_PAGE) * PAGE;
}

function exitsOf(monitors: readonly VmMonitor[]): Record<string, number> {
	const sum: Record<string, number> = {};
	for (const { machine } of monitors)
		for (const [kind, count] of Object.entries(machine.exits)) sum[kind] = (sum[kind] ?? 0) + count;
	return sum;
}

function entityRecord(name: string, scheduling: Scheduling, { threads }: KernelStatistics): EntityRecord {
	const thread = threads.find((each) => each.name === name)!;
	const { priority, budget, period } = scheduling;
	return {
		name,
		kind: thread.kind,
		priority,
		...(budget === undefined ? {} : { budget }),
		...(period === undefined ? {} : { period }),
		runNanos: thread.runNanos,
		dispatches: thread.dispatches,
		preemptions: thread.preemptions,
		status: thread.status,
		...(thread.fault === undefined ? {} : { fault: thread.fault }),
	};
}

/** A virtual CPU that waits is a thread whose exit has no answer yet: to the kernel a fault, to its guest none. */
function vcpuRecord({ fault: _exit, ...record }: EntityRecord, runnable: boolean): EntityRecord {
	return { ...record, status: runnable ? 'ready' : 'waiting' };
}

type PlacedRecord = Omit<CellRecord, 'name' | 'licence' | 'tasks'>;

function vmRecord({ cell, vm }: VmPlan, monitor: VmMonitor, statistics: KernelStatistics): PlacedRecord {
	const { machine, consoleBytes } = monitor;
	return {
		placement: 'vm',
		entities: [
			vcpuRecord(entityRecord(vcpuName(cell.name), vm.scheduling, statistics), machine.isRunnable(0)),
			entityRecord(monitorName(cell.name), vm.monitor, statistics),
		],
		exits: { ...machine.exits },
		memory: {
			reserved: poolBytes(vm.memory),
			touched: touchedBytes((address, into) => machine.memory.read(address, into), vm.base, vm.memory),
		},
		consoleBytes,
		...(machine.ending ? { ending: machine.ending.detail ?? machine.ending.reason } : {}),
		trusts: ['kernel', 'monitor'],
	};
}

function domainsRecord(
	domains: readonly DomainPlan[],
	statistics: KernelStatistics,
	read: (owner: string, address: number, into: Uint8Array) => boolean,
): PlacedRecord {
	const memory = { reserved: 0, touched: 0 };
	for (const { domain, elf } of domains) {
		memory.reserved += Math.ceil(domain.stack / PAGE) * PAGE;
		for (const page of imagePages(elf)) {
			memory.reserved += PAGE;
			memory.touched += touchedBytes((address, into) => read(domain.name, address, into), page, PAGE);
		}
	}
	return {
		placement: domains.length > 0 ? 'domains' : 'none',
		entities: domains.map(({ domain }) => entityRecord(domain.name, domain.scheduling, statistics)),
		memory,
		consoleBytes: 0,
		trusts: domains.length > 0 ? ['kernel'] : [],
	};
}

/** Virtual addresses of the pages that a program's segments are on. */
function imagePages(elf: Uint8Array): Set<number> {
	const pages = new Set<number>();
	for (const { virtualAddress, memorySize } of readElf(elf).segments) {
		const start = Number(virtualAddress);
		for (let page = start - (start % PAGE); page < start + Number(memorySize); page += PAGE) pages.add(page);
	}
	return pages;
}
