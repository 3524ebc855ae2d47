/** Protection domains of a description: `<protection_domain>` and what is in it, children included. */
import type {
	IrqDescription,
	MapDescription,
	Permissions,
	ProtectionDomain,
	SetvarDescription,
	SetvarValue,
} from './description.ts';
import type { Element } from './element.ts';
import type { Place } from './error.ts';
import {
	DEFAULT_BUDGET,
	DEFAULT_STACK,
	LARGEST_ID,
	LARGEST_IRQ,
	LARGEST_PRIORITY,
	LARGEST_STACK,
	LEAST_BUDGET,
	PAGE,
	STACK_TOP,
	USER_SLOTS,
} from './target.ts';

/** Microseconds: more than any budget or period that seL4 takes. */
const LONGEST = 2 ** 40;

/** A domain, its references by name still open. */
export interface OpenDomain extends Omit<ProtectionDomain, 'capMaps' | 'setvars'> {
	/** More come with channels. */
	readonly setvars: SetvarDescription[];
	readonly capMaps: readonly OpenCapMap[];
}

/** A capability that names a domain. */
export interface OpenCapMap {
	readonly kind: 'tcb' | 'sc' | 'vspace';
	readonly domainName: string;
	readonly slot: number;
	readonly element: Element;
}

const ATTRIBUTES = ['name', 'priority', 'budget', 'period', 'passive', 'stack_size', 'smc', 'cpu', 'domain', 'fpu'];
const ELEMENTS = ['program_image', 'map', 'irq', 'setvar', 'protection_domain', 'cspace'];

/**
 * Reads a domain and its children.
 *
 * @param schedulerDomains by name; undefined: the system has no domain schedule
 * @param domains the domain is put at the end, and its children after it
 */
export function readDomain(
	xml: Element,
	schedulerDomains: ReadonlyMap<string, number> | undefined,
	domains: OpenDomain[],
	parent?: number,
): OpenDomain {
	const element = xml.allowing(...ATTRIBUTES, ...(parent === undefined ? [] : ['id', 'setvar_id']));
	const domain = readAttributes(element, schedulerDomains, parent);
	const index = domains.length;
	const image = readImage(element);
	const maps: MapDescription[] = [];
	const irqs: IrqDescription[] = [];
	const whole: OpenDomain = { ...domain, ...image, maps, irqs, setvars: [], capMaps: readCapabilities(element) };
	domains.push(whole);
	const childIds = new Set<number>();
	for (const child of element.children) {
		switch (child.name) {
			case 'program_image':
			case 'cspace':
				break;
			case 'map':
				maps.push(readMap(child, whole));
				break;
			case 'irq':
				irqs.push(readIrq(child, whole));
				break;
			case 'setvar': {
				const { place } = child.allowing('symbol', 'region_paddr');
				const value = { kind: 'physical-address', region: child.required('region_paddr') } as const;
				addSetvar(whole, { symbol: child.required('symbol'), value, place }, child);
				break;
			}
			case 'protection_domain': {
				const { childId } = readDomain(child, schedulerDomains, domains, index);
				if (childIds.has(childId!)) child.fail(`id ${childId} is another child's of '${whole.name}'`);
				childIds.add(childId!);
				setFromAttribute(whole, child, 'setvar_id', { kind: 'value', value: childId! });
				break;
			}
			case 'virtual_machine':
				child.fail('virtual machines need seL4 as a hypervisor, which there is not on RISC-V');
				break;
			case 'ioport':
				child.fail('there are I/O ports on x86 only');
				break;
			default:
				child.unexpected(element.name, ELEMENTS);
		}
	}
	return whole;
}

function readAttributes(
	element: Element,
	schedulerDomains: ReadonlyMap<string, number> | undefined,
	parent: number | undefined,
): Omit<OpenDomain, 'image' | 'symbolsImage' | 'maps' | 'irqs' | 'setvars' | 'capMaps'> {
	const name = element.required('name');
	const childId = parent === undefined ? undefined : element.number('id', { from: 0, to: LARGEST_ID });
	const budget = element.optionalNumber('budget', { from: LEAST_BUDGET, to: LONGEST }) ?? DEFAULT_BUDGET;
	const period = element.optionalNumber('period', { from: LEAST_BUDGET, to: LONGEST }) ?? budget;
	if (budget > period) element.fail(`the budget (${budget}) must not be larger than the period (${period})`);
	const passive = element.boolean('passive', false);
	const stackSize = element.optionalNumber('stack_size', { from: PAGE, to: LARGEST_STACK }) ?? DEFAULT_STACK;
	if (stackSize % PAGE !== 0) element.fail(`stack_size is ${stackSize}, and must be a multiple of ${PAGE}`);
	if (element.boolean('smc', false)) element.fail('smc is for Arm only');
	element.optionalNumber('cpu', { from: 0, to: 0 });
	const priority = element.optionalNumber('priority', { from: 0, to: LARGEST_PRIORITY }) ?? 0;
	const fpu = element.boolean('fpu', true);
	const schedulerDomain = readSchedulerDomain(element, schedulerDomains);
	const { place } = element;
	return { name, priority, budget, period, passive, stackSize, fpu, schedulerDomain, parent, childId, place };
}

