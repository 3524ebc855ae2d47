/**
 * RISC-V machine code, without what it does: instruction encodings, decoder, assembler, disassembler, CSR names
 * and fields, and ELF files.
 *
 * @packageDocumentation
 */

export {
	type CompressedFormat,
	type CompressedRow,
	compressedInstructions,
	expandCompressed,
} from './compressed.ts';
export { type CsrName, csrName, csrNumber, csrNumbers } from './csr.ts';
export { createDecoded, type Decoded, decode } from './decoder.ts';
export { type DisassembleOptions, disassemble, instructionLength } from './disassembler.ts';
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
