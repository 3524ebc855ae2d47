// Packages over HTTPS from Debian's snapshot archive, for hosts without apt. Trust rests on the hashes in pins.ts, so
// any mirror will do that still has these versions. Packages that are not pinned themselves are found through the
// pinned index of the whole suite.

import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { download, type RetryPolicy } from './download.ts';
import { ImagesError } from './errors.ts';
import { PackageIndex, type PackageRecord } from './packages.ts';
import type { Pins } from './pins.ts';
import type { Progress } from './progress.ts';
import type { PackageSource } from './source.ts';
import { unxz } from './xz.ts';

const SNAPSHOT_ARCHIVE = 'https://snapshot.debian.org/archive/debian';

/** The suite's index is 54 MB; a pinned hash does not bound what a damaged pin would let in. */
const MAX_INDEX_BYTES = 512e6;

/** Settings of the snapshot source. */
export interface SnapshotOptions {
	/** Base address of an archive (the folder that holds `pool` and `dists`) in place of the snapshot archive. */
	mirror?: string | undefined;
	retry?: RetryPolicy | undefined;
}

/** The snapshot source. Its temporary files are below `scratch`, which the caller removes. */
export class SnapshotSource implements PackageSource {
	readonly name = 'snapshot';
	readonly #pins: Pins;
	readonly #base: string;
	readonly #scratch: string;
	readonly #retry: RetryPolicy | undefined;

	/** @throws {@link ImagesError} when the mirror's address is no http(s) address */
	constructor(pins: Pins, scratch: string, options: SnapshotOptions = {}) {
		this.#pins = pins;
		this.#scratch = scratch;
		this.#base = (options.mirror ?? `${SNAPSHOT_ARCHIVE}/${pins.snapshot}`).replace(/\/+$/, '');
		this.#retry = options.retry;
		if (!URL.canParse(this.#base) || !/^https?:$/.test(new URL(this.#base).protocol)) {
			throw new ImagesError(`${JSON.stringify(options.mirror)} is not the address of a mirror`, {
				why: 'it does not begin with http:// or https://',
				advice: 'give the folder that holds pool and dists, such as https://example.org/debian',
			});
		}
	}

	async index(needed: readonly string[] | 'all', progress: Progress): Promise<PackageIndex> {
		const pinned = new PackageIndex(this.#pins.packages);
		if (needed !== 'all' && needed.every((name) => pinned.find(name))) return pinned;
		const file = path.join(this.#scratch, 'Packages.xz');
		await this.#download(this.#pins.index, file, `Fetching the index of Debian ${this.#pins.suite}`, progress);
		const compressed: Uint8Array[] = [];
		for await (const chunk of createReadStream(file)) compressed.push(chunk as Uint8Array);
		await rm(file);
		const text = await unxz(Buffer.concat(compressed), this.#pins.index.filename, MAX_INDEX_BYTES);
		return new PackageIndex(new TextDecoder().decode(text));
	}

	fetch(record: PackageRecord, file: string, progress: Progress): Promise<void> {
		return this.#download(record, file, `Fetching ${record.name} ${record.version}`, progress);
	}

	#download(
		what: { filename: string; size: number; sha256: string },
		file: string,
		label: string,
		progress: Progress,
	): Promise<void> {
		// Debian's versions hold characters that a URL path reserves.
		const url = `${this.#base}/${what.filename.split('/').map(encodeURIComponent).join('/')}`;
		progress.bytes(label, 0, what.size);
		const onBytes = (done: number): void => progress.bytes(label, done, what.size);
		return download({ url, size: what.size, sha256: what.sha256, onBytes }, file, this.#retry);
	}
}
