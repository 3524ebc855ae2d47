/**
 * The harts of a machine and what they share: the linear memory, the interpreter's module, the code cache.
 *
 * One hart runs at a time: its state is at address 0 of the linear memory, the others' are parked.
 */
import type { PhysicalMemory } from '@partita/memory';
import { Hart, type HostedModes } from './hart.ts';
import { DecodedPages } from './interpreter/decoded-pages.ts';
import { emitInterpreter } from './interpreter/emit.ts';
import { type LinearLayout, Shared, Word } from './layout.ts';
import type { DeviceBus, HartObserver, TimeSource } from './ports.ts';
import { resetState } from './privileged/index.ts';
import { Slot, STATE_WORDS } from './state.ts';
import { HartTlb, type HartTlbState } from './tlb.ts';
import { AddressTranslation } from './translation.ts';
import { type EngineKind, Translator, type TranslatorStats } from './translator/translator.ts';

/** What an engine is made of. */
export interface EngineOptions {
	readonly layout: LinearLayout;
	readonly memory: PhysicalMemory;
	readonly bus: DeviceBus;
	readonly time: TimeSource;
	/** Default: none. */
	readonly hosted?: HostedModes;
	readonly observer?: HartObserver;
	/** What executes instructions; default `default`. Nothing that a guest can see depends on it. */
	readonly engine?: EngineKind;
}

/** Plain state of all harts. */
export interface EngineState {
	/** Architectural state by hart, `STATE_WORDS` words each. */
	readonly harts: readonly BigUint64Array[];
	readonly tlbs: readonly HartTlbState[];
	/** Hart that ran last: the others' reservations are gone. */
	readonly running: number;
}

interface InterpreterExports {
	readonly interpret: () => number;
	readonly forget: (page: number, first: number, bytes: number) => void;
}

/** Instructions to a sample where nobody wants one. */
const NEVER = 2 ** 31 - 1;

let compiled: WebAssembly.Module | undefined;

/** The interpreter's module: the same for every engine, since it knows no machine. */
function interpreterModule(): WebAssembly.Module {
	compiled ??= new WebAssembly.Module(emitInterpreter());
	return compiled;
}

/** Harts over one memory. */
export class Engine {
	readonly harts: readonly Hart[];
	readonly #window: BigUint64Array;
	readonly #parked: readonly BigUint64Array[];
	readonly #tlbs: readonly HartTlb[];
	readonly #code: DecodedPages;
	readonly #translations: AddressTranslation[] = [];
	readonly #translator: Translator | undefined;
	#running = 0;

	constructor(options: EngineOptions) {
		const { layout, memory, bus, time } = options;
		const { buffer } = layout.memory;
		this.#window = new BigUint64Array(buffer, 0, STATE_WORDS);
		const ids = Array.from({ length: layout.harts }, (_, id) => id);
		this.#parked = ids.map((id) => new BigUint64Array(buffer, layout.parked + id * STATE_WORDS * 8, STATE_WORDS));
		this.#tlbs = ids.map((id) => new HartTlb(layout, id));
		const regions = new WebAssembly.Table({ element: 'anyfunc', initial: 64 });
		const kind = options.engine ?? 'default';
		if (kind === 'interpreter') new DataView(buffer).setInt32(Shared.untilSample, NEVER, true);
		else this.#translator = new Translator(layout, regions, kind);
		const instance = new WebAssembly.Instance(interpreterModule(), {
			engine: {
				memory: layout.memory,
				regions,
				changed: (page: number, first: number, bytes: number) => this.#translator?.changed(page, first, bytes),
				locate: (write: number, bytes: number) => this.#translations[this.#running]!.fill(write, bytes),
			},
		});
		const { interpret, forget } = instance.exports as unknown as InterpreterExports;
		this.#code = new DecodedPages(layout, memory, forget, {
			codeAppeared: (frame) => {
				for (const tlb of this.#tlbs) tlb.dropWritesTo(frame);
			},
			codeDropped: (page) => {
				for (const tlb of this.#tlbs) page === 0 ? tlb.clearFetches() : tlb.dropDecoded(page);
				if (page === 0) this.#translator?.clear();
			},
		});
		memory.codeCache = this.#code;
		this.harts = ids.map((id) => {
			const state = (): BigUint64Array => (this.#running === id ? this.#window : this.#parked[id]!);
			const tlb = this.#tlbs[id]!;
			const windowHalves = halvesOf(this.#window);
			const parkedHalves = halvesOf(this.#parked[id]!);
			const halves = (): Uint32Array => (this.#running === id ? windowHalves : parkedHalves);
			const translation = new AddressTranslation(state, halves, layout, memory, this.#code, tlb);
			this.#translations.push(translation);
			return new Hart({
				id,
				state,
				interpret,
				translation,
				tlb,
				code: this.#code,
				sample: (pc, entry) => {
					if (this.#translator) this.#translator.sample(pc, entry);
					else new DataView(buffer).setInt32(Shared.untilSample, NEVER, true);
				},
				memory: layout.memory,
				bus,
				time,
				hosted: options.hosted ?? { machine: false, supervisor: false },
				observer: options.observer ?? {},
			});
		});
		for (const hart of this.harts) resetState(hart.state, hart.id);
	}

	/** Makes a hart the running one. A reservation does not outlive the turn of another hart. */
	select(id: number): Hart {
		const hart = this.harts[id];
		if (!hart) throw new RangeError(`no hart ${id}: there are ${this.harts.length}`);
		if (id !== this.#running) {
			this.#parked[this.#running]!.set(this.#window);
			this.#window.set(this.#parked[id]!);
			this.#running = id;
			this.#window[Slot.reservation] = ~0n;
		}
		return hart;
	}

	/** What the translator has done; undefined where there is none. */
	get translatorStats(): TranslatorStats | undefined {
		return this.#translator?.stats;
	}

	/** From now on the first store to each page is seen again, so that it is marked dirty. */
	clearWritePermissions(): void {
		for (const tlb of this.#tlbs) tlb.clearWrites();
	}

	/** Drops every decoded page. Nothing that a guest can see depends on it. */
	clearCode(): void {
		this.#code.clear();
	}

	/** The harts' state, for a snapshot. */
	save(): EngineState {
		return {
			harts: this.harts.map(({ state }) => state.slice()),
			tlbs: this.#tlbs.map((tlb) => tlb.save()),
			running: this.#running,
		};
	}

	/** Takes a snapshot's state; guest memory must have been restored before. */
	restore(state: EngineState): void {
		if (state.harts.length !== this.harts.length || state.tlbs.length !== this.harts.length)
			throw new RangeError(`snapshot of ${state.harts.length} harts for a machine with ${this.harts.length}`);
		this.select(state.running);
		this.#code.clear();
		this.harts.forEach((hart, id) => {
			const words = state.harts[id]!;
			if (words.length !== STATE_WORDS) throw new RangeError('hart snapshot: wrong length');
			hart.state.set(words);
			hart.state[Word.tlb / 8] = BigInt(this.#tlbs[id]!.base);
			this.#tlbs[id]!.restore(state.tlbs[id]!);
			hart.stateChanged();
		});
	}
}

function halvesOf(words: BigUint64Array): Uint32Array {
	return new Uint32Array(words.buffer, words.byteOffset, words.length * 2);
}
