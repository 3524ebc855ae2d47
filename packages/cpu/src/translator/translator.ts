/**
 * The second tier: decides what is translated, installs regions so that the interpreter finds them, and removes them when
 * their code changes or room is needed. Nothing here is architectural state, and nothing that a guest can see depends on it.
 *
 * The interpreter reports a sample of what it executes. A place that is met often enough becomes the start of a region.
 * Regions are collected to modules, since a module costs much more than a function in it.
 */
import { ModuleBuilder } from '@partita/wasm-builder';
import { Special } from '../interpreter/opcodes.ts';
import {
	DecodedPage,
	GENERATION_SHIFT,
	LINE_BYTES,
	type LinearLayout,
	RegionEntry,
	RegionPages,
	Shared,
	TRANSLATED,
} from '../layout.ts';
import { type Blocks, findBlocks } from './blocks.ts';
import { Code, type CodePage } from './code.ts';
import { type EmittedEntry, emitRegion } from './emit.ts';
import { Pool } from './pool.ts';

/** What executes instructions. */
export type EngineKind =
	/** The interpreter alone. */
	| 'interpreter'
	/** Everything is translated, and at once: for tests. */
	| 'translator'
	/** What is hot is translated. */
	| 'default';

/** When to translate. */
interface Policy {
	/** Interpreted instructions from sample to sample. */
	readonly stride: number;
	/** Samples of one line of code that make it hot. */
	readonly samples: number;
	/** Regions that wait for a module. */
	readonly batch: number;
	/** Most times that changed code doubles the samples that it takes to translate code there again. */
	readonly patience: number;
}

const POLICIES: Readonly<Record<Exclude<EngineKind, 'interpreter'>, Policy>> = {
	translator: { stride: 1, samples: 1, batch: 1, patience: 0 },
	default: { stride: 8191, samples: 4, batch: 16, patience: 6 },
};

/** Bytes of WebAssembly that may be installed; beyond, the oldest modules go. */
const MOST_BYTES = 48 * 2 ** 20;
/** Lines whose samples are counted at one time. */
const MOST_LINES = 1 << 14;
/** Functions in the table. */
const SLOTS = RegionPages.capacity;

/** Lines of a page, one bit each: two halves. */
interface Lines {
	readonly decoded: number;
	low: number;
	high: number;
}

interface Region {
	/** Under which its module exports it. */
	readonly name: string;
	readonly slot: number;
	/** Linear address of its `RegionPages`. */
	readonly pages: number;
	readonly lines: readonly Lines[];
	/** Linear addresses of decoded entry and region entry. */
	readonly points: { readonly decoded: number; readonly entry: number }[];
	readonly module: TranslatedModule;
}

interface TranslatedModule {
	readonly builder: ModuleBuilder;
	readonly regions: Set<Region>;
	bytes: number;
}

/** Numbers about the work of the translator. */
export interface TranslatorStats {
	/** Regions and modules made, and regions that are installed. */
	readonly regions: number;
	readonly modules: number;
	readonly installed: number;
	/** Bytes of WebAssembly made, and of those installed. */
	readonly bytes: number;
	readonly bytesInstalled: number;
	/** Instructions executed in regions, and times that a region was entered. */
	readonly instructions: number;
	readonly entered: number;
	/** Samples of interpreted code. */
	readonly samples: number;
	/** Regions removed since their code changed, and for want of room. */
	readonly changed: number;
	readonly evicted: number;
}

/** Translates, installs and removes regions. */
export class Translator {
	readonly #layout: LinearLayout;
	readonly #view: DataView;
	readonly #table: WebAssembly.Table;
	readonly #policy: Policy;
	readonly #slots = new Pool(0, 1, SLOTS);
	readonly #entries: Pool;
	readonly #pages: Pool;
	readonly #regionsOf = new Map<number, Set<Region>>();
	readonly #modules = new Set<TranslatedModule>();
	/** The module that regions are collected in. */
	#pending: TranslatedModule | undefined;
	/** Samples by line. */
	readonly #heat = new Map<number, number>();
	/** How often regions that began on a line were removed since their code changed. */
	readonly #changes = new Map<number, number>();
	#made = { regions: 0, modules: 0, bytes: 0, samples: 0, changed: 0, evicted: 0 };
	#bytesInstalled = 0;

