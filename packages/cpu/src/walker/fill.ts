/**
 * Filling the TLBs, as a WebAssembly function: translation through all stages, and what TypeScript's
 * `AddressTranslation.fill` and the hart's fetch do then, where the page is plain memory. Everything else is theirs:
 * faults, devices, ROM, pages without a frame or that PMP divides, pages that are executed for the first time.
 */
import { PageFlag } from '@partita/memory';
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
import { DecodedPage, Shared, STORES_UNTIL_DROPPED, Tlb, WalkFlag, WalkMode, Word } from '../layout.ts';
import { Slot } from '../state.ts';
import {
	emitStages,
	guestRoot,
	Kind,
	markDirty,
	PACKED_BITS,
	PACKED_PAGE,
	rootOf,
	type StageFunctions,
} from './stage.ts';

/** Address of the TLB entry for a virtual address; `tlb` is the linear address of the TLB. */
export function tlbEntry(address: Operand<I64>, tlb: Operand<I32>): Expr<I32> {
	return i32.add(i32.and(i32.wrap(i64.shrU(address, 8)), (Tlb.entries - 1) * Tlb.entryBytes), tlb);
}

/**
 * Emits (virtual address, `Kind`) -> linear address of the byte, or of the decoded page for a fetch; 0: TypeScript has to
 * look. The page has then been entered in the TLB, but for a store to code: `Word.storeCode` is the decoded page.
 */
export function emitFill(module: ModuleBuilder): FunctionRef {
	const stages = emitStages(module);
	const translate = emitTranslate(module, stages);
	const f = module.function([I64, I32], [I32], 'fillTlb');
	const [address, kind] = [f.param<I64>(0), f.param<I32>(1)];
	const mode = f.local(I32);
	const packed = f.local(I64);
	const page = f.local(I64);
	const word = f.local(I32);
	const frame = f.local(I32);
	const decoded = f.local(I32);

	f.set(mode, i32.select(i32.eq(kind, Kind.fetch), Word.fetchWalk, Word.dataWalk));
	f.set(packed, i64.call(translate, address, kind, mode));
	f.if(i64.eqz(packed), () => f.return(0));
	f.set(page, i64.shrU(packed, PACKED_BITS + 12));
	const window = [i64.load(mode, WalkMode.windowFirst), i64.load(mode, WalkMode.windowPages)];
	f.set(word, i32.call(stages.pageWord, page, ...window));
	f.if(i32.eqz(word), () => f.return(0));
	f.set(frame, i32.and(word, -4096));
	const inCodeMap = i32.add(i32.load(0, Word.codeMap), i32.shl(i32.wrap(page), 2));
	const enter = (addend: Expr<I32>): void => emitEnter(f, { address, kind, packed }, addend);
	const linear = i32.or(frame, i32.and(i32.wrap(address), 4095));

	f.if(i32.eq(kind, Kind.fetch), () => {
		f.set(decoded, i32.load(inCodeMap));
		f.if(decoded, () => enter(decoded));
		f.return(decoded);
	});
	f.if(i32.eq(kind, Kind.store), () => {
		f.if(i32.and(word, PageFlag.rom), () => f.return(0));
		f.if(i32.and(word, PageFlag.code), () => {
			const stores = i32.load(decoded, DecodedPage.stores);
			f.set(decoded, i32.load(inCodeMap));
			f.if(i32.geS(stores, STORES_UNTIL_DROPPED - 1), () => f.return(0));
			i32.store(f, decoded, i32.add(stores, 1), DecodedPage.stores);
			i32.store(f, 0, decoded, Word.storeCode);
			markDirty(f, page, word);
			f.return(linear);
		});
		markDirty(f, page, word);
	});
	enter(i32.sub(frame, i32.and(i32.wrap(address), -4096)));
	f.push(linear);
	return f;
}

