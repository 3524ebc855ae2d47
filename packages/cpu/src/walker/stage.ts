/**
 * One stage of address translation as a WebAssembly function: the walk over one set of page tables.
 *
 * It finds what `@partita/mmu`'s reference walker (stage.ts, translate.ts) finds, for memory that is plain: page tables in
 * RAM that PMP leaves open. Where a walk faults or meets anything else it answers 0, and TypeScript walks again: A and D
 * bits that were set before are those that the other walk sets first.
 * Privileged ISA 1.13: "Virtual Address Translation Process", "Svnapot", "Svpbmt", "Two-Stage Address Translation".
 */
import { PageFlag } from '@partita/memory';
import {
	NAPOT_BITS,
	PTE_A,
	PTE_D,
	PTE_N,
	PTE_PBMT,
	PTE_PBMT_SHIFT,
	PTE_R,
	PTE_RESERVED,
	PTE_U,
	PTE_V,
	PTE_W,
	PTE_X,
} from '@partita/mmu';
import {
	type Expr,
	type FunctionBuilder,
	type FunctionRef,
	I32,
	I64,
	i32,
	i64,
	type Local,
	type ModuleBuilder,
	type Operand,
} from '@partita/wasm-builder';
import { WalkFlag, Word } from '../layout.ts';
import { Slot } from '../state.ts';

/** Kinds of access; the order is that of a hart's TLBs. */
export const Kind = { load: 0, store: 1, fetch: 2 } as const;

/** A translation in one word: address << 7 | log2 of the page size, which is never 0. */
export const PACKED_BITS = 7;
export const PACKED_PAGE = 0x7f;

/** Bytes of a physical page number in a PTE after a shift left by 2, and in satp by 12. */
const PPN_BYTES = ((1n << 44n) - 1n) << 12n;
const POINTER_RESERVED = PTE_W | PTE_U | PTE_A | PTE_D | PTE_PBMT | PTE_N;

/** Functions of the walk. */
export interface StageFunctions {
	/** (page, first page of a window, pages in it) -> word of the page map, 0 where the page is not plain memory. */
	readonly pageWord: FunctionRef;
	/** (address, root of the tables, `WalkFlag`s, `Kind`) -> packed translation, or 0. Tables are in physical memory. */
	readonly walk: FunctionRef;
	/** The same for the VS-stage: its tables are reached through the G-stage, whose flags follow. */
	readonly walkGuest: FunctionRef;
}

/** Emits the walk. */
export function emitStages(module: ModuleBuilder): StageFunctions {
	const pageWord = emitPageWord(module);
	const walk = emitWalk(module, pageWord, undefined);
	return { pageWord, walk, walkGuest: emitWalk(module, pageWord, walk) };
}

/** Physical address of the root table in satp, vsatp or hgatp. */
export function rootOf(atp: Operand<I64>): Expr<I64> {
	return i64.and(i64.shl(atp, 12), PPN_BYTES);
}

/** Root in hgatp of a paged mode: 16 KiB, aligned. */
export function guestRoot(): Expr<I64> {
	return i64.and(rootOf(i64.load(0, Slot.hgatp * 8)), ~0x3fffn);
}

/** Sets a flag in the page map. */
export function markDirty(f: FunctionBuilder, page: Expr<I64>, word: Expr<I32>): void {
	const at = i32.add(i32.load(0, Word.pageMap), i32.shl(i32.wrap(page), 2));
	i32.store(f, at, i32.or(word, PageFlag.dirty));
}

function emitPageWord(module: ModuleBuilder): FunctionRef {
	const f = module.function([I64, I64, I64], [I32]);
	const [page, first, pages] = [f.param<I64>(0), f.param<I64>(1), f.param<I64>(2)];
	const word = f.local(I32);
	const plain = PageFlag.ram | PageFlag.held;
	f.if(i64.geU(i64.sub(page, first), pages), () => f.return(0));
	f.set(word, i32.load(i32.add(i32.load(0, Word.pageMap), i32.shl(i32.wrap(page), 2))));
	f.push(i32.select(i32.eq(i32.and(word, plain), plain), word, 0));
	return f;
}

