/**
 * What cannot be although each value is in range: names that lead nowhere or twice somewhere, windows that overlap, budgets
 * that exceed their periods, placements that a cell has no form for. Each check reports all that it finds.
 * Not here: what an image's bytes say (plan.ts), whether promises hold (admission.ts).
 */
import type { CompositionName } from './description.ts';
import { type Path, type Problem, placeOf } from './problems.ts';
import type { ShapedSystem } from './schema.ts';

/** Takes what is found. */
export type Report = (path: Path, reason: string, advice: string) => void;

type Cell = ShapedSystem['cells'][number];
type VmShape = NonNullable<Cell['vm']>;
type DomainShape = Cell['domains'][number];

const COMPOSITIONS: readonly CompositionName[] = ['hypervisor', 'microkernel'];
/** Guest physical addresses: Sv39x4. */
const GUEST_SPACE = 2 ** 41;
/** Bytes of registers of a device. */
export const DEVICE_BYTES = { uart: 0x100, plic: 0x60_0000 } as const;

/** All problems of a description whose shape is right. */
export function problemsOf(system: ShapedSystem): Problem[] {
	const problems: Problem[] = [];
	const report: Report = (path, reason, advice) => {
		problems.push({ place: placeOf(path), reason, advice });
	};
	checkNames(system, report);
	checkPlacements(system, report);
	system.cells.forEach((cell, index) => {
		if (cell.vm) checkVm(system, cell.vm, ['cells', index, 'vm'], report);
		cell.domains.forEach((domain, number) => {
			checkDomain(system, domain, ['cells', index, 'domains', number], report);
		});
	});
	checkMemory(system, report);
	checkChannels(system, report);
	return problems;
}

/** Compositions that any cell has a placement for. */
export function compositionsOf(system: ShapedSystem): CompositionName[] {
	return COMPOSITIONS.filter((composition) =>
		system.cells.some(({ placement }) => placement[composition] !== undefined),
	);
}

function once(seen: Set<string>, name: string, what: string, path: Path, report: Report): void {
	if (seen.has(name)) report(path, `there is a ${what} ${JSON.stringify(name)} already`, 'give each a name of its own');
	seen.add(name);
}

function checkNames({ cells, channels }: ShapedSystem, report: Report): void {
	const cellNames = new Set<string>();
	const domainNames = new Set<string>();
	const channelNames = new Set<string>();
	cells.forEach(({ name, domains }, index) => {
		once(cellNames, name, 'cell', ['cells', index, 'name'], report);
		domains.forEach((domain, number) => {
			once(domainNames, domain.name, 'domain', ['cells', index, 'domains', number, 'name'], report);
		});
	});
	channels.forEach(({ name }, index) => {
		once(channelNames, name, 'channel', ['channels', index, 'name'], report);
	});
}

function checkPlacements(system: ShapedSystem, report: Report): void {
	const compositions = compositionsOf(system);
	if (compositions.length === 0)
		report(
			['cells'],
			'no cell has a placement in any composition',
			'name hypervisor, microkernel or both in `placement`',
		);
	for (const composition of compositions) {
		if (system.cells.every(({ placement }) => (placement[composition] ?? 'none') === 'none'))
			report(
				['cells'],
				`nothing exists as ${composition}`,
				`place a cell there, or leave ${composition} out everywhere`,
			);
		system.cells.forEach((cell, index) => {
			const path = ['cells', index, 'placement', composition];
			const placement = cell.placement[composition];
			if (placement === undefined)
				report(path, 'it is missing, while other cells have it', `say how ${cell.name} exists there, or none`);
			else if (placement === 'vm' && !cell.vm)
				report(path, `${cell.name} is not described as a virtual machine`, 'add `vm`, or place it otherwise');
			else if (placement === 'domains' && cell.domains.length === 0)
				report(path, `${cell.name} has no domains`, 'add `domains`, or place it otherwise');
		});
	}
}

