/**
 * Address translation of one hart: what fills its TLBs. The walk is the reference walker of `@partita/mmu`; here are the
 * hart's state as the walker wants it, PMP, the physical map, and what may be entered in a TLB.
 */

import { PAGE_SIZE, PageFlag, type PhysicalMemory } from '@partita/memory';
import {
	type Access,
	bareContext,
	MODE_BARE,
	MODE_SV39,
	MODE_SV57,
	type PageTableMemory,
	PMP_R,
	PMP_W,
	PMP_X,
	type Translation,
	type TranslationContext,
	translate,
} from '@partita/mmu';
import type { DecodedPages } from './interpreter/decoded-pages.ts';
import { ExitCode, type LinearLayout, Tlb, WalkFlag, WalkMode, Word } from './layout.ts';
import { EnvironmentConfig, HypervisorStatus, Status } from './privileged/fields.ts';
import { DIVIDED, type PageRun, Protection } from './protection.ts';
import { Slot } from './state.ts';
import { type ContextKey, contextKey, type HartTlb } from './tlb.ts';

/** Privilege and V under which an access is made. */
export interface AccessMode {
	readonly privilege: 0 | 1 | 3;
	readonly virtual: boolean;
}

/** An access that may be made: at a linear address, or on a device at a physical one. */
export type Located =
	| { readonly kind: 'memory'; readonly linear: number; readonly translation: Translation & { ok: true } }
	| { readonly kind: 'device'; readonly physical: number }
	| {
			readonly kind: 'fault';
			readonly cause: number;
			readonly guestPhysical: bigint | undefined;
			readonly implicit: 'read' | 'write' | undefined;
	  };

/** Addresses from here on are nowhere: physical addresses have 56 bits, and numbers 53. */
const PHYSICAL_LIMIT = 1n << 52n;

/** Fields of status registers, as bits of a low or high half. */
const SUM = Number(Status.SUM);
const MXR = Number(Status.MXR);
const MPRV = Number(Status.MPRV);
const MPV_HIGH = Number(Status.MPV >> 32n);
const SPVP = Number(HypervisorStatus.SPVP);
const PBMTE_HIGH = Number(EnvironmentConfig.PBMTE >> 32n);

/** Physical access-fault codes by kind of access. */
const ACCESS_FAULT = { fetch: 1, load: 5, store: 7 } as const;

/** By privilege, plus 4 for V = 1. */
const accessModes: readonly AccessMode[] = Array.from({ length: 8 }, (_, mode) => ({
	privilege: (mode & 3) as 0 | 1 | 3,
	virtual: mode >= 4,
}));

/** What of the status registers translation depends on, as bits; the first four are those of a context key. */
const Right = { sum: 1, mxr: 2, vsSum: 4, vsMxr: 8, pbmte: 16, vsPbmte: 32 } as const;

/** A mode's context and walk, and the registers that they were worked out from. */
interface DerivedMode {
	/** {@link Right}s. */
	readonly rights: number;
	/** satp or vsatp, and hgatp, in halves. */
	readonly first: number;
	readonly firstHigh: number;
	readonly second: number;
	readonly secondHigh: number;
	/** Of the context id. */
	readonly generation: number;
	readonly context: number;
	/** `WalkFlag`s, and the window: see `WalkMode`. */
	readonly firstFlags: number;
	readonly secondFlags: number;
	readonly windowFirst: number;
	readonly windowPages: number;
}

function writeWalkMode(words: Int32Array, at: number, mode: DerivedMode): void {
	words[at + (WalkMode.first >> 2)] = mode.firstFlags;
	words[at + (WalkMode.second >> 2)] = mode.secondFlags;
	words[at + (WalkMode.windowFirst >> 2)] = mode.windowFirst;
	words[at + (WalkMode.windowPages >> 2)] = mode.windowPages;
}

