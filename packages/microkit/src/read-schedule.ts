/** The schedule of domains of a description: `<domains>`. */
import type { DomainSchedule, ScheduleEntry } from './description.ts';
import type { Element } from './element.ts';
import { SCHEDULE_ENTRIES, SCHEDULER_DOMAINS } from './target.ts';

/** Reads the names of domains and their schedule. */
export function readSchedule(xml: Element): DomainSchedule {
	const element = xml.allowing();
	const names = new Map<string, number | undefined>();
	const ids = new Map<number, string>();
	let schedule: Element | undefined;
	for (const child of element.children) {
		if (child.name === 'domain') readName(child, names, ids);
		else if (child.name !== 'domain_schedule') child.unexpected('domains', ['domain', 'domain_schedule']);
		else if (schedule) child.fail(`there is one at line ${schedule.place.line}, and there may be one`);
		else schedule = child;
	}
	if (!schedule) return element.fail('<domain_schedule> is missing');
	const numbered = new Map<string, number>();
	let next = 0;
	for (const [name, id] of names) {
		while (id === undefined && ids.has(next)) next++;
		const number = id ?? next;
		if (number >= SCHEDULER_DOMAINS) element.fail(`there are more than ${SCHEDULER_DOMAINS} domains`);
		ids.set(number, name);
		numbered.set(name, number);
	}
	return readEntries(schedule, numbered);
}

function readName(xml: Element, names: Map<string, number | undefined>, ids: Map<number, string>): void {
	const element = xml.allowing('name', 'id');
	const name = element.required('name');
	if (names.has(name)) element.fail(`there is another domain of that name`);
	const id = element.optionalNumber('id', { from: 0, to: SCHEDULER_DOMAINS - 1 });
	names.set(name, id);
	if (id === undefined) return;
	const other = ids.get(id);
	if (other !== undefined) element.fail(`id ${id} is that of '${other}'`);
	ids.set(id, name);
}

function readEntries(xml: Element, names: ReadonlyMap<string, number>): DomainSchedule {
	const element = xml.allowing('index_shift', 'start_index');
	const entries = element.children.map((child): ScheduleEntry => {
		if (child.name === 'schedule_entry') return readEntry(child, names);
		if (child.name !== 'schedule_end_marker')
			return child.unexpected('domain_schedule', ['schedule_entry', 'schedule_end_marker']);
		child.allowing();
		return 'end';
	});
	if (entries.length >= SCHEDULE_ENTRIES)
		element.fail(`it has ${entries.length} entries, and must have less than ${SCHEDULE_ENTRIES}`);
	if (entries.length === 0) element.fail('it has no entries');
	const start = element.optionalNumber('start_index', { from: 0, to: entries.length - 1 }) ?? 0;
	const shift = element.optionalNumber('index_shift', { from: 0, to: SCHEDULE_ENTRIES - entries.length - 1 });
	return { names, entries, start, shift };
}

function readEntry(xml: Element, names: ReadonlyMap<string, number>): ScheduleEntry {
	const element = xml.allowing('domain', 'duration');
	const name = element.required('domain');
	const domain = names.get(name);
	if (domain === undefined) return element.fail(`there is no domain '${name}'`);
	const text = element.required('duration');
	const [amount, unit, ...more] = text.split(' ');
	if (!amount || (unit !== 'us' && unit !== 'ticks') || more.length > 0)
		return element.fail(`duration is '${text}', and must be a number with a unit: '1000 us' or '1000 ticks'`);
	return { domain, duration: element.parseNumber('duration', amount, { from: 1, to: 2 ** 48 }), unit };
}
