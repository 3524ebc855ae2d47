// Which code is trusted, by whom: the parts that a composition links for a description, in groups. Cells name the groups
// that they depend on. Plain data: build/linked.ts has the bundler measure each group, ./linked.ts looks it up.
//
// The machine is hardware, and cost profiles are instruments: they are in no group. What kernels take from the machine's
// packages is its names: registers, exceptions, layouts.
import type { LinkedGroup } from '@partita/report';
import type { CompositionName, Device, Policy } from '@partita/system';

/** A part: what is imported from where. */
export interface LinkedPart {
	readonly module: string;
	readonly name: string;
}

/** Parts that are trusted together. */
export interface TrustGroup extends Pick<LinkedGroup, 'name' | 'runs'> {
	readonly parts: readonly LinkedPart[];
}

/** What the selection of parts depends on. */
export interface Selection {
	readonly composition: CompositionName;
	readonly policy: Policy['policy'];
	/** Kinds of devices that virtual machines find, each once, sorted. */
	readonly devices: readonly Device['kind'][];
	/** Whether there are virtual machines. */
	readonly vms: boolean;
}

/** Packages that are in nobody's base, although kernels import from them. */
export const INSTRUMENTS: ReadonlySet<string> = new Set(
	['clock', 'cpu', 'kernel-costs', 'machine', 'memory', 'riscv', 'wasm-builder'].map((name) => `@partita/${name}`),
);

const POLICIES: Readonly<Record<Policy['policy'], LinkedPart>> = {
	'fixed-priority': { module: '@partita/sched', name: 'FixedPriority' },
	'round-robin': { module: '@partita/sched', name: 'RoundRobin' },
};
const DEVICES: Readonly<Record<Device['kind'], LinkedPart>> = {
	plic: { module: '@partita/intc', name: 'Plic' },
	uart: { module: '@partita/devices', name: 'Ns16550a' },
};

/** The groups of a composition. */
export function trustGroups({ composition, policy, devices, vms }: Selection): TrustGroup[] {
	const models = devices.map((kind) => DEVICES[kind]);
	if (composition === 'hypervisor') {
		const parts = [
			{ module: '@partita/hypervisor', name: 'hypervisor' },
			POLICIES[policy],
			{ module: '@partita/drivers', name: 'linkedConsole' },
			...models,
		];
		return [{ name: 'kernel', runs: 'privileged', parts }];
	}
	const kernel = [
		{ module: '@partita/microkernel', name: 'microkernel' },
		{ module: '@partita/microkernel', name: 'staticSystem' },
		POLICIES[policy],
	];
	const monitor = [{ module: '@partita/system/microkernel', name: 'VmMonitor' }, ...models];
	return [
		{ name: 'kernel', runs: 'privileged', parts: kernel },
		...(vms ? [{ name: 'monitor', runs: 'domain' as const, parts: monitor }] : []),
	];
}

/** Every selection that a description can make. */
export function allSelections(): Selection[] {
	const kinds = Object.keys(DEVICES).sort() as Device['kind'][];
	const subsets: Device['kind'][][] = [[]];
	for (const kind of kinds) for (const set of [...subsets]) subsets.push([...set, kind]);
	return (['hypervisor', 'microkernel'] as const).flatMap((composition) =>
		(Object.keys(POLICIES) as Policy['policy'][]).flatMap((policy) =>
			subsets.map((devices) => ({ composition, policy, devices, vms: true })),
		),
	);
}

/** A group's key among those that were measured. */
export function groupKey({ parts }: TrustGroup): string {
	return parts.map(({ module, name }) => `${module}#${name}`).join(' ');
}