/** Finds where accesses go. */
export class AddressTranslation {
	readonly #state: () => BigUint64Array;
	/** The same, low and high half of each word in turn. */
	readonly #halves: () => Uint32Array;
	readonly #layout: LinearLayout;
	readonly #words: Int32Array;
	readonly #doubles: BigUint64Array;
	readonly #memory: PhysicalMemory;
	readonly #code: DecodedPages;
	readonly #tlb: HartTlb;
	readonly #tables: PageTableMemory;
	#protection: Protection | undefined;
	/** {@link Protection.openRun} for S and U, and for M. */
	#openRuns: readonly [PageRun, PageRun] | undefined;
	/** First page and last plus one of each run of RAM. */
	#ram: readonly (readonly [number, number])[] | undefined;
	/** By mode and rights of the status registers: what was last worked out. */
	readonly #modes: (DerivedMode | undefined)[] = new Array(8 * 16).fill(undefined);

	constructor(
		state: () => BigUint64Array,
		halves: () => Uint32Array,
		layout: LinearLayout,
		memory: PhysicalMemory,
		code: DecodedPages,
		tlb: HartTlb,
	) {
		const { buffer } = layout.memory;
		this.#state = state;
		this.#halves = halves;
		this.#layout = layout;
		this.#words = new Int32Array(buffer, 0, 512);
		this.#doubles = new BigUint64Array(buffer, 0, 256);
		this.#memory = memory;
		this.#code = code;
		this.#tlb = tlb;
		this.#tables = this.#tableMemory(new DataView(buffer));
	}

	/** PMP has changed. */
	protectionChanged(): void {
		this.#protection = undefined;
		this.#openRuns = undefined;
		this.#modes.fill(undefined);
	}

