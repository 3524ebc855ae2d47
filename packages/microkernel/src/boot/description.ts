/**
 * A static system as data: protection domains, the objects between them, memory regions; and the check that nothing in it
 * contradicts itself. Building it is in static.ts.
 */
import type { ComponentFactory } from '../component.ts';
import { MicrokernelError } from '../config.ts';

/** A capability that a domain is given. Objects are named; the name's first use makes the object. */
export type CapabilityDescription = {
	/** Capability pointer: index of the slot in the domain's capability space. */
	readonly slot: number;
	/** `Rights` of `@partita/capability`; default: all. */
	readonly rights?: number;
} & (
	| { readonly endpoint: string /** 64 bits, default 0. */; readonly badge?: bigint }
	| { readonly notification: string /** 64 bits, default 0. */; readonly badge?: bigint }
	| { readonly reply: string }
	/** The thread of a domain. */
	| { readonly thread: string }
	/** The scheduling context of a domain. */
	| { readonly schedulingContext: string }
	/** The root CNode of a domain. */
	| { readonly capabilitySpace: string }
	/** The frames of a region, one slot after the other. */
	| { readonly region: string }
	/** The handler of an interrupt: it signals `notification` with `badge` (default 0). An interrupt has one handler. */
	| { readonly irq: number; readonly signals: string; readonly badge?: bigint }
);

/** How something is scheduled. */
export interface SchedulingDescription {
	/** 0 to 255; larger is more urgent. */
	readonly priority: number;
	/** Nanoseconds of processor time for each period; without it, the time is unlimited. */
	readonly budget?: number;
	/** Nanoseconds. */
	readonly period?: number;
	/** Nanoseconds after which a ready equal gets its turn. */
	readonly slice?: number;
	/** It has no processor time of its own: it runs on that of its callers. */
	readonly passive?: boolean;
}

/** Memory that domains share, or a device's registers. */
export interface RegionDescription {
	readonly name: string;
	/** Bytes, whole pages of 4 KiB. */
	readonly size: number;
	/** Physical address, for devices; without it, the kernel gives memory. */
	readonly physical?: number;
}

/** A region as a domain sees it. */
export interface MappingDescription {
	readonly region: string;
	/** Virtual address, of a whole page. */
	readonly address: number;
	/** Default false. */
	readonly write?: boolean;
	/** Default false. */
	readonly execute?: boolean;
}

/** What every protection domain has, a program or a component. */
export interface ProtectionDomainDescription extends SchedulingDescription {
	/** Unique. */
	readonly name: string;
	readonly capabilities?: readonly CapabilityDescription[];
	/** log2 of the slots of its capability space, 1 to 16; default 8. */
	readonly slotBits?: number;
	readonly mappings?: readonly MappingDescription[];
	/** Notification that also wakes it where it waits on an endpoint. */
	readonly boundNotification?: string;
	/** Where its faults go; without it, a fault stops the domain. */
	readonly faultEndpoint?: { readonly endpoint: string; readonly badge?: bigint };
}

/** A program in U-mode. */
export interface DomainDescription extends ProtectionDomainDescription {
	/** An ELF executable. */
	readonly elf: Uint8Array;
	/** Bytes of stack; default 16 KiB. */
	readonly stack?: number;
	/** Whether it may use floating point; default true. */
	readonly floatingPoint?: boolean;
}

/** A component in TypeScript, with the same kernel objects as a program. */
export interface ComponentDescription extends ProtectionDomainDescription {
	readonly create: ComponentFactory;
	/** Endpoint at which it takes messages and faults; without it, it takes notifications only. */
	readonly receives?: string;
	/** Bytes of its pool, for guests; default none. */
	readonly pool?: number;
	/** Its virtual CPUs: each is a thread of its own to the scheduler. */
	readonly vcpus?: readonly (SchedulingDescription & { /** Unique among all threads. */ readonly name: string })[];
}

/** A system whose objects are all made before it runs. */
export interface SystemDescription {
	readonly domains?: readonly DomainDescription[];
	readonly components?: readonly ComponentDescription[];
	readonly regions?: readonly RegionDescription[];
}

/** Kinds of objects that capabilities name. */
const NAMED = [
	'endpoint',
	'notification',
	'reply',
	'thread',
	'schedulingContext',
	'capabilitySpace',
	'region',
] as const;

/** Kind and name of the object that a capability is to; undefined for an interrupt. */
export function namedObject(capability: CapabilityDescription): [(typeof NAMED)[number], string] | undefined {
	const fields = capability as Readonly<Partial<Record<(typeof NAMED)[number], unknown>>>;
	for (const kind of NAMED) {
		const name = fields[kind];
		if (typeof name === 'string') return [kind, name];
	}
	return undefined;
}

/** Most bytes of stack. */
const MOST_STACK = 0x1000_0000;
const PAGE = 4096;
/** User addresses are below 2^38. */
const USER_TOP = 2 ** 38;
/** Interrupts of the board's PLIC: 1 to 95. */
const MOST_IRQ = 95;

function integer(place: string, value: number | undefined, from: number, to: number): void {
	if (value !== undefined && !(Number.isSafeInteger(value) && value >= from && value <= to))
		throw new MicrokernelError(place, `${value} is no integer of ${from} to ${to}`);
}

