// Where a system's description comes from: an example by its name, or a file in TypeScript, JavaScript, JSON or YAML.
import { statSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import {
	type CompositionName,
	checkSystem,
	describeProblem,
	type Plan,
	planSystem,
	readSystem,
	type System,
	SystemError,
} from '@partita/system';
import { CommandError, hostReason } from '../errors.ts';
import { examples } from '../examples/index.ts';
import { readWholeFile } from '../host/files.ts';

/** A description that was found and checked. */
export interface FoundSystem {
	readonly system: System;
	/** As the user named it, for messages. */
	readonly source: string;
	/** What the files that it names are relative to. */
	readonly folder: string;
}

const TEXT = new Set(['.json', '.yaml', '.yml']);
const MODULE = new Set(['.ts', '.mts', '.js', '.mjs']);

/** Finds and checks a system. @throws CommandError for one that cannot be */
export async function findSystem(source: string): Promise<FoundSystem> {
	const example = examples.get(source);
	if (example) return { system: explaining(source, () => checkSystem(example)), source, folder: process.cwd() };
	const extension = path.extname(source).toLowerCase();
	if (!TEXT.has(extension) && !MODULE.has(extension)) {
		throw new CommandError(`there is no system ${JSON.stringify(source)}`, {
			why: 'it is no example, and no file of a kind that descriptions are in',
			advice: `one of ${[...examples.keys()].join(', ')}, or a file: ${[...MODULE, ...TEXT].join(', ')}`,
		});
	}
	const file = path.resolve(source);
	if (TEXT.has(extension)) {
		const bytes = readWholeFile('system', source);
		const system = explaining(source, () => readSystem(new TextDecoder().decode(bytes)));
		return { system, source, folder: path.dirname(file) };
	}
	const description = await importDescription(source, file);
	return { system: explaining(source, () => checkSystem(description)), source, folder: path.dirname(file) };
}

/** The images of one composition. @throws CommandError where they cannot be had, or do not fit */
export function planOf({ system, source, folder }: FoundSystem, composition: CompositionName): Plan {
	const read = (name: string): Uint8Array => {
		try {
			return readWholeFile('image', path.resolve(folder, name));
		} catch (error) {
			throw error instanceof CommandError ? new Error(error.why) : error;
		}
	};
	return explaining(source, () => planSystem(system, composition, read));
}

/** Turns what is wrong with a description into a message with all of it. */
export function explaining<T>(source: string, action: () => T): T {
	try {
		return action();
	} catch (error) {
		if (!(error instanceof SystemError)) throw error;
		const { problems } = error;
		const lines = problems.map((problem) => `  ${describeProblem(problem)}\n    try: ${problem.advice}`);
		const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
		throw new CommandError(`${source} cannot be: ${count}\n${lines.join('\n')}`, { cause: error });
	}
}

async function importDescription(source: string, file: string): Promise<unknown> {
	try {
		statSync(file);
	} catch (error) {
		throw new CommandError(`system: cannot read ${source}`, { why: hostReason(error), cause: error });
	}
	let module: Readonly<Record<string, unknown>>;
	try {
		module = (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>;
	} catch (error) {
		const old = (error as NodeJS.ErrnoException).code === 'ERR_UNKNOWN_FILE_EXTENSION';
		throw new CommandError(`system: ${source} cannot be imported`, {
			why: old ? `Node ${process.versions.node} does not run TypeScript` : hostReason(error),
			...(old ? { advice: 'Node 22.18 or later does; or write the description as JavaScript, JSON or YAML' } : {}),
			cause: error,
		});
	}
	if (module.default === undefined) {
		throw new CommandError(`system: ${source} exports no description`, {
			advice: 'export default defineSystem({ … })',
		});
	}
	return module.default;
}
