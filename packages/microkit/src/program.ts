/**
 * A domain's program: its ELF file, checked for a place in the domain's address space, and the variables that are set in
 * it. Nothing is copied: what is set is kept beside the file's bytes.
 */
import { type ElfFile, type ElfSymbol, readElf } from '@partita/riscv';
import type { ProtectionDomain } from './description.ts';
import { MicrokitError } from './error.ts';
import { IPC_BUFFER, NAME_BYTES, PAGE, STACK_TOP } from './target.ts';

/** Part of a program in memory. */
export interface ProgramSegment {
	/** Where it begins; any address. */
	readonly vaddr: number;
	/** What it holds at first; the rest is zeros. */
	readonly bytes: Uint8Array;
	/** Bytes that it takes. */
	readonly size: number;
	readonly read: boolean;
	readonly write: boolean;
	readonly execute: boolean;
}

/** Bytes that are written over a program's own before it starts. */
export interface ProgramPatch {
	readonly vaddr: number;
	readonly bytes: Uint8Array;
}

/** A program, ready to be loaded. */
export interface Program {
	readonly entry: number;
	/** Where its IPC buffer is: a page of its own. */
	readonly ipcBuffer: number;
	/** No two share a page. */
	readonly segments: readonly ProgramSegment[];
	readonly patches: readonly ProgramPatch[];
}

/** Where programs of Microkit 2.0 have their IPC buffer; those of later versions have it at a fixed address. */
const BUFFER_SYMBOL = '__sel4_ipc_buffer_obj';

/** A program file while variables are set in it. */
export class ProgramImage {
	readonly #domain: ProtectionDomain;
	readonly #file: string;
	readonly #entry: number;
	readonly #ipcBuffer: number;
	readonly #segments: readonly ProgramSegment[];
	readonly #symbols: ReadonlyMap<string, ElfSymbol>;
	readonly #patches: ProgramPatch[] = [];

	/**
	 * @param file - the description's name, for messages
	 * @param symbols - another ELF file, whose symbols are used in place of the program's
	 * @throws MicrokitError for a program that this domain cannot have
	 */
	constructor(file: string, domain: ProtectionDomain, bytes: Uint8Array, symbols: Uint8Array | undefined) {
		this.#file = file;
		this.#domain = domain;
		const elf = this.#read(domain.image, bytes);
		const symbolElf = symbols && domain.symbolsImage !== undefined ? this.#read(domain.symbolsImage, symbols) : elf;
		if (elf.type !== 'executable') this.#fail(`it is a ${elf.type} ELF file, and must be an executable`);
		this.#segments = this.#place(elf);
		this.#symbols = definedSymbols(symbolElf);
		const segment = this.#segments.find(({ vaddr, size }) => elf.entry >= vaddr && elf.entry < vaddr + size);
		if (!segment) this.#fail(`its entry, 0x${elf.entry.toString(16)}, is in no segment`);
		this.#entry = Number(elf.entry);
		this.#ipcBuffer = this.#placeBuffer();
	}

	/** The program as it is now. */
	get program(): Program {
		return { entry: this.#entry, ipcBuffer: this.#ipcBuffer, segments: this.#segments, patches: this.#patches.slice() };
	}

	/** Writes bytes to a variable, from its start on. Throws a {@link MicrokitError} where there is none, or a smaller one. */
	set(symbol: string, bytes: Uint8Array): void {
		const { value, size } = this.#symbol(symbol, 'it is part of libmicrokit, which the program must be linked with');
		if (size < bytes.length)
			this.#fail(`its symbol '${symbol}' has ${size} bytes, and must have at least ${bytes.length}`);
		this.#patch(symbol, value, bytes);
	}

	/** Sets a variable of 64 bits that the description names. */
	setWord(symbol: string, word: bigint): void {
		const { value, size } = this.#symbol(symbol, 'the description sets it');
		if (size !== 8n) this.#fail(`its symbol '${symbol}' has ${size} bytes, and a variable that is set must have 8`);
		this.#patch(symbol, value, wordBytes(word));
	}

	#read(name: string, bytes: Uint8Array): ElfFile {
		try {
			return readElf(bytes);
		} catch (error) {
			return this.#fail(error instanceof Error ? error.message : String(error), name);
		}
	}

