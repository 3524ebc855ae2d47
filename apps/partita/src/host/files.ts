// Whole files: read with a message that says what the file was for, written so that a failure leaves no half of one.
import { closeSync, fstatSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { CommandError, hostReason } from '../errors.ts';

/** Node reads no more than this at once. */
const PIECE = 2 ** 30;

/**
 * Reads a whole file, also one larger than 2 GiB.
 * @param what - what it is to the user: `kernel`
 * @throws CommandError where it cannot be read
 */
export function readWholeFile(what: string, file: string): Uint8Array {
	let fd: number | undefined;
	try {
		fd = openSync(file, 'r');
		const { size } = fstatSync(fd);
		const bytes = new Uint8Array(size);
		let done = 0;
		while (done < size) {
			const count = readSync(fd, bytes, done, Math.min(PIECE, size - done), done);
			if (count === 0) break;
			done += count;
		}
		return bytes.subarray(0, done);
	} catch (error) {
		throw new CommandError(`${what}: cannot read ${file}`, { why: hostReason(error), cause: error });
	} finally {
		if (fd !== undefined) closeSync(fd);
	}
}

/** Writes all of the bytes. Throws the system's error. */
export function writeFully(fd: number, bytes: Uint8Array, position: number | null = null): void {
	let done = 0;
	while (done < bytes.length) {
		const at = position === null ? null : position + done;
		done += writeSync(fd, bytes, done, Math.min(PIECE, bytes.length - done), at);
	}
}

/**
 * Writes a file under another name beside it, then renames it into place: whoever looks sees the old content or the
 * whole new one.
 * @throws CommandError where it cannot be written; the old content is as it was
 */
export function writeAtomically(what: string, file: string, pieces: Iterable<Uint8Array>): void {
	const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}.tmp`);
	let fd: number | undefined;
	try {
		fd = openSync(temporary, 'wx');
		for (const piece of pieces) writeFully(fd, piece);
		fsyncSync(fd);
		closeSync(fd);
		fd = undefined;
		renameSync(temporary, file);
	} catch (error) {
		if (fd !== undefined) closeSync(fd);
		rmSync(temporary, { force: true });
		throw new CommandError(`${what}: cannot write ${file}`, { why: hostReason(error), cause: error });
	}
}

/**
 * Checks that a file can be made here, before a long run whose result it is to hold.
 * @throws CommandError where its folder is missing or cannot be written to, or the name is a folder's
 */
export function checkWritable(what: string, file: string): void {
	const probe = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}.tmp`);
	try {
		closeSync(openSync(probe, 'wx'));
		rmSync(probe);
	} catch (error) {
		throw new CommandError(`${what}: cannot write ${file}`, { why: hostReason(error), cause: error });
	}
}
