/** ELF files: written ones are judged by readelf and nm, read ones come from GNU ld; hostile ones are refused. */

import { describe, expect, test } from 'vitest';
import { assemble, ElfError, elfSymbolMap, programToElf, readElf, writeElf } from '../src/index.ts';
import { gnuInspect, gnuLink, hasBinutils, seededRandom } from './binutils.ts';

const source = `
	.globl _start
	.type _start, @function
_start:	la a0, message
	lw a1, counter
	ret
	.size _start, . - _start
	.section .rodata
message: .asciz "hello"
	.data
	.type counter, @object
counter: .dword 7
	.bss
buffer:	.zero 5000
	.equ limit, 42
`;

const good = () => programToElf(assemble(source, { base: 0x1_0000n }));

function edited(edit: (view: DataView, bytes: Uint8Array) => void): Uint8Array {
	const bytes = good();
	edit(new DataView(bytes.buffer), bytes);
	return bytes;
}

function refusal(bytes: Uint8Array): ElfError {
	try {
		readElf(bytes);
	} catch (error) {
		if (error instanceof ElfError) return error;
		throw error;
	}
	throw new Error('accepted');
}

describe('a program survives being written and read', () => {
	const program = assemble(source, { base: 0x1_0000n });
	const file = readElf(programToElf(program));

	test('segments', () => {
		expect(file).toMatchObject({ type: 'executable', entry: 0x1_0000n, flags: 5 });
		expect(
			file.segments.map(({ bytes, executable, memorySize, physicalAddress, virtualAddress, writable }) => ({
				bytes: bytes.length,
				executable,
				memorySize,
				physicalAddress,
				virtualAddress,
				writable,
			})),
		).toEqual(
			program.sections.map(({ address, bytes, executable, nobits, writable }) => ({
				bytes: nobits ? 0 : bytes.length,
				executable,
				memorySize: BigInt(bytes.length),
				physicalAddress: address,
				virtualAddress: address,
				writable,
			})),
		);
		file.segments.forEach(({ bytes }, index) => {
			if (bytes.length > 0) expect(bytes).toEqual(program.sections[index]!.bytes);
		});
	});

	test('symbols', () => {
		expect(elfSymbolMap(file)).toEqual(program.symbols);
		expect(file.symbols.find(({ name }) => name === '_start')).toEqual({
			...{ name: '_start', value: 0x1_0000n, size: 20n, type: 'function', binding: 'global' },
			...{ section: '.text', defined: true },
		});
		expect(file.symbols.find(({ name }) => name === 'limit')).toMatchObject({ value: 42n, section: undefined });
		expect(file.sections.map(({ name }) => name)).toEqual([
			...['.text', '.rodata', '.data', '.bss', '.symtab', '.strtab', '.shstrtab'],
		]);
	});
});

describe.skipIf(!hasBinutils)('GNU agrees', () => {
	test('readelf takes what is written, without a warning', () => {
		const listing = gnuInspect('readelf', good(), '-hlSW');
		expect(listing).not.toMatch(/[Ww]arning|[Ee]rror/);
		expect(listing).toMatch(/Entry point address:\s+0x10000/);
		expect(listing).toMatch(/LOAD\s+0x001000 0x0000000000010000 0x0000000000010000 0x000014 0x000014 R E 0x1000/);
		expect(listing).toMatch(/\.bss\s+NOBITS\s+0000000000010040 \w+ 001388/);
		expect(gnuInspect('nm', good(), '-v').trim().split('\n')).toEqual([
			'000000000000002a a limit',
			'0000000000010000 T _start',
			'0000000000010020 r message',
			'0000000000010030 d counter',
			'0000000000010040 b buffer',
		]);
	});

	test('objdump disassembles it under its symbols', () => {
		expect(gnuInspect('objdump', good(), '-d')).toMatch(
			/0000000000010000 <_start>:\n\s+10000:\t00000517\s+\tauipc\ta0,0x0/,
		);
	});

	test('what ld has linked is read', () => {
		const file = readElf(gnuLink(source, 0x1_0000n));
		const text = file.sections.find(({ name }) => name === '.text')!;
		expect(file.entry).toBe(0x1_0000n);
		expect(text.address).toBe(0x1_0000n);
		const code = file.segments.find(({ executable }) => executable)!;
		expect(code.virtualAddress).toBeLessThanOrEqual(0x1_0000n);
		expect(
			file.segments.some(({ bytes, memorySize, writable }) => writable && memorySize >= BigInt(bytes.length) + 5000n),
		).toBe(true);
		const symbols = elfSymbolMap(file);
		expect(symbols.get('_start')).toBe(0x1_0000n);
		expect(symbols.get('limit')).toBe(42n);
		// The assembler marks code and data with mapping symbols.
		expect(file.symbols.map(({ name }) => name)).toContainEqual(expect.stringMatching(/^\$x/));
		expect([...symbols.keys()].filter((name) => name.startsWith('$'))).toEqual([]);
		const message = file.sections.find(({ name }) => name === '.rodata')!;
		expect(symbols.get('message')).toBe(message.address);
		expect(new TextDecoder().decode(message.bytes)).toBe('hello\0');
	});
});

