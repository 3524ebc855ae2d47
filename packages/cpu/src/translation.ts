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

/** Physical access-fault codes by kind of access. */
const ACCESS_FAULT = { fetch: 1, load: 5, store: 7 } as const;

/** By privilege, plus 4 for V = 1. */
const accessModes: readonly AccessMode[] = Array.from({ length: 8 }, (_, mode) => ({
	privilege: (mode & 3) as 0 | 1 | 3,
	virtual: mode >= 4,
}));

/** What of the status registers translation depends on, as bits; the first four are those of a context key. */
const Right = { sum: 1, mxr: 2, vsSum: 4, vsMxr: 8, pbmte: 16, vsPbmte: 32 } as const;

/** Finds where accesses go. */
export class AddressTranslation {
	readonly #state: () => BigUint64Array;
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

	constructor(
		state: () => BigUint64Array,
		layout: LinearLayout,
		memory: PhysicalMemory,
		code: DecodedPages,
		tlb: HartTlb,
	) {
		const { buffer } = layout.memory;
		this.#state = state;
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
	}

	/** Mode of fetches. */
	get fetchMode(): AccessMode {
		const state = this.#state();
		return accessModes[Number(state[Slot.privilege]) + (state[Slot.virtual] !== 0n ? 4 : 0)]!;
	}

	/** Mode of loads and stores: MPRV lends M-mode another. */
	get dataMode(): AccessMode {
		const state = this.#state();
		const mstatus = state[Slot.mstatus]!;
		if (state[Slot.privilege] !== 3n || (mstatus & Status.MPRV) === 0n) return this.fetchMode;
		const privilege = Number((mstatus & Status.MPP) >> 11n);
		return accessModes[privilege + (privilege !== 3 && (mstatus & Status.MPV) !== 0n ? 4 : 0)]!;
	}

	/** Mode of HLV, HLVX and HSV. */
	get guestMode(): AccessMode {
		const supervisor = (this.#state()[Slot.hstatus]! & HypervisorStatus.SPVP) !== 0n;
		return accessModes[supervisor ? 5 : 4]!;
	}

	/** What the meaning of addresses in a mode depends on. */
	contextKey({ privilege, virtual }: AccessMode): ContextKey {
		const none = { rights: 0, mode: 0, guestMode: 0, asid: 0, vmid: 0 };
		if (privilege === 3) return contextKey({ privilege, virtual: false, ...none });
		const state = this.#state();
		const rights = this.#rights();
		if (!virtual) {
			const satp = state[Slot.satp]!;
			return contextKey({
				privilege,
				virtual,
				...none,
				rights: rights & (Right.sum | Right.mxr),
				mode: modeOf(satp),
				asid: asidOf(satp),
			});
		}
		const [vsatp, hgatp] = [state[Slot.vsatp]!, state[Slot.hgatp]!];
		return contextKey({
			privilege,
			virtual,
			rights: rights & (Right.mxr | Right.vsSum | Right.vsMxr),
			mode: modeOf(vsatp),
			guestMode: modeOf(hgatp),
			asid: asidOf(vsatp),
			vmid: Number((hgatp >> 44n) & 0x3fffn),
		});
	}

	/**
	 * Works out the engine's words that depend on the running hart's mode: contexts, and how translations are walked. To be
	 * called before instructions run, after anything of it has changed.
	 */
	updateModes(): void {
		const words = this.#words;
		const { fetchMode, dataMode } = this;
		const fetchKey = this.contextKey(fetchMode);
		let fetchContext = this.#tlb.context(fetchKey);
		const dataContext = dataMode === fetchMode ? fetchContext : this.#tlb.context(this.contextKey(dataMode));
		// Giving the second id may have started all over.
		fetchContext = this.#tlb.context(fetchKey);
		words[Word.fetchContext >> 2] = fetchContext << 3;
		words[Word.dataContext >> 2] = dataContext << 3;
		words[Word.tlb >> 2] = this.#tlb.base;
		words[Word.pageMap >> 2] = this.#layout.pageMap;
		words[Word.codeMap >> 2] = this.#layout.codeMap;
		this.#writeWalkMode(Word.fetchWalk, fetchMode);
		this.#writeWalkMode(Word.dataWalk, dataMode);
		const { first, end } = this.#openRun(1);
		words[Word.tableWindow >> 2] = first;
		words[(Word.tableWindow >> 2) + 2] = end - first;
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

	#writeWalkMode(at: number, { privilege, virtual }: AccessMode): void {
		const words = this.#words;
		const { first, end } = this.#openRun(privilege);
		let [firstFlags, secondFlags] = [0, 0];
		let walkable = true;
		if (privilege !== 3) {
			const rights = this.#rights();
			const sum = virtual ? Right.vsSum : Right.sum;
			const mxr = virtual ? Right.mxr | Right.vsMxr : Right.mxr;
			const levels = levelsOf(words[(virtual ? Slot.vsatp : Slot.satp) * 2 + 1]! >>> 28);
			const guestLevels = virtual ? levelsOf(words[Slot.hgatp * 2 + 1]! >>> 28) : 0;
			walkable = levels >= 0 && guestLevels >= 0;
			firstFlags =
				(levels & WalkFlag.levels) |
				(virtual ? WalkFlag.virtual : 0) |
				(privilege === 0 ? WalkFlag.user : rights & sum ? WalkFlag.sum : 0) |
				(rights & mxr ? WalkFlag.mxr : 0) |
				(rights & (virtual ? Right.vsPbmte : Right.pbmte) ? WalkFlag.pbmte : 0);
			secondFlags =
				(guestLevels & WalkFlag.levels) |
				WalkFlag.guest |
				WalkFlag.user |
				(rights & Right.mxr ? WalkFlag.mxr : 0) |
				(rights & Right.pbmte ? WalkFlag.pbmte : 0);
		}
		words[(at + WalkMode.first) >> 2] = firstFlags;
		words[(at + WalkMode.second) >> 2] = secondFlags;
		words[(at + WalkMode.windowFirst) >> 2] = first;
		words[(at + WalkMode.windowPages) >> 2] = walkable ? end - first : 0;
	}

	/** {@link Right}s. */
	#rights(): number {
		const state = this.#state();
		const [mstatus, vsstatus] = [state[Slot.mstatus]!, state[Slot.vsstatus]!];
		return (
			((mstatus & Status.SUM) !== 0n ? Right.sum : 0) |
			((mstatus & Status.MXR) !== 0n ? Right.mxr : 0) |
			((vsstatus & Status.SUM) !== 0n ? Right.vsSum : 0) |
			((vsstatus & Status.MXR) !== 0n ? Right.vsMxr : 0) |
			((state[Slot.menvcfg]! & EnvironmentConfig.PBMTE) !== 0n ? Right.pbmte : 0) |
			((state[Slot.henvcfg]! & EnvironmentConfig.PBMTE) !== 0n ? Right.vsPbmte : 0)
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

const modeOf = (atp: bigint): number => Number(atp >> 60n);
const asidOf = (satp: bigint): number => (modeOf(satp) === 0 ? 0 : Number((satp >> 44n) & 0xffffn));

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
