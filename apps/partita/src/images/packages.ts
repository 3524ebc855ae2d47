// The archive's index of packages (the Packages file, deb-control(5) stanzas), the kernel that a meta package stands
// for, and dependency closures. It does not compare versions: within one suite the archive keeps them consistent.

import { ImagesError } from './errors.ts';

/** One binary package of the archive. */
export interface PackageRecord {
	name: string;
	version: string;
	architecture: string;
	/** Path below the archive's root, `pool/…`. */
	filename: string;
	/** Bytes. */
	size: number;
	/** Lower-case hex. */
	sha256: string;
	/** Pre-Depends and Depends: a list of alternatives each, names only. */
	depends: string[][];
}

/** A package name as Debian Policy 5.6.1 has it. */
export const PACKAGE_NAME: RegExp = /^[a-z0-9][a-z0-9+.-]+$/;

/** Looks packages up by name; stanzas are parsed when they are asked for. */
export class PackageIndex {
	readonly #stanzas = new Map<string, string>();
	readonly #providers = new Map<string, string[]>();

	/** @param text a Packages file; of several stanzas of one name the first counts */
	constructor(text: string) {
		for (const stanza of text.split(/\n\n+/)) {
			const name = field(stanza, 'Package');
			if (name === undefined || this.#stanzas.has(name)) continue;
			this.#stanzas.set(name, stanza);
			for (const [provided] of alternatives(field(stanza, 'Provides') ?? '')) {
				if (provided !== undefined) this.#providers.set(provided, [...(this.#providers.get(provided) ?? []), name]);
			}
		}
	}

	/** The number of packages. */
	get size(): number {
		return this.#stanzas.size;
	}

	/** @returns the package, or undefined when the archive has none of this name */
	find(name: string): PackageRecord | undefined {
		const stanza = this.#stanzas.get(name);
		return stanza === undefined ? undefined : parseRecord(name, stanza);
	}

	/** @throws {@link ImagesError} when the archive has none of this name */
	get(name: string): PackageRecord {
		const record = this.find(name);
		if (record) return record;
		const providers = this.#providers.get(name);
		throw new ImagesError(`The archive has no package named ${name}`, {
			why: providers ? `it is a virtual name, provided by ${providers.join(', ')}` : 'its index for riscv64 lists none',
			advice: 'check the name given to --package (main only)',
		});
	}

	/**
	 * The versioned kernel package that the meta package stands for.
	 * @throws {@link ImagesError} when the meta package names no kernel
	 */
	kernel(metaPackage: string): PackageRecord {
		const meta = this.get(metaPackage);
		const name = meta.depends.flat().find((dependency) => /^linux-image-\d/.test(dependency));
		if (name === undefined) {
			throw new ImagesError(`Cannot tell the kernel's version`, {
				why: `${metaPackage} depends on no linux-image-VERSION`,
			});
		}
		return this.get(name);
	}

	/**
	 * The named packages and all that they depend on. An alternative that is already chosen wins, then the first that
	 * exists, then the first provider of a virtual name.
	 * @throws {@link ImagesError} when a name is unknown or a dependency cannot be met
	 */
	closure(names: readonly string[]): PackageRecord[] {
		const chosen = new Map<string, PackageRecord>(names.map((name) => [name, this.get(name)]));
		for (const record of chosen.values()) {
			for (const choices of record.depends) {
				const provided = choices.flatMap((choice) => this.#providers.get(choice) ?? []);
				if ([...choices, ...provided].some((choice) => chosen.has(choice))) continue;
				const name = choices.find((choice) => this.#stanzas.has(choice)) ?? provided[0];
				if (name === undefined) {
					throw new ImagesError(`Cannot complete the dependencies of ${record.name}`, {
						why: `the archive has none of ${choices.join(' | ')}`,
						advice: 'name another package, or leave out --with-dependencies',
					});
				}
				chosen.set(name, this.get(name));
			}
		}
		return [...chosen.values()];
	}
}

/** Refuses a string that is no package name, before it reaches a command line. */
export function checkPackageName(name: string): void {
	if (!PACKAGE_NAME.test(name)) {
		throw new ImagesError(`${JSON.stringify(name)} is not a package name`, {
			why: 'names have two or more of a-z 0-9 + - . and begin with a letter or digit',
		});
	}
}

function parseRecord(name: string, stanza: string): PackageRecord {
	const required = (key: string, pattern: RegExp): string => {
		const value = field(stanza, key);
		if (value !== undefined && pattern.test(value)) return value;
		throw new ImagesError(`The archive's index is malformed`, { why: `${name} has no valid ${key}` });
	};
	return {
		name,
		version: required('Version', /^[\w.+:~-]+$/),
		architecture: required('Architecture', /^[\w-]+$/),
		filename: required('Filename', /^(?!.*\.\.)[\w.+:~/-]+$/),
		size: Number(required('Size', /^\d+$/)),
		sha256: required('SHA256', /^[0-9a-f]{64}$/),
		depends: [...alternatives(field(stanza, 'Pre-Depends') ?? ''), ...alternatives(field(stanza, 'Depends') ?? '')],
	};
}

function field(stanza: string, key: string): string | undefined {
	const start = stanza.startsWith(`${key}: `) ? 0 : stanza.indexOf(`\n${key}: `) + 1;
	if (start === 0 && !stanza.startsWith(`${key}: `)) return undefined;
	const from = start + key.length + 2;
	let end = stanza.indexOf('\n', from);
	// A line that begins with a space continues the field.
	while (end !== -1 && stanza[end + 1] === ' ') end = stanza.indexOf('\n', end + 1);
	return stanza.slice(from, end === -1 ? undefined : end).trim();
}

/** `a (>= 1), b:any | c [riscv64]` as [[a], [b, c]]. */
function alternatives(relation: string): string[][] {
	return relation
		.split(',')
		.map((part) => part.split('|').flatMap((choice) => /^[a-z0-9][a-z0-9+.-]*/.exec(choice.trim())?.[0] ?? []))
		.filter((choices) => choices.length > 0);
}
