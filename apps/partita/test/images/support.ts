// Made-up packages, modules and a mirror for the tests of the images command. The writers here follow the format
// specifications, not the readers under test: ar and deb(5), The .xz File Format 1.1.0, the ELF gABI.

import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { crc32, gzipSync } from 'node:zlib';
import { packTar, type TarEntry } from 'modern-tar';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

export function sha256(data: Uint8Array): string {
	return createHash('sha256').update(data).digest('hex');
}

export function makeAr(members: readonly { name: string; data: Uint8Array }[]): Uint8Array {
	const chunks: Uint8Array[] = [bytes('!<arch>\n')];
	for (const { name, data } of members) {
		const field = (value: string | number, width: number): string => String(value).padEnd(width);
		chunks.push(
			bytes(
				`${field(name, 16)}${field(0, 12)}${field(0, 6)}${field(0, 6)}${field('100644', 8)}${field(data.length, 10)}\`\n`,
			),
			data,
		);
		if (data.length % 2 === 1) chunks.push(bytes('\n'));
	}
	return Buffer.concat(chunks);
}

/** A valid .xz file of LZMA2 chunks that store their data; checks are CRC32. */
export function makeXz(data: Uint8Array): Uint8Array {
	const le32 = (value: number): Uint8Array => {
		const out = Buffer.alloc(4);
		out.writeUInt32LE(value >>> 0);
		return out;
	};
	const withCrc = (part: Uint8Array): Uint8Array => Buffer.concat([part, le32(crc32(part))]);
	const vli = (value: number): number[] =>
		value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...vli(Math.floor(value / 0x80))];
	const pad4 = (part: Uint8Array): Uint8Array => Buffer.concat([part, new Uint8Array((4 - (part.length % 4)) % 4)]);

	const FLAGS = Uint8Array.of(0, 1); // check: CRC32
	const streamHeader = Buffer.concat([Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0), withCrc(FLAGS)]);
	// size 8 = (1 + 1) * 4 without CRC; one filter, id 0x21 (LZMA2), one property byte: dictionary 64 KiB (bits 8)
	const blockHeader = withCrc(Uint8Array.of(2, 0, 0x21, 1, 8, 0, 0, 0));
	const chunks: Uint8Array[] = [];
	const CHUNK = 1 << 16;
	for (let offset = 0; offset < data.length; offset += CHUNK) {
		const chunk = data.subarray(offset, offset + CHUNK);
		const size = chunk.length - 1;
		chunks.push(Uint8Array.of(offset === 0 ? 1 : 2, size >> 8, size & 0xff), chunk);
	}
	chunks.push(Uint8Array.of(0));
	const compressed = Buffer.concat(chunks);
	const block = Buffer.concat([blockHeader, pad4(compressed), le32(crc32(data))]);
	const unpadded = blockHeader.length + compressed.length + 4;
	const index = withCrc(pad4(Uint8Array.from([0, 1, ...vli(unpadded), ...vli(data.length)])));
	const backward = Buffer.concat([le32(index.length / 4 - 1), FLAGS]);
	const footer = Buffer.concat([le32(crc32(backward)), backward, bytes('YZ')]);
	return Buffer.concat([streamHeader, block, index, footer]);
}

export type FileSpec = Uint8Array | string | { link: string } | { hardLink: string } | { device: true };

/** A .deb with these files, by path. */
export async function makeDeb(
	files: Readonly<Record<string, FileSpec>>,
	compression: 'xz' | 'gz' | 'none' | 'zst' = 'gz',
): Promise<Uint8Array> {
	const entries: TarEntry[] = [{ header: { name: './', type: 'directory', size: 0, mode: 0o755 } }];
	const directories = new Set<string>();
	for (const [path, spec] of Object.entries(files)) {
		const parts = path.split('/').slice(0, -1);
		parts.forEach((_, index) => {
			const directory = `./${parts.slice(0, index + 1).join('/')}/`;
			if (directories.has(directory)) return;
			directories.add(directory);
			entries.push({ header: { name: directory, type: 'directory', size: 0, mode: 0o755 } });
		});
		const name = `./${path}`;
		if (typeof spec === 'string' || spec instanceof Uint8Array) {
			const body = typeof spec === 'string' ? bytes(spec) : spec;
			const mode = /(^|\/)s?bin\//.test(path) ? 0o755 : 0o644;
			entries.push({ header: { name, type: 'file', size: body.length, mode }, body });
		} else if ('link' in spec) entries.push({ header: { name, type: 'symlink', size: 0, linkname: spec.link } });
		else if ('hardLink' in spec) entries.push({ header: { name, type: 'link', size: 0, linkname: spec.hardLink } });
		else entries.push({ header: { name, type: 'character-device', size: 0 } });
	}
	const tar = await packTar(entries);
	const data = compression === 'gz' ? gzipSync(tar) : compression === 'xz' ? makeXz(tar) : tar;
	return makeAr([
		{ name: 'debian-binary', data: bytes('2.0\n') },
		{ name: 'control.tar.gz', data: gzipSync(await packTar([])) },
		{ name: compression === 'none' ? 'data.tar' : `data.tar.${compression}`, data },
	]);
}

