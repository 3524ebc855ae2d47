// Linux kernel modules: what a module says about itself (.modinfo), the modules that a set of them needs, and the index
// files that modprobe reads (modules.dep(5)). Debian's kernel package carries no such index: its postinst runs depmod.
// ELF follows the System V gABI, 64-bit little-endian only.

import { ImagesError } from './errors.ts';

/** What a module says about itself. Names use underscores, as the kernel compares them. */
export interface ModuleInfo {
	/** Modules that must be loaded before it. */
	depends: string[];
	/** Modules (or aliases) that should be loaded before it, where they exist. */
	softDepends: string[];
	/** Patterns of device ids and other names that it answers to. */
	aliases: string[];
}

/** A module that goes into an initramfs. */
export interface KernelModule extends ModuleInfo {
	name: string;
	/** Path below `/lib/modules/VERSION/`, ending in `.ko`. */
	path: string;
	/** The module itself, decompressed; its signature is still at its end. */
	data: Uint8Array;
}

/** The kernel's form of a module name. */
export function moduleName(nameOrPath: string): string {
	const base = nameOrPath.slice(nameOrPath.lastIndexOf('/') + 1);
	return base.replace(/\.ko(\.\w+)?$/, '').replaceAll('-', '_');
}

/**
 * Reads the `.modinfo` section of a module.
 * @throws {@link ImagesError} when it is not an ELF64 little-endian file with such a section
 */
export function readModuleInfo(module: Uint8Array, what: string): ModuleInfo {
	const text = new TextDecoder('latin1').decode(section(module, '.modinfo', what));
	const info: ModuleInfo = { depends: [], softDepends: [], aliases: [] };
	for (const field of text.split('\0')) {
		const value = field.slice(field.indexOf('=') + 1);
		if (field.startsWith('depends=')) info.depends.push(...value.split(',').filter(Boolean).map(moduleName));
		else if (field.startsWith('alias=')) info.aliases.push(value);
		else if (field.startsWith('softdep=')) {
			const before = /\bpre:([^:]*?)(?=\s*(?:\bpost:|\bpre:|$))/.exec(value)?.[1] ?? '';
			info.softDepends.push(...before.split(/\s+/).filter(Boolean).map(moduleName));
		}
	}
	return info;
}

/**
 * Loads the named modules and all that they depend on.
 * @param names as a user writes them; one that is built into the kernel is left out
 * @param builtin names of the modules that are part of the kernel
 * @param available paths of the modules that exist, by name
 * @param load reads and decompresses one module
 * @returns the modules in an order in which they can be loaded
 * @throws {@link ImagesError} when a name is unknown
 */
export async function moduleClosure(
	names: readonly string[],
	builtin: ReadonlySet<string>,
	available: ReadonlyMap<string, string>,
	load: (path: string) => Promise<Uint8Array>,
): Promise<KernelModule[]> {
	const loaded = new Map<string, KernelModule>();
	const visiting = new Set<string>();
	const visit = async (name: string, neededBy: string | undefined): Promise<void> => {
		if (loaded.has(name) || builtin.has(name) || visiting.has(name)) return;
		const path = available.get(name);
		if (path === undefined) {
			throw new ImagesError(`The kernel has no module named ${name}`, {
				why: neededBy ? `${neededBy} needs it` : 'neither its package nor its list of built-in modules has it',
				advice: 'check the name given to --module',
			});
		}
		visiting.add(name);
		const data = await load(path);
		const info = readModuleInfo(data, path);
		for (const dependency of info.depends) await visit(dependency, name);
		for (const dependency of info.softDepends) if (available.has(dependency)) await visit(dependency, name);
		loaded.set(name, { name, path: path.replace(/\.ko\.\w+$/, '.ko'), data, ...info });
	};
	for (const name of names) await visit(moduleName(name), undefined);
	return [...loaded.values()];
}

/**
 * The text of `modules.dep`: each module with everything that it needs, the last of which is loaded first.
 * @param modules in load order, as {@link moduleClosure} returns them
 */
export function modulesDep(modules: readonly KernelModule[]): string {
	const byName = new Map(modules.map((module) => [module.name, module]));
	return modules
		.map((module) => {
			const needed = new Set<string>();
			const collect = (name: string): void => {
				if (needed.has(name)) return;
				needed.add(name);
				for (const dependency of byName.get(name)?.depends ?? []) collect(dependency);
			};
			for (const dependency of module.depends) collect(dependency);
			const paths = modules.filter((other) => needed.has(other.name)).map((other) => other.path);
			return `${[`${module.path}:`, ...paths.reverse()].join(' ')}\n`;
		})
		.join('');
}

/** The text of `modules.alias`. */
export function modulesAlias(modules: readonly KernelModule[]): string {
	return modules.flatMap((module) => module.aliases.map((alias) => `alias ${alias} ${module.name}\n`)).join('');
}

const SHDR_BYTES = 64;

function section(elf: Uint8Array, wanted: string, what: string): Uint8Array {
	const view = new DataView(elf.buffer, elf.byteOffset, elf.byteLength);
	const bad = (why: string): ImagesError => new ImagesError(`${what} is not a kernel module`, { why });
	// Ehdr: e_ident 0 (class at 4, data at 5), e_shoff 40, e_shentsize 58, e_shnum 60, e_shstrndx 62
	if (elf.length < 64 || view.getUint32(0, false) !== 0x7f454c46) throw bad('it is not an ELF file');
	if (elf[4] !== 2 || elf[5] !== 1) throw bad('it is not 64-bit little-endian');
	const table = Number(view.getBigUint64(40, true));
	const count = view.getUint16(60, true);
	const namesIndex = view.getUint16(62, true);
	if (view.getUint16(58, true) !== SHDR_BYTES || table + count * SHDR_BYTES > elf.length || namesIndex >= count) {
		throw bad('its section table is cut short');
	}
	// Shdr: sh_name 0, sh_offset 24, sh_size 32
	const contents = (index: number): Uint8Array => {
		const offset = Number(view.getBigUint64(table + index * SHDR_BYTES + 24, true));
		const size = Number(view.getBigUint64(table + index * SHDR_BYTES + 32, true));
		if (offset + size > elf.length) throw bad(`its section ${index} is cut short`);
		return elf.subarray(offset, offset + size);
	};
	const names = contents(namesIndex);
	for (let index = 0; index < count; index++) {
		const start = view.getUint32(table + index * SHDR_BYTES, true);
		const end = names.indexOf(0, start);
		if (new TextDecoder('latin1').decode(names.subarray(start, end)) === wanted) return contents(index);
	}
	throw bad(`it has no ${wanted} section`);
}
