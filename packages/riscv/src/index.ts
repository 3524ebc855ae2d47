/**
 * RISC-V machine code, without what it does: instruction encodings, decoder, assembler, disassembler, CSR names
 * and fields, and ELF files.
 *
 * @packageDocumentation
 */

export {
	type AsmHole,
	type AssembleOptions,
	asm,
	asmWith,
	assemble,
} from './assembler/assemble.ts';
export { AssemblyError, type Place } from './assembler/assembly-error.ts';
export type { SectionFlags } from './assembler/directives.ts';
export type { Program, ProgramSection, ProgramSymbol } from './assembler/program.ts';
export {
	type ExceptionName,
	exceptionName,
	exceptions,
	type InterruptName,
	interruptName,
	interrupts,
} from './causes.ts';
export {
	type CompressedFormat,
	type CompressedRow,
	compressedInstructions,
	expandCompressed,
} from './compressed.ts';
export { type CsrName, csrName, csrNumber, csrNumbers } from './csr.ts';
export * as csrFields from './csr-fields.ts';
export { createDecoded, type Decoded, decode } from './decoder.ts';
export { type DisassembleOptions, disassemble, instructionLength } from './disassembler.ts';
export { ElfError } from './elf/elf-error.ts';
export type { SymbolBinding, SymbolType } from './elf/elf-format.ts';
export {
	type ElfFile,
	type ElfSection,
	type ElfSegment,
	type ElfSymbol,
	elfSymbolMap,
	readElf,
} from './elf/read-elf.ts';
export {
	type ElfInput,
	type ElfSegmentInput,
	type ElfSymbolInput,
	programToElf,
	writeElf,
} from './elf/write-elf.ts';
export {
	type Extension,
	type Format,
	findInstruction,
	instructionIndex,
	instructions,
	type Mnemonic,
	type Row,
} from './instructions.ts';
export { floatRegister, floatRegisters, integerRegister, integerRegisters, roundingModes } from './registers.ts';
export { type NamedAddress, type SymbolNames, symbolNames } from './symbol-names.ts';
