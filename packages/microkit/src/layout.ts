/**
 * What a system takes: for each domain its pages, its capabilities and how it is scheduled; for each region its place in
 * physical memory. Plain data, from which a kernel makes objects. Not here: how it makes them.
 */
import { CALL_BADGE, FAULT_BADGE, Slots } from './abi.ts';
import type { ChannelEnd, MemoryRegion, ProtectionDomain, SystemDescription } from './description.ts';
import { MicrokitError } from './error.ts';
import { nameBytes, type Program, ProgramImage, wordBytes } from './program.ts';
import type { FileSource } from './read-region.ts';
import { PAGE } from './target.ts';

/** A capability in a slot. Objects are a domain's, by index, or the monitor's endpoint. */
export type LayoutCapability = {
	readonly slot: number;
} & (
	| { readonly kind: 'endpoint'; readonly of: number | 'monitor'; readonly badge: bigint }
	| { readonly kind: 'notification'; readonly of: number; readonly badge: bigint }
	| { readonly kind: 'reply' | 'vspace' | 'tcb' | 'sc'; readonly of: number }
	/** It signals the notification of the domain. */
	| {
			readonly kind: 'irq';
			readonly of: number;
			readonly irq: number;
			readonly trigger: 'level' | 'edge';
			readonly badge: bigint;
	  }
);

/** A domain, with all that its objects are made from. */
export interface DomainLayout {
	readonly description: ProtectionDomain;
	readonly program: Program;
	/** Whether it has an endpoint, at which it is called and gets its children's faults. */
	readonly hasEndpoint: boolean;
	/** In its CNode. */
	readonly capabilities: readonly LayoutCapability[];
	/** In the root of its capability space, beside the CNode. */
	readonly rootCapabilities: readonly LayoutCapability[];
	/** Where its faults go. */
	readonly fault: { readonly endpoint: number | 'monitor'; readonly badge: bigint };
}

/** A region, with its place. */
export interface RegionLayout {
	readonly description: MemoryRegion;
	readonly physicalAddress: number;
}

/** A system, laid out. */
export interface SystemLayout {
	readonly description: SystemDescription;
	readonly domains: readonly DomainLayout[];
	readonly regions: readonly RegionLayout[];
	/** Indices of domains in the order in which they are first made ready: that of their names. */
	readonly order: readonly number[];
}

/** Physical memory that regions are given. */
export interface RegionMemory {
	/** Physical address of `bytes` of zeros, aligned to `alignment`; undefined where there are none. */
	allocate(bytes: number, alignment: number): number | undefined;
	/** Takes a range that a description names: memory, or a device's registers. False if it is neither, or taken. */
	claim(address: number, bytes: number): boolean;
}

/**
 * Lays a system out.
 *
 * @param files - program images, by the names that the description uses
 * @throws MicrokitError for programs that do not fit the description, and for memory that there is not
 */
export function layoutSystem(description: SystemDescription, files: FileSource, memory: RegionMemory): SystemLayout {
	const { file, domains, regions } = description;
	const placed = placeRegions(file, regions, memory);
	return {
		description,
		domains: domains.map((domain, index) => layoutDomain(description, domain, index, files, placed)),
		regions: placed,
		order: domains.map((_, index) => index).sort((a, b) => compareNames(domains[a]!.name, domains[b]!.name)),
	};
}

/** Largest pages first, so that little is lost to alignment; claims before that. */
function placeRegions(file: string, regions: readonly MemoryRegion[], memory: RegionMemory): RegionLayout[] {
	const addresses = new Map<MemoryRegion, number>();
	const claims = regions.filter(({ physicalAddress }) => physicalAddress !== undefined);
	for (const region of claims) {
		const { name, physicalAddress: address = 0, size, place } = region;
		if (!memory.claim(address, size)) {
			const range = `0x${address.toString(16)} to 0x${(address + size).toString(16)}`;
			throw new MicrokitError(file, place, `memory region '${name}': ${range} is no device's, nor free memory`);
		}
		addresses.set(region, address);
	}
	const rest = regions.filter(({ physicalAddress }) => physicalAddress === undefined);
	for (const region of rest.toSorted((a, b) => b.pageSize - a.pageSize)) {
		const address = memory.allocate(region.size, region.pageSize);
		if (address === undefined) {
			const { name, size, place } = region;
			throw new MicrokitError(file, place, `memory region '${name}': there are no ${size} bytes left for it`);
		}
		addresses.set(region, address);
	}
	return regions.map((region) => ({ description: region, physicalAddress: addresses.get(region)! }));
}

