/** The assembler's entry points: a source, or a tagged template, to a program. */

import { AssemblyError } from './assembly-error.ts';
import { Passes } from './passes.ts';
import type { Program, ProgramSection, ProgramSymbol } from './program.ts';
import type { SectionBuffer } from './section-buffer.ts';
import { parseProgram } from './statements.ts';

/** Where a program goes. */
export interface AssembleOptions {
	/**
	 * Address of the first section (`.text`, if it is not placed by `sections`); the others follow at multiples
	 * of 16 or of their own alignment: `.rodata`, then other data, then `.bss`. 0x8000_0000 by default.
	 */
	readonly base?: bigint;
	/** Addresses of single sections, by name. */
	readonly sections?: Readonly<Record<string, bigint>>;
}

/** A flat image is at most this large: sections that are further apart belong in an ELF file. */
const MOST_IMAGE_BYTES = 1n << 30n;

/**
 * Assembles a source in GNU syntax.
 *
 * @param source - see the README for the instructions, directives and expressions that are known
 * @throws AssemblyError with the line, the column and the reason, if the source is not valid
 */
export function assemble(source: string, options: AssembleOptions = {}): Program {
	const passes = new Passes(parseProgram(source), {
		base: options.base ?? 0x8000_0000n,
		sections: options.sections ?? {},
	});
	passes.run();
	return toProgram(passes);
}

/** What may stand in a hole of an {@link asm} template: a value, or a piece of source. */
export type AsmHole = number | bigint | string;

/**
 * Assembles a template: numbers and bigints are inserted as values, strings as source.
 *
 * @example
 * ```ts
 * const program = asm`
 *   li   a0, ${0x1234}
 *   ecall
 * `;
 * ```
 * @throws AssemblyError as {@link assemble}
 * @throws RangeError if a number is not an integer
 */
export function asm(strings: TemplateStringsArray, ...holes: AsmHole[]): Program {
	return assemble(fillTemplate(strings, holes));
}

/** As {@link asm}, with options: ``asmWith({ base: 0x8020_0000n })`…` ``. */
export function asmWith(options: AssembleOptions): (strings: TemplateStringsArray, ...holes: AsmHole[]) => Program {
	return (strings, ...holes) => assemble(fillTemplate(strings, holes), options);
}

function fillTemplate(strings: TemplateStringsArray, holes: readonly AsmHole[]): string {
	// Raw, so that an escape in a string is the assembler's to read.
	let source = strings.raw[0]!;
	holes.forEach((hole, index) => {
		if (typeof hole === 'number' && !Number.isSafeInteger(hole)) {
			throw new RangeError(`hole ${index + 1} of the template is ${hole}, not a safe integer: use a bigint`);
		}
		// In parentheses, since an operator before the hole may bind more tightly than a minus sign.
		source += typeof hole !== 'string' && hole < 0 ? `(${hole})` : hole;
		source += strings.raw[index + 1]!;
	});
	return source;
}

function toProgram(passes: Passes): Program {
	const buffers = [...passes.sections.values()].filter((section) => section.length > 0);
	buffers.sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
	refuseOverlaps(buffers);
	const sections = buffers.map(
		(buffer): ProgramSection => ({
			name: buffer.name,
			...buffer.flags,
			address: buffer.address,
			alignment: buffer.alignment,
			bytes: buffer.content(),
		}),
	);
	const symbols = new Map<string, bigint>();
	const symbolTable: ProgramSymbol[] = [];
	for (const [name, { section, value }] of passes.symbols) {
		if (name.includes(':')) continue;
		const unsigned = BigInt.asUintN(64, value);
		symbols.set(name, unsigned);
		const global = passes.globals.has(name);
		const type = passes.types.get(name) ?? 'none';
		symbolTable.push({
			name,
			value: unsigned,
			section,
			global,
			type,
			size: BigInt.asUintN(64, passes.sizes.get(name) ?? 0n),
		});
	}
	const text = passes.sections.get('.text')!;
	const base = sections[0]?.address ?? text.address;
	const entry = symbols.get('_start') ?? (text.length > 0 ? text.address : base);
	return { base, bytes: flatImage(base, sections), symbols, entry, sections, symbolTable };
}

function refuseOverlaps(sections: readonly SectionBuffer[]): void {
	for (let i = 1; i < sections.length; i++) {
		const [lower, upper] = [sections[i - 1]!, sections[i]!];
		if (lower.here <= upper.address) continue;
		const why = `it ends at 0x${lower.here.toString(16)}, and ${upper.name} begins at 0x${upper.address.toString(16)}`;
		throw new AssemblyError({ line: 1, column: 1 }, `section ${lower.name}`, why);
	}
}

function flatImage(base: bigint, sections: readonly ProgramSection[]): Uint8Array {
	const last = sections.at(-1);
	const size = last ? last.address + BigInt(last.bytes.length) - base : 0n;
	if (size > MOST_IMAGE_BYTES) {
		const why = `they span ${size} bytes, and a flat image is at most ${MOST_IMAGE_BYTES}`;
		throw new AssemblyError({ line: 1, column: 1 }, 'sections', why);
	}
	const bytes = new Uint8Array(Number(size));
	for (const section of sections) bytes.set(section.bytes, Number(section.address - base));
	return bytes;
}