	#symbol(name: string, why: string): ElfSymbol {
		const { image, symbolsImage = image } = this.#domain;
		return this.#symbols.get(name) ?? this.#fail(`it has no symbol '${name}': ${why}`, symbolsImage);
	}

	#patch(symbol: string, value: bigint, bytes: Uint8Array): void {
		const vaddr = Number(value);
		if (!this.#segments.some((one) => vaddr >= one.vaddr && vaddr + bytes.length <= one.vaddr + one.size))
			this.#fail(`its symbol '${symbol}', at 0x${value.toString(16)}, is in no segment`);
		this.#patches.push({ vaddr, bytes });
	}

	#place({ segments }: ElfFile): ProgramSegment[] {
		const top = STACK_TOP - this.#domain.stackSize;
		const pages: { first: number; last: number; at: number }[] = [];
		const placed: ProgramSegment[] = [];
		for (const { virtualAddress, memorySize, bytes, readable, writable, executable } of segments) {
			if (memorySize === 0n) continue;
			const hex = virtualAddress.toString(16);
			if (virtualAddress + memorySize > BigInt(top))
				this.#fail(
					`its segment at 0x${hex} would end at 0x${(virtualAddress + memorySize).toString(16)}, and the stack begins at 0x${top.toString(16)}`,
				);
			if (writable && !readable)
				this.#fail(`its segment at 0x${hex} is writable and not readable, which no page can be`);
			const vaddr = Number(virtualAddress);
			const size = Number(memorySize);
			const first = Math.floor(vaddr / PAGE);
			const last = Math.floor((vaddr + size - 1) / PAGE);
			const other = pages.find((one) => first <= one.last && last >= one.first);
			if (other)
				this.#fail(`its segments at 0x${other.at.toString(16)} and 0x${hex} share a page: align them to ${PAGE}`);
			pages.push({ first, last, at: vaddr });
			placed.push({ vaddr, bytes, size, read: readable, write: writable, execute: executable });
		}
		if (placed.length === 0) this.#fail('it has nothing to load');
		return placed;
	}

	#placeBuffer(): number {
		const symbol = this.#symbols.get(BUFFER_SYMBOL);
		if (!symbol) return IPC_BUFFER;
		const end = symbol.value + BigInt(PAGE);
		const fits = symbol.value % BigInt(PAGE) === 0n && end <= BigInt(STACK_TOP - this.#domain.stackSize);
		const isTaken = this.#segments.some(
			({ vaddr, size }) => symbol.value < vaddr + size && end > vaddr - (vaddr % PAGE),
		);
		if (!fits || isTaken) this.#fail(`its IPC buffer, at 0x${symbol.value.toString(16)}, is no free page`);
		return Number(symbol.value);
	}

	#fail(why: string, image: string = this.#domain.image): never {
		throw new MicrokitError(this.#file, this.#domain.place, `program '${image}' of '${this.#domain.name}': ${why}`);
	}
}

/** A word of a program's memory. */
export function wordBytes(word: bigint): Uint8Array {
	const bytes = new Uint8Array(8);
	new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, word), true);
	return bytes;
}

/** A domain's name as its program has it: at most 64 bytes, with no zero behind a name that fills them. */
export function nameBytes(name: string): Uint8Array {
	return new TextEncoder().encode(name).subarray(0, NAME_BYTES);
}

/** Named, defined variables and functions; of several with one name, a global one, or the last. */
function definedSymbols({ symbols }: ElfFile): Map<string, ElfSymbol> {
	const map = new Map<string, ElfSymbol>();
	for (const symbol of symbols) {
		const { name, defined, type } = symbol;
		if (!defined || name === '' || type === 'section' || type === 'file') continue;
		if (map.get(name)?.binding !== 'global') map.set(name, symbol);
	}
	return map;
}