function checkScheduling(
	system: ShapedSystem,
	each: NonNullable<VmShape['monitor']>,
	path: Path,
	report: Report,
): void {
	const { budget, period, slice } = each;
	if (budget === undefined && period !== undefined)
		report([...path, 'period'], 'a period without a budget means nothing', 'add `budget`, or leave `period` out');
	if (budget !== undefined && period === undefined)
		report([...path, 'budget'], 'a budget needs a period after which it comes back', 'add `period`');
	if (budget !== undefined && period !== undefined && budget > period)
		report([...path, 'budget'], `${budget} ns exceed the period of ${period} ns`, 'make it at most the period');
	const { minimumBudget } = system.scheduling;
	if (budget !== undefined && budget < minimumBudget)
		report([...path, 'budget'], `${budget} ns are less than the policy's minimum of ${minimumBudget} ns`, 'raise it');
	if (slice !== undefined && budget !== undefined && slice > budget)
		report([...path, 'slice'], 'a slice that is longer than the budget never ends', 'shorten it, or leave it out');
}

function checkImage(
	system: ShapedSystem,
	name: string,
	allowed: readonly string[],
	path: Path,
	report: Report,
): ShapedSystem['images'][string] | undefined {
	const image = Object.hasOwn(system.images, name) ? system.images[name] : undefined;
	if (!image) {
		const known = Object.keys(system.images);
		report(
			path,
			`there is no image ${JSON.stringify(name)}`,
			known.length > 0 ? `one of ${known.join(', ')}` : 'describe it in `images`',
		);
	} else if ('guest' in image && !allowed.includes(image.guest))
		report(path, `the guest ${image.guest} cannot run here`, `one of ${[...allowed, 'a file'].join(', ')}`);
	else return image;
	return undefined;
}

interface Range {
	readonly what: string;
	readonly start: number;
	readonly end: number;
}

function checkVm(system: ShapedSystem, vm: VmShape, path: Path, report: Report): void {
	checkScheduling(system, vm, path, report);
	if (vm.monitor) checkScheduling(system, vm.monitor, [...path, 'monitor'], report);
	const image = checkImage(system, vm.image, ['real-time'], [...path, 'image'], report);
	if (vm.initrd !== undefined) {
		const initrd = checkImage(system, vm.initrd, [], [...path, 'initrd'], report);
		if (initrd && vm.deviceTree === false)
			report([...path, 'initrd'], 'without a devicetree the guest cannot find it', 'leave `deviceTree: false` out');
	}
	const hasTree = vm.deviceTree ?? (image !== undefined && 'file' in image);
	if (vm.append !== undefined && image && !hasTree)
		report([...path, 'append'], 'without a devicetree the guest cannot find it', 'add `deviceTree: true`');
	if (vm.base % 4096 !== 0 || vm.base + vm.memory > GUEST_SPACE)
		report(
			[...path, 'base'],
			`0x${vm.base.toString(16)} is no whole page below 2^41 less the memory`,
			'such as 0x80000000',
		);
	const ranges: Range[] = [{ what: 'the memory', start: vm.base, end: vm.base + vm.memory }];
	const sources = new Map<number, string>();
	const plics = vm.devices.filter(({ kind }) => kind === 'plic').length;
	vm.devices.forEach(({ kind, address, interrupt }, index) => {
		const at = [...path, 'devices', index];
		const end = address + DEVICE_BYTES[kind];
		const other = ranges.find((range) => address < range.end && range.start < end);
		if (other)
			report([...at, 'address'], `the ${kind} at 0x${address.toString(16)} overlaps ${other.what}`, 'move one of them');
		ranges.push({ what: `devices[${index}] (${kind})`, start: address, end });
		if (interrupt === undefined) return;
		const taken = sources.get(interrupt);
		if (kind === 'plic') report([...at, 'interrupt'], 'an interrupt controller has no interrupt', 'leave it out');
		else if (plics === 0) report([...at, 'interrupt'], 'there is no interrupt controller', 'add a device of kind plic');
		else if (taken !== undefined)
			report([...at, 'interrupt'], `source ${interrupt} is given to ${taken} already`, 'give each device its own');
		sources.set(interrupt, `devices[${index}] (${kind})`);
	});
	if (plics > 1) report([...path, 'devices'], `there are ${plics} interrupt controllers`, 'leave one');
}