function layoutDomain(
	system: SystemDescription,
	domain: ProtectionDomain,
	index: number,
	files: FileSource,
	regions: readonly RegionLayout[],
): DomainLayout {
	const image = openImage(system, domain, files);
	const ends = endsOf(system, index);
	image.set('microkit_name', nameBytes(domain.name));
	image.set('microkit_passive', Uint8Array.of(domain.passive ? 1 : 0));
	image.set('microkit_irqs', wordBytes(bits(domain.irqs)));
	image.set('microkit_notifications', wordBytes(bits(ends.filter(({ own }) => own.notify).map(({ own }) => own))));
	image.set('microkit_pps', wordBytes(bits(ends.filter(({ own }) => own.pp).map(({ own }) => own))));
	for (const { symbol, value } of domain.setvars) {
		if (value.kind === 'value') image.setWord(symbol, BigInt(value.value));
		else {
			const { description, physicalAddress } = regions.find((one) => one.description.name === value.region)!;
			const prefilled = description.prefill?.kind === 'file' ? description.prefill.bytes.length : 0;
			const words = { size: description.size, 'prefill-size': prefilled, 'physical-address': physicalAddress };
			image.setWord(symbol, BigInt(words[value.kind]));
		}
	}
	const { program } = image;
	checkMappings(system, domain, program);
	const hasEndpoint = ends.some(({ other }) => other.pp) || system.domains.some(({ parent }) => parent === index);
	const fault =
		domain.parent === undefined
			? ({ endpoint: 'monitor', badge: BigInt(index + 1) } as const)
			: { endpoint: domain.parent, badge: FAULT_BADGE | BigInt(domain.childId!) };
	return {
		description: domain,
		program,
		hasEndpoint,
		capabilities: capabilitiesOf(system, domain, index, hasEndpoint, ends, fault),
		rootCapabilities: domain.capMaps.map(({ kind, domain: of, slot }) => ({ kind, of, slot })),
		fault,
	};
}

function openImage({ file }: SystemDescription, domain: ProtectionDomain, files: FileSource): ProgramImage {
	const open = (name: string): Uint8Array => {
		const bytes = files(name);
		if (bytes) return bytes;
		throw new MicrokitError(
			file,
			domain.place,
			`program '${name}' of '${domain.name}' is in no folder of the search path`,
		);
	};
	const symbols = domain.symbolsImage === undefined ? undefined : open(domain.symbolsImage);
	return new ProgramImage(file, domain, open(domain.image), symbols);
}

/** The ends of channels that are a domain's, each with the other end. */
function endsOf({ channels }: SystemDescription, index: number): { own: ChannelEnd; other: ChannelEnd }[] {
	return channels.flatMap(({ ends: [a, b] }) => [
		...(a.domain === index ? [{ own: a, other: b }] : []),
		...(b.domain === index ? [{ own: b, other: a }] : []),
	]);
}

function bits(ids: readonly { readonly id: number }[]): bigint {
	return ids.reduce((word, { id }) => word | (1n << BigInt(id)), 0n);
}

function checkMappings(system: SystemDescription, domain: ProtectionDomain, { segments }: Program): void {
	for (const { region, vaddr, place } of domain.maps) {
		const { size } = system.regions.find(({ name }) => name === region)!;
		const other = segments.find(
			(one) => vaddr < Math.ceil((one.vaddr + one.size) / PAGE) * PAGE && vaddr + size > one.vaddr,
		);
		if (!other) continue;
		const at = `0x${other.vaddr.toString(16)}`;
		throw new MicrokitError(
			system.file,
			place,
			`'${region}' overlaps the segment at ${at} of program '${domain.image}'`,
		);
	}
}

function capabilitiesOf(
	system: SystemDescription,
	domain: ProtectionDomain,
	index: number,
	hasEndpoint: boolean,
	ends: readonly { own: ChannelEnd; other: ChannelEnd }[],
	fault: DomainLayout['fault'],
): LayoutCapability[] {
	const list: LayoutCapability[] = [
		{ slot: Slots.input, kind: hasEndpoint ? 'endpoint' : 'notification', of: index, badge: 0n },
		{ slot: Slots.fault, kind: 'endpoint', of: fault.endpoint, badge: fault.badge },
		{ slot: Slots.vspace, kind: 'vspace', of: index },
		{ slot: Slots.reply, kind: 'reply', of: index },
	];
	if (domain.passive) list.push({ slot: Slots.monitor, kind: 'endpoint', of: 'monitor', badge: BigInt(index + 1) });
	for (const { own, other } of ends) {
		const { domain: of, id } = other;
		if (own.notify)
			list.push({ slot: Slots.notifications + own.id, kind: 'notification', of, badge: 1n << BigInt(id) });
		if (own.pp) list.push({ slot: Slots.endpoints + own.id, kind: 'endpoint', of, badge: CALL_BADGE | BigInt(id) });
	}
	for (const { irq, id, trigger } of domain.irqs)
		list.push({ slot: Slots.irqs + id, kind: 'irq', of: index, irq, trigger, badge: 1n << BigInt(id) });
	system.domains.forEach(({ parent, childId }, child) => {
		if (parent === index) list.push({ slot: Slots.children + childId!, kind: 'tcb', of: child });
	});
	return list;
}

/** Order of the bytes of names in UTF-8. */
function compareNames(a: string, b: string): number {
	const [left, right] = [Array.from(a, (one) => one.codePointAt(0)!), Array.from(b, (one) => one.codePointAt(0)!)];
	const at = left.findIndex((code, index) => code !== right[index]);
	return at < 0 ? left.length - right.length : left[at]! - (right[at] ?? -1);
}
