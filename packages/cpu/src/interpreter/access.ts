/**
 * The slow path of loads and stores, as WebAssembly functions: what happens where the inline TLB check of an access does
 * not hit. It performs accesses that are misaligned or straddle pages, and tells the code cache of changed code; filling
 * the TLB is imported.
 */
import { type Expr, type FunctionRef, I32, I64, i32, i64, type Local, type ModuleBuilder } from '@partita/wasm-builder';
import { DecodedPage, ExitCode, LINE_BYTES, Tlb, Word } from '../layout.ts';
import { tlbEntry } from '../walker/fill.ts';
import { Kind } from '../walker/stage.ts';
import { Special } from './opcodes.ts';

/** Exception codes that this file raises (Privileged Architecture 20240411, table 22). */
const LOAD_MISALIGNED = 4;
const LOAD_ACCESS_FAULT = 5;
const STORE_MISALIGNED = 6;
const STORE_ACCESS_FAULT = 7;

/** Functions of the slow path. */
export interface AccessFunctions {
	/** (virtual address, size bits | 4 where sign-extended) -> value; the exit code is nonzero where it failed. */
	readonly slowLoad: FunctionRef;
	/** (virtual address, value, size bits); the exit code is nonzero where it failed. */
	readonly slowStore: FunctionRef;
	/** (virtual address, size bits, 0 LR | 1 SC or AMO) -> linear address, or 0. */
	readonly atomicAddress: FunctionRef;
	/** (linear address, size bits): after a store through `atomicAddress`. */
	readonly stored: FunctionRef;
	/** (virtual address) -> nonzero where it has zeroed the 64-byte block at the address; 0: TypeScript has to. */
	readonly zeroBlock: FunctionRef;
	/** (decoded page, first byte in the page, bytes): forgets the entries that cover these bytes. */
	readonly forget: FunctionRef;
}

/**
 * Emits the slow path. `locate` is (0 load | 1 store, bytes) -> linear address of `Word.address`, or 0 with the exit code set;
 * for a store to code it also sets `Word.storeCode`. `fill` comes before it: see `emitFill`. `changed` is told, with the
 * arguments of `forget`, where regions were translated from lines that a store changes.
 */
export function emitAccess(
	module: ModuleBuilder,
	{ locate, fill, changed }: { locate: FunctionRef; fill: FunctionRef; changed: FunctionRef },
): AccessFunctions {
	const forget = emitForget(module, changed);
	const probe = emitProbe(module, locate, fill);
	return {
		slowLoad: emitSlowLoad(module, probe),
		slowStore: emitSlowStore(module, probe, forget),
		atomicAddress: emitAtomicAddress(module, probe),
		stored: emitStored(module, forget),
		zeroBlock: emitZeroBlock(module, forget, fill),
		forget,
	};
}

function emitForget(module: ModuleBuilder, changed: FunctionRef): FunctionRef {
	const f = module.function([I32, I32, I32], [], 'forget');
	const [page, first, length] = [f.param<I32>(0), f.param<I32>(1), f.param<I32>(2)];
	const entry = f.local(I32);
	const end = f.local(I32);
	// An entry covers its own halfword and, where it is a 32-bit instruction, the next one.
	f.set(entry, i32.add(page, i32.shl(i32.shrU(i32.sub(first, i32.select(i32.geU(first, 2), 2, first)), 1), 4)));
	f.set(end, i32.add(page, i32.shl(i32.shrU(i32.add(first, i32.sub(length, 1)), 1), 4)));
	f.while(i32.leU(entry, end), () => {
		i32.store16(f, entry, Special.undecoded, DecodedPage.opcode);
		f.set(entry, i32.add(entry, DecodedPage.entryBytes));
	});
	// Lines from the first byte's to the last's: the mask's lower bits are cut off, then its upper ones.
	const line = (byte: Expr<I32>): Expr<I64> => i64.extendU(i32.shrU(byte, Math.log2(LINE_BYTES)));
	const from = i64.shl(-1, line(first));
	const to = i64.shrU(-1, i64.sub(63, line(i32.add(first, i32.sub(length, 1)))));
	f.if(i64.ne(i64.and(i64.load(page, DecodedPage.lines), i64.and(from, to)), 0), () =>
		f.call(changed, page, first, length),
	);
	return f;
}

