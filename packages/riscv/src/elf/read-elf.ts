/**
 * Reader of 64-bit little-endian RISC-V ELF files. The file may be hostile: whatever it says is checked against
 * its length before it is used, and the result refers to its bytes instead of copying them. It does not load
 * anything: how large a segment may be in memory, and where, is for the loader to say.
 *
 * Source: System V ABI, Object Files (gABI 4.1) with ELF-64; RISC-V ELF psABI 1.0.
 */

import { ElfError } from './elf-error.ts';
import {
	HEADER_SIZE,
	INDEX_RESERVED,
	INDEX_UNDEFINED,
	MACHINE_RISCV,
	PROGRAM_HEADER_SIZE,
	SECTION_HEADER_SIZE,
	SECTION_NOBITS,
	SECTION_STRTAB,
	SECTION_SYMTAB,
	SEGMENT_EXECUTE,
	SEGMENT_LOAD,
	SEGMENT_READ,
	SEGMENT_WRITE,
	SYMBOL_SIZE,
	type SymbolBinding,
	type SymbolType,
	symbolBindings,
	symbolTypes,
} from './elf-format.ts';

/** A segment that is to be loaded (`PT_LOAD`). */
export interface ElfSegment {
	/** Address in the program's own view. */
	readonly virtualAddress: bigint;
	/** Address to load it at in physical memory. */
	readonly physicalAddress: bigint;
	/** Its bytes in the file: a view, not a copy. */
	readonly bytes: Uint8Array;
	/** Its size in memory, at least `bytes.length`; the rest is zeros. As large as the file says: check it. */
	readonly memorySize: bigint;
	/** Alignment in bytes, as the file says. */
	readonly alignment: bigint;
	/** It may be read. */
	readonly readable: boolean;
	/** It may be written. */
	readonly writable: boolean;
	/** It may be executed. */
	readonly executable: boolean;
}

/** A section. */
export interface ElfSection {
	/** Its name; empty if the file has no names. */
	readonly name: string;
	/** `sh_type`. */
	readonly type: number;
	/** `sh_flags`. */
	readonly flags: bigint;
	/** Its address at run time, or 0. */
	readonly address: bigint;
	/** Its size in memory, in bytes. */
	readonly size: bigint;
	/** Its bytes in the file: a view, not a copy. */
	readonly bytes: Uint8Array;
}

/** A symbol. */
export interface ElfSymbol {
	/** Its name. */
	readonly name: string;
	/** Its value: mostly an address. */
	readonly value: bigint;
	/** Size of what it names, in bytes. */
	readonly size: bigint;
	/** What it is. */
	readonly type: SymbolType;
	/** Who sees it. */
	readonly binding: SymbolBinding;
	/** Name of the section that it is in; undefined for a number, or if it is defined elsewhere. */
	readonly section: string | undefined;
	/** It has a value in this file. */
	readonly defined: boolean;
}

/** What {@link readElf} yields. */
export interface ElfFile {
	/** Whether it is an executable, a position-independent one (or a shared object), or an object file. */
	readonly type: 'executable' | 'shared' | 'relocatable';
	/** Where to start. */
	readonly entry: bigint;
	/** `e_flags`: see the RISC-V ELF psABI. */
	readonly flags: number;
	/** Segments to load, in the file's order. */
	readonly segments: readonly ElfSegment[];
	/** All sections, without the empty first one. */
	readonly sections: readonly ElfSection[];
	/** All symbols, without the empty first one. */
	readonly symbols: readonly ElfSymbol[];
}

interface SectionHeader {
	readonly nameOffset: number;
	readonly type: number;
	readonly flags: bigint;
	readonly address: bigint;
	readonly offset: bigint;
	readonly size: bigint;
	readonly link: number;
	readonly entrySize: bigint;
	readonly where: number;
}

/** Names may share bytes in the file, but not so many that the names of a small file fill the memory. */
const MOST_NAME_BYTES_PER_FILE_BYTE = 16;

