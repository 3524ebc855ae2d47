/**
 * Images: what a file of code is, and where its bytes go. ELF, the RISC-V Linux Image format
 * (Documentation/arch/riscv/boot-image-header.rst), and flat binaries. Nothing is decompressed here.
 */
import { ElfError, elfSymbolMap, readElf } from '@partita/riscv';
import { MachineError } from './errors.ts';

/** Bytes and where they go in physical memory. */
export interface ImagePart {
	readonly address: number;
	readonly bytes: Uint8Array;
	/** Bytes of memory that it takes; what `bytes` lacks is zero. */
	readonly size: number;
}

/** An image, placed. */
export interface Image {
	readonly kind: 'elf' | 'linux' | 'flat';
	readonly parts: readonly ImagePart[];
	/** Where it starts. */
	readonly entry: number;
	/** First address beyond it. */
	readonly end: number;
	/** Symbols of an ELF, else none. */
	readonly symbols: ReadonlyMap<string, bigint>;
}

const LINUX_MAGIC = 0x0543_5352;
/** What an Image for AArch64 has at the same place. */
const LINUX_MAGIC_ARM64 = 0x644d_5241;
const LINUX_MAGIC_OFFSET = 56;
const HEADER_SIZE = 64;

/**
 * Places an image.
 * @param what - what it is to the user: `kernel`, `firmware`
 * @param flatAddress - where an image that does not say goes; a Linux Image's text offset counts from `linuxBase`
 * @throws MachineError if it is none of the formats, or damaged
 */
export function placeImage(what: string, bytes: Uint8Array, flatAddress: number, linuxBase: number): Image {
	if (bytes.length === 0) throw new MachineError(`${what}: the file is empty`);
	if (isElf(bytes)) return placeElf(what, bytes);
	const packed = compression(bytes);
	if (packed) {
		throw new MachineError(
			`${what}: the file is compressed (${packed})`,
			`decompress it first, e.g. with \`${packed} -d\``,
		);
	}
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const magic = bytes.length >= HEADER_SIZE ? view.getUint32(LINUX_MAGIC_OFFSET, true) : 0;
	if (magic === LINUX_MAGIC_ARM64) throw new MachineError(`${what}: it is a Linux Image for AArch64, not for RISC-V`);
	if (magic === LINUX_MAGIC) {
		const offset = view.getBigUint64(8, true);
		const size = view.getBigUint64(16, true);
		if (offset > 0x4000_0000n || size > 0x4_0000_0000n)
			throw new MachineError(`${what}: its Linux header asks for 0x${size.toString(16)} bytes: it is damaged`);
		const address = linuxBase + Number(offset);
		return flat('linux', bytes, address, Math.max(bytes.length, Number(size)));
	}
	return flat('flat', bytes, flatAddress, bytes.length);
}

function flat(kind: 'linux' | 'flat', bytes: Uint8Array, address: number, size: number): Image {
	return { kind, parts: [{ address, bytes, size }], entry: address, end: address + size, symbols: new Map() };
}

function isElf(bytes: Uint8Array): boolean {
	return bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}

function compression(bytes: Uint8Array): string | undefined {
	if (bytes[0] === 0x1f && bytes[1] === 0x8b) return 'gzip';
	if (bytes[0] === 0xfd && bytes[1] === 0x37 && bytes[2] === 0x7a) return 'xz';
	if (bytes[0] === 0x42 && bytes[1] === 0x5a && bytes[2] === 0x68) return 'bzip2';
	if (bytes[0] === 0x04 && bytes[1] === 0x22 && bytes[2] === 0x4d && bytes[3] === 0x18) return 'lz4';
	if (bytes[0] === 0x28 && bytes[1] === 0xb5 && bytes[2] === 0x2f && bytes[3] === 0xfd) return 'zstd';
	return undefined;
}

function placeElf(what: string, bytes: Uint8Array): Image {
	let file: ReturnType<typeof readElf>;
	try {
		file = readElf(bytes);
	} catch (error) {
		if (error instanceof ElfError) throw new MachineError(`${what}: ${error.message}`);
		throw error;
	}
	if (file.type === 'relocatable')
		throw new MachineError(`${what}: it is an object file`, 'link it into an executable first');
	const parts = file.segments
		.filter(({ memorySize }) => memorySize > 0n)
		.map(({ physicalAddress, bytes: content, memorySize }) => {
			if (physicalAddress + memorySize > BigInt(Number.MAX_SAFE_INTEGER))
				throw new MachineError(
					`${what}: a segment is at 0x${physicalAddress.toString(16)}, where no machine has memory`,
				);
			return { address: Number(physicalAddress), bytes: content, size: Number(memorySize) };
		});
	if (parts.length === 0) throw new MachineError(`${what}: the ELF file has nothing to load`);
	const end = Math.max(...parts.map(({ address, size }) => address + size));
	return { kind: 'elf', parts, entry: physicalEntry(what, file), end, symbols: elfSymbolMap(file) };
}

/** The entry as a physical address: linked at virtual addresses, a kernel starts where its segment is loaded. */
function physicalEntry(what: string, file: ReturnType<typeof readElf>): number {
	for (const { virtualAddress, physicalAddress, memorySize } of file.segments) {
		if (file.entry >= virtualAddress && file.entry < virtualAddress + memorySize)
			return Number(file.entry - virtualAddress + physicalAddress);
	}
	throw new MachineError(
		`${what}: it starts at 0x${file.entry.toString(16)}, where none of its segments is`,
		'link it with an entry point',
	);
}
