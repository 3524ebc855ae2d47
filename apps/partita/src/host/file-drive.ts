// A disk in a file of the host. Requests end before submit returns: when they end is then part of the run, and every
// run is the same. A flush is fsync.
import { closeSync, fstatSync, fsyncSync, openSync, readSync } from 'node:fs';
import { type BlockBackend, type BlockCompletion, type BlockRequest, SECTOR_SIZE } from '@partita/devices';
import { CommandError, hostReason } from '../errors.ts';
import { writeFully } from './files.ts';

/** Told of failures of the host, in words for the user. */
export type Complain = (message: string) => void;

/** A raw image. */
export class FileDrive implements BlockBackend {
	readonly sectors: number;
	readonly readOnly: boolean;
	readonly #file: string;
	readonly #fd: number;
	readonly #complain: Complain;
	/** The file could not be synchronized once: what the system then dropped, no later attempt writes. */
	#lost = false;

	/** @throws CommandError where the file cannot be opened or is no disk image */
	constructor(file: string, readOnly: boolean, complain: Complain) {
		this.#file = file;
		this.readOnly = readOnly;
		this.#complain = complain;
		try {
			this.#fd = openSync(file, readOnly ? 'r' : 'r+');
		} catch (error) {
			throw new CommandError(`drive: cannot open ${file}`, {
				why: hostReason(error),
				...(readOnly
					? {}
					: { advice: `--drive ${file},readonly or --drive ${file},overlay, where it may not be written` }),
				cause: error,
			});
		}
		const stat = fstatSync(this.#fd);
		this.sectors = Math.floor(stat.size / SECTOR_SIZE);
		const why = !stat.isFile() ? 'it is not a regular file' : this.sectors === 0 ? 'it has no whole sector' : undefined;
		if (why === undefined) return;
		closeSync(this.#fd);
		throw new CommandError(`drive: ${file} is no disk image`, { why });
	}

	/** When the file was last written, as its file system says it. */
	get modified(): number {
		return fstatSync(this.#fd).mtimeMs;
	}

	submit(request: BlockRequest, complete: BlockCompletion): void {
		try {
			this.#execute(request);
		} catch (error) {
			const reason = hostReason(error);
			this.#complain(`drive ${this.#file}: ${request.kind} failed: ${reason}; the guest was told of an I/O error`);
			complete(request, 'io-error', reason);
			return;
		}
		complete(request, 'ok');
	}

	/** Makes what was written survive a crash of the host, and closes the file. */
	close(): void {
		try {
			if (!this.readOnly) this.#sync();
		} catch (error) {
			this.#complain(`drive ${this.#file}: its last writes may not be on the disk: ${hostReason(error)}`);
		}
		closeSync(this.#fd);
	}

	#execute({ kind, sector, data }: BlockRequest): void {
		const start = sector * SECTOR_SIZE;
		if (kind === 'write') writeFully(this.#fd, data, start);
		else if (kind === 'flush') {
			if (!this.readOnly) this.#sync();
		} else readFully(this.#fd, data, start);
	}

	#sync(): void {
		if (this.#lost) throw new Error('an earlier flush failed, after which nothing is certain');
		try {
			fsyncSync(this.#fd);
		} catch (error) {
			this.#lost = true;
			throw error;
		}
	}
}

/** Fills `into`. Throws where the file has become shorter than it was. */
export function readFully(fd: number, into: Uint8Array, position: number): void {
	let done = 0;
	while (done < into.length) {
		const count = readSync(fd, into, done, into.length - done, position + done);
		if (count === 0) throw new Error('the file has become shorter');
		done += count;
	}
}