	constructor(layout: LinearLayout, table: WebAssembly.Table, kind: Exclude<EngineKind, 'interpreter'>) {
		this.#layout = layout;
		this.#view = new DataView(layout.memory.buffer);
		this.#table = table;
		this.#policy = POLICIES[kind];
		this.#entries = new Pool(layout.regionEntries, RegionEntry.bytes, RegionEntry.capacity);
		this.#pages = new Pool(layout.regionPages, RegionPages.bytes, RegionPages.capacity);
		this.#view.setInt32(Shared.untilSample, this.#policy.stride, true);
	}

	/** What has been done so far. */
	get stats(): TranslatorStats {
		let installed = 0;
		for (const { regions } of this.#modules) installed += regions.size;
		return {
			...this.#made,
			installed,
			bytesInstalled: this.#bytesInstalled,
			instructions: Number(this.#view.getBigUint64(Shared.translated, true)),
			entered: Number(this.#view.getBigUint64(Shared.entered, true)),
		};
	}

	/** The running hart is at `pc`, whose decoded entry is at a linear address: a sample of what is interpreted. */
	sample(pc: bigint, entry: number): void {
		const { stride, samples, batch } = this.#policy;
		this.#view.setInt32(Shared.untilSample, stride, true);
		this.#made.samples++;
		if (entry < this.#layout.decodedStart) return;
		const opcode = this.#view.getUint16(entry, true);
		if (opcode <= Special.system || (opcode & TRANSLATED) !== 0) return;
		const line = lineOf(entry);
		const heat = (this.#heat.get(line) ?? 0) + 1;
		if (this.#heat.size >= MOST_LINES) this.#heat.clear();
		this.#heat.set(line, heat);
		if (heat < samples) return;
		const decoded = this.#decodedPageOf(entry);
		const known = this.#view.getUint32(this.#pointerTo(decoded, entry), true);
		if (known !== 0) {
			// Its module is not complete yet, or a store nearby had the entry decoded anew.
			const entered = this.#view.getUint32(known + RegionEntry.target, true) >>> 12;
			if (!this.#isPending(entered)) this.#view.setUint16(entry, opcode | TRANSLATED, true);
			else if (heat >= 2 * samples) this.#complete();
			return;
		}
		if (this.#translate(pc) && this.#pending!.regions.size >= batch) this.#complete();
	}

	/** Bytes of a page with a decoded form change: its regions that cover them are gone. */
	changed(decoded: number, first: number, length: number): void {
		const regions = this.#regionsOf.get(decoded);
		if (!regions) return;
		const from = Math.floor(first / LINE_BYTES);
		const to = Math.floor((first + length - 1) / LINE_BYTES);
		for (const region of regions) {
			const lines = region.lines.find((page) => page.decoded === decoded)!;
			if (!hasLine(lines, from, to)) continue;
			this.#made.changed++;
			this.#cool(region);
			this.#remove(region);
		}
	}

	/** Code that changes again and again is translated ever later: a translation has to pay before it is gone. */
	#cool({ points }: Region): void {
		const { samples, patience } = this.#policy;
		if (this.#changes.size >= MOST_LINES) this.#changes.clear();
		for (const line of new Set(points.map(({ decoded }) => lineOf(decoded)))) {
			const changes = (this.#changes.get(line) ?? 0) + 1;
			this.#changes.set(line, changes);
			this.#heat.set(line, -samples * (2 ** Math.min(changes, patience) - 1));
		}
	}

	/** Removes everything. */
	clear(): void {
		if (this.#pending) for (const region of this.#pending.regions) this.#remove(region);
		this.#pending = undefined;
		for (const { regions } of this.#modules) for (const region of regions) this.#remove(region);
		this.#heat.clear();
	}

	#isPending(slot: number): boolean {
		if (this.#pending) for (const region of this.#pending.regions) if (region.slot === slot) return true;
		return false;
	}

	#translate(pc: bigint): boolean {
		const code = new Code(this.#view, pc);
		const blocks = findBlocks(code, Number(pc & 0xfffn));
		if (!blocks || this.#slots.free === 0 || this.#pages.free === 0) return false;
		if (this.#entries.free < blocks.blocks.length) this.#evict();
		if (this.#entries.free < blocks.blocks.length) return false;
		this.#pending ??= newModule();
		const module = this.#pending;
		const slot = this.#slots.take();
		const tlb = this.#layout.harts === 1 ? this.#layout.tlb : 0;
		const name = `r${this.#made.regions++}`;
		const emitted = emitRegion({ module: module.builder, tlb }, blocks, slot, name);
		const region: Region = { name, slot, pages: this.#pages.take(), lines: linesOf(blocks, code), points: [], module };
		this.#place(region, emitted, code);
		module.regions.add(region);
		return true;
	}

	/** Writes what the interpreter reads of a region, apart from the marks. */
	#place(region: Region, emitted: readonly EmittedEntry[], code: Code): void {
		const view = this.#view;
		const { pages } = code;
		view.setUint32(region.pages + RegionPages.count, pages.length, true);
		pages.forEach(({ distance, decoded }, i) => {
			const at = region.pages + RegionPages.first + i * RegionPages.pageBytes;
			view.setBigInt64(at + RegionPages.distance, BigInt(distance), true);
			view.setUint32(at + RegionPages.decoded, decoded, true);
		});
		for (const lines of region.lines) {
			const { decoded, low, high } = lines;
			let regions = this.#regionsOf.get(decoded);
			if (!regions) {
				regions = new Set();
				this.#regionsOf.set(decoded, regions);
			}
			regions.add(region);
			const at = decoded + DecodedPage.lines;
			view.setInt32(at, view.getInt32(at, true) | low, true);
			view.setInt32(at + 4, view.getInt32(at + 4, true) | high, true);
		}
		emitted.forEach(({ at, longest }, i) => {
			const page = code.page(Math.floor(at / 4096))!;
			const decoded = page.decoded + (at - page.distance) * (DecodedPage.entryBytes / 2);
			const pointer = this.#pointerTo(page.decoded, decoded);
			if (view.getUint16(decoded, true) <= Special.system || view.getUint32(pointer, true) !== 0) return;
			const entry = this.#entries.take();
			view.setBigUint64(entry + RegionEntry.key, 0n, true);
			view.setUint32(entry + RegionEntry.target, ((region.slot << 12) | (i + 1)) >>> 0, true);
			view.setInt32(entry + RegionEntry.longest, longest, true);
			view.setBigInt64(entry + RegionEntry.offset, BigInt(at), true);
			view.setUint32(entry + RegionEntry.pages, region.pages, true);
			view.setUint32(pointer, entry, true);
			region.points.push({ decoded, entry });
		});
	}

	/** Compiles the pending module, and lets the interpreter enter its regions. */
	#complete(): void {
		const module = this.#pending!;
		this.#pending = undefined;
		if (module.regions.size === 0) return;
		const bytes = module.builder.emit();
		const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
			engine: { memory: this.#layout.memory },
		});
		module.bytes = bytes.length;
		this.#bytesInstalled += bytes.length;
		this.#made.modules++;
		this.#made.bytes += bytes.length;
		this.#modules.add(module);
		for (const { name, slot, points } of module.regions) {
			if (this.#table.length <= slot) this.#table.grow(Math.max(64, slot + 1 - this.#table.length));
			this.#table.set(slot, instance.exports[name]);
			for (const { decoded } of points) {
				const opcode = this.#view.getUint16(decoded, true);
				if (opcode > Special.system) this.#view.setUint16(decoded, opcode | TRANSLATED, true);
			}
		}
		while (this.#bytesInstalled > MOST_BYTES) this.#evict();
	}

	/** Makes room: the oldest module goes. */
	#evict(): void {
		const [oldest] = this.#modules;
		if (!oldest) return;
		this.#made.evicted += oldest.regions.size;
		for (const region of oldest.regions) this.#remove(region);
	}

	#remove(region: Region): void {
		const view = this.#view;
		for (const { decoded, entry } of region.points) {
			view.setUint32(this.#pointerTo(this.#decodedPageOf(decoded), decoded), 0, true);
			view.setUint16(decoded, view.getUint16(decoded, true) & (TRANSLATED - 1), true);
			this.#entries.give(entry);
		}
		for (const { decoded } of region.lines) {
			const regions = this.#regionsOf.get(decoded)!;
			regions.delete(region);
			let low = 0;
			let high = 0;
			for (const other of regions) {
				const lines = other.lines.find((page) => page.decoded === decoded)!;
				low |= lines.low;
				high |= lines.high;
			}
			view.setInt32(decoded + DecodedPage.lines, low, true);
			view.setInt32(decoded + DecodedPage.lines + 4, high, true);
			if (regions.size === 0) this.#regionsOf.delete(decoded);
		}
		this.#pages.give(region.pages);
		this.#slots.give(region.slot);
		if (region.slot < this.#table.length) this.#table.set(region.slot, null);
		const { module } = region;
		module.regions.delete(region);
		if (module.regions.size === 0 && this.#modules.delete(module)) this.#bytesInstalled -= module.bytes;
		// Nobody may enter it through the jump cache any more.
		view.setBigUint64(Shared.generation, view.getBigUint64(Shared.generation, true) + 1n, true);
		view.setBigUint64(Shared.key, view.getBigUint64(Shared.key, true) + (1n << BigInt(GENERATION_SHIFT)), true);
	}

	/** Where a decoded entry's region is noted. */
	#pointerTo(decoded: number, entry: number): number {
		return decoded + DecodedPage.regions + (entry - decoded) / 4;
	}

	#decodedPageOf(entry: number): number {
		return entry - ((entry - this.#layout.decodedStart) % DecodedPage.bytes);
	}
}

/** The line of a decoded entry, as a linear address. */
function lineOf(entry: number): number {
	return entry - (entry % (LINE_BYTES * 8));
}

function newModule(): TranslatedModule {
	const builder = new ModuleBuilder();
	builder.importMemory('engine', 'memory');
	return { builder, regions: new Set(), bytes: 0 };
}

/** The lines that a region's instructions are on. */
function linesOf({ blocks }: Blocks, code: Code): Lines[] {
	const found = new Map<CodePage, Lines>();
	const add = (at: number): void => {
		const page = code.page(Math.floor(at / 4096))!;
		let lines = found.get(page);
		if (!lines) {
			lines = { decoded: page.decoded, low: 0, high: 0 };
			found.set(page, lines);
		}
		const line = (at - page.distance) / LINE_BYTES;
		if (line < 32) lines.low |= 1 << line;
		else lines.high |= 1 << (line - 32);
	};
	for (const { at, end } of blocks) {
		if (end === at) continue;
		for (let line = at; line < end; line += LINE_BYTES) add(line);
		add(end - 1);
	}
	return [...found.values()];
}

function hasLine({ low, high }: Lines, from: number, to: number): boolean {
	for (let line = from; line <= to; line++) {
		if (((line < 32 ? low >>> line : high >>> (line - 32)) & 1) !== 0) return true;
	}
	return false;
}