/** (virtual address, `Kind`, address of the `WalkMode`) -> packed translation through all stages, or 0. */
function emitTranslate(module: ModuleBuilder, { walk, walkGuest }: StageFunctions): FunctionRef {
	const f = module.function([I64, I32, I32], [I64]);
	const [address, kind, mode] = [f.param<I64>(0), f.param<I32>(1), f.param<I32>(2)];
	const first = f.local(I32);
	const second = f.local(I32);
	const packed = f.local(I64);
	const guest = f.local(I64);
	f.set(first, i32.load(mode, WalkMode.first));
	f.set(second, i32.load(mode, WalkMode.second));
	f.if(
		i32.and(first, WalkFlag.levels),
		() =>
			f.set(
				packed,
				i64.if(
					i32.and(first, WalkFlag.virtual),
					i64.call(walkGuest, address, rootOf(i64.load(0, Slot.vsatp * 8)), first, kind, second),
					i64.call(walk, address, rootOf(i64.load(0, Slot.satp * 8)), first, kind),
				),
			),
		() => {
			// An address that does not fit is nowhere.
			f.if(i64.ne(i64.shrU(address, 64 - PACKED_BITS), 0), () => f.return(0));
			f.set(packed, i64.or(i64.shl(address, PACKED_BITS), 64));
		},
	);
	f.if(i64.eqz(packed), () => f.return(0));
	f.if(i32.and(second, WalkFlag.levels), () => {
		f.set(guest, i64.call(walk, i64.shrU(packed, PACKED_BITS), guestRoot(), second, kind));
		f.if(i64.eqz(guest), () => f.return(0));
		// The page is the smaller one of both stages.
		const bits = (value: Expr<I64>): Expr<I64> => i64.and(value, PACKED_PAGE);
		f.set(
			packed,
			i64.or(i64.and(guest, ~PACKED_PAGE), i64.select(i64.ltU(bits(packed), bits(guest)), bits(packed), bits(guest))),
		);
	});
	f.push(packed);
	return f;
}

/** Enters a page, as `HartTlb.enter` does. */
function emitEnter(
	f: FunctionBuilder,
	{ address, kind, packed }: { address: Local<I64>; kind: Local<I32>; packed: Local<I64> },
	addend: Expr<I32>,
): void {
	const entry = f.local(I32);
	const context = f.local(I32);
	const tlb = i32.load(0, Word.tlb);
	const pageBits = i32.and(i32.wrap(packed), PACKED_PAGE);
	f.set(context, i32.select(i32.eq(kind, Kind.fetch), i32.load(0, Word.fetchContext), i32.load(0, Word.dataContext)));
	f.set(entry, i32.add(tlbEntry(address, tlb), i32.mul(kind, Tlb.stride)));
	// Regions count on the execute TLB to hold the pages that it held.
	f.if(i32.and(i32.eq(kind, Kind.fetch), i64.ne(i64.load(entry), 0)), () =>
		i64.store(f, 0, i64.add(i64.load(0, Shared.generation), 1), Shared.generation),
	);
	i64.store(f, entry, i64.or(i64.and(address, -4096), i64.extendU(context)));
	i32.store(f, entry, addend, 8);
	i32.store(f, entry, pageBits, 12);
	f.if(i32.ltU(i32.sub(pageBits, 13), 64 - 13), () => emitMarkLarge(f, address, pageBits));
}

/** Sets the bits at `Tlb.large`, as `HartTlb` does. */
function emitMarkLarge(f: FunctionBuilder, address: Local<I64>, pageBits: Expr<I32>): void {
	const at = f.local(I32);
	const gibibyte = (by: number): Expr<I32> => i32.wrap(i64.shrU(address, 30 + by));
	const hash = i32.and(i32.xor(i32.xor(gibibyte(0), gibibyte(3)), gibibyte(6)), 7);
	f.set(at, i32.add(i32.load(0, Word.tlb), Tlb.large));
	f.if(i32.gtU(pageBits, 30), () => f.memoryFill(at, 0xff, Tlb.largeBytes));
	f.set(at, i32.add(at, i32.mul(hash, Tlb.largeBlock)));
	f.if(
		i32.gtU(pageBits, 21),
		() => f.memoryFill(at, 0xff, Tlb.largeBlock),
		() => {
			const low = i32.wrap(address);
			f.set(at, i32.add(at, i32.and(i32.shrU(low, 24), 63)));
			i32.store8(f, at, i32.or(i32.load8U(at), i32.shl(1, i32.and(i32.shrU(low, 21), 7))));
		},
	);
}
