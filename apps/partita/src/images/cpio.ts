// Writer of cpio archives in the "newc" format (magic 070701), as the kernel's initramfs unpacker reads them
// (Documentation/driver-api/early-userspace/buffer-format.rst in the Linux tree). It is not a reader, and it knows no
// hard links: each name is its own inode. All owners are root and all times are 0, so equal input gives equal bytes.

const S_IFCHR = 0o020000;
const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;
const S_IFLNK = 0o120000;

/** One name in the archive, relative to the root. A parent stands before what it holds. */
export type CpioEntry =
	| { type: 'file'; path: string; mode: number; data: Uint8Array }
	| { type: 'directory'; path: string; mode: number }
	| { type: 'symlink'; path: string; target: string }
	| { type: 'character-device'; path: string; mode: number; major: number; minor: number };

/** Packs the entries in their order, with the closing trailer. */
export function writeCpio(entries: readonly CpioEntry[]): Uint8Array {
	const chunks: Uint8Array[] = [];
	let inode = 0;
	for (const entry of entries) {
		inode++;
		const data =
			entry.type === 'file' ? entry.data : new TextEncoder().encode(entry.type === 'symlink' ? entry.target : '');
		const device = entry.type === 'character-device' ? entry : { major: 0, minor: 0 };
		append(chunks, entry.path, inode, modeOf(entry), entry.type === 'directory' ? 2 : 1, data, device);
	}
	append(chunks, 'TRAILER!!!', 0, 0, 1, new Uint8Array(), { major: 0, minor: 0 });
	return Buffer.concat(chunks);
}

function modeOf(entry: CpioEntry): number {
	switch (entry.type) {
		case 'file':
			return S_IFREG | entry.mode;
		case 'directory':
			return S_IFDIR | entry.mode;
		case 'symlink':
			return S_IFLNK | 0o777;
		case 'character-device':
			return S_IFCHR | entry.mode;
	}
}

function append(
	chunks: Uint8Array[],
	path: string,
	inode: number,
	mode: number,
	links: number,
	data: Uint8Array,
	device: { major: number; minor: number },
): void {
	const name = new TextEncoder().encode(`${path}\0`);
	// magic, then 13 fields of 8 hex digits: ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor
	// namesize check; the name and the data are each padded with zeros to a multiple of 4 from the header's start
	const fields = [inode, mode, 0, 0, links, 0, data.length, 0, 0, device.major, device.minor, name.length, 0];
	const header = new TextEncoder().encode(
		`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`,
	);
	chunks.push(header, name, padding(header.length + name.length), data, padding(data.length));
}

function padding(length: number): Uint8Array {
	return new Uint8Array((4 - (length % 4)) % 4);
}
