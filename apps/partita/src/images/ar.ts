// Reader of ar archives in the one shape that deb(5) allows: no symbol table, no long-name table, short member names.
// It is not a general ar(5) reader.

import { ImagesError } from './errors.ts';

const MAGIC = '!<arch>\n';
const HEADER_BYTES = 60;

/** One member; `data` is a view into the archive. */
export interface ArMember {
	name: string;
	data: Uint8Array;
}

/**
 * Lists the members of an ar archive, in order.
 * @throws {@link ImagesError} when the archive is malformed or truncated
 */
export function readAr(archive: Uint8Array): ArMember[] {
	if (ascii(archive, 0, MAGIC.length) !== MAGIC) throw malformed('it does not begin with "!<arch>"');
	const members: ArMember[] = [];
	let offset = MAGIC.length;
	while (offset < archive.length) {
		if (offset + HEADER_BYTES > archive.length) throw malformed(`a member header at byte ${offset} is cut short`);
		// ar header: name 0..15, mtime, uid, gid, mode, size 48..57 (decimal), terminator 58..59
		const name = ascii(archive, offset, 16).replace(/\/? *$/, '');
		const size = ascii(archive, offset + 48, 10).trim();
		if (ascii(archive, offset + 58, 2) !== '`\n')
			throw malformed(`the member header at byte ${offset} has no terminator`);
		if (!/^\d+$/.test(size)) throw malformed(`the member ${JSON.stringify(name)} has the size ${JSON.stringify(size)}`);
		const start = offset + HEADER_BYTES;
		const end = start + Number(size);
		if (end > archive.length) throw malformed(`the member ${JSON.stringify(name)} is cut short`);
		members.push({ name, data: archive.subarray(start, end) });
		offset = end + (end % 2);
	}
	return members;
}

function ascii(bytes: Uint8Array, offset: number, length: number): string {
	return String.fromCharCode(...bytes.subarray(offset, offset + length));
}

function malformed(why: string): ImagesError {
	return new ImagesError('Not a valid ar archive', { why });
}