	/** Mode of fetches. */
	get fetchMode(): AccessMode {
		return accessModes[this.#fetchIndex()]!;
	}

	/** Mode of loads and stores: MPRV lends M-mode another. */
	get dataMode(): AccessMode {
		return accessModes[this.#dataIndex()]!;
	}

	/** Mode of HLV, HLVX and HSV. */
	get guestMode(): AccessMode {
		return accessModes[(this.#halves()[Slot.hstatus * 2]! & SPVP) !== 0 ? 5 : 4]!;
	}

	/**
	 * Works out the engine's words that depend on the running hart's mode: contexts, and how translations are walked. To be
	 * called before instructions run, after anything of it has changed.
	 */
	updateModes(): void {
		const words = this.#words;
		const rights = this.#rights();
		const fetchIndex = this.#fetchIndex();
		const dataIndex = this.#dataIndex();
		let fetch = this.#derived(fetchIndex, rights);
		const data = dataIndex === fetchIndex ? fetch : this.#derived(dataIndex, rights);
		// Giving the second context an id may have started all over.
		fetch = this.#derived(fetchIndex, rights);
		words[Word.fetchContext >> 2] = fetch.context << 3;
		words[Word.dataContext >> 2] = data.context << 3;
		words[Word.tlb >> 2] = this.#tlb.base;
		words[Word.pageMap >> 2] = this.#layout.pageMap;
		words[Word.codeMap >> 2] = this.#layout.codeMap;
		writeWalkMode(words, Word.fetchWalk >> 2, fetch);
		writeWalkMode(words, Word.dataWalk >> 2, data);
		const tables = this.#openRun(1);
		words[Word.tableWindow >> 2] = tables.first;
		words[(Word.tableWindow >> 2) + 2] = tables.end - tables.first;
	}

	/** Where an access of `bytes` bytes within one page goes. */
	locate(address: bigint, bytes: number, access: Access, mode: AccessMode, hlvx = false): Located {
		const found = translate(this.#tables, this.#context(mode, hlvx), address, access);
		if (!found.ok) {
			return { kind: 'fault', cause: found.cause, guestPhysical: found.guestPhysical, implicit: found.implicit };
		}
		const denied: Located = {
			kind: 'fault',
			cause: ACCESS_FAULT[access],
			guestPhysical: undefined,
			implicit: undefined,
		};
		if (found.physical >= PHYSICAL_LIMIT) return denied;
		const physical = Number(found.physical);
		if (!this.#protect().allows(physical, bytes, access, mode.privilege)) return denied;
		const page = Math.floor(physical / PAGE_SIZE);
		const word = this.#memory.pageMap[page] ?? 0;
		if (!(word & PageFlag.ram)) return access === 'fetch' ? denied : { kind: 'device', physical };
		if (access === 'store') {
			if (word & PageFlag.rom) return denied;
		}
		return { kind: 'memory', linear: this.#memory.frame(page) + (physical % PAGE_SIZE), translation: found };
	}

	/**
	 * The interpreter's import, for what its own walk (walker/fill.ts) leaves alone: locates the load or store at
	 * `Word.address` and enters its page in the TLB where later accesses may be made without looking. The linear address; 0
	 * with the exit code set where there is none.
	 */
	fill(write: number, bytes: number): number {
		const address = this.#doubles[Word.address / 8]!;
		const mode = this.dataMode;
		const found = this.locate(address, bytes, write ? 'store' : 'load', mode);
		if (found.kind !== 'memory') return this.#fail(found);
		const { translation, linear } = found;
		const page = Number(translation.physical >> 12n);
		const word = this.#memory.pageMap[page]!;
		if (write) {
			this.#memory.pageMap[page] = word | PageFlag.dirty;
			if (word & PageFlag.code) {
				const decoded = this.#code.storing(page);
				this.#words[Word.storeCode >> 2] = decoded;
				if (decoded !== 0) return linear;
			}
		}
		const rights = this.#protect().pageRights(page, mode.privilege);
		if (rights !== DIVIDED && (rights & (write ? PMP_W : PMP_R)) !== 0) {
			const context = this.#words[Word.dataContext >> 2]! >> 3;
			const addend = (linear - Number(BigInt.asUintN(32, address))) | 0;
			this.#tlb.enter(write ? Tlb.write : Tlb.read, address, context, addend, translation.pageBits);
		}
		return linear;
	}

	/** A store was made to a page of memory outside `fill`. */
	markWritten(page: number): void {
		this.#memory.pageMap[page]! |= PageFlag.dirty;
	}

	/** Whether the whole page of a fetched instruction may be executed, so that it may be entered in the TLB. */
	wholePageExecutable(physical: bigint, mode: AccessMode): boolean {
		const rights = this.#protect().pageRights(Number(physical >> 12n), mode.privilege);
		return rights !== DIVIDED && (rights & PMP_X) !== 0;
	}

	/** The PMP registers, decoded once after each change. */
	#protect(): Protection {
		if (this.#protection) return this.#protection;
		const state = this.#state();
		const cfg: number[] = [];
		const addr: bigint[] = [];
		for (let entry = 0; entry < 16; entry++) {
			cfg.push(Number((state[Slot.pmpcfg + (entry >> 3)]! >> BigInt((entry & 7) * 8)) & 0xffn));
			addr.push(state[Slot.pmpaddr + entry]!);
		}
		this.#protection = new Protection({ cfg, addr });
		return this.#protection;
	}

	/** The open pages of a privilege that hold most of the RAM, as far as the page map goes. */
	#openRun(privilege: 0 | 1 | 3): PageRun {
		if (!this.#openRuns) {
			this.#ram ??= ramRuns(this.#memory.pageMap);
			const ram = this.#ram;
			const pagesOfRam = (first: number, end: number): number =>
				ram.reduce((sum, run) => sum + Math.max(0, Math.min(end, run[1]) - Math.max(first, run[0])), 0);
			const top = this.#layout.pages;
			const clamp = ({ first, end, rights }: PageRun): PageRun => ({
				first: Math.min(first, top),
				end: Math.min(end, top),
				rights,
			});
			const protection = this.#protect();
			this.#openRuns = [clamp(protection.openRun(1, pagesOfRam)), clamp(protection.openRun(3, pagesOfRam))];
		}
		return this.#openRuns[privilege === 3 ? 1 : 0];
	}

	#fetchIndex(): number {
		const halves = this.#halves();
		return halves[Slot.privilege * 2]! + halves[Slot.virtual * 2]! * 4;
	}

	#dataIndex(): number {
		const halves = this.#halves();
		const mstatus = halves[Slot.mstatus * 2]!;
		if (halves[Slot.privilege * 2] !== 3 || (mstatus & MPRV) === 0) return this.#fetchIndex();
		const privilege = (mstatus >>> 11) & 3;
		return privilege !== 3 && (halves[Slot.mstatus * 2 + 1]! & MPV_HIGH) !== 0 ? privilege + 4 : privilege;
	}

	/** What a mode means now: worked out, unless it was and nothing of it has changed. */
	#derived(index: number, rights: number): DerivedMode {
		const halves = this.#halves();
		const at = index + (rights & 15) * 8;
		const known = this.#modes[at];
		const first = (index >= 4 ? Slot.vsatp : Slot.satp) * 2;
		if (
			known &&
			known.generation === this.#tlb.generation &&
			known.rights === rights &&
			known.first === halves[first] &&
			known.firstHigh === halves[first + 1] &&
			known.second === halves[Slot.hgatp * 2] &&
			known.secondHigh === halves[Slot.hgatp * 2 + 1]
		) {
			return known;
		}
		const { privilege, virtual } = accessModes[index]!;
		const open = this.#openRun(privilege);
		const levels = privilege === 3 ? 0 : levelsOf(halves[first + 1]! >>> 28);
		const guestLevels = virtual ? levelsOf(halves[Slot.hgatp * 2 + 1]! >>> 28) : 0;
		const walkable = levels >= 0 && guestLevels >= 0;
		const sum = virtual ? Right.vsSum : Right.sum;
		const mxr = virtual ? Right.mxr | Right.vsMxr : Right.mxr;
		const key = this.#contextKey(index, rights);
		const context = this.#tlb.context(key);
		const derived: DerivedMode = {
			rights,
			first: halves[first]!,
			firstHigh: halves[first + 1]!,
			second: halves[Slot.hgatp * 2]!,
			secondHigh: halves[Slot.hgatp * 2 + 1]!,
			generation: this.#tlb.generation,
			context,
			firstFlags: walkable
				? levels |
					(virtual ? WalkFlag.virtual : 0) |
					(privilege === 0 ? WalkFlag.user : rights & sum ? WalkFlag.sum : 0) |
					(rights & mxr ? WalkFlag.mxr : 0) |
					(rights & (virtual ? Right.vsPbmte : Right.pbmte) ? WalkFlag.pbmte : 0)
				: 0,
			secondFlags: walkable
				? guestLevels |
					WalkFlag.guest |
					WalkFlag.user |
					(rights & Right.mxr ? WalkFlag.mxr : 0) |
					(rights & Right.pbmte ? WalkFlag.pbmte : 0)
				: 0,
			windowFirst: open.first,
			windowPages: walkable ? open.end - open.first : 0,
		};
		this.#modes[at] = derived;
		return derived;
	}

	/** What the meaning of addresses in a mode depends on. */
	#contextKey(index: number, rights: number): ContextKey {
		const halves = this.#halves();
		const { privilege, virtual } = accessModes[index]!;
		const translated = privilege !== 3;
		const first = halves[(virtual ? Slot.vsatp : Slot.satp) * 2 + 1]!;
		const second = virtual ? halves[Slot.hgatp * 2 + 1]! : 0;
		const mode = translated ? first >>> 28 : 0;
		const relevant = virtual ? Right.mxr | Right.vsSum | Right.vsMxr : Right.sum | Right.mxr;
		return contextKey({
			privilege,
			virtual,
			rights: translated ? rights & relevant : 0,
			mode,
			guestMode: second >>> 28,
			// ASID and VMID begin at bit 44.
			asid: mode === 0 ? 0 : (first >>> 12) & 0xffff,
			vmid: (second >>> 12) & 0x3fff,
		});
	}

	/** {@link Right}s. */
	#rights(): number {
		const halves = this.#halves();
		const mstatus = halves[Slot.mstatus * 2]!;
		const vsstatus = halves[Slot.vsstatus * 2]!;
		return (
			(mstatus & SUM ? Right.sum : 0) |
			(mstatus & MXR ? Right.mxr : 0) |
			(vsstatus & SUM ? Right.vsSum : 0) |
			(vsstatus & MXR ? Right.vsMxr : 0) |
			(halves[Slot.menvcfg * 2 + 1]! & PBMTE_HIGH ? Right.pbmte : 0) |
			(halves[Slot.henvcfg * 2 + 1]! & PBMTE_HIGH ? Right.vsPbmte : 0)
		);
	}

	#fail(found: Exclude<Located, { kind: 'memory' }>): number {
		const words = this.#words;
		if (found.kind === 'device') {
			words[Word.exit >> 2] = ExitCode.device;
			this.#doubles[Word.physical / 8] = BigInt(found.physical);
			return 0;
		}
		words[Word.exit >> 2] = ExitCode.trap;
		words[Word.cause >> 2] = found.cause;
		this.#doubles[Word.guestPhysical / 8] = found.guestPhysical ?? 0n;
		words[Word.implicit >> 2] = found.implicit === undefined ? 0 : found.implicit === 'read' ? 1 : 2;
		return 0;
	}

