/**
 * Reads a `.system` description, and refuses what Microkit refuses for this board, with the place. Microkit 2.3 manual,
 * "System Description File". Not here: the rules that concern more than one element (check.ts).
 */
import { checkSystem } from './check.ts';
import type { Channel, ChannelEnd, DomainSchedule, SystemDescription } from './description.ts';
import { Element } from './element.ts';
import { MicrokitError } from './error.ts';
import { addSetvar, type OpenDomain, readDomain } from './read-domain.ts';
import { type FileSource, type OpenRegion, readRegion } from './read-region.ts';
import { readSchedule } from './read-schedule.ts';
import { LARGEST_ID, MOST_DOMAINS } from './target.ts';
import { readXml } from './xml.ts';

const ELEMENTS = ['protection_domain', 'memory_region', 'channel', 'domains'];

/**
 * Reads a description.
 *
 * @param file its name, for messages
 * @param source its text
 * @param files the files that fill memory regions, by the names that the description uses
 * @throws MicrokitError for the first thing in it that cannot be
 */
export function readSystem(file: string, source: string, files: FileSource = () => undefined): SystemDescription {
	const system = new Element(file, readXml(file, source, 'system'));
	const domains: OpenDomain[] = [];
	const regions: OpenRegion[] = [];
	const channels: Element[] = [];
	let schedule: DomainSchedule | undefined;
	for (const child of system.children) {
		switch (child.name) {
			case 'protection_domain':
				readDomain(child, schedule?.names, domains);
				break;
			case 'memory_region':
				regions.push(readRegion(child, files));
				break;
			case 'channel':
				channels.push(child);
				break;
			case 'domains':
				if (schedule) child.fail('there is another, and a system has one');
				schedule = readSchedule(child);
				break;
			case 'virtual_machine':
				child.fail('a virtual machine must be in a protection domain');
				break;
			case 'io_address_space':
				child.fail('I/O address spaces need an IOMMU, which there is not on this board');
				break;
			default:
				child.unexpected('system', ELEMENTS);
		}
	}
	if (domains.length === 0) throw new MicrokitError(file, system.place, 'there is no <protection_domain>');
	const excess = domains[MOST_DOMAINS];
	if (excess)
		throw new MicrokitError(
			file,
			excess.place,
			`there are ${domains.length} domains, and a system has at most ${MOST_DOMAINS}`,
		);
	const indices = new Map(domains.map(({ name }, index) => [name, index]));
	return checkSystem({
		file,
		domains: domains.map((domain) => ({
			...domain,
			capMaps: domain.capMaps.map(({ kind, domainName, slot, element }) => {
				const index = indices.get(domainName);
				return { kind, domain: index ?? element.fail(`there is no domain '${domainName}'`), slot };
			}),
		})),
		regions,
		channels: channels.map((channel) => readChannel(channel, domains, indices)),
		schedule,
	});
}

/** A channel and where it stands. */
export interface OpenChannel extends Channel {
	readonly element: Element;
}

function readChannel(xml: Element, domains: readonly OpenDomain[], indices: ReadonlyMap<string, number>): OpenChannel {
	const element = xml.allowing();
	const ends = element.children.map((child) => readEnd(child, domains, indices));
	const [first, second] = ends;
	if (!first || !second || ends.length > 2) return element.fail(`it has ${ends.length} <end>, and must have two`);
	if (first.pp && second.pp) element.fail('only one of two ends may call the other: take one pp out');
	return { ends: [first, second], element };
}

function readEnd(xml: Element, domains: readonly OpenDomain[], indices: ReadonlyMap<string, number>): ChannelEnd {
	if (xml.name !== 'end') xml.unexpected('channel', ['end']);
	const element = xml.allowing('pd', 'id', 'pp', 'notify', 'setvar_id');
	const name = element.required('pd');
	const id = element.identifier('id', { from: 0, to: LARGEST_ID });
	const notify = element.boolean('notify', true);
	const pp = element.boolean('pp', false);
	const domain = indices.get(name);
	if (domain === undefined) return element.fail(`there is no domain '${name}'`);
	const symbol = element.optional('setvar_id');
	if (symbol !== undefined)
		addSetvar(domains[domain]!, { symbol, value: { kind: 'value', value: id }, place: element.place }, element);
	return { domain, id, notify, pp };
}