function readSchedulerDomain(element: Element, names: ReadonlyMap<string, number> | undefined): number | undefined {
	if (!names) {
		const name = element.optional('domain');
		if (name !== undefined)
			element.fail(`domain '${name}' needs a <domains> before this element, which says the schedule of domains`);
		return undefined;
	}
	const name = element.required('domain');
	return names.get(name) ?? element.fail(`domain '${name}' is not in <domains>`);
}

function readImage(element: Element): Pick<OpenDomain, 'image' | 'symbolsImage'> {
	const [image, second] = element.children.filter(({ name }) => name === 'program_image');
	if (!image) return element.fail('<program_image> is missing');
	if (second) second.fail(`there is one at line ${image.place.line}, and a domain has one`);
	image.allowing('path', 'path_for_symbols');
	return { image: image.required('path'), symbolsImage: image.optional('path_for_symbols') };
}

function readMap(xml: Element, domain: OpenDomain): MapDescription {
	const element = xml.allowing('mr', 'vaddr', 'perms', 'cached', 'setvar_vaddr', 'setvar_size', 'setvar_prefill_size');
	const region = element.required('mr');
	const vaddr = element.number('vaddr', { from: 0, to: STACK_TOP - domain.stackSize - 1 });
	const permissions = readPermissions(element);
	const cached = element.boolean('cached', true);
	setFromAttribute(domain, element, 'setvar_vaddr', { kind: 'value', value: vaddr });
	setFromAttribute(domain, element, 'setvar_size', { kind: 'size', region });
	setFromAttribute(domain, element, 'setvar_prefill_size', { kind: 'prefill-size', region });
	return { region, vaddr, permissions, cached, place: element.place };
}

function readPermissions(element: Element): Permissions {
	const text = element.optional('perms') ?? 'rw';
	if (!/^[rwx]*$/.test(text)) element.fail(`perms is '${text}', and must be made of 'r', 'w' and 'x'`);
	const has = (letter: string): boolean => text.includes(letter);
	if (has('w') && !has('r')) element.fail(`perms is '${text}', but nothing can be writable without being readable`);
	return { read: has('r'), write: has('w'), execute: has('x') };
}

function readIrq(element: Element, domain: OpenDomain): IrqDescription {
	if (element.optional('pin') !== undefined || element.optional('pcidev') !== undefined)
		element.fail('I/O APIC pins and MSIs are for x86 only');
	element.allowing('irq', 'id', 'trigger', 'setvar_id');
	const id = element.identifier('id', { from: 0, to: LARGEST_ID });
	const irq = element.identifier('irq', { from: 1, to: LARGEST_IRQ });
	const trigger = element.choice('trigger', ['level', 'edge'], 'level');
	setFromAttribute(domain, element, 'setvar_id', { kind: 'value', value: id });
	return { irq, id, trigger };
}

function readCapabilities(element: Element): OpenCapMap[] {
	const [space, second] = element.children.filter(({ name }) => name === 'cspace');
	if (second) second.fail(`there is one at line ${space!.place.line}, and a domain has one`);
	if (!space) return [];
	space.allowing();
	const taken = new Map<number, Place>();
	return space.children.map((xml) => {
		const kind = ({ cap_tcb: 'tcb', cap_sc: 'sc', cap_vspace: 'vspace' } as const)[xml.name];
		if (!kind) return xml.unexpected('cspace', ['cap_tcb', 'cap_sc', 'cap_vspace']);
		const child = xml.allowing('slot', 'pd');
		const domainName = child.required('pd');
		const slot = child.number('slot', { from: 0, to: USER_SLOTS - 1 });
		if (slot === 0) child.fail("slot 0 is the domain's own CNode");
		const other = taken.get(slot);
		if (other) child.fail(`slot ${slot} is taken at line ${other.line}`);
		taken.set(slot, child.place);
		return { kind, domainName, slot, element: child };
	});
}

function setFromAttribute(domain: OpenDomain, element: Element, attribute: string, value: SetvarValue): void {
	const symbol = element.optional(attribute);
	if (symbol !== undefined) addSetvar(domain, { symbol, value, place: element.place }, element);
}

/** Adds a variable that is set; `element` is refused if it is set already. */
export function addSetvar(domain: OpenDomain, setvar: SetvarDescription, element: Element): void {
	const other = domain.setvars.find(({ symbol }) => symbol === setvar.symbol);
	if (other) element.fail(`'${setvar.symbol}' of '${domain.name}' is set at line ${other.place.line} already`);
	domain.setvars.push(setvar);
}
