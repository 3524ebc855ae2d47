/**
 * The rules of a description that concern more than one element: unique names and numbers, priorities along calls,
 * mappings that overlap, page sizes that fit every mapping. Not here: program images (layout.ts).
 */
import type { MapDescription, MemoryRegion, ProtectionDomain, SystemDescription } from './description.ts';
import { MicrokitError, type Place } from './error.ts';
import type { OpenChannel } from './read.ts';
import type { OpenRegion } from './read-region.ts';
import { PAGE_SIZES, STACK_TOP } from './target.ts';

/** The monitor's name: no domain may have it. */
const MONITOR = 'monitor';

/** What there is to check. */
export interface OpenSystem extends Omit<SystemDescription, 'regions' | 'channels' | 'warnings'> {
	readonly regions: readonly OpenRegion[];
	readonly channels: readonly OpenChannel[];
}

/** The checked system. Throws a {@link MicrokitError} for the first thing that cannot be. */
export function checkSystem({ file, domains, regions, channels, schedule }: OpenSystem): SystemDescription {
	const refuse: Refuse = (place, why) => new MicrokitError(file, place, why);
	checkNames('protection domain', domains, refuse);
	for (const { name, place } of domains)
		if (name === MONITOR) throw refuse(place, `the name '${MONITOR}' is Microkit's own monitor's: choose another`);
	checkNames('memory region', regions, refuse);
	checkInterrupts(domains, refuse);
	checkChannels(domains, channels, refuse);
	const byName = new Map(regions.map((region) => [region.name, region]));
	for (const domain of domains) checkMaps(domain, byName, refuse);
	checkPhysicalAddresses(regions, refuse);
	for (const domain of domains) checkSetvars(domain, byName, refuse);
	const maps = domains.flatMap((domain) => domain.maps);
	const mapped = new Set(maps.map(({ region }) => region));
	return {
		file,
		domains,
		regions: regions.map((region) => withPageSize(region, maps)),
		channels: channels.map(({ ends }) => ({ ends })),
		schedule,
		warnings: regions
			.filter(({ name }) => !mapped.has(name))
			.map(({ name, place }) => `${file}:${place.line}:${place.column}: nobody maps memory region '${name}'`),
	};
}

type Refuse = (place: Place, why: string) => MicrokitError;

function checkNames(what: string, things: readonly { name: string; place: Place }[], refuse: Refuse): void {
	const seen = new Map<string, Place>();
	for (const { name, place } of things) {
		const other = seen.get(name);
		if (other) throw refuse(place, `there is another ${what} '${name}' at line ${other.line}`);
		seen.set(name, place);
	}
}

function checkInterrupts(domains: readonly ProtectionDomain[], refuse: Refuse): void {
	const owners = new Map<number, string>();
	for (const { name, irqs, place } of domains) {
		for (const { irq } of irqs) {
			const other = owners.get(irq);
			if (other !== undefined) throw refuse(place, `interrupt ${irq} of '${name}' is that of '${other}'`);
			owners.set(irq, name);
		}
	}
}

function checkChannels(domains: readonly ProtectionDomain[], channels: readonly OpenChannel[], refuse: Refuse): void {
	const taken = domains.map(({ irqs, name, place }) => {
		const ids = new Set<number>();
		for (const { id } of irqs) {
			if (ids.has(id)) throw refuse(place, `'${name}' has two interrupts with id ${id}`);
			ids.add(id);
		}
		return ids;
	});
	for (const { ends, element } of channels) {
		for (const { domain, id } of ends) {
			if (taken[domain]!.has(id))
				element.fail(`id ${id} of '${domains[domain]!.name}' is that of another channel or interrupt`);
			taken[domain]!.add(id);
		}
		const [first, second] = ends;
		for (const [caller, callee] of [
			[first, second],
			[second, first],
		] as const) {
			if (!caller.pp) continue;
			const [from, to] = [domains[caller.domain]!, domains[callee.domain]!];
			if (from.priority < to.priority) continue;
			element.fail(
				`'${from.name}' (priority ${from.priority}) calls '${to.name}' (priority ${to.priority}), ` +
					'and only domains of higher priority may be called',
			);
		}
	}
}

function checkMaps(domain: ProtectionDomain, regions: ReadonlyMap<string, MemoryRegion>, refuse: Refuse): void {
	const hex = (value: number): string => `0x${value.toString(16)}`;
	const seen: { from: number; to: number; region: string; place: Place }[] = [];
	for (const { region: name, vaddr, place } of domain.maps) {
		const region = regions.get(name);
		if (!region) throw refuse(place, `there is no memory region '${name}'`);
		if (vaddr % region.pageSize !== 0)
			throw refuse(
				place,
				`vaddr is ${hex(vaddr)}, and must be a multiple of the page size of '${name}', ${hex(region.pageSize)}`,
			);
		const to = vaddr + region.size;
		const top = STACK_TOP - domain.stackSize;
		if (to > top)
			throw refuse(place, `'${name}' would end at ${hex(to)}, and the stack of '${domain.name}' begins at ${hex(top)}`);
		const other = seen.find((one) => vaddr < one.to && to > one.from);
		if (other)
			throw refuse(
				place,
				`'${name}' (${hex(vaddr)} to ${hex(to)}) overlaps '${other.region}' (line ${other.place.line}, ${hex(other.from)} to ${hex(other.to)})`,
			);
		seen.push({ from: vaddr, to, region: name, place });
	}
}

function checkPhysicalAddresses(regions: readonly MemoryRegion[], refuse: Refuse): void {
	const seen: MemoryRegion[] = [];
	for (const region of regions) {
		const { name, physicalAddress: from, size, place } = region;
		if (from === undefined) continue;
		const other = seen.find((one) => from < one.physicalAddress! + one.size && from + size > one.physicalAddress!);
		if (other)
			throw refuse(
				place,
				`memory region '${name}' overlaps '${other.name}' (line ${other.place.line}) in physical memory`,
			);
		seen.push(region);
	}
}

function checkSetvars(domain: ProtectionDomain, regions: ReadonlyMap<string, MemoryRegion>, refuse: Refuse): void {
	for (const { value, place } of domain.setvars) {
		if (value.kind === 'value') continue;
		const region = regions.get(value.region);
		if (!region) throw refuse(place, `there is no memory region '${value.region}'`);
		if (value.kind === 'prefill-size' && region.prefill?.kind !== 'file')
			throw refuse(place, `setvar_prefill_size: memory region '${value.region}' has no prefill_path`);
	}
}

/** The largest page size that suits the region's size and every place of it, unless the description says one. */
function withPageSize({ pageSizeGiven, ...region }: OpenRegion, maps: readonly MapDescription[]): MemoryRegion {
	if (pageSizeGiven) return region;
	const places = maps.filter((map) => map.region === region.name).map(({ vaddr }) => vaddr);
	const multiples = [region.size, ...places, region.physicalAddress ?? 0];
	const pageSize = PAGE_SIZES.findLast((size) => multiples.every((value) => value % size === 0));
	return { ...region, pageSize: pageSize ?? region.pageSize };
}
