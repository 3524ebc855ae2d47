/**
 * A WebAssembly module in the making: types, imports, functions, tables, exports (Core Specification 2.0, section 5.5).
 * Passive data, globals, tags and multiple memories are left out: nothing here needs them.
 */
import { ByteWriter } from './bytes.ts';
import { FunctionBuilder, type FunctionRef } from './function.ts';
import type { ValueType } from './opcodes.ts';

interface Import {
	readonly module: string;
	readonly name: string;
	readonly description: (out: ByteWriter) => void;
}

/** Builds one module. Functions are imported before the first one is defined. */
export class ModuleBuilder {
	#types: { params: readonly ValueType[]; results: readonly ValueType[]; key: string }[] = [];
	#imports: Import[] = [];
	#importedFunctions = 0;
	#functions: FunctionBuilder[] = [];
	#exports: { name: string; index: number }[] = [];
	#elements: { offset: number; functions: readonly FunctionRef[] }[] = [];

	/** Imports the memory, of at least `pages` 64 KiB pages. */
	importMemory(module: string, name: string, pages = 1): void {
		this.#imports.push({
			module,
			name,
			description: (out) => {
				out.byte(2);
				out.byte(0);
				out.u32(pages);
			},
		});
	}

	/** Imports the function table, of at least `size` entries. */
	importTable(module: string, name: string, size = 0): void {
		this.#imports.push({
			module,
			name,
			description: (out) => {
				out.byte(1);
				out.byte(0x70);
				out.byte(0);
				out.u32(size);
			},
		});
	}

	/** Imports a function. */
	importFunction(
		module: string,
		name: string,
		params: readonly ValueType[],
		results: readonly ValueType[] = [],
	): FunctionRef {
		if (this.#functions.length > 0) throw new Error('import functions before the first one is defined');
		const type = this.typeIndex(params, results);
		this.#imports.push({
			module,
			name,
			description: (out) => {
				out.byte(0);
				out.u32(type);
			},
		});
		return { index: this.#importedFunctions++, params, results };
	}

	/** Defines a function; its body is built on what is returned, now or later. */
	function(params: readonly ValueType[], results: readonly ValueType[] = [], exportName?: string): FunctionBuilder {
		const index = this.#importedFunctions + this.#functions.length;
		const builder = new FunctionBuilder(index, this.typeIndex(params, results), params, results);
		this.#functions.push(builder);
		if (exportName !== undefined) this.#exports.push({ name: exportName, index });
		return builder;
	}

	/** Exports a function under a name. */
	exportFunction(name: string, ref: FunctionRef): void {
		this.#exports.push({ name, index: ref.index });
	}

	/** Places functions in the table from `offset` on. */
	elements(offset: number, functions: readonly FunctionRef[]): void {
		this.#elements.push({ offset, functions });
	}

	/** Index of a function type, for `call_indirect`. */
	typeIndex(params: readonly ValueType[], results: readonly ValueType[]): number {
		const key = `${params.join()}>${results.join()}`;
		const known = this.#types.findIndex((type) => type.key === key);
		if (known >= 0) return known;
		this.#types.push({ params, results, key });
		return this.#types.length - 1;
	}

	/** The module's bytes. */
	emit(): Uint8Array<ArrayBuffer> {
		const out = new ByteWriter(4096);
		out.append(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
		section(out, 1, this.#types, (section, { params, results }) => {
			section.byte(0x60);
			section.u32(params.length);
			for (const type of params) section.byte(type);
			section.u32(results.length);
			for (const type of results) section.byte(type);
		});
		section(out, 2, this.#imports, (section, { module, name, description }) => {
			section.name(module);
			section.name(name);
			description(section);
		});
		section(out, 3, this.#functions, (section, { typeIndex }) => section.u32(typeIndex));
		section(out, 7, this.#exports, (section, { name, index }) => {
			section.name(name);
			section.byte(0);
			section.u32(index);
		});
		section(out, 9, this.#elements, (section, { offset, functions }) => {
			section.byte(0);
			section.byte(0x41);
			section.s32(offset);
			section.byte(0x0b);
			section.u32(functions.length);
			for (const { index } of functions) section.u32(index);
		});
		section(out, 10, this.#functions, (section, builder) => {
			const body = builder.finish();
			section.u32(body.length);
			section.append(body);
		});
		return out.toBytes();
	}
}

function section<T>(out: ByteWriter, id: number, items: readonly T[], write: (out: ByteWriter, item: T) => void): void {
	if (items.length === 0) return;
	const content = new ByteWriter(1024);
	content.u32(items.length);
	for (const item of items) write(content, item);
	out.byte(id);
	out.u32(content.length);
	out.append(content);
}