/** A minimal ELF64 relocatable with a .modinfo section of these fields. */
export function makeModule(fields: readonly string[]): Uint8Array {
	const names = bytes('\0.shstrtab\0.modinfo\0');
	const info = bytes(fields.map((field) => `${field}\0`).join(''));
	const namesAt = 64;
	const infoAt = namesAt + names.length;
	const tableAt = Math.ceil((infoAt + info.length) / 8) * 8;
	const elf = Buffer.alloc(tableAt + 3 * 64);
	elf.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1], 0);
	elf.writeUInt16LE(1, 16); // ET_REL
	elf.writeUInt16LE(243, 18); // EM_RISCV
	elf.writeBigUInt64LE(BigInt(tableAt), 40);
	elf.writeUInt16LE(64, 52);
	elf.writeUInt16LE(64, 58);
	elf.writeUInt16LE(3, 60);
	elf.writeUInt16LE(1, 62);
	elf.set(names, namesAt);
	elf.set(info, infoAt);
	const header = (index: number, name: number, type: number, offset: number, size: number): void => {
		const at = tableAt + index * 64;
		elf.writeUInt32LE(name, at);
		elf.writeUInt32LE(type, at + 4);
		elf.writeBigUInt64LE(BigInt(offset), at + 24);
		elf.writeBigUInt64LE(BigInt(size), at + 32);
	};
	header(1, 1, 3, namesAt, names.length);
	header(2, 11, 1, infoAt, info.length);
	return elf;
}

export interface CpioFile {
	mode: number;
	data: Uint8Array;
	text: string;
	device: [major: number, minor: number];
}

/** Reads a newc archive by the kernel's description of it. */
export function readCpio(archive: Uint8Array): Map<string, CpioFile> {
	const files = new Map<string, CpioFile>();
	const text = (from: number, to: number): string => new TextDecoder().decode(archive.subarray(from, to));
	let at = 0;
	for (;;) {
		if (text(at, at + 6) !== '070701') throw new Error(`no newc header at ${at}`);
		const field = (index: number): number => Number.parseInt(text(at + 6 + index * 8, at + 14 + index * 8), 16);
		const nameSize = field(11);
		const name = text(at + 110, at + 110 + nameSize - 1);
		if (archive[at + 110 + nameSize - 1] !== 0) throw new Error(`the name at ${at} does not end in NUL`);
		const dataAt = (at + 110 + nameSize + 3) & ~3;
		const data = archive.subarray(dataAt, dataAt + field(6));
		if (name === 'TRAILER!!!') return files;
		files.set(name, { mode: field(1), data, text: new TextDecoder().decode(data), device: [field(9), field(10)] });
		at = (dataAt + data.length + 3) & ~3;
	}
}

/** An archive with the smallest packages that a pull accepts. */
export interface FakeArchive {
	/** By path below the archive's root. */
	files: Map<string, Uint8Array>;
	/** The Packages file. */
	packages: string;
	indexFile: { filename: string; size: number; sha256: string };
}

export const RELEASE = '6.12.0-test-riscv64';

export function kernelImage(): Uint8Array {
	const image = new Uint8Array(4096).fill(0x13);
	image.set(bytes('RISCV\0\0\0RSC\x05'), 0x30);
	return image;
}

