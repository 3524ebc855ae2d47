/**
 * What a hypervisor system is made of: plain data, and a policy, drivers and devices, which are injected; checked before
 * anything starts.
 */
import type { CostProfile } from '@partita/kernel-costs';
import type { VirtualMachineOptions } from '@partita/vmm';
import type { ConsoleConfig, VcpuPolicy } from './ports.ts';
import type { KernelTrace } from './trace.ts';

/**
 * A virtual machine of a hypervisor.
 * @typeParam P - how a virtual CPU is scheduled: `EntityParameters` of `@partita/sched`
 */
export interface VmConfig<P> extends Omit<VirtualMachineOptions, 'vmid' | 'tickNanos'> {
	/** How its virtual CPU is scheduled. */
	readonly schedule: P;
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
export function checkConfig<P>({ vms, memory }: HypervisorConfig<P>): void {
	const names = new Set<string>();
	for (const [index, { name }] of vms.entries()) {
		if (name === '' || names.has(name))
			throw new HypervisorError(`vms[${index}].name`, `${JSON.stringify(name)} is empty, or taken`);
		names.add(name);
	}
	if (memory === undefined) return;
	for (const key of ['base', 'size'] as const) {
		const value = memory[key];
		if (!Number.isSafeInteger(value) || value < 0 || value % 4096 !== 0)
			throw new HypervisorError(`memory.${key}`, `${value} is no multiple of 4096`);
	}
}
