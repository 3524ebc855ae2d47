/**
 * A system with its images, for one composition: what goes where in memory. Files are read through a function that the caller
 * gives. All that an image can make impossible is found here, before anything starts.
 */
import { MachineError, placeImage } from '@partita/machine';
import { ElfError, elfSymbolMap, readElf } from '@partita/riscv';
import { builtInGuest } from './built-in.ts';
import type { CompositionName } from './description.ts';
import { guestTree } from './guest-tree.ts';
import { type Path, type Problem, placeOf, SystemError } from './problems.ts';
import type { Cell, Channel, Domain, System, Vm } from './system.ts';

/** Bytes of guest memory from an address on. */
export interface PlacedPart {
	/** Guest physical address. */
	readonly address: number;
	readonly bytes: Uint8Array;
}

/** A virtual machine with what is in its memory. */
export interface VmPlan {
	readonly cell: Cell;
	readonly vm: Vm;
	readonly parts: readonly PlacedPart[];
	/** Guest physical address of the first instruction. */
	readonly entry: number;
	/** Guest physical address; 0 where there is no devicetree. */
	readonly deviceTree: number;
	/** Guest physical address of its report area, where it has one. */
	readonly reportArea?: number;
}

/** A native domain with its program. */
export interface DomainPlan {
	readonly cell: Cell;
	readonly domain: Domain;
	readonly elf: Uint8Array;
	/** Virtual address of its report area, where it has one. */
	readonly reportArea?: number;
}

/** What a composition is assembled from. */
export interface Plan {
	readonly system: System;
	readonly composition: CompositionName;
	readonly vms: readonly VmPlan[];
	readonly domains: readonly DomainPlan[];
	/** Channels whose ends exist. */
	readonly channels: readonly Channel[];
}

/** Reads a file that a description names; throws an `Error` that says why it cannot. */
export type ReadFile = (name: string) => Uint8Array;

const DEVICE_TREE_ALIGN = 4096;
const PAGE = 4096;
const REPORT_AREA = 'report_area';

/**
 * Loads and places the images of one composition.
 * @param read - reads the files that the description names; without it, none can be
 * @throws SystemError with everything that cannot be
 */
export function planSystem(system: System, composition: CompositionName, read?: ReadFile): Plan {
	if (!system.compositions.includes(composition)) {
		throw new SystemError([
			{
				place: `cells[0].placement.${composition}`,
				reason: `no cell has a placement as ${composition}`,
				advice: `add it to each cell, or assemble as ${system.compositions.join(' or ')}`,
			},
		]);
	}
	const problems: Problem[] = [];
	const files = new Map<string, Uint8Array | undefined>();
	const load = (name: string, base: number): Uint8Array | undefined => {
		const image = system.images[name]!;
		if ('guest' in image) return builtInGuest(image, base);
		if (!files.has(name)) files.set(name, readImage(image.file, read, placeOf(['images', name, 'file']), problems));
		return files.get(name);
	};
	const vms: VmPlan[] = [];
	const domains: DomainPlan[] = [];
	system.cells.forEach((cell, index) => {
		const placement = cell.placement[composition];
		if (placement === 'vm' && cell.vm) {
			const plan = planVm(cell, cell.vm, load, ['cells', index, 'vm'], problems);
			if (plan) vms.push(plan);
		}
		if (placement !== 'domains') return;
		cell.domains.forEach((domain, number) => {
			const plan = planDomain(cell, domain, load, ['cells', index, 'domains', number], problems);
			if (plan) domains.push(plan);
		});
	});
	if (problems.length > 0) throw new SystemError(problems);
	const names = new Set(domains.map(({ domain }) => domain.name));
	const channels = system.channels.filter(({ from, to }) => names.has(from.domain) && names.has(to.domain));
	return { system, composition, vms, domains, channels };
}

