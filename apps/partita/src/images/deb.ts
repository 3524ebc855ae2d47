// Reader of Debian binary packages, format 2.0 (deb(5)): the files of data.tar, in memory. It runs no maintainer
// scripts, writes nothing, and leaves control.tar alone: what a package needs is known from the index.

import { unpackTar } from 'modern-tar';
import { readAr } from './ar.ts';
import { ImagesError } from './errors.ts';
import { chunked, xzStream } from './xz.ts';

/** One entry of a package's data.tar. `path` is relative, has no `.` or `..` parts and no trailing slash. */
export type DebEntry =
	| { type: 'file'; path: string; mode: number; data: Uint8Array }
	| { type: 'directory'; path: string; mode: number }
	| { type: 'symlink'; path: string; target: string };

/**
 * Reads the files of a package.
 * @param deb the whole .deb
 * @param what names the package in errors
 * @param wanted says, by path, which files are kept; all are by default
 * @throws {@link ImagesError} when the package is malformed, compressed in an unknown way, or holds a path that climbs
 */
export async function readDeb(
	deb: Uint8Array,
	what: string,
	wanted: (path: string) => boolean = () => true,
): Promise<DebEntry[]> {
	const members = readAr(deb);
	const format = members[0]?.name === 'debian-binary' ? new TextDecoder().decode(members[0].data) : '';
	if (!/^2\.\d+\n/.test(format)) {
		throw new ImagesError(`${what} is not a Debian package`, { why: 'it has no debian-binary member of version 2' });
	}
	const data = members.find((member) => member.name.startsWith('data.tar'));
	if (!data) throw new ImagesError(`${what} is not a Debian package`, { why: 'it has no data.tar member' });
	const entries = await readTar(decompress(data.name, data.data, what), what, wanted);
	return entries;
}

function decompress(member: string, data: Uint8Array, what: string): ReadableStream<Uint8Array> {
	switch (member) {
		case 'data.tar':
			return chunked(data);
		case 'data.tar.gz':
			return chunked(data).pipeThrough(
				new DecompressionStream('gzip') as unknown as ReadableWritablePair<Uint8Array, Uint8Array>,
			);
		case 'data.tar.xz':
			return xzStream(data, what);
		default:
			throw new ImagesError(`Cannot unpack ${what}`, {
				why: `${member} is compressed in a way that Debian does not use`,
				advice: 'name packages of the Debian archive only',
			});
	}
}

async function readTar(
	tar: ReadableStream<Uint8Array>,
	what: string,
	wanted: (path: string) => boolean,
): Promise<DebEntry[]> {
	const entries: DebEntry[] = [];
	const files = new Map<string, Extract<DebEntry, { type: 'file' }>>();
	try {
		const unpacked = await unpackTar(tar, {
			strict: true,
			filter: (header) => {
				const path = cleanPath(header.name, what);
				return path !== '' && wanted(path);
			},
		});
		for (const { header, data } of unpacked) {
			const path = cleanPath(header.name, what);
			const mode = (header.mode ?? 0o644) & 0o7777;
			switch (header.type) {
				case 'file': {
					const file = { type: 'file' as const, path, mode, data: data ?? new Uint8Array() };
					files.set(path, file);
					entries.push(file);
					break;
				}
				case 'directory':
					entries.push({ type: 'directory', path, mode });
					break;
				case 'symlink':
					entries.push({ type: 'symlink', path, target: header.linkname ?? '' });
					break;
				case 'link': {
					const target = files.get(cleanPath(header.linkname ?? '', what));
					if (!target) throw new ImagesError(`Cannot unpack ${what}`, { why: `${path} links to a missing file` });
					entries.push({ ...target, path });
					break;
				}
				default:
					throw new ImagesError(`Cannot unpack ${what}`, { why: `${path} is a special file (${header.type})` });
			}
		}
	} catch (error) {
		if (error instanceof ImagesError) throw error;
		const why = error instanceof Error ? error.message : String(error);
		throw new ImagesError(`Cannot unpack ${what}`, { why: `its data.tar is damaged (${why})`, cause: error });
	}
	return entries;
}

function cleanPath(name: string, what: string): string {
	const parts = name.split('/').filter((part) => part !== '' && part !== '.');
	if (parts.includes('..') || name.includes('\0')) {
		throw new ImagesError(`Cannot unpack ${what}`, { why: `it holds the path ${JSON.stringify(name)}` });
	}
	return parts.join('/');
}
