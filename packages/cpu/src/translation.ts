/**
 * Address translation of one hart: what fills its TLBs. The walk is the reference walker of `@partita/mmu`; here are the
 * hart's state as the walker wants it, PMP, the physical map, and what may be entered in a TLB.
 */

import { PAGE_SIZE, PageFlag, type PhysicalMemory } from '@partita/memory';
import {
	type Access,
	bareContext,
	type PageTableMemory,
	type PmpState,
	pmpCheck,
	pmpPageRights,
	type Translation,
	type TranslationContext,
	translate,
} from '@partita/mmu';
import type { DecodedPages } from './interpreter/decoded-pages.ts';
import { ExitCode, Tlb, Word } from './layout.ts';
import { EnvironmentConfig, HypervisorStatus, Status } from './privileged/fields.ts';
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

/** Finds where accesses go. */
export class AddressTranslation {
	readonly #state: () => BigUint64Array;
	readonly #words: Int32Array;
	readonly #doubles: BigUint64Array;
	readonly #memory: PhysicalMemory;
	readonly #code: DecodedPages;
	readonly #tlb: HartTlb;
	readonly #tables: PageTableMemory;
	#pmp: PmpState | undefined;

	constructor(
		state: () => BigUint64Array,
		buffer: ArrayBufferLike,
		memory: PhysicalMemory,
		code: DecodedPages,
		tlb: HartTlb,
	) {
		this.#state = state;
		this.#words = new Int32Array(buffer, 0, 512);
		this.#doubles = new BigUint64Array(buffer, 0, 256);
		this.#memory = memory;
		this.#code = code;
		this.#tlb = tlb;
		this.#tables = this.#tableMemory(new DataView(memory.bytes.buffer));
	}

	/** PMP has changed. */
	protectionChanged(): void {
		this.#pmp = undefined;
	}

	/** Mode of fetches. */
	get fetchMode(): AccessMode {
		const state = this.#state();
		return { privilege: Number(state[Slot.privilege]) as 0 | 1 | 3, virtual: state[Slot.virtual] !== 0n };
	}

	/** Mode of loads and stores: MPRV lends M-mode another. */
	get dataMode(): AccessMode {
		const state = this.#state();
		const mstatus = state[Slot.mstatus]!;
		if (state[Slot.privilege] !== 3n || (mstatus & Status.MPRV) === 0n) return this.fetchMode;
		const privilege = Number((mstatus & Status.MPP) >> 11n) as 0 | 1 | 3;
		return { privilege, virtual: privilege !== 3 && (mstatus & Status.MPV) !== 0n };
	}

	/** Mode of HLV, HLVX and HSV. */
	get guestMode(): AccessMode {
		const supervisor = (this.#state()[Slot.hstatus]! & HypervisorStatus.SPVP) !== 0n;
		return { privilege: supervisor ? 1 : 0, virtual: true };
	}

	/** What the meaning of addresses in a mode depends on. */
	contextKey({ privilege, virtual }: AccessMode): ContextKey {
		const none = { rights: 0, mode: 0, guestMode: 0, asid: 0, vmid: 0 };
		if (privilege === 3) return contextKey({ privilege, virtual: false, ...none });
		const state = this.#state();
		const mstatus = state[Slot.mstatus]!;
		const shared = (mstatus & Status.MXR) !== 0n ? 2 : 0;
		if (!virtual) {
			const satp = state[Slot.satp]!;
			const rights = shared | ((mstatus & Status.SUM) !== 0n ? 1 : 0);
			return contextKey({ privilege, virtual, ...none, rights, mode: modeOf(satp), asid: asidOf(satp) });
		}
		const [vsatp, hgatp, vsstatus] = [state[Slot.vsatp]!, state[Slot.hgatp]!, state[Slot.vsstatus]!];
		return contextKey({
			privilege,
			virtual,
			rights: shared | ((vsstatus & Status.SUM) !== 0n ? 4 : 0) | ((vsstatus & Status.MXR) !== 0n ? 8 : 0),
			mode: modeOf(vsatp),
			guestMode: modeOf(hgatp),
			asid: asidOf(vsatp),
			vmid: Number((hgatp >> 44n) & 0x3fffn),
		});
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
		if (found.physical >= PHYSICAL_LIMIT || !pmpCheck(this.pmp, found.physical, bytes, access, mode.privilege)) {
			return denied;
		}
		const physical = Number(found.physical);
		const page = Math.floor(physical / PAGE_SIZE);
		const word = this.#memory.pageMap[page] ?? 0;
		if (!(word & PageFlag.ram)) return access === 'fetch' ? denied : { kind: 'device', physical };
		if (access === 'store') {
			if (word & PageFlag.rom) return denied;
		}
		return { kind: 'memory', linear: this.#memory.frame(page) + (physical % PAGE_SIZE), translation: found };
	}

	/**
	 * The interpreter's import: locates the load or store at `Word.address` and enters its page in the TLB where later
	 * accesses may be made without looking. The linear address; 0 with the exit code set where there is none.
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
		const rights = pmpPageRights(this.pmp, translation.physical, mode.privilege);
		if (rights !== 'mixed' && (write ? rights.writable : rights.readable)) {
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
		const rights = pmpPageRights(this.pmp, physical, mode.privilege);
		return rights !== 'mixed' && rights.executable;
	}

	/** The PMP registers, decoded once after each change. */
	get pmp(): PmpState {
		if (this.#pmp) return this.#pmp;
		const state = this.#state();
		const cfg: number[] = [];
		const addr: bigint[] = [];
		for (let entry = 0; entry < 16; entry++) {
			cfg.push(Number((state[Slot.pmpcfg + (entry >> 3)]! >> BigInt((entry & 7) * 8)) & 0xffn));
			addr.push(state[Slot.pmpaddr + entry]!);
		}
		this.#pmp = { cfg, addr };
		return this.#pmp;
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
		const mstatus = state[Slot.mstatus]!;
		const vsstatus = state[Slot.vsstatus]!;
		return {
			...bareContext,
			privilege,
			virtual,
			satp: state[Slot.satp]!,
			vsatp: state[Slot.vsatp]!,
			hgatp: state[Slot.hgatp]!,
			sum: (mstatus & Status.SUM) !== 0n,
			mxr: (mstatus & Status.MXR) !== 0n,
			vsSum: (vsstatus & Status.SUM) !== 0n,
			vsMxr: (vsstatus & Status.MXR) !== 0n,
			hlvx,
			pbmte: (state[Slot.menvcfg]! & EnvironmentConfig.PBMTE) !== 0n,
			vsPbmte: (state[Slot.henvcfg]! & EnvironmentConfig.PBMTE) !== 0n,
		};
	}

	/** Page tables are read and updated as S-mode would, in memory only. */
	#tableMemory(view: DataView): PageTableMemory {
		const at = (address: bigint, access: 'load' | 'store'): number => {
			if (address >= PHYSICAL_LIMIT || !pmpCheck(this.pmp, address, 8, access, 1)) return 0;
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
