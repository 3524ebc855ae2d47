// A copy-on-write layer in a file: sectors that were written are in it, the others are in the base image, which is only
// read. The file is sparse: it takes up what was written.
//
//   offset 0     header, 4096 bytes: "partita overlay\n", version, sector size (32 bits each), sectors (64 bits), zeros,
//                CRC-32 of what is before it; all little-endian
//   offset 4096  which sectors are here, in blocks of 512 bytes: 4064 bits and their CRC-32; a block of zeros has none
//   then         the sectors, in place, from a multiple of 4096 on
//
// A sector counts as being here once the disk holds it: a flush first writes the data through, then the bits, then those
// through. So a crash of the host loses no more than a disk with a write cache does.
import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, unlinkSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { type BlockBackend, type BlockCompletion, type BlockRequest, SECTOR_SIZE } from '@partita/devices';
import { CommandError, hostReason } from '../errors.ts';
import { type Complain, readFully } from './file-drive.ts';
import { writeFully } from './files.ts';

const MAGIC = 'partita overlay\n';
const VERSION = 1;
const PAGE = 4096;
const BLOCK = 512;
const BLOCK_BITS = (BLOCK - 4) * 8;

/** The base, as far as it is used: requests end before submit returns. */
export interface BaseDrive extends BlockBackend {
	close(): void;
}

/** A drive whose writes go to a file of their own. */
export class OverlayFileDrive implements BlockBackend {
	readonly sectors: number;
	readonly readOnly = false;
	readonly #file: string;
	readonly #base: BaseDrive;
	readonly #complain: Complain;
	readonly #fd: number;
	readonly #dataStart: number;
	/** The bit blocks as they are in the file, but for those in #dirty. */
	readonly #blocks: Uint8Array;
	readonly #dirty = new Set<number>();
	/** The file could not be synchronized once. */
	#lost = false;

	/**
	 * Opens the layer, or makes it where there is none.
	 * @throws CommandError where it cannot be opened, is damaged, or belongs to a disk of another size
	 */
	constructor(file: string, base: BaseDrive, complain: Complain) {
		this.#file = file;
		this.#base = base;
		this.#complain = complain;
		this.sectors = base.sectors;
		const blockBytes = Math.ceil(this.sectors / BLOCK_BITS) * BLOCK;
		this.#dataStart = PAGE + Math.ceil(blockBytes / PAGE) * PAGE;
		this.#blocks = new Uint8Array(blockBytes);
		this.#fd = this.#open();
	}