function readImage(
	file: string,
	read: ReadFile | undefined,
	place: string,
	problems: Problem[],
): Uint8Array | undefined {
	if (!read) {
		problems.push({ place, reason: 'there are no files here', advice: 'give a function that reads them' });
		return undefined;
	}
	try {
		return read(file);
	} catch (error) {
		const reason = error instanceof Error ? error.message : String(error);
		problems.push({
			place,
			reason: `${JSON.stringify(file)} cannot be read: ${reason}`,
			advice: 'name a file that can be read',
		});
		return undefined;
	}
}

type Load = (image: string, base: number) => Uint8Array | undefined;

function planVm(cell: Cell, vm: Vm, load: Load, path: Path, problems: Problem[]): VmPlan | undefined {
	const bytes = load(vm.image, vm.base);
	const initrd = vm.initrd === undefined ? undefined : load(vm.initrd, vm.base);
	if (!bytes || (vm.initrd !== undefined && !initrd)) return undefined;
	const refuse = (key: string, reason: string, advice: string): undefined => {
		problems.push({ place: placeOf([...path, key]), reason, advice });
	};
	let image: ReturnType<typeof placeImage>;
	try {
		image = placeImage(vm.image, bytes, vm.base, vm.base);
	} catch (error) {
		if (!(error instanceof MachineError)) throw error;
		return refuse('image', error.message, error.advice ?? 'name an ELF executable, a Linux Image or a flat binary');
	}
	const end = vm.base + vm.memory;
	const outside = image.parts.find(({ address, size }) => address < vm.base || address + size > end);
	if (outside) {
		const range = `0x${outside.address.toString(16)} to 0x${(outside.address + outside.size).toString(16)}`;
		return refuse(
			'image',
			`${vm.image} needs ${range}; the memory is 0x${vm.base.toString(16)} to 0x${end.toString(16)}`,
			'give it more memory, or link it elsewhere',
		);
	}
	const parts: PlacedPart[] = image.parts.map(({ address, bytes: content }) => ({ address, bytes: content }));
	// From the top: devicetree, then the initial RAM disk.
	let top = end;
	let deviceTree = 0;
	if (vm.deviceTree) {
		// Where the disk is changes nothing about the size of the tree.
		const size = guestTree(vm, initrd && { start: 0, end: 0 }).length;
		deviceTree = Math.floor((top - size) / DEVICE_TREE_ALIGN) * DEVICE_TREE_ALIGN;
		top = deviceTree;
		const start = Math.floor((top - (initrd?.length ?? 0)) / PAGE) * PAGE;
		if (initrd) {
			parts.push({ address: start, bytes: initrd });
			top = start;
		}
		parts.push({ address: deviceTree, bytes: guestTree(vm, initrd && { start, end: start + initrd.length }) });
	}
	if (top < image.end)
		return refuse(
			'memory',
			`${vm.image} takes all up to 0x${image.end.toString(16)}: devicetree and initial RAM disk do not fit above it`,
			'give it more memory',
		);
	const area = image.symbols.get(REPORT_AREA);
	const { entry } = image;
	return { cell, vm, parts, entry, deviceTree, ...(area === undefined ? {} : { reportArea: Number(area) }) };
}

function planDomain(cell: Cell, domain: Domain, load: Load, path: Path, problems: Problem[]): DomainPlan | undefined {
	const elf = load(domain.image, 0);
	if (!elf) return undefined;
	try {
		const file = readElf(elf);
		if (file.type !== 'executable') throw new ElfError('type', 16, `${file.type}: only executables can be run`);
		const area = elfSymbolMap(file).get(REPORT_AREA);
		return { cell, domain, elf, ...(area === undefined ? {} : { reportArea: Number(area) }) };
	} catch (error) {
		if (!(error instanceof ElfError)) throw error;
		problems.push({
			place: placeOf([...path, 'image']),
			reason: `${domain.image}: ${error.message}`,
			advice: 'name an ELF executable for riscv64',
		});
		return undefined;
	}
}
