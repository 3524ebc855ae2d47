/**
 * Constants and sizes of 64-bit little-endian ELF files for RISC-V.
 *
 * Source: System V ABI, Object Files (gABI 4.1) with ELF-64; RISC-V ELF psABI 1.0, section "ELF Object File".
 */

/** `EM_RISCV`. */
export const MACHINE_RISCV = 243;
/** `EF_RISCV_RVC`: there may be compressed instructions. */
export const FLAG_RVC = 0x1;
/** `EF_RISCV_FLOAT_ABI_DOUBLE`. */
export const FLAG_FLOAT_ABI_DOUBLE = 0x4;

/** Bytes of the file header. */
export const HEADER_SIZE = 64;
/** Bytes of a program header. */
export const PROGRAM_HEADER_SIZE = 56;
/** Bytes of a section header. */
export const SECTION_HEADER_SIZE = 64;
/** Bytes of a symbol. */
export const SYMBOL_SIZE = 24;

/** `PT_LOAD`: a segment that is loaded. */
export const SEGMENT_LOAD = 1;
/** `PF_X`. */
export const SEGMENT_EXECUTE = 1;
/** `PF_W`. */
export const SEGMENT_WRITE = 2;
/** `PF_R`. */
export const SEGMENT_READ = 4;

/** `SHT_PROGBITS`. */
export const SECTION_PROGBITS = 1;
/** `SHT_SYMTAB`. */
export const SECTION_SYMTAB = 2;
/** `SHT_STRTAB`. */
export const SECTION_STRTAB = 3;
/** `SHT_NOBITS`: it has a size, but no bytes in the file. */
export const SECTION_NOBITS = 8;

/** `SHF_WRITE`. */
export const SECTION_WRITE = 1;
/** `SHF_ALLOC`: it is in memory at run time. */
export const SECTION_ALLOC = 2;
/** `SHF_EXECINSTR`. */
export const SECTION_EXECUTE = 4;

/** `SHN_UNDEF`. */
export const INDEX_UNDEFINED = 0;
/** `SHN_LORESERVE`: indices from here on are no sections. */
export const INDEX_RESERVED = 0xff00;
/** `SHN_ABS`: the symbol's value is a number. */
export const INDEX_ABSOLUTE = 0xfff1;

/** Names of symbol types, by number: `STT_NOTYPE` to `STT_TLS`. */
export const symbolTypes: readonly SymbolType[] = ['none', 'object', 'function', 'section', 'file', 'common', 'tls'];
/** Names of symbol bindings, by number: `STB_LOCAL` to `STB_WEAK`. */
export const symbolBindings: readonly SymbolBinding[] = ['local', 'global', 'weak'];

/** What a symbol is; `other` for a number without a name here. */
export type SymbolType = 'none' | 'object' | 'function' | 'section' | 'file' | 'common' | 'tls' | 'other';
/** Who sees a symbol; `other` for a number without a name here. */
export type SymbolBinding = 'local' | 'global' | 'weak' | 'other';
