/** What assembling yields: sections with their bytes and addresses, symbols, and one flat image of them. */

import type { SectionFlags } from './directives.ts';

/** A section at its address. */
export interface ProgramSection extends SectionFlags {
	/** Its name, such as `.text`. */
	readonly name: string;
	/** Address of its first byte. */
	readonly address: bigint;
	/** Its alignment in bytes, a power of two. */
	readonly alignment: number;
	/** Its content; zeros for a section without bits in a file. */
	readonly bytes: Uint8Array;
}

/** What is known of a symbol, apart from its value. */
export interface ProgramSymbol {
	/** Its name. */
	readonly name: string;
	/** Its address, or its value if it was set with `.equ`, modulo 2^64. */
	readonly value: bigint;
	/** The section that it is in; undefined if it is a plain number. */
	readonly section: string | undefined;
	/** It was declared with `.globl`. */
	readonly global: boolean;
	/** As `.type` says. */
	readonly type: 'none' | 'function' | 'object';
	/** As `.size` says, in bytes. */
	readonly size: bigint;
}

/** An assembled program. */
export interface Program {
	/** The lowest address of any section. */
	readonly base: bigint;
	/** All sections, from `base` on; gaps, and sections such as `.bss`, are zeros. */
	readonly bytes: Uint8Array;
	/** Values by name: labels (without numeric ones) and `.equ` symbols, modulo 2^64. */
	readonly symbols: ReadonlyMap<string, bigint>;
	/** The address of `_start`, or, without one, of the first section. */
	readonly entry: bigint;
	/** The sections that are not empty, by ascending address. */
	readonly sections: readonly ProgramSection[];
	/** Symbols in the order of their definitions. */
	readonly symbolTable: readonly ProgramSymbol[];
}