function checkDomain(system: ShapedSystem, domain: DomainShape, path: Path, report: Report): void {
	checkScheduling(system, domain, path, report);
	const image = checkImage(system, domain.image, ['periodic', 'busy', 'ping', 'pong'], [...path, 'image'], report);
	if (image && 'guest' in image && image.guest === 'periodic') {
		const { period } = image.task;
		if (domain.period !== period)
			report(
				[...path, 'period'],
				`a job is released whenever the budget comes back, and its period is ${period} ns`,
				'make both the same',
			);
		else if (domain.budget === period)
			report(
				[...path, 'budget'],
				'a budget of the whole period is a slice, after which nothing is waited for',
				'make it less',
			);
	}
	if (!domain.passive) return;
	for (const key of ['budget', 'period', 'slice'] as const) {
		if (domain[key] !== undefined)
			report([...path, key], 'a passive domain runs on the time of its callers', `leave ${key} out, or passive`);
	}
	if (!system.channels.some(({ kind, to }) => kind === 'endpoint' && to.domain === domain.name))
		report([...path, 'passive'], 'nobody can call it: it would never run', 'add a channel to it, or leave passive out');
}

function checkMemory({ cells, machine }: ShapedSystem, report: Report): void {
	for (const composition of COMPOSITIONS) {
		let used = 0;
		cells.forEach(({ vm, placement }, index) => {
			if (!vm || placement[composition] !== 'vm') return;
			used += vm.memory;
			if (used > machine.memory && used - vm.memory <= machine.memory)
				report(
					['cells', index, 'vm', 'memory'],
					`with it, the virtual machines of the ${composition} take ${used} bytes; the machine has ${machine.memory}`,
					'give the machine more, or the virtual machines less',
				);
		});
	}
}

function checkChannels(system: ShapedSystem, report: Report): void {
	const homes = new Map(system.cells.flatMap((cell) => cell.domains.map(({ name }) => [name, cell] as const)));
	const taken = new Map<string, string>();
	const claim = (domain: string, slot: number, path: Path): void => {
		const key = `${domain} ${slot}`;
		const owner = taken.get(key);
		if (owner !== undefined) report(path, `slot ${slot} of ${domain} holds ${owner} already`, 'take another slot');
		else taken.set(key, placeOf(path.slice(0, 2)));
	};
	system.channels.forEach(({ kind, from, to }, index) => {
		const path = ['channels', index];
		for (const [end, { domain }] of [
			['from', from],
			['to', to],
		] as const) {
			if (!homes.has(domain))
				report(
					[...path, end, 'domain'],
					`there is no domain ${JSON.stringify(domain)}`,
					"name one of a cell's `domains`",
				);
		}
		if (from.domain === to.domain)
			report([...path, 'to', 'domain'], `${to.domain} would talk to itself`, 'name another domain');
		claim(from.domain, from.slot, [...path, 'from', 'slot']);
		claim(to.domain, to.slot, [...path, 'to', 'slot']);
		if (to.reply !== undefined) claim(to.domain, to.reply, [...path, 'to', 'reply']);
		if (kind === 'endpoint' && to.reply === undefined)
			report(
				[...path, 'to', 'reply'],
				'the receiver of calls needs a reply object',
				'add the slot that it finds it in',
			);
		if (kind === 'notification' && to.reply !== undefined)
			report([...path, 'to', 'reply'], 'a notification is not answered', 'leave it out');
		for (const composition of COMPOSITIONS) {
			const [a, b] = [from, to].map(({ domain }) => homes.get(domain)?.placement[composition] === 'domains');
			if (homes.has(from.domain) && homes.has(to.domain) && a !== b)
				report(
					path,
					`one of its ends does not exist as ${composition}`,
					'place both cells there as domains, or neither',
				);
		}
	});
	checkPairs(system, report);
}

/** The slots that built-in programs use are those of channels. */
function checkPairs({ cells, images, channels }: ShapedSystem, report: Report): void {
	cells.forEach(({ domains }, index) => {
		domains.forEach(({ name, image: imageName }, number) => {
			const image = Object.hasOwn(images, imageName) ? images[imageName] : undefined;
			if (!image || !('guest' in image)) return;
			const path = ['cells', index, 'domains', number, 'image'];
			const advice = 'make the slots of the image and of the channel the same';
			if (
				image.guest === 'ping' &&
				!channels.some(({ kind, from }) => kind === 'endpoint' && from.domain === name && from.slot === image.endpoint)
			)
				report(path, `it calls slot ${image.endpoint}, where no channel of ${name} begins`, advice);
			if (
				image.guest === 'pong' &&
				!channels.some(({ to }) => to.domain === name && to.slot === image.endpoint && to.reply === image.reply)
			)
				report(path, `it answers slot ${image.endpoint} by ${image.reply}, where no channel of ${name} ends`, advice);
		});
	});
}
