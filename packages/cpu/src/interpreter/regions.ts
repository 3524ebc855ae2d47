/**
 * How the interpreter enters translated regions: the arm of entries that are marked as the start of one, and the
 * verification that the region's pages are mapped as they were when it was made.
 *
 * A region is a function (state, base) -> pc: the state says where to begin, the base is the virtual address of its
 * origin. It takes the budget from `Shared.left` and leaves there what is left. An odd pc says that the interpreter has to
 * execute the instruction there.
 */
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
} from '@partita/wasm-builder';
import { DecodedPage, JumpCache, RegionEntry, RegionPages, Shared, Tlb, TRANSLATED, Word } from '../layout.ts';
import { tlbEntry } from '../walker/fill.ts';
import type { Exits, Registers } from './emit.ts';

/** Signature of a region. */
export const REGION_PARAMS = [I32, I64] as const;
export const REGION_RESULTS = [I64] as const;

/** Instructions that a region runs at most at one time: V8 replaces code by better code when it is called anew. */
const MOST_AT_ONCE = 1 << 20;

/** Address of a pc's slot in the jump cache. */
export function jumpSlot(pc: Local<I64>): Expr<I32> {
	const offset = i32.and(i32.shl(i32.wrap(pc), 4), (JumpCache.slots - 1) * JumpCache.slotBytes);
	return i32.add(offset, JumpCache.base);
}

/**
 * Emits (region entry, pc) -> nonzero where all pages of the region are in the execute TLB as the region has them, if its
 * point of entry is at the pc. The entry then says so for the current key, and the jump cache has it.
 */
export function emitVerify(module: ModuleBuilder): FunctionRef {
	const f = module.function([I32, I64], [I32]);
	const [entry, pc] = [f.param<I32>(0), f.param<I64>(1)];
	const base = f.local(I64);
	const address = f.local(I64);
	const page = f.local(I32);
	const left = f.local(I32);
	const slot = f.local(I32);
	f.set(base, i64.sub(pc, i64.load(entry, RegionEntry.offset)));
	f.set(page, i32.load(entry, RegionEntry.pages));
	f.set(left, i32.load(page, RegionPages.count));
	f.while(left, () => {
		f.set(address, i64.add(base, i64.load(page, RegionPages.first + RegionPages.distance)));
		f.set(slot, tlbEntry(address, i32.load(0, Word.tlb)));
		f.if(
			i32.or(
				i64.ne(i64.load(slot, Tlb.execute), i64.or(address, i64.load(0, Word.fetchContext))),
				i32.ne(i32.load(slot, Tlb.execute + 8), i32.load(page, RegionPages.first + RegionPages.decoded)),
			),
			() => f.return(0),
		);
		f.set(page, i32.add(page, RegionPages.pageBytes));
		f.set(left, i32.sub(left, 1));
	});
	i64.store(f, entry, pc, RegionEntry.pc);
	i64.store(f, entry, i64.load(0, Shared.key), RegionEntry.key);
	i64.store(f, entry, base, RegionEntry.base);
	f.set(slot, jumpSlot(pc));
	f.memoryCopy(slot, entry, JumpCache.slotBytes);
	f.push(1);
	return f;
}

/**
 * Emits the arm of marked entries: runs the region, and those that follow it, then goes on at the pc that the last one
 * ends with. Where the region cannot be entered, the instruction is executed as if it were not marked.
 */
export function emitRegionArm(
	f: FunctionBuilder,
	r: Registers,
	exits: Exits,
	pc: Expr<I64>,
	verify: FunctionRef,
	regionType: number,
): void {
	const at = f.local(I32);
	const given = f.local(I32);
	const spent = f.local(I32);
	const interpret = (): void => {
		f.set(r.selector, i32.and(r.selector, TRANSLATED - 1));
		f.br(exits.dispatch);
	};
	const isGood = (): Expr<I32> =>
		i32.and(
			i64.eq(i64.load(at, RegionEntry.pc), r.target),
			i64.eq(i64.load(at, RegionEntry.key), i64.load(0, Shared.key)),
		);
	f.set(r.target, pc);
	f.if(i64.eq(r.target, r.bailed), () => {
		f.set(r.bailed, -1);
		interpret();
	});
	const index = i32.shrU(i32.sub(r.entry, r.page), 2);
	f.set(at, i32.load(i32.add(r.page, index), DecodedPage.regions));
	f.if(i32.eqz(isGood()), () => f.if(i32.eqz(i32.call(verify, at, r.target)), interpret));
	// This instruction was counted, and is none of the region's yet.
	f.if(i32.ltS(r.count, i32.sub(i32.load(at, RegionEntry.longest), 1)), interpret);
	f.set(r.count, i32.add(r.count, 1));
	f.loop((again) => {
		f.set(given, i32.select(i32.ltS(r.count, MOST_AT_ONCE), r.count, MOST_AT_ONCE));
		i32.store(f, 0, given, Shared.left);
		f.push(i32.and(i32.load(at, RegionEntry.target), 0xfff));
		f.push(i64.load(at, RegionEntry.base));
		f.push(i32.shrU(i32.load(at, RegionEntry.target), 12));
		f.callIndirect(regionType);
		f.localSet(r.target.index);
		f.set(spent, i32.sub(given, i32.load(0, Shared.left)));
		f.set(r.count, i32.sub(r.count, spent));
		f.set(r.stop, i32.sub(r.stop, spent));
		i64.store(f, 0, i64.add(i64.load(0, Shared.translated), i64.extendU(spent)), Shared.translated);
		i64.store(f, 0, i64.add(i64.load(0, Shared.entered), 1), Shared.entered);
		f.if(i32.eqz(i32.and(i32.wrap(r.target), 1)), () => {
			f.set(at, jumpSlot(r.target));
			f.brIf(again, i32.and(isGood(), i32.geS(r.count, i32.load(at, RegionEntry.longest))));
		});
	});
	f.set(r.limit, i32.select(i32.gtS(r.stop, 0), r.stop, 0));
	f.set(r.bailed, i64.select(i32.and(i32.wrap(r.target), 1), i64.and(r.target, -2), -1));
	f.set(r.target, i64.and(r.target, -2));
	f.br(exits.lookup);
}