/**
 * Reads an ELF file.
 *
 * @throws ElfError if it is truncated, not for 64-bit little-endian RISC-V, or inconsistent
 */
export function readElf(bytes: Uint8Array): ElfFile {
	return new Reader(bytes).read();
}

/** RISC-V ELF psABI, "Mapping Symbol": where code (of an ISA) and data begin; no names of anything. */
const MAPPING_SYMBOL = /^\$[xd]/;

/**
 * The values of a file's named, defined symbols by name, without mapping symbols; of several with one name, a global one,
 * or the last.
 */
export function elfSymbolMap(file: ElfFile): Map<string, bigint> {
	const map = new Map<string, bigint>();
	const globals = new Set<string>();
	for (const { binding, defined, name, type, value } of file.symbols) {
		if (!defined || name === '' || type === 'section' || type === 'file' || globals.has(name)) continue;
		if (binding === 'local' && type === 'none' && MAPPING_SYMBOL.test(name)) continue;
		map.set(name, value);
		if (binding === 'global') globals.add(name);
	}
	return map;
}

const decoder: TextDecoder = /* @__PURE__ */ new TextDecoder();

class Reader {
	readonly #bytes: Uint8Array;
	readonly #view: DataView;
	#nameBudget: number;

	constructor(bytes: Uint8Array) {
		this.#bytes = bytes;
		this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
		this.#nameBudget = MOST_NAME_BYTES_PER_FILE_BYTE * bytes.length;
	}

	read(): ElfFile {
		const type = this.#identify();
		const segments = this.#segments();
		const headers = this.#sectionHeaders();
		const names = this.#sectionNames(headers);
		const sections = headers.map((header, index): ElfSection => {
			const name = names ? this.#string(names, header.nameOffset, `name of section ${index}`, header.where) : '';
			const { address, flags, size, type } = header;
			return { name, type, flags, address, size, bytes: this.#sectionBytes(header, index) };
		});
		const [table, second] = headers.flatMap(({ type }, index) => (type === SECTION_SYMTAB ? [index] : []));
		if (second !== undefined) {
			throw new ElfError(
				`section ${second}`,
				headers[second]!.where,
				'it is a second symbol table, and one is allowed',
			);
		}
		const symbols = table === undefined ? [] : this.#symbols(headers[table]!, table, headers, sections);
		const view = this.#view;
		return {
			type,
			entry: view.getBigUint64(24, true),
			flags: view.getUint32(48, true),
			segments,
			sections: sections.slice(1),
			symbols,
		};
	}

	#identify(): ElfFile['type'] {
		const view = this.#view;
		if (view.byteLength < 4 || view.getUint32(0) !== 0x7f45_4c46) {
			throw new ElfError('file', 0, 'it does not begin with 7f 45 4c 46, so it is no ELF file');
		}
		if (view.byteLength < HEADER_SIZE) {
			throw new ElfError(
				'file header',
				0,
				`truncated: it takes ${HEADER_SIZE} bytes, and the file has ${view.byteLength}`,
			);
		}
		const refuse = (what: string, where: number, found: number, wanted: string) => {
			throw new ElfError(what, where, `it is ${found}, and must be ${wanted}`);
		};
		if (view.getUint8(4) !== 2) refuse('class', 4, view.getUint8(4), '2 (64-bit)');
		if (view.getUint8(5) !== 1) refuse('data encoding', 5, view.getUint8(5), '1 (little-endian)');
		if (view.getUint8(6) !== 1) refuse('identification version', 6, view.getUint8(6), '1');
		const machine = view.getUint16(18, true);
		if (machine !== MACHINE_RISCV) refuse('machine', 18, machine, `${MACHINE_RISCV} (RISC-V)`);
		if (view.getUint32(20, true) !== 1) refuse('version', 20, view.getUint32(20, true), '1');
		const types = { 1: 'relocatable', 2: 'executable', 3: 'shared' } as const;
		const type = view.getUint16(16, true);
		if (type !== 1 && type !== 2 && type !== 3) return refuse('type', 16, type, '1, 2 or 3') as never;
		return types[type];
	}

