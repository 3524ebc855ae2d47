// The tree of files that becomes an initramfs: merges the files of several packages and keeps Debian's merged-/usr
// layout (/bin, /sbin and /lib are links into /usr). In memory only: no path here ever touches the host's files.

import type { CpioEntry } from './cpio.ts';
import { writeCpio } from './cpio.ts';
import type { DebEntry } from './deb.ts';

const MERGED = new Set(['bin', 'sbin', 'lib']);

/** A root file system under construction. Later additions replace earlier ones of the same path. */
export class RootFs {
	readonly #entries = new Map<string, CpioEntry>();

	constructor() {
		for (const name of MERGED) {
			this.directory(`usr/${name}`);
			this.#entries.set(name, { type: 'symlink', path: name, target: `usr/${name}` });
		}
	}

	/** Whether something stands at the path. */
	has(path: string): boolean {
		return this.#entries.has(merged(path));
	}

	file(path: string, data: Uint8Array | string, mode: number = 0o644): void {
		const at = this.#place(path);
		this.#entries.set(at, {
			type: 'file',
			path: at,
			mode,
			data: typeof data === 'string' ? new TextEncoder().encode(data) : data,
		});
	}

	/** Makes a directory and its parents; one that exists is left as it is. */
	directory(path: string, mode: number = 0o755): void {
		const at = this.#place(path);
		if (this.#entries.has(at)) return;
		this.#entries.set(at, { type: 'directory', path: at, mode });
	}

	symlink(path: string, target: string): void {
		const at = this.#place(path);
		this.#entries.set(at, { type: 'symlink', path: at, target });
	}

	characterDevice(path: string, mode: number, major: number, minor: number): void {
		const at = this.#place(path);
		this.#entries.set(at, { type: 'character-device', path: at, mode, major, minor });
	}

	/** Adds a package's entry. */
	add(entry: DebEntry): void {
		switch (entry.type) {
			case 'file':
				this.file(entry.path, entry.data, entry.mode);
				break;
			case 'directory':
				this.directory(entry.path, entry.mode);
				break;
			case 'symlink':
				if (!MERGED.has(entry.path)) this.symlink(entry.path, entry.target);
		}
	}

	/** The archive, sorted by path, so that parents come first and equal trees give equal bytes. */
	toCpio(): Uint8Array {
		const sorted = [...this.#entries.values()].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
		return writeCpio(sorted);
	}

	#place(path: string): string {
		const at = merged(path);
		const parent = at.slice(0, Math.max(0, at.lastIndexOf('/')));
		if (parent !== '') this.directory(parent);
		return at;
	}
}

function merged(path: string): string {
	return MERGED.has(path.split('/', 1)[0] ?? '') ? `usr/${path}` : path;
}