/** (address, 0 read | 1 write, bytes in this page) -> linear address, or 0. */
function emitProbe(module: ModuleBuilder, locate: FunctionRef, fill: FunctionRef): FunctionRef {
	const f = module.function([I64, I32, I32], [I32]);
	const [address, write, bytes] = [f.param<I64>(0), f.param<I32>(1), f.param<I32>(2)];
	const entry = f.local(I32);
	f.set(entry, i32.add(tlbEntry(address, i32.load(0, Word.tlb)), i32.mul(write, Tlb.write)));
	const tag = i64.or(i64.and(address, -4096), i64.load(0, Word.dataContext));
	f.if(i64.eq(i64.load(entry), tag), () => f.return(i32.add(i32.wrap(address), i32.load(entry, 8))));
	f.set(entry, i32.call(fill, address, write));
	f.if(entry, () => f.return(entry));
	i64.store(f, 0, address, Word.address);
	f.push(i32.call(locate, write, bytes));
	return f;
}

/** Bytes of an access that lie on the page of its last byte. */
function bytesBeyond(last: Local<I64>): Expr<I32> {
	return i32.add(i32.and(i32.wrap(last), 4095), 1);
}

/** Turns a device exit of a straddling access into an access fault: it cannot be made on a device. */
function refuseDevice(f: ReturnType<ModuleBuilder['function']>, cause: number): void {
	f.if(i32.eq(i32.load(0, Word.exit), ExitCode.device), () => {
		i32.store(f, 0, ExitCode.trap, Word.exit);
		i32.store(f, 0, cause, Word.cause);
	});
}

function straddles(address: Local<I64>, last: Local<I64>): Expr<I32> {
	return i64.ne(i64.shrU(i64.xor(address, last), 12), 0);
}

function emitSlowLoad(module: ModuleBuilder, probe: FunctionRef): FunctionRef {
	const f = module.function([I64, I32], [I64]);
	const [address, kind] = [f.param<I64>(0), f.param<I32>(1)];
	const last = f.local(I64);
	const host = f.local(I32);
	const next = f.local(I32);
	const split = f.local(I64);
	const value = f.local(I64);
	const bytes = f.local(I32);
	f.set(bytes, i32.shl(1, i32.and(kind, 3)));
	f.set(last, i64.add(address, i64.extendU(i32.sub(bytes, 1))));
	f.set(host, i32.call(probe, address, 0, bytes));
	f.if(
		straddles(address, last),
		() => {
			f.if(host, () => f.set(next, i32.call(probe, i64.and(last, -4096), 0, bytesBeyond(last))));
			f.if(i32.eqz(next), () => {
				refuseDevice(f, LOAD_ACCESS_FAULT);
				f.return(0);
			});
			// The first page ends after `split` bytes: join them with those at the start of the next.
			f.set(split, i64.sub(4096, i64.and(address, 4095)));
			f.while(i64.ne(split, 0), () => {
				f.set(split, i64.sub(split, 1));
				f.set(value, i64.or(i64.shl(value, 8), i64.load8U(i32.add(host, i32.wrap(split)))));
			});
			f.set(split, i64.sub(4096, i64.and(address, 4095)));
			f.while(i64.ltU(split, i64.extendU(bytes)), () => {
				f.set(value, i64.or(value, i64.shl(i64.load8U(next), i64.shl(split, 3))));
				f.set(next, i32.add(next, 1));
				f.set(split, i64.add(split, 1));
			});
		},
		() => {
			f.if(i32.eqz(host), () => f.return(0));
			f.if(
				i32.eq(bytes, 8),
				() => f.set(value, i64.load(host)),
				() =>
					f.if(
						i32.eq(bytes, 4),
						() => f.set(value, i64.load32U(host)),
						() =>
							f.if(
								i32.eq(bytes, 2),
								() => f.set(value, i64.load16U(host)),
								() => f.set(value, i64.load8U(host)),
							),
					),
			);
		},
	);
	// Sign-extend from the access's width where asked.
	f.if(i32.and(kind, 4), () => {
		const shift = i64.extendU(i32.sub(64, i32.shl(bytes, 3)));
		f.set(value, i64.shrS(i64.shl(value, shift), shift));
	});
	f.push(value);
	return f;
}