export async function makeArchive(): Promise<FakeArchive> {
	const modules = `usr/lib/modules/${RELEASE}`;
	const xzModule = (...fields: string[]): Uint8Array => makeXz(makeModule(fields));
	const debs: Record<string, { depends?: string; deb: Uint8Array }> = {
		'linux-image-riscv64': { depends: `linux-image-${RELEASE} (= 1:6.12-1)`, deb: await makeDeb({}) },
		[`linux-image-${RELEASE}`]: {
			deb: await makeDeb(
				{
					[`boot/vmlinux-${RELEASE}`]: kernelImage(),
					[`${modules}/modules.builtin`]: 'kernel/crypto/crc32c_generic.ko\n',
					[`${modules}/kernel/drivers/virtio/virtio_mmio.ko.xz`]: xzModule('depends=', 'alias=of:N*T*Cvirtio,mmio'),
					[`${modules}/kernel/drivers/block/virtio_blk.ko.xz`]: xzModule('depends='),
					[`${modules}/kernel/drivers/net/virtio_net.ko.xz`]: xzModule('depends=net_failover'),
					[`${modules}/kernel/drivers/net/net_failover.ko.xz`]: xzModule('depends=failover'),
					[`${modules}/kernel/net/core/failover.ko.xz`]: xzModule('depends='),
					[`${modules}/kernel/drivers/char/hw_random/virtio-rng.ko.xz`]: xzModule('depends='),
					[`${modules}/kernel/fs/ext4/ext4.ko.xz`]: xzModule('depends=mbcache', 'alias=fs-ext4'),
					[`${modules}/kernel/fs/mbcache.ko.xz`]: xzModule('depends='),
					[`${modules}/kernel/fs/9p/9p.ko.xz`]: xzModule('depends=9pnet'),
					[`${modules}/kernel/net/9p/9pnet.ko.xz`]: xzModule('depends='),
					[`${modules}/kernel/net/9p/9pnet_virtio.ko.xz`]: xzModule('depends=9pnet'),
					[`${modules}/kernel/arch/riscv/kvm/kvm.ko.xz`]: xzModule('depends='),
				},
				'xz',
			),
		},
		'busybox-static': { deb: await makeDeb({ 'usr/bin/busybox': 'the busybox' }) },
		opensbi: {
			deb: await makeDeb({
				'usr/lib/riscv32-linux-gnu/opensbi/generic/fw_jump.bin': 'jump 32',
				'usr/lib/riscv64-linux-gnu/opensbi/generic/fw_jump.bin': 'jump 64',
				'usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.bin': 'dynamic 64',
			}),
		},
		hello: {
			depends: 'libhello (>= 1) | libhello-ng, hello-data:any',
			deb: await makeDeb({ 'usr/bin/hello': 'hello program', 'usr/share/doc/hello/copyright': 'long' }),
		},
		libhello: { deb: await makeDeb({ 'lib/riscv64-linux-gnu/libhello.so.1': 'library' }) },
		'hello-data': { deb: await makeDeb({ 'usr/share/hello/data': 'data' }) },
	};
	const files = new Map<string, Uint8Array>();
	const stanzas = Object.entries(debs).map(([name, { depends, deb }]) => {
		const filename = `pool/main/t/test/${name}_1+b1_riscv64.deb`;
		files.set(filename, deb);
		return [
			`Package: ${name}`,
			'Version: 1:6.12-1',
			'Architecture: riscv64',
			...(depends ? [`Depends: ${depends}`] : []),
			`Filename: ${filename}`,
			`Size: ${deb.length}`,
			`SHA256: ${sha256(deb)}`,
			'',
		].join('\n');
	});
	const packages = stanzas.join('\n');
	const index = makeXz(bytes(packages));
	const filename = 'dists/trixie/main/binary-riscv64/Packages.xz';
	files.set(filename, index);
	return { files, packages, indexFile: { filename, size: index.length, sha256: sha256(index) } };
}

/** Answers one request in an unusual way; returns false to have it served as usual. */
export type Misbehaviour = (request: IncomingMessage, response: ServerResponse, body: Uint8Array) => boolean;

export interface Mirror {
	url: string;
	/** `PATH` or `PATH RANGE` of each request, in order. */
	requests: string[];
	close(): Promise<void>;
}

/** A mirror on loopback that serves these files, ranges included: by HTTP, or with a certificate by HTTPS. */
export async function startMirror(
	files: ReadonlyMap<string, Uint8Array>,
	misbehave?: Misbehaviour,
	certificate?: { key: Buffer; cert: Buffer },
): Promise<Mirror> {
	const requests: string[] = [];
	const answer = (request: IncomingMessage, response: ServerResponse): void => {
		const path = decodeURIComponent(request.url ?? '').replace(/^\/debian\//, '');
		requests.push(request.headers.range === undefined ? path : `${path} ${request.headers.range}`);
		const body = files.get(path);
		if (!body) {
			response.writeHead(404).end('no such file');
			return;
		}
		if (misbehave?.(request, response, body)) return;
		const start = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1];
		if (start === undefined) {
			response.writeHead(200, { 'content-length': body.length }).end(body);
			return;
		}
		const part = body.subarray(Number(start));
		response
			.writeHead(206, {
				'content-length': part.length,
				'content-range': `bytes ${start}-${body.length - 1}/${body.length}`,
			})
			.end(part);
	};
	const server = certificate ? createSecureServer(certificate, answer) : createServer(answer);
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { port } = server.address() as AddressInfo;
	return {
		url: `http${certificate ? 's' : ''}://127.0.0.1:${port}/debian`,
		requests,
		close: () =>
			new Promise((resolve) => {
				server.close(() => resolve());
				server.closeAllConnections();
			}),
	};
}
