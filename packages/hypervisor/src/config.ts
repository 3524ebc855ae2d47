/**
 * What a hypervisor system is made of: plain data, and a policy, drivers and devices, which are injected; checked before
 * anything starts.
 */
import type { CostProfile } from '@partita/kernel-costs';
import type { VirtualDeviceDescription, VirtualMachineOptions } from '@partita/vmm';
import type { ConsoleConfig, KernelPart, VcpuPolicy } from './ports.ts';
import type { KernelTrace } from './trace.ts';

/**
 * A virtual machine of a hypervisor.
 * @typeParam P - how a virtual CPU is scheduled: `EntityParameters` of `@partita/sched`
 */
export interface VmConfig<P> extends Omit<VirtualMachineOptions, 'vmid' | 'tickNanos' | 'shared'> {
	/** How each of its virtual CPUs is scheduled: they are entities of their own. */
	readonly schedule: P;
	/** Regions that it shares with others. */
	readonly share?: readonly ShareConfig[];
	/**
	 * Its doorbell: what it rings and is rung by is in `doorbells`. That of `@partita/vmm`, called `doorbell`, or devices that are
	 * told how to ring, and of which one is rung, as those of `@partita/virtual-board`.
	 */
	readonly doorbell?:
		| { readonly base: number; readonly interrupt?: number | 'external' }
		| ((ring: (bit: number) => void) => readonly VirtualDeviceDescription[]);
}

/** How a VM sees a region. */
export interface ShareConfig {
	/** Name of the region. */
	readonly region: string;
	/** Guest physical address. */
	readonly base: number;
	/** Default true. */
	readonly writable?: boolean;
}

/** A doorbell's bit. */
export interface DoorbellEnd {
	/** Name of a VM that has a doorbell. */
	readonly vm: string;
	/** 0 to 31. */
	readonly bit: number;
}

/** What a hypervisor system is made of. */
export interface HypervisorConfig<P> {
	/** The first is client 0 of the console, and so on. More can be made at run time. */
	readonly vms: readonly VmConfig<P>[];
	/** Of this system alone: one of `@partita/sched`, fresh. */
	readonly policy: VcpuPolicy<P>;
	/** What kernel work costs. */
	readonly costs: CostProfile;
	/** The driver that shares the board's UART; without it, VMs print on the board's console, and get no input from it. */
	readonly console?: ConsoleConfig;
	/** Memory for guests and their tables, whole pages; default: all RAM from 0x8000_0000 on. */
	readonly memory?: { readonly base: number; readonly size: number };
	/** Memory that VMs share: bytes, a multiple of 4 KiB. It is zero at first. */
	readonly regions?: readonly { readonly name: string; readonly size: number }[];
	/** Who rings whom: where `from` rings its bit, the bit of `to` is pending. All else that is rung is denied. */
	readonly doorbells?: readonly { readonly from: DoorbellEnd; readonly to: DoorbellEnd }[];
	/** Parts that are linked into the kernel: switches. */
	readonly parts?: readonly KernelPart[];
	/** What happens when no VM is left that has not ended: the board stops (default), or VMs can be made later. */
	readonly whenAllEnded?: 'stop' | 'stay';
	/** Sees what each VM prints. */
	readonly onConsole?: (vm: string, bytes: Uint8Array) => void;
	readonly trace?: KernelTrace;
}

/** A description that cannot be: where, and why. */
export class HypervisorError extends Error {
	/** The place in the configuration. */
	readonly place: string;

	constructor(place: string, why: string) {
		super(`${place}: ${why}`);
		this.name = 'HypervisorError';
		this.place = place;
	}
}

/** Throws a {@link HypervisorError} for the first thing in a configuration that cannot be, VMs' own contents apart. */
export function checkConfig<P>(config: HypervisorConfig<P>): void {
	checkNames('vms', config.vms);
	checkNames('regions', config.regions ?? []);
	checkNames('parts', config.parts ?? []);
	for (const [index, { size }] of (config.regions ?? []).entries()) checkPages(`regions[${index}].size`, size, 1);
	for (const [index, vm] of config.vms.entries()) checkVm(`vms[${index}]`, vm, config);
	checkDoorbells(config);
	const { memory } = config;
	if (memory === undefined) return;
	checkPages('memory.base', memory.base, 0);
	checkPages('memory.size', memory.size, 1);
}

/** The same for one VM, which may be made at run time. */
export function checkVm<P>(place: string, { share = [] }: VmConfig<P>, { regions = [] }: HypervisorConfig<P>): void {
	for (const [index, { region }] of share.entries()) {
		if (!regions.some(({ name }) => name === region))
			throw new HypervisorError(`${place}.share[${index}].region`, `there is no region ${JSON.stringify(region)}`);
		if (share.findIndex((each) => each.region === region) < index)
			throw new HypervisorError(`${place}.share[${index}].region`, `${region} is shared twice`);
	}
}

function checkNames(place: string, things: readonly { readonly name: string }[]): void {
	const names = new Set<string>();
	for (const [index, { name }] of things.entries()) {
		if (name === '' || names.has(name))
			throw new HypervisorError(`${place}[${index}].name`, `${JSON.stringify(name)} is empty, or taken`);
		names.add(name);
	}
}

function checkPages(place: string, bytes: number, least: number): void {
	if (!Number.isSafeInteger(bytes) || bytes < least || bytes % 4096 !== 0)
		throw new HypervisorError(place, `${bytes} is no multiple of 4096${least > 0 ? ' above 0' : ''}`);
}

function checkDoorbells<P>({ vms, doorbells = [] }: HypervisorConfig<P>): void {
	const taken = new Set<string>();
	for (const [index, edge] of doorbells.entries()) {
		for (const side of ['from', 'to'] as const) {
			const place = `doorbells[${index}].${side}`;
			const { vm, bit } = edge[side];
			if (!vms.some(({ name, doorbell }) => name === vm && doorbell !== undefined))
				throw new HypervisorError(`${place}.vm`, `no VM ${JSON.stringify(vm)} has a doorbell`);
			if (!Number.isInteger(bit) || bit < 0 || bit > 31)
				throw new HypervisorError(`${place}.bit`, `${bit} is no integer of 0 to 31`);
		}
		const from = `${edge.from.bit} of ${edge.from.vm}`;
		if (taken.has(from)) throw new HypervisorError(`doorbells[${index}].from`, `bit ${from} rings somebody already`);
		taken.add(from);
	}
}
