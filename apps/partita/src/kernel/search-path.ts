// Files of a description, by the names that it uses, in the folders of a search path.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { readWholeFile } from '../host/files.ts';

/** A source of files: the first folder that has one gives it. Each is read once. */
export function searchPath(folders: readonly string[]): (name: string) => Uint8Array | undefined {
	const files = new Map<string, Uint8Array | undefined>();
	return (name) => {
		if (!files.has(name)) {
			const file = folders.map((folder) => path.resolve(folder, name)).find((candidate) => existsSync(candidate));
			files.set(name, file === undefined ? undefined : readWholeFile(name, file));
		}
		return files.get(name);
	};
}