/** `through`: walk of the G-stage for the addresses of tables. */
function emitWalk(module: ModuleBuilder, pageWord: FunctionRef, through: FunctionRef | undefined): FunctionRef {
	const f = module.function(through ? [I64, I64, I32, I32, I32] : [I64, I64, I32, I32], [I64]);
	const [address, table, flags, kind] = [f.param<I64>(0), f.param<I64>(1), f.param<I32>(2), f.param<I32>(3)];
	/** log2 of what an entry of the current table maps. */
	const shift = f.local(I64);
	const index = f.local(I64);
	const pteAddress = f.local(I64);
	const word = f.local(I32);
	const at = f.local(I32);
	const pte = f.local(I64);
	const physical = f.local(I64);

	/** Finds the table's page for an implicit access: sets `word` and `at`. */
	const reach = (access: number): void => {
		f.set(physical, pteAddress);
		if (through) {
			const guestFlags = f.param<I32>(4);
			f.if(i32.and(guestFlags, WalkFlag.levels), () => {
				// MXR is for explicit accesses.
				f.set(physical, i64.call(through, pteAddress, guestRoot(), i32.and(guestFlags, ~WalkFlag.mxr), access));
				refuseIf(f, i64.eqz(physical));
				f.set(physical, i64.shrU(physical, PACKED_BITS));
			});
		}
		const window = (offset: number): Expr<I64> => i64.load(0, Word.tableWindow + offset);
		f.set(word, i32.call(pageWord, i64.shrU(physical, 12), window(0), window(8)));
		refuseIf(f, i32.eqz(word));
		f.set(at, i32.or(i32.and(word, -4096), i32.and(i32.wrap(physical), 4095)));
	};

	f.set(shift, i64.add(i64.extendU(i32.mul(i32.and(flags, WalkFlag.levels), 9)), 3));
	checkCanonical(f, address, flags, shift);
	f.set(
		index,
		i64.and(i64.shrU(address, shift), i64.if(i32.and(flags, WalkFlag.guest), i64.const(2047), i64.const(511))),
	);
	f.loop((next) => {
		f.set(pteAddress, i64.add(table, i64.shl(index, 3)));
		reach(Kind.load);
		f.set(pte, i64.load(at));
		refuseIf(f, i64.ne(i64.and(pte, PTE_V | PTE_RESERVED), PTE_V));
		f.if(i64.eqz(i64.and(pte, PTE_R | PTE_X)), () => {
			refuseIf(f, i64.ne(i64.and(pte, POINTER_RESERVED), 0));
			refuseIf(f, i64.eq(shift, 12));
			f.set(shift, i64.sub(shift, 9));
			f.set(table, i64.and(i64.shl(pte, 2), PPN_BYTES));
			f.set(index, i64.and(i64.shrU(address, shift), 511));
			f.br(next);
		});
	});
	const base = table;
	checkLeaf(f, { pte, base, shift, flags });
	checkRights(f, pte, flags, kind);

	const desired = index;
	f.set(desired, i64.or(pte, i64.select(i32.eq(kind, Kind.store), PTE_A | PTE_D, PTE_A)));
	f.if(i64.ne(desired, pte), () => {
		if (through) {
			f.if(i32.and(f.param<I32>(4), WalkFlag.levels), () => {
				reach(Kind.store);
				// Tables that contain themselves: the G-stage has just changed the entry.
				refuseIf(f, i64.ne(i64.load(at), pte));
			});
		}
		refuseIf(f, i32.and(word, PageFlag.rom | PageFlag.code));
		i64.store(f, at, desired);
		markDirty(f, i64.shrU(physical, 12), word);
	});
	const offset = i64.and(address, i64.sub(i64.shl(1, shift), 1));
	f.push(i64.or(i64.shl(i64.or(base, offset), PACKED_BITS), shift));
	return f;
}

function refuseIf(f: FunctionBuilder, condition: Expr<I32>): void {
	f.if(condition, () => f.return(0));
}

/** Virtual addresses are sign-extended, guest physical ones zero-extended from two bits more. */
function checkCanonical(f: FunctionBuilder, address: Local<I64>, flags: Local<I32>, shift: Local<I64>): void {
	const unused = i64.sub(55, shift);
	f.if(
		i32.and(flags, WalkFlag.guest),
		() => refuseIf(f, i64.ne(i64.shrU(address, i64.add(shift, 11)), 0)),
		() => refuseIf(f, i64.ne(i64.shrS(i64.shl(address, unused), unused), address)),
	);
}

/** Sets `base`, and `shift` to the page's size; refuses encodings that are reserved. */
function checkLeaf(
	f: FunctionBuilder,
	leaf: { pte: Local<I64>; base: Local<I64>; shift: Local<I64>; flags: Local<I32> },
): void {
	const { pte, base, shift, flags } = leaf;
	refuseIf(f, i64.eq(i64.and(pte, PTE_R | PTE_W), PTE_W));
	f.set(base, i64.and(i64.shl(pte, 2), PPN_BYTES));
	f.if(i64.ne(i64.and(pte, PTE_PBMT), 0), () => {
		refuseIf(f, i32.eqz(i32.and(flags, WalkFlag.pbmte)));
		refuseIf(f, i64.eq(i64.and(pte, PTE_PBMT), 3n << PTE_PBMT_SHIFT));
	});
	f.if(i64.ltS(pte, 0), () => {
		// N: sixteen pages, the one that is named has bit 3 of its number set alone.
		refuseIf(f, i64.ne(shift, 12));
		refuseIf(f, i64.ne(i64.and(base, 0xf000), 0x8000));
		f.set(base, i64.and(base, ~0xffffn));
		f.set(shift, NAPOT_BITS);
	});
	refuseIf(f, i64.ne(i64.and(base, i64.sub(i64.shl(1, shift), 1)), 0));
}

function checkRights(f: FunctionBuilder, pte: Local<I64>, flags: Local<I32>, kind: Local<I32>): void {
	const bit = (mask: bigint): Expr<I32> => i32.wrap(i64.and(pte, mask));
	// WalkFlag.user is at half the value of U.
	const sameUser = i32.eqz(i32.and(i32.xor(bit(PTE_U), i32.shl(flags, 1)), Number(PTE_U)));
	f.if(
		i32.eq(kind, Kind.fetch),
		() => refuseIf(f, i32.eqz(i32.and(sameUser, i32.ne(bit(PTE_X), 0)))),
		() => {
			refuseIf(f, i32.eqz(i32.or(sameUser, i32.and(flags, WalkFlag.sum))));
			const readable = i32.if(i32.and(flags, WalkFlag.mxr), bit(PTE_R | PTE_X), bit(PTE_R));
			refuseIf(f, i32.eqz(i32.if(i32.eq(kind, Kind.store), bit(PTE_W), readable)));
		},
	);
}