describe('a hostile file is refused with what, where and why', () => {
	// Offsets of the file header's fields: gABI, ELF Header; program headers follow at 64, 56 bytes each.
	const sectionTable = (view: DataView) => Number(view.getBigUint64(40, true));
	const symbolTable = (view: DataView) => sectionTable(view) + 5 * 64;
	test.each<[string, (view: DataView, bytes: Uint8Array) => void, RegExp]>([
		['another magic', (view) => view.setUint8(1, 0x46), /offset 0x0: file: .*no ELF file/],
		['32-bit', (view) => view.setUint8(4, 1), /offset 0x4: class: it is 1, and must be 2/],
		['big-endian', (view) => view.setUint8(5, 2), /data encoding: it is 2, and must be 1/],
		['an unknown identification version', (view) => view.setUint8(6, 0), /identification version/],
		['x86-64', (view) => view.setUint16(18, 62, true), /machine: it is 62, and must be 243/],
		['a core file', (view) => view.setUint16(16, 4, true), /type: it is 4/],
		['an unknown version', (view) => view.setUint32(20, 2, true), /version: it is 2/],
		[
			'program headers of another size',
			(view) => view.setUint16(54, 32, true),
			/its entries are 32 bytes, and must be 56/,
		],
		[
			'an absurd number of segments',
			(view) => view.setUint16(56, 0xffff, true),
			/program header table: it ends at .* beyond/,
		],
		['a program header table beyond the file', (view) => view.setBigUint64(32, 1n << 40n, true), /beyond the file/],
		[
			'a program header table at the end of 64 bits',
			(view) => view.setBigUint64(32, (1n << 64n) - 8n, true),
			/beyond the file/,
		],
		[
			'section headers of another size',
			(view) => view.setUint16(58, 40, true),
			/its entries are 40 bytes, and must be 64/,
		],
		['an absurd number of sections', (view) => view.setUint16(60, 0xffff, true), /section header table: it ends at/],
		[
			'a segment beyond the file',
			(view) => view.setBigUint64(64 + 8, 1n << 32n, true),
			/segment 0: it ends at .* beyond/,
		],
		['a segment whose end wraps around', (view) => view.setBigUint64(64 + 32, (1n << 64n) - 1n, true), /segment 0/],
		['a segment larger in the file than in memory', (view) => view.setBigUint64(64 + 40, 4n, true), /only 4 in memory/],
		[
			'a segment beyond 64-bit addresses',
			(view) => view.setBigUint64(64 + 16, (1n << 64n) - 1n, true),
			/do not fit in 64 bits/,
		],
		[
			'a segment beyond physical addresses',
			(view) => view.setBigUint64(64 + 24, (1n << 64n) - 1n, true),
			/do not fit in 64 bits/,
		],
		[
			'segments that overlap',
			(view) => view.setBigUint64(64 + 56 + 16, 0x1_0008n, true),
			/overlaps the one whose header/,
		],
		[
			'segments that overlap in physical memory',
			(view) => view.setBigUint64(64 + 56 + 24, 0x1_0008n, true),
			/overlaps/,
		],
		['a segment of zeros over another one', (view) => view.setBigUint64(64 + 40, 0x21n, true), /overlaps/],
		['section names in a section that is none', (view) => view.setUint16(62, 99, true), /section 99 does not exist/],
		['section names in code', (view) => view.setUint16(62, 1, true), /section 1 is no string table/],
		[
			'a section beyond the file',
			(view) => view.setBigUint64(sectionTable(view) + 64 + 32, 1n << 40n, true),
			/section 1: it ends/,
		],
		[
			'a section name beyond the names',
			(view) => view.setUint32(sectionTable(view) + 64, 1 << 20, true),
			/does not end within/,
		],
		[
			'symbols of another size',
			(view) => view.setBigUint64(symbolTable(view) + 56, 16n, true),
			/its entries are 16 bytes/,
		],
		['a symbol table that is cut', (view) => view.setBigUint64(symbolTable(view) + 32, 25n, true), /no multiple of 24/],
		['symbol names in no section', (view) => view.setUint32(symbolTable(view) + 40, 1 << 30, true), /does not exist/],
		['a second symbol table', (view) => view.setUint32(sectionTable(view) + 64 + 4, 2, true), /a second symbol table/],
		[
			'a symbol in no section',
			(view) => view.setUint16(Number(view.getBigUint64(symbolTable(view) + 24, true)) + 24 + 6, 500, true),
			/symbol: section 500 does not exist/,
		],
		[
			'a symbol name beyond the names',
			(view) => view.setUint32(Number(view.getBigUint64(symbolTable(view) + 24, true)) + 24, 1 << 20, true),
			/symbol name: it does not end within/,
		],
	])('%s', (_, edit, message) => {
		const error = refusal(edited(edit));
		expect(error.message).toMatch(message);
		expect(error.message).toBe(`ELF file, offset 0x${error.where.toString(16)}: ${error.what}: ${error.why}`);
	});

	test('a file cut at any length', () => {
		const bytes = good();
		for (let length = 0; length < bytes.length; length += length < 1024 ? 1 : 61) {
			expect(refusal(bytes.slice(0, length))).toBeInstanceOf(ElfError);
		}
	});

	test('names that share bytes until they are larger than the memory', () => {
		// 4000 symbols, each named by 60 KB that begin one byte later.
		const names = 'x'.repeat(60_000);
		const symbols = Array.from({ length: 4000 }, (_, index) => ({ name: index === 0 ? names : '', value: 0n }));
		const bytes = writeElf({ entry: 0n, segments: [], symbols });
		const view = new DataView(bytes.buffer);
		const table = Number(view.getBigUint64(Number(view.getBigUint64(40, true)) + 64 + 24, true));
		for (let index = 1; index <= 4000; index++) view.setUint32(table + 24 * index, index, true);
		expect(refusal(bytes).why).toMatch(/absurdly larger than the file/);
	});

	test('any change of bytes gives a file or an ElfError', () => {
		const random = seededRandom(0xe1f);
		const bytes = good();
		const headers = bytes.length - 8 * 64;
		for (let round = 0; round < 5000; round++) {
			const copy = bytes.slice();
			for (let change = random() % 4; change >= 0; change--) {
				const area = random() % 3;
				const at = area === 0 ? random() % 288 : area === 1 ? headers + (random() % 512) : random() % copy.length;
				copy[at] = [0, 1, 0x7f, 0x80, 0xff, random() & 0xff][random() % 6]!;
			}
			try {
				readElf(copy);
			} catch (error) {
				if (!(error instanceof ElfError)) throw error;
			}
		}
	});
});

describe('writeElf', () => {
	const segment = { name: '.text', virtualAddress: 0n, bytes: new Uint8Array(8), writable: false, executable: true };

	test('refuses a segment that does not fit in its memory, and a symbol of no segment', () => {
		expect(() => writeElf({ entry: 0n, segments: [{ ...segment, memorySize: 4n }] })).toThrow(ElfError);
		expect(() => writeElf({ entry: 0n, segments: [], symbols: [{ name: 'x', value: 0n, section: '.text' }] })).toThrow(
			/no segment named/,
		);
	});

	test('keeps physical addresses', () => {
		const bytes = writeElf({
			entry: 1n << 63n,
			segments: [{ ...segment, virtualAddress: 1n << 63n, physicalAddress: 0x8000_0000n }],
		});
		expect(readElf(bytes).segments[0]).toMatchObject({ virtualAddress: 1n << 63n, physicalAddress: 0x8000_0000n });
	});
});