	/** Checks that a table is in the file, and gives its offset. */
	#table(what: string, headerAt: number, count: number, entrySize: number, wantedSize: number): number {
		if (count === 0) return 0;
		const offset = this.#view.getBigUint64(headerAt, true);
		if (entrySize !== wantedSize) {
			throw new ElfError(what, headerAt, `its entries are ${entrySize} bytes, and must be ${wantedSize}`);
		}
		this.#inside(what, offset, BigInt(count * entrySize), headerAt);
		return Number(offset);
	}

	#inside(what: string, offset: bigint, size: bigint, where: number): void {
		const length = BigInt(this.#bytes.length);
		// What is empty may have any offset: a segment of zeros only has one that suits its address.
		if (size === 0n) return;
		if (offset <= length && size <= length - offset) return;
		const end = `0x${(offset + size).toString(16)}`;
		throw new ElfError(what, where, `it ends at offset ${end}, beyond the file's ${length} bytes`);
	}

	#segments(): ElfSegment[] {
		const view = this.#view;
		const count = view.getUint16(56, true);
		const table = this.#table('program header table', 32, count, view.getUint16(54, true), PROGRAM_HEADER_SIZE);
		const segments: (ElfSegment & { readonly where: number })[] = [];
		for (let index = 0; index < count; index++) {
			const where = table + index * PROGRAM_HEADER_SIZE;
			const what = `segment ${index}`;
			if (view.getUint32(where, true) !== SEGMENT_LOAD) continue;
			const flags = view.getUint32(where + 4, true);
			const field = (at: number) => view.getBigUint64(where + at, true);
			const [offset, virtualAddress, physicalAddress] = [field(8), field(16), field(24)];
			const [fileSize, memorySize, alignment] = [field(32), field(40), field(48)];
			this.#inside(what, offset, fileSize, where);
			if (fileSize > memorySize) {
				throw new ElfError(what, where, `it has ${fileSize} bytes in the file, but only ${memorySize} in memory`);
			}
			for (const address of [virtualAddress, physicalAddress]) {
				if (address + memorySize <= 1n << 64n) continue;
				const text = `0x${address.toString(16)}`;
				throw new ElfError(what, where, `${memorySize} bytes from address ${text} do not fit in 64 bits`);
			}
			segments.push({
				virtualAddress,
				physicalAddress,
				bytes: this.#bytes.subarray(Number(offset), Number(offset + fileSize)),
				memorySize,
				alignment,
				readable: (flags & SEGMENT_READ) !== 0,
				writable: (flags & SEGMENT_WRITE) !== 0,
				executable: (flags & SEGMENT_EXECUTE) !== 0,
				where,
			});
		}
		// In physical memory only what the file holds: the zeros of a program in ROM have no place there.
		refuseOverlaps(
			segments.map((segment) => ({ from: segment.virtualAddress, size: segment.memorySize, where: segment.where })),
		);
		refuseOverlaps(
			segments.map((segment) => ({
				from: segment.physicalAddress,
				size: BigInt(segment.bytes.length),
				where: segment.where,
			})),
		);
		return segments.map(({ where: _, ...segment }) => segment);
	}

	#sectionHeaders(): SectionHeader[] {
		const view = this.#view;
		const count = view.getUint16(60, true);
		const table = this.#table('section header table', 40, count, view.getUint16(58, true), SECTION_HEADER_SIZE);
		return Array.from({ length: count }, (_, index): SectionHeader => {
			const where = table + index * SECTION_HEADER_SIZE;
			return {
				nameOffset: view.getUint32(where, true),
				type: view.getUint32(where + 4, true),
				flags: view.getBigUint64(where + 8, true),
				address: view.getBigUint64(where + 16, true),
				offset: view.getBigUint64(where + 24, true),
				size: view.getBigUint64(where + 32, true),
				link: view.getUint32(where + 40, true),
				entrySize: view.getBigUint64(where + 56, true),
				where,
			};
		});
	}

	#sectionBytes(header: SectionHeader, index: number): Uint8Array {
		// The first one is reserved: its fields mean something else.
		if (index === 0 || header.type === 0 || header.type === SECTION_NOBITS) return this.#bytes.subarray(0, 0);
		this.#inside(`section ${index}`, header.offset, header.size, header.where);
		return this.#bytes.subarray(Number(header.offset), Number(header.offset + header.size));
	}

	#sectionNames(headers: readonly SectionHeader[]): Uint8Array | undefined {
		const index = this.#view.getUint16(62, true);
		if (index === INDEX_UNDEFINED || headers.length === 0) return undefined;
		return this.#stringTable('section names', index, headers, 62);
	}

	#stringTable(what: string, index: number, headers: readonly SectionHeader[], where: number): Uint8Array {
		const header = headers[index];
		if (!header) throw new ElfError(what, where, `section ${index} does not exist: there are ${headers.length}`);
		if (header.type !== SECTION_STRTAB) throw new ElfError(what, where, `section ${index} is no string table`);
		return this.#sectionBytes(header, index);
	}

	#string(table: Uint8Array, offset: number, what: string, where: number): string {
		const end = table.indexOf(0, offset);
		if (offset >= table.length || end < 0) {
			throw new ElfError(what, where, `it does not end within its string table of ${table.length} bytes`);
		}
		this.#nameBudget -= end - offset;
		if (this.#nameBudget < 0) throw new ElfError(what, where, 'the names together are absurdly larger than the file');
		return decoder.decode(table.subarray(offset, end));
	}

	#symbols(
		header: SectionHeader,
		index: number,
		headers: readonly SectionHeader[],
		sections: readonly ElfSection[],
	): ElfSymbol[] {
		const what = `symbol table, section ${index}`;
		if (header.entrySize !== BigInt(SYMBOL_SIZE)) {
			throw new ElfError(what, header.where, `its entries are ${header.entrySize} bytes, and must be ${SYMBOL_SIZE}`);
		}
		const names = this.#stringTable(`names of ${what}`, header.link, headers, header.where);
		const table = sections[index]!.bytes;
		if (table.length % SYMBOL_SIZE !== 0) {
			throw new ElfError(what, header.where, `its ${table.length} bytes are no multiple of ${SYMBOL_SIZE}`);
		}
		const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
		const symbols: ElfSymbol[] = [];
		for (let at = SYMBOL_SIZE; at < table.length; at += SYMBOL_SIZE) {
			const where = Number(header.offset) + at;
			const info = view.getUint8(at + 4);
			const sectionIndex = view.getUint16(at + 6, true);
			if (sectionIndex >= sections.length && sectionIndex < INDEX_RESERVED) {
				throw new ElfError('symbol', where, `section ${sectionIndex} does not exist: there are ${sections.length}`);
			}
			symbols.push({
				name: this.#string(names, view.getUint32(at, true), 'symbol name', where),
				value: view.getBigUint64(at + 8, true),
				size: view.getBigUint64(at + 16, true),
				type: symbolTypes[info & 15] ?? 'other',
				binding: symbolBindings[info >> 4] ?? 'other',
				section: sectionIndex < INDEX_RESERVED && sectionIndex > 0 ? sections[sectionIndex]!.name : undefined,
				defined: sectionIndex !== INDEX_UNDEFINED,
			});
		}
		return symbols;
	}
}

interface Extent {
	readonly from: bigint;
	readonly size: bigint;
	readonly where: number;
}

function refuseOverlaps(extents: readonly Extent[]): void {
	const sorted = extents
		.filter(({ size }) => size > 0n)
		.sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
	for (let i = 1; i < sorted.length; i++) {
		const [lower, upper] = [sorted[i - 1]!, sorted[i]!];
		if (lower.from + lower.size <= upper.from) continue;
		const why = `it overlaps the one whose header is at offset 0x${lower.where.toString(16)}, at address 0x${upper.from.toString(16)}`;
		throw new ElfError('segment', upper.where, why);
	}
}