function emitSlowStore(module: ModuleBuilder, probe: FunctionRef, forget: FunctionRef): FunctionRef {
	const f = module.function([I64, I64, I32], []);
	const [address, value, size] = [f.param<I64>(0), f.param<I64>(1), f.param<I32>(2)];
	const last = f.local(I64);
	const host = f.local(I32);
	const next = f.local(I32);
	const code = f.local(I32);
	const nextCode = f.local(I32);
	const bytes = f.local(I32);
	const split = f.local(I32);
	f.set(bytes, i32.shl(1, size));
	f.set(last, i64.add(address, i64.extendU(i32.sub(bytes, 1))));
	i32.store(f, 0, 0, Word.storeCode);
	f.set(host, i32.call(probe, address, 1, bytes));
	f.set(code, i32.load(0, Word.storeCode));
	const offset = i32.and(i32.wrap(address), 4095);
	f.if(
		straddles(address, last),
		() => {
			i32.store(f, 0, 0, Word.storeCode);
			f.if(host, () => f.set(next, i32.call(probe, i64.and(last, -4096), 1, bytesBeyond(last))));
			f.if(i32.eqz(next), () => {
				refuseDevice(f, STORE_ACCESS_FAULT);
				f.return();
			});
			f.set(nextCode, i32.load(0, Word.storeCode));
			f.set(split, i32.sub(4096, offset));
			f.if(code, () => f.call(forget, code, offset, split));
			f.if(nextCode, () => f.call(forget, nextCode, 0, i32.sub(bytes, split)));
			f.while(bytes, () => {
				// Both pages are writable by now: store byte by byte, `split` counting down to the page's end.
				i64.store8(f, host, value);
				f.set(value, i64.shrU(value, 8));
				f.set(host, i32.add(host, 1));
				f.set(split, i32.sub(split, 1));
				f.if(i32.eqz(split), () => f.set(host, next));
				f.set(bytes, i32.sub(bytes, 1));
			});
		},
		() => {
			f.if(i32.eqz(host), () => f.return());
			f.if(code, () => f.call(forget, code, offset, bytes));
			f.if(
				i32.eq(bytes, 8),
				() => i64.store(f, host, value),
				() =>
					f.if(
						i32.eq(bytes, 4),
						() => i64.store32(f, host, value),
						() =>
							f.if(
								i32.eq(bytes, 2),
								() => i64.store16(f, host, value),
								() => i64.store8(f, host, value),
							),
					),
			);
		},
	);
	return f;
}

function emitAtomicAddress(module: ModuleBuilder, probe: FunctionRef): FunctionRef {
	const f = module.function([I64, I32, I32], [I32]);
	const [address, size, write] = [f.param<I64>(0), f.param<I32>(1), f.param<I32>(2)];
	const host = f.local(I32);
	f.if(i32.and(i32.wrap(address), i32.sub(i32.shl(1, size), 1)), () => {
		i32.store(f, 0, ExitCode.trap, Word.exit);
		i32.store(f, 0, i32.select(write, STORE_MISALIGNED, LOAD_MISALIGNED), Word.cause);
		i64.store(f, 0, address, Word.address);
		f.return(0);
	});
	i32.store(f, 0, 0, Word.storeCode);
	f.set(host, i32.call(probe, address, write, i32.shl(1, size)));
	// Devices have no atomics: the PMA of an MMIO window is AMONone, RsrvNone.
	f.if(i32.and(i32.eqz(host), i32.eq(i32.load(0, Word.exit), ExitCode.device)), () => {
		i32.store(f, 0, ExitCode.trap, Word.exit);
		i32.store(f, 0, i32.select(write, STORE_ACCESS_FAULT, LOAD_ACCESS_FAULT), Word.cause);
	});
	f.push(host);
	return f;
}

function emitStored(module: ModuleBuilder, forget: FunctionRef): FunctionRef {
	const f = module.function([I32, I32], []);
	const [host, size] = [f.param<I32>(0), f.param<I32>(1)];
	f.if(i32.load(0, Word.storeCode), () =>
		f.call(forget, i32.load(0, Word.storeCode), i32.and(host, 4095), i32.shl(1, size)),
	);
	return f;
}

/** CBO.ZERO, where it may be executed and nothing is in its way. */
function emitZeroBlock(module: ModuleBuilder, forget: FunctionRef, fill: FunctionRef): FunctionRef {
	const f = module.function([I64], [I32]);
	const address = f.param<I64>(0);
	const entry = f.local(I32);
	const host = f.local(I32);
	f.if(i32.eqz(i32.load(0, Word.zeroEnabled)), () => f.return(0));
	f.set(address, i64.and(address, -64));
	f.set(entry, i32.add(tlbEntry(address, i32.load(0, Word.tlb)), Tlb.write));
	const tag = i64.or(i64.and(address, -4096), i64.load(0, Word.dataContext));
	f.if(
		i64.eq(i64.load(entry), tag),
		() => f.set(host, i32.add(i32.wrap(address), i32.load(entry, 8))),
		() => {
			i32.store(f, 0, 0, Word.storeCode);
			f.set(host, i32.call(fill, address, Kind.store));
			f.if(i32.eqz(host), () => f.return(0));
			const code = i32.load(0, Word.storeCode);
			f.if(code, () => f.call(forget, code, i32.and(host, 4095), 64));
		},
	);
	for (let offset = 0; offset < 64; offset += 8) i64.store(f, host, 0, offset);
	f.push(1);
	return f;
}