function pages(place: string, value: number, from: number, to: number): void {
	integer(place, value, from, to);
	if (value % PAGE !== 0) throw new MicrokernelError(place, `0x${value.toString(16)} is no multiple of 4096`);
}

/** Throws a {@link MicrokernelError} for the first thing in a description that cannot be. */
export function checkDescription({ domains = [], components = [], regions = [] }: SystemDescription): void {
	const names = new Set<string>();
	const unique = (place: string, name: string, taken: Set<string>): void => {
		if (name === '' || taken.has(name)) throw new MicrokernelError(place, `${JSON.stringify(name)} is empty, or taken`);
		taken.add(name);
	};
	const regionNames = new Set<string>();
	regions.forEach(({ name, size, physical }, index) => {
		unique(`regions[${index}].name`, name, regionNames);
		const place = `regions[${index}] (${name})`;
		pages(`${place}.size`, size, PAGE, USER_TOP);
		if (physical !== undefined) pages(`${place}.physical`, physical, 0, 2 ** 50);
	});
	const all = [
		...domains.map((domain, index) => [`domains[${index}]`, domain] as const),
		...components.map((component, index) => [`components[${index}]`, component] as const),
	];
	for (const [place, { name }] of all) unique(`${place}.name`, name, names);
	const irqs = new Set<number>();
	for (const [place, domain] of all) {
		const at = `${place} (${domain.name})`;
		checkScheduling(at, domain);
		checkCapabilities(at, domain, names, regionNames, irqs);
		checkMappings(at, domain, regions);
	}
	domains.forEach(({ stack, name }, index) => {
		integer(`domains[${index}] (${name}).stack`, stack, 0, MOST_STACK);
	});
	components.forEach(({ pool, vcpus = [], name, slotBits = 8, capabilities = [] }, index) => {
		const place = `components[${index}] (${name})`;
		const own = capabilities.find(({ slot }) => slot >= 2 ** slotBits - 2);
		if (own)
			throw new MicrokernelError(`${place}.capabilities`, `slot ${own.slot} is for its endpoint or reply object`);
		if (pool !== undefined) pages(`${place}.pool`, pool, PAGE, 2 ** 50);
		vcpus.forEach((vcpu, number) => {
			unique(`${place}.vcpus[${number}].name`, vcpu.name, names);
			checkScheduling(`${place}.vcpus[${number}] (${vcpu.name})`, vcpu);
		});
	});
}

function checkScheduling(place: string, { priority, budget, period, slice, passive }: SchedulingDescription): void {
	integer(`${place}.priority`, priority, 0, 255);
	integer(`${place}.period`, period, 1, Number.MAX_SAFE_INTEGER);
	integer(`${place}.slice`, slice, 1, Number.MAX_SAFE_INTEGER);
	if ((budget === undefined) !== (period === undefined)) {
		const missing = budget === undefined ? 'budget' : 'period';
		throw new MicrokernelError(`${place}.${missing}`, 'it is missing: a budget and a period go together');
	}
	integer(`${place}.budget`, budget, 1, period ?? 1);
	if (passive === true && (budget !== undefined || slice !== undefined))
		throw new MicrokernelError(`${place}.passive`, 'a passive domain has no budget or slice of its own');
}

function checkCapabilities(
	place: string,
	{ slotBits, capabilities = [] }: ProtectionDomainDescription,
	domains: ReadonlySet<string>,
	regions: ReadonlySet<string>,
	irqs: Set<number>,
): void {
	integer(`${place}.slotBits`, slotBits, 1, 16);
	const taken = new Set<number>();
	capabilities.forEach((capability, index) => {
		const at = `${place}.capabilities[${index}]`;
		integer(`${at}.slot`, capability.slot, 0, 2 ** (slotBits ?? 8) - 1);
		integer(`${at}.rights`, capability.rights, 0, 15);
		if (taken.has(capability.slot)) throw new MicrokernelError(`${at}.slot`, `${capability.slot} is taken`);
		taken.add(capability.slot);
		if ('irq' in capability) {
			integer(`${at}.irq`, capability.irq, 1, MOST_IRQ);
			if (irqs.has(capability.irq)) throw new MicrokernelError(`${at}.irq`, `${capability.irq} has a handler already`);
			irqs.add(capability.irq);
			return;
		}
		const named = namedObject(capability);
		if (named === undefined) throw new MicrokernelError(at, 'it names no object');
		const [kind, name] = named;
		if (kind === 'region' ? !regions.has(name) : /^(thread|s|c)/.test(kind) && !domains.has(name))
			throw new MicrokernelError(at, `there is no ${kind === 'region' ? kind : 'domain'} ${JSON.stringify(name)}`);
	});
}

function checkMappings(
	place: string,
	{ mappings = [] }: ProtectionDomainDescription,
	regions: readonly RegionDescription[],
): void {
	const taken: { readonly from: number; readonly to: number }[] = [];
	mappings.forEach(({ region, address }, index) => {
		const at = `${place}.mappings[${index}]`;
		const found = regions.find(({ name }) => name === region);
		if (!found) throw new MicrokernelError(`${at}.region`, `there is no region ${JSON.stringify(region)}`);
		pages(`${at}.address`, address, PAGE, USER_TOP - found.size);
		const to = address + found.size;
		if (taken.some((other) => address < other.to && other.from < to))
			throw new MicrokernelError(`${at}.address`, `0x${address.toString(16)} overlaps another mapping`);
		taken.push({ from: address, to });
	});
}
