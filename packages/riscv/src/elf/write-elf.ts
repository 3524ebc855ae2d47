/**
 * Writer of 64-bit little-endian RISC-V ELF executables: segments, one section for each, and symbols.
 *
 * Source: System V ABI, Object Files (gABI 4.1) with ELF-64; RISC-V ELF psABI 1.0.
 */

import type { Program } from '../assembler/program.ts';
import { ElfError } from './elf-error.ts';
import {
	FLAG_FLOAT_ABI_DOUBLE,
	FLAG_RVC,
	HEADER_SIZE,
	INDEX_ABSOLUTE,
	MACHINE_RISCV,
	PROGRAM_HEADER_SIZE,
	SECTION_ALLOC,
	SECTION_EXECUTE,
	SECTION_HEADER_SIZE,
	SECTION_NOBITS,
	SECTION_PROGBITS,
	SECTION_STRTAB,
	SECTION_SYMTAB,
	SECTION_WRITE,
	SEGMENT_EXECUTE,
	SEGMENT_LOAD,
	SEGMENT_READ,
	SEGMENT_WRITE,
	SYMBOL_SIZE,
	symbolTypes,
} from './elf-format.ts';

/** A segment to write. */
export interface ElfSegmentInput {
	/** Name of its section. */
	readonly name: string;
	/** Address in the program's own view. */
	readonly virtualAddress: bigint;
	/** Address to load it at; the virtual address by default. */
	readonly physicalAddress?: bigint;
	/** Its bytes in the file. */
	readonly bytes: Uint8Array;
	/** Its size in memory; `bytes.length` by default. */
	readonly memorySize?: bigint;
	/** It may be written. */
	readonly writable: boolean;
	/** It may be executed. */
	readonly executable: boolean;
}

/** A symbol to write. */
export interface ElfSymbolInput {
	/** Its name. */
	readonly name: string;
	/** Its value. */
	readonly value: bigint;
	/** Name of the segment that it is in; a plain number without one. */
	readonly section?: string | undefined;
	/** Size of what it names, in bytes; 0 by default. */
	readonly size?: bigint;
	/** What it is; `none` by default. */
	readonly type?: 'none' | 'function' | 'object';
	/** Whether other files may see it. */
	readonly global?: boolean;
}

/** What {@link writeElf} writes. */
export interface ElfInput {
	/** Where to start. */
	readonly entry: bigint;
	/** What to load. */
	readonly segments: readonly ElfSegmentInput[];
	/** Symbols. */
	readonly symbols?: readonly ElfSymbolInput[];
}

/** Offsets in the file are congruent to addresses modulo this, so that pages can be mapped from it. */
const PAGE = 4096n;

/**
 * Writes an executable.
 *
 * @throws ElfError if a segment is larger in the file than in memory, or a symbol's section does not exist
 */
export function writeElf(input: ElfInput): Uint8Array {
	const { segments } = input;
	const symbols = [...(input.symbols ?? [])].sort((a, b) => Number(a.global ?? false) - Number(b.global ?? false));
	const strings = new StringTable();
	const sectionNames = new StringTable();
	let end = BigInt(HEADER_SIZE + segments.length * PROGRAM_HEADER_SIZE);
	const offsets = segments.map(({ bytes, virtualAddress }) => {
		const offset = end + ((virtualAddress - end) & (PAGE - 1n));
		if (bytes.length > 0) end = offset + BigInt(bytes.length);
		return offset;
	});
	const symbolBytes = encodeSymbols(symbols, segments, strings);
	const names = [...segments.map(({ name }) => name), '.symtab', '.strtab', '.shstrtab'].map((name) =>
		sectionNames.add(name),
	);
	const symbolOffset = (end + 7n) & ~7n;
	const stringOffset = symbolOffset + BigInt(symbolBytes.length);
	const nameOffset = stringOffset + BigInt(strings.bytes.length);
	const sectionOffset = (nameOffset + BigInt(sectionNames.bytes.length) + 7n) & ~7n;
	const sectionCount = segments.length + 4;
	const file = new Uint8Array(Number(sectionOffset) + sectionCount * SECTION_HEADER_SIZE);
	const writer = new FieldWriter(file);

	writeHeader(writer, input.entry, segments.length, sectionOffset, sectionCount);
	segments.forEach((segment, index) => {
		const { bytes, executable, physicalAddress, virtualAddress, writable } = segment;
		const memorySize = segment.memorySize ?? BigInt(bytes.length);
		if (memorySize < BigInt(bytes.length)) {
			const why = `it has ${bytes.length} bytes, but only ${memorySize} in memory`;
			throw new ElfError(`segment ${index}`, HEADER_SIZE + index * PROGRAM_HEADER_SIZE, why);
		}
		writer.at(HEADER_SIZE + index * PROGRAM_HEADER_SIZE);
		writer.u32(SEGMENT_LOAD, SEGMENT_READ | (writable ? SEGMENT_WRITE : 0) | (executable ? SEGMENT_EXECUTE : 0));
		writer.u64(
			offsets[index]!,
			virtualAddress,
			physicalAddress ?? virtualAddress,
			BigInt(bytes.length),
			memorySize,
			PAGE,
		);
		if (bytes.length > 0) file.set(bytes, Number(offsets[index]!));
		const flags = SECTION_ALLOC | (writable ? SECTION_WRITE : 0) | (executable ? SECTION_EXECUTE : 0);
		const type = bytes.length === 0 ? SECTION_NOBITS : SECTION_PROGBITS;
		const header = { name: names[index]!, type, flags, address: virtualAddress, alignment: 16n };
		writer.at(Number(sectionOffset) + (index + 1) * SECTION_HEADER_SIZE);
		writer.section({
			...header,
			offset: offsets[index]!,
			size: type === SECTION_NOBITS ? memorySize : BigInt(bytes.length),
		});
	});
	file.set(symbolBytes, Number(symbolOffset));
	file.set(strings.bytes, Number(stringOffset));
	file.set(sectionNames.bytes, Number(nameOffset));
	const tables = names.slice(segments.length);
	writer.at(Number(sectionOffset) + (segments.length + 1) * SECTION_HEADER_SIZE);
	writer.section({
		name: tables[0]!,
		type: SECTION_SYMTAB,
		offset: symbolOffset,
		size: BigInt(symbolBytes.length),
		link: segments.length + 2,
		// One more than the last local symbol.
		info: 1 + symbols.filter(({ global }) => !global).length,
		alignment: 8n,
		entrySize: BigInt(SYMBOL_SIZE),
	});
	const stringSection = { type: SECTION_STRTAB, alignment: 1n };
	writer.section({ ...stringSection, name: tables[1]!, offset: stringOffset, size: BigInt(strings.bytes.length) });
	writer.section({ ...stringSection, name: tables[2]!, offset: nameOffset, size: BigInt(sectionNames.bytes.length) });
	return file;
}