	#context({ privilege, virtual }: AccessMode, hlvx: boolean): TranslationContext {
		if (privilege === 3) return bareContext;
		const state = this.#state();
		const rights = this.#rights();
		return {
			...bareContext,
			privilege,
			virtual,
			satp: state[Slot.satp]!,
			vsatp: state[Slot.vsatp]!,
			hgatp: state[Slot.hgatp]!,
			sum: (rights & Right.sum) !== 0,
			mxr: (rights & Right.mxr) !== 0,
			vsSum: (rights & Right.vsSum) !== 0,
			vsMxr: (rights & Right.vsMxr) !== 0,
			hlvx,
			pbmte: (rights & Right.pbmte) !== 0,
			vsPbmte: (rights & Right.vsPbmte) !== 0,
		};
	}

	/** Page tables are read and updated as S-mode would, in memory only. */
	#tableMemory(view: DataView): PageTableMemory {
		const at = (address: bigint, access: 'load' | 'store'): number => {
			if (address >= PHYSICAL_LIMIT || !this.#protect().allows(Number(address), 8, access, 1)) return 0;
			const page = Number(address >> 12n);
			const word = this.#memory.pageMap[page] ?? 0;
			if (!(word & PageFlag.ram) || (access === 'store' && word & PageFlag.rom)) return 0;
			return this.#memory.frame(page) + Number(address & 0xfffn);
		};
		return {
			readPte: (address) => {
				const linear = at(address, 'load');
				return linear === 0 ? undefined : view.getBigUint64(linear, true);
			},
			updatePte: (address, expected, desired) => {
				const linear = at(address, 'store');
				if (linear === 0) return 'fault';
				if (view.getBigUint64(linear, true) !== expected) return false;
				view.setBigUint64(linear, desired, true);
				const page = Number(address >> 12n);
				this.#memory.pageMap[page]! |= PageFlag.dirty;
				if (this.#memory.pageMap[page]! & PageFlag.code) this.#code.written(Number(address), 8);
				return true;
			},
		};
	}
}

/** Levels of page tables by MODE; -1 where it has no meaning. */
function levelsOf(mode: number): number {
	if (mode === MODE_BARE) return 0;
	return mode >= MODE_SV39 && mode <= MODE_SV57 ? mode - MODE_SV39 + 3 : -1;
}

/** Runs of pages that are memory. */
function ramRuns(pageMap: Uint32Array): [number, number][] {
	const runs: [number, number][] = [];
	for (let page = 0; page < pageMap.length; page++) {
		if (pageMap[page] === 0) continue;
		const first = page;
		while (page < pageMap.length && pageMap[page] !== 0) page++;
		runs.push([first, page]);
	}
	return runs;
}