	/** When the file was last written, as its file system says it. */
	get modified(): number {
		return fstatSync(this.#fd).mtimeMs;
	}

	submit(request: BlockRequest, complete: BlockCompletion): void {
		try {
			if (request.kind === 'flush') this.#flush();
			else if (request.kind === 'write') this.#write(request);
			else this.#read(request);
		} catch (error) {
			const reason = hostReason(error);
			this.#complain(`overlay ${this.#file}: ${request.kind} failed: ${reason}; the guest was told of an I/O error`);
			complete(request, 'io-error', reason);
			return;
		}
		complete(request, 'ok');
	}

	/** Writes everything through, and closes both files. */
	close(): void {
		try {
			this.#flush();
		} catch (error) {
			this.#complain(`overlay ${this.#file}: its last writes may be lost: ${hostReason(error)}`);
		}
		closeSync(this.#fd);
		this.#base.close();
	}

	#open(): number {
		let fd: number | undefined;
		let made = false;
		try {
			try {
				fd = openSync(this.#file, 'wx+');
				made = true;
			} catch (error) {
				if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
				fd = openSync(this.#file, 'r+');
			}
			if (made) this.#create(fd);
			else this.#check(fd);
			return fd;
		} catch (error) {
			if (fd !== undefined) closeSync(fd);
			// Half of a layer would be refused as damaged next time.
			if (made) unlinkSync(this.#file);
			if (error instanceof CommandError) throw error;
			throw new CommandError(`drive: cannot open the overlay ${this.#file}`, { why: hostReason(error), cause: error });
		}
	}

	#create(fd: number): void {
		const header = new Uint8Array(PAGE);
		header.set(Buffer.from(MAGIC, 'latin1'));
		const view = new DataView(header.buffer);
		view.setUint32(16, VERSION, true);
		view.setUint32(20, SECTOR_SIZE, true);
		view.setBigUint64(24, BigInt(this.sectors), true);
		view.setUint32(PAGE - 4, crc32(header.subarray(0, PAGE - 4)), true);
		ftruncateSync(fd, this.#dataStart + this.sectors * SECTOR_SIZE);
		writeFully(fd, header, 0);
	}

	#check(fd: number): void {
		const refuse = (why: string): never => {
			throw new CommandError(`drive: the overlay ${this.#file} cannot be used`, {
				why,
				advice: 'the overlay that belongs to this disk image, or a new file name',
			});
		};
		const stat = fstatSync(fd);
		if (!stat.isFile()) refuse('it is not a regular file');
		if (stat.size < PAGE) refuse('it is no overlay: it is too short for the header');
		const header = new Uint8Array(PAGE);
		readFully(fd, header, 0);
		const view = new DataView(header.buffer);
		if (Buffer.from(header.subarray(0, 16)).toString('latin1') !== MAGIC) refuse('it is no overlay');
		if (view.getUint32(PAGE - 4, true) !== crc32(header.subarray(0, PAGE - 4))) refuse('its header is damaged');
		if (view.getUint32(16, true) !== VERSION)
			refuse(`it has version ${view.getUint32(16, true)} of the format, not ${VERSION}`);
		if (view.getUint32(20, true) !== SECTOR_SIZE) refuse('it has another sector size');
		const sectors = view.getBigUint64(24, true);
		if (sectors !== BigInt(this.sectors))
			refuse(`it belongs to a disk of ${sectors} sectors; this one has ${this.sectors}`);
		if (stat.size !== this.#dataStart + this.sectors * SECTOR_SIZE) refuse('it is damaged: its length is wrong');
		readFully(fd, this.#blocks, PAGE);
		for (let at = 0; at < this.#blocks.length; at += BLOCK) {
			const block = this.#blocks.subarray(at, at + BLOCK);
			if (block.every((byte) => byte === 0)) continue;
			if (this.#checksum(at) !== crc32(block.subarray(0, BLOCK - 4)))
				refuse(`it is damaged: block ${at / BLOCK} of its map`);
		}
	}

	#checksum(at: number): number {
		return new DataView(this.#blocks.buffer, at + BLOCK - 4, 4).getUint32(0, true);
	}

	#has(sector: number): boolean {
		const bit = sector % BLOCK_BITS;
		return (this.#blocks[Math.floor(sector / BLOCK_BITS) * BLOCK + (bit >> 3)] & (1 << (bit & 7))) !== 0;
	}

	#read({ sector, data, id }: BlockRequest): void {
		const count = data.length / SECTOR_SIZE;
		for (let done = 0; done < count; ) {
			const here = this.#has(sector + done);
			let end = done + 1;
			while (end < count && this.#has(sector + end) === here) end++;
			const part = data.subarray(done * SECTOR_SIZE, end * SECTOR_SIZE);
			if (here) readFully(this.#fd, part, this.#dataStart + (sector + done) * SECTOR_SIZE);
			else {
				this.#base.submit({ id, kind: 'read', sector: sector + done, data: part }, (_, status, reason) => {
					if (status !== 'ok') throw new Error(`the base image: ${reason}`);
				});
			}
			done = end;
		}
	}

	#write({ sector, data }: BlockRequest): void {
		writeFully(this.#fd, data, this.#dataStart + sector * SECTOR_SIZE);
		for (let each = sector; each < sector + data.length / SECTOR_SIZE; each++) {
			if (this.#has(each)) continue;
			const block = Math.floor(each / BLOCK_BITS);
			const bit = each % BLOCK_BITS;
			this.#blocks[block * BLOCK + (bit >> 3)] |= 1 << (bit & 7);
			this.#dirty.add(block);
		}
	}

	#flush(): void {
		this.#sync();
		if (this.#dirty.size === 0) return;
		for (const block of this.#dirty) {
			const bytes = this.#blocks.subarray(block * BLOCK, (block + 1) * BLOCK);
			const view = new DataView(bytes.buffer, bytes.byteOffset, BLOCK);
			view.setUint32(BLOCK - 4, crc32(bytes.subarray(0, BLOCK - 4)), true);
			writeFully(this.#fd, bytes, PAGE + block * BLOCK);
		}
		this.#sync();
		this.#dirty.clear();
	}

	/** Once it has failed, the system may have dropped what it could not write: no later one can be trusted. */
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