/** An assembled program as an ELF executable, with its symbols; those that begin with `.L` are left out. */
export function programToElf(program: Program): Uint8Array {
	return writeElf({
		entry: program.entry,
		segments: program.sections.map(({ address, bytes, executable, name, nobits, writable }) => ({
			name,
			virtualAddress: address,
			bytes: nobits ? new Uint8Array(0) : bytes,
			memorySize: BigInt(bytes.length),
			writable,
			executable,
		})),
		symbols: program.symbolTable
			.filter(({ name }) => !name.startsWith('.L'))
			.map((symbol) => {
				// A label of a section that holds nothing is a plain number.
				const exists = program.sections.some(({ name }) => name === symbol.section);
				return { ...symbol, section: exists ? symbol.section : undefined };
			}),
	});
}

function writeHeader(
	writer: FieldWriter,
	entry: bigint,
	segments: number,
	sectionOffset: bigint,
	sections: number,
): void {
	writer.at(0);
	// Magic; 64-bit, little-endian, version 1, System V ABI.
	writer.u32(0x464c_457f, 0x0001_0102, 0, 0);
	writer.u16(2, MACHINE_RISCV);
	writer.u32(1);
	writer.u64(entry, segments > 0 ? BigInt(HEADER_SIZE) : 0n, sectionOffset);
	writer.u32(FLAG_RVC | FLAG_FLOAT_ABI_DOUBLE);
	writer.u16(HEADER_SIZE, PROGRAM_HEADER_SIZE, segments, SECTION_HEADER_SIZE, sections, sections - 1);
}

function encodeSymbols(
	symbols: readonly ElfSymbolInput[],
	segments: readonly ElfSegmentInput[],
	strings: StringTable,
): Uint8Array {
	const bytes = new Uint8Array((symbols.length + 1) * SYMBOL_SIZE);
	const writer = new FieldWriter(bytes);
	writer.at(SYMBOL_SIZE);
	for (const { global, name, section, size, type, value } of symbols) {
		const index = segments.findIndex((segment) => segment.name === section);
		if (section !== undefined && index < 0) {
			throw new ElfError(`symbol ${name}`, 0, `there is no segment named ${section}`);
		}
		const info = ((global ? 1 : 0) << 4) | symbolTypes.indexOf(type ?? 'none');
		writer.u32(strings.add(name));
		writer.u16(info, section === undefined ? INDEX_ABSOLUTE : index + 1);
		writer.u64(value, size ?? 0n);
	}
	return bytes;
}

interface SectionFields {
	readonly name: number;
	readonly type: number;
	readonly flags?: number;
	readonly address?: bigint;
	readonly offset: bigint;
	readonly size: bigint;
	readonly link?: number;
	readonly info?: number;
	readonly alignment: bigint;
	readonly entrySize?: bigint;
}

/** Writes fields one after the other. */
class FieldWriter {
	readonly #view: DataView;
	#at = 0;

	constructor(bytes: Uint8Array) {
		this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	}

	at(offset: number): void {
		this.#at = offset;
	}

	u16(...values: number[]): void {
		for (const value of values) {
			this.#view.setUint16(this.#at, value, true);
			this.#at += 2;
		}
	}

	u32(...values: number[]): void {
		for (const value of values) {
			this.#view.setUint32(this.#at, value, true);
			this.#at += 4;
		}
	}

	u64(...values: bigint[]): void {
		for (const value of values) {
			this.#view.setBigUint64(this.#at, value, true);
			this.#at += 8;
		}
	}

	section(fields: SectionFields): void {
		this.u32(fields.name, fields.type);
		this.u64(BigInt(fields.flags ?? 0), fields.address ?? 0n, fields.offset, fields.size);
		this.u32(fields.link ?? 0, fields.info ?? 0);
		this.u64(fields.alignment, fields.entrySize ?? 0n);
	}
}

/** A string table: begins with the empty string; each string ends in a zero byte. */
class StringTable {
	#bytes: number[] = [0];

	add(text: string): number {
		if (text === '') return 0;
		const offset = this.#bytes.length;
		for (const byte of new TextEncoder().encode(text)) this.#bytes.push(byte);
		this.#bytes.push(0);
		return offset;
	}

	get bytes(): Uint8Array {
		return Uint8Array.from(this.#bytes);
	}
}
