/**
 * The interpreter: one WebAssembly function with one arm for each opcode, generated at start-up from the semantics.
 *
 * `interpret()` runs the current hart from its pc until its budget is used up or something needs TypeScript, stores pc,
 * budget and retired count, and returns an {@link ExitCode}. The instruction at the pc has then had no effect.
 */
import {
	type Expr,
	type FunctionRef,
	I32,
	I64,
	i32,
	i64,
	type Label,
	type Local,
	ModuleBuilder,
	type Operand,
} from '@partita/wasm-builder';
import { emitFloat } from '../float/index.ts';
import { DecodedPage, ExitCode, GENERATION_SHIFT, Shared, STRADDLE_HASH, Straddle, Tlb, Word } from '../layout.ts';
import type { Context, Helpers, SizeBits } from '../semantics/context.ts';
import { semantics } from '../semantics/index.ts';
import { Slot } from '../state.ts';
import { emitFill, tlbEntry } from '../walker/fill.ts';
import { Kind } from '../walker/stage.ts';
import { type AccessFunctions, emitAccess } from './access.ts';
import { emitCarrylessProducts } from './carryless.ts';
import { opcodes, type Variant } from './opcodes.ts';
import { emitRegionArm, emitVerify, REGION_PARAMS, REGION_RESULTS } from './regions.ts';

/** Byte offset of f0 in the state. */
const F = Slot.f * 8;

/** Locals of the interpreter. */
export interface Registers {
	/** Linear address of the current entry. */
	readonly entry: Local<I32>;
	/** Linear address of the current decoded page. */
	readonly page: Local<I32>;
	/** Virtual address of the current page. */
	readonly base: Local<I64>;
	/** Target of a transfer, while it is looked up. */
	readonly target: Local<I64>;
	readonly count: Local<I32>;
	/** Budget at which the next sample is due, which may be below zero; and the greater of it and zero. */
	readonly stop: Local<I32>;
	readonly limit: Local<I32>;
	/** Opcode of the current entry. */
	readonly selector: Local<I32>;
	/** pc of the instruction that a region left to the interpreter. */
	readonly bailed: Local<I64>;
	readonly tlb: Local<I32>;
	readonly dataContext: Local<I64>;
	readonly address: Local<I64>;
	readonly slot: Local<I32>;
}

/** Where arms go. */
export interface Exits {
	/** Looks at `selector` again. */
	readonly dispatch: Label;
	/** Next entry. */
	readonly next: Label;
	/** Entry of the pc in `target`. */
	readonly lookup: Label;
	/** Leave at the current entry; the exit code is set. */
	readonly leave: Label;
	/** Leave at the current entry for TypeScript to execute it. */
	readonly system: Label;
}

/** Emits the interpreter's module; it imports `engine.memory`, `engine.regions` (a table), `engine.locate` and `engine.changed`. */
export function emitInterpreter(): Uint8Array<ArrayBuffer> {
	const module = new ModuleBuilder();
	module.importMemory('engine', 'memory');
	module.importTable('engine', 'regions');
	const locate = module.importFunction('engine', 'locate', [I32, I32], [I32]);
	const changed = module.importFunction('engine', 'changed', [I32, I32, I32]);
	const fill = emitFill(module);
	const access = emitAccess(module, { locate, fill, changed });
	const helpers: Helpers = {
		float: emitFloat(module, { flagsAddress: Slot.fcsr * 8 }),
		...emitCarrylessProducts(module),
		zeroBlock: access.zeroBlock,
	};
	emitInterpret(module, helpers, access, fill);
	return module.emit();
}

function emitInterpret(module: ModuleBuilder, helpers: Helpers, access: AccessFunctions, fill: FunctionRef): void {
	const f = module.function([], [I32], 'interpret');
	const r: Registers = {
		entry: f.local(I32),
		page: f.local(I32),
		base: f.local(I64),
		target: f.local(I64),
		count: f.local(I32),
		stop: f.local(I32),
		limit: f.local(I32),
		selector: f.local(I32),
		bailed: f.local(I64),
		tlb: f.local(I32),
		dataContext: f.local(I64),
		address: f.local(I64),
		slot: f.local(I32),
	};
	const fetchContext = f.local(I64);
	f.set(r.target, i64.load(0, Slot.pc * 8));
	f.set(r.count, i32.load(0, Word.budget));
	f.set(r.tlb, i32.load(0, Word.tlb));
	f.set(r.dataContext, i64.load(0, Word.dataContext));
	f.set(fetchContext, i64.load(0, Word.fetchContext));
	f.set(r.stop, i32.sub(r.count, i32.load(0, Shared.untilSample)));
	f.set(r.limit, atLeastZero(r.stop));
	f.set(r.bailed, -1);
	const verify = emitVerify(module);
	const regionType = module.typeIndex(REGION_PARAMS, REGION_RESULTS);
	const setKey = (): void => emitSetKey(f, r, fetchContext);
	setKey();
	const setExit = (code: number): void => i32.store(f, 0, code, Word.exit);
	f.block((done) => {
		f.block((leave) => {
			f.block((system) => {
				f.loop((lookup) => {
					f.set(r.slot, tlbEntry(r.target, r.tlb));
					const tag = i64.or(i64.and(r.target, -4096), fetchContext);
					f.if(i64.ne(i64.load(r.slot, Tlb.execute), tag), () => {
						// Never before the budget is looked at: a walk may set A, and an interrupt comes first.
						f.if(
							i32.gtS(r.count, 0),
							() => {
								f.if(i32.call(fill, r.target, Kind.fetch), () => {
									setKey();
									f.br(lookup);
								});
								setExit(ExitCode.fetch);
							},
							() => setExit(ExitCode.budget),
						);
						i64.store(f, 0, r.target, Slot.pc * 8);
						f.br(done);
					});
					f.set(r.base, i64.and(r.target, -4096));
					f.set(r.page, i32.load(r.slot, Tlb.execute + 8));
					f.set(r.entry, i32.add(r.page, i32.shl(i32.and(i32.wrap(r.target), 0xffe), 3)));
					f.loop((next) => {
						f.set(r.count, i32.sub(r.count, 1));
						f.if(i32.ltS(r.count, r.limit), () => {
							i32.store(f, 0, i32.select(i32.ltS(r.count, 0), ExitCode.budget, ExitCode.sample), Word.exit);
							f.br(leave);
						});
						f.set(r.selector, i32.load16U(r.entry, DecodedPage.opcode));
						f.loop((dispatch) => {
							const exits: Exits = { dispatch, next, lookup, leave, system };
							const c = new InterpreterContext(f, helpers, access, r, exits);
							emitArms(
								f,
								[
									() => {
										setExit(ExitCode.decode);
										f.br(leave);
									},
									() => emitPageEnd(c),
									() => emitStraddle(c, fetchContext, fill, setKey),
									() => f.br(system),
									...opcodes.slice(4).map((opcode) => () => emitArm(c, opcode!.mnemonic, opcode!.variant)),
								],
								() => emitRegionArm(f, r, exits, pcOf(r), verify, regionType),
								r.selector,
							);
						});
					});
				});
			});
			setExit(ExitCode.system);
		});
		// The instruction at the current entry was counted but has not been executed.
		f.set(r.count, i32.add(r.count, 1));
		i64.store(f, 0, pcOf(r), Slot.pc * 8);
		i32.store(f, 0, r.entry, Word.entry);
	});
	const executed = i64.extendU(i32.sub(i32.load(0, Word.budget), r.count));
	i64.store(f, 0, i64.add(i64.load(0, Slot.retired * 8), executed), Slot.retired * 8);
	i32.store(f, 0, r.count, Word.budget);
	i32.store(f, 0, i32.sub(r.count, r.stop), Shared.untilSample);
	f.push(i32.load(0, Word.exit));
}

/** A value, or 0 where it is below. */
function atLeastZero(value: Local<I32>): Expr<I32> {
	return i32.select(i32.gtS(value, 0), value, 0);
}

/** Works out `Shared.key`, after anything that it depends on may have changed. */
function emitSetKey(f: InterpreterContext['f'], r: Registers, fetchContext: Local<I64>): void {
	// TLBs are 64 KiB apart, contexts are below 4 KiB.
	const here = i64.add(i64.extendU(i32.shrU(r.tlb, 4)), fetchContext);
	i64.store(f, 0, i64.or(i64.shl(i64.load(0, Shared.generation), GENERATION_SHIFT), here), Shared.key);
}

/** One block for each arm, and the branch table that picks one, or the last for any other number. Arms leave by a branch. */
function emitArms(
	f: InterpreterContext['f'],
	arms: readonly (() => void)[],
	otherwise: () => void,
	selector: Local<I32>,
): void {
	const all = [...arms, otherwise];
	const labels: Label[] = [];
	for (let i = arms.length; i >= 0; i--) labels[i] = f.open(0x02);
	f.push(selector);
	f.brTable(labels.slice(0, -1), labels.at(-1)!);
	for (const arm of all) {
		f.close();
		arm();
	}
}

function pcOf(r: Registers): Expr<I64> {
	return i64.add(r.base, i64.extendU(i32.shrU(i32.sub(r.entry, r.page), 3)));
}

function emitArm(c: InterpreterContext, mnemonic: keyof typeof semantics, variant: Variant): void {
	const row = semantics[mnemonic];
	switch (row.kind) {
		case 'plain':
			row.emit(c);
			c.advance();
			break;
		case 'branch':
			c.branch(row.condition(c), variant.near);
			break;
		case 'jump':
			c.jump(variant);
			break;
		case 'jumpRegister':
			c.jumpRegister(variant.link);
			break;
		case 'system':
			throw new Error(`${mnemonic} has no arm`);
	}
}

/** Behind a page's last entry: not an instruction. */
function emitPageEnd(c: InterpreterContext): void {
	const { f, registers: r, exits } = c;
	f.set(r.count, i32.add(r.count, 1));
	f.set(r.target, pcOf(r));
	f.br(exits.lookup);
}

/**
 * The second half of the instruction is on the next page: joins the halves, and continues in the line slot that holds
 * the decoded instruction. `page` then points so that the pc is computed as usual.
 */
function emitStraddle(c: InterpreterContext, fetchContext: Local<I64>, fill: FunctionRef, setKey: () => void): void {
	const { f, registers: r, exits } = c;
	const word = f.local(I32);
	const missing = (): void => {
		i32.store(f, 0, ExitCode.straddle, Word.exit);
		f.br(exits.leave);
	};
	f.set(r.target, i64.add(r.base, 4096));
	f.set(r.slot, tlbEntry(r.target, r.tlb));
	f.if(i64.ne(i64.load(r.slot, Tlb.execute), i64.or(r.target, fetchContext)), () =>
		f.if(i32.call(fill, r.target, Kind.fetch), setKey, missing),
	);
	const low = i32.load16U(i32.load(r.page, DecodedPage.frame), 0xffe);
	const high = i32.load16U(i32.load(i32.load(r.slot, Tlb.execute + 8), DecodedPage.frame));
	f.set(word, i32.or(low, i32.shl(high, 16)));
	const index = i32.shrU(i32.mul(word, STRADDLE_HASH | 0), 32 - Math.log2(Straddle.slots));
	f.set(r.slot, i32.add(i32.mul(index, Straddle.bytes), Straddle.base));
	f.if(i32.ne(i32.load(r.slot, Straddle.word), word), missing);
	f.set(r.entry, r.slot);
	f.set(r.page, i32.sub(r.slot, 0xffe * 8));
	f.set(r.count, i32.add(r.count, 1));
	f.br(exits.next);
}

/** Operands from the decoded entry, registers from memory. */
class InterpreterContext implements Context {
	readonly f: ReturnType<ModuleBuilder['function']>;
	readonly helpers: Helpers;
	readonly registers: Registers;
	readonly exits: Exits;
	readonly rs1: Expr<I64>;
	readonly rs2: Expr<I64>;
	readonly fs1: Expr<I64>;
	readonly fs2: Expr<I64>;
	readonly fs3: Expr<I64>;
	readonly imm: Expr<I64>;
	readonly pc: Expr<I64>;
	readonly rm: Expr<I32>;
	readonly #access: AccessFunctions;
	readonly #scratch: readonly Local<I64>[];
	readonly #scratch32: readonly Local<I32>[];

	constructor(
		f: ReturnType<ModuleBuilder['function']>,
		helpers: Helpers,
		access: AccessFunctions,
		registers: Registers,
		exits: Exits,
	) {
		this.f = f;
		this.helpers = helpers;
		this.registers = registers;
		this.exits = exits;
		this.#access = access;
		this.#scratch = [f.local(I64), f.local(I64), f.local(I64)];
		this.#scratch32 = [f.local(I32), f.local(I32)];
		const { entry } = registers;
		const field = (offset: number): Expr<I32> => i32.load16U(entry, offset);
		this.rs1 = i64.load(field(DecodedPage.rs1));
		this.rs2 = i64.load(field(DecodedPage.rs2));
		this.fs1 = i64.load(field(DecodedPage.rs1), F);
		this.fs2 = i64.load(field(DecodedPage.rs2), F);
		this.fs3 = i64.load(field(DecodedPage.rs3), F);
		this.imm = i64.load32S(entry, DecodedPage.imm);
		this.pc = pcOf(registers);
		const mode = this.#scratch32[0]!;
		this.rm = i32.do(() => {
			f.set(mode, i32.load8U(i32.load8U(entry, DecodedPage.rm), Word.roundingMode));
			f.brIf(exits.system, i32.gtU(mode, 4));
			return mode;
		});
	}

	setRd(value: Operand<I64>): void {
		i64.store(this.f, i32.load16U(this.registers.entry, DecodedPage.rd), value);
	}

	setFd(value: Operand<I64>): void {
		i64.store(this.f, i32.load16U(this.registers.entry, DecodedPage.rd), value, F);
	}

	scratch(position: 0 | 1 | 2): Local<I64> {
		return this.#scratch[position]!;
	}

	scratch32(position: 0 | 1): Local<I32> {
		return this.#scratch32[position]!;
	}

	load(size: SizeBits, signed: boolean): Expr<I64> {
		const { f, exits } = this;
		const { address, slot } = this.registers;
		return i64.do(() => {
			f.set(address, i64.add(this.rs1, this.imm));
			const host = i32.add(i32.wrap(address), i32.load(slot, Tlb.read + 8));
			const slow = i64.do(() => {
				f.call(this.#access.slowLoad, address, size | (signed ? 4 : 0));
				f.set(address, stackTop);
				f.brIf(exits.leave, i32.load(0, Word.exit));
				return address;
			});
			return i64.if(this.#hit(size, Tlb.read), loads[size][signed ? 1 : 0](host), slow);
		});
	}

	store(size: SizeBits, value: Expr<I64>): void {
		const { f, exits } = this;
		const { address, slot } = this.registers;
		f.set(address, i64.add(this.rs1, this.imm));
		f.if(
			this.#hit(size, Tlb.write),
			() => stores[size](f, i32.add(i32.wrap(address), i32.load(slot, Tlb.write + 8)), value),
			() => {
				f.call(this.#access.slowStore, address, value, size);
				f.brIf(exits.leave, i32.load(0, Word.exit));
			},
		);
	}

	atomic(size: 2 | 3, write: boolean): Local<I32> {
		const at = this.scratch32(0);
		const found = i32.call(this.#access.atomicAddress, this.rs1, size, write ? 1 : 0);
		this.f.brIf(this.exits.leave, i32.eqz(i32.tee(at, found)));
		return at;
	}

	stored(at: Local<I32>, size: 2 | 3): void {
		this.f.call(this.#access.stored, at, size);
	}

	highProduct(which: 'mulh' | 'mulhsu' | 'mulhu', a: Expr<I64>, b: Expr<I64>): Expr<I64> {
		return i64.call(this.helpers.float[which], a, b);
	}

	systemUnless(ok: Operand<I32>): void {
		this.f.brIf(this.exits.system, i32.eqz(ok));
	}

	needsFloat(writes: boolean): void {
		this.systemUnless(i32.load(0, writes ? Word.floatDirty : Word.floatEnabled));
	}

	/** Goes on with the next entry. */
	advance(): void {
		const { entry } = this.registers;
		this.f.set(entry, i32.add(entry, i32.load8U(entry, DecodedPage.length)));
		this.f.br(this.exits.next);
	}

	branch(condition: Expr<I32>, near: boolean): void {
		const { f, registers: r } = this;
		if (near) {
			const distance = i32.select(
				condition,
				i32.load(r.entry, DecodedPage.imm),
				i32.load8U(r.entry, DecodedPage.length),
			);
			f.set(r.entry, i32.add(r.entry, distance));
			f.br(this.exits.next);
			return;
		}
		f.if(condition, () => {
			f.set(r.target, i64.add(this.pc, this.imm));
			f.br(this.exits.lookup);
		});
		this.advance();
	}

	jump({ near, link }: Variant): void {
		const { f, registers: r } = this;
		if (link) this.#link();
		if (near) {
			f.set(r.entry, i32.add(r.entry, i32.load(r.entry, DecodedPage.imm)));
			f.br(this.exits.next);
			return;
		}
		f.set(r.target, i64.add(this.pc, this.imm));
		f.br(this.exits.lookup);
	}

	jumpRegister(link: boolean): void {
		const { f, registers: r } = this;
		f.set(r.target, i64.and(i64.add(this.rs1, this.imm), -2));
		if (link) this.#link();
		f.br(this.exits.lookup);
	}

	#link(): void {
		const length = i64.extendU(i32.shrU(i32.load8U(this.registers.entry, DecodedPage.length), 3));
		this.setRd(i64.add(this.pc, length));
	}

	/** Whether the read or write TLB maps `address`, aligned to the access; `slot` is its entry. */
	#hit(size: SizeBits, tlb: number): Expr<I32> {
		const { address, slot, tlb: base, dataContext } = this.registers;
		const mask = -4096 | ((1 << size) - 1);
		return i64.eq(i64.load(i32.tee(slot, tlbEntry(address, base)), tlb), i64.or(i64.and(address, mask), dataContext));
	}
}

/** The value that the instruction before left on the stack. */
const stackTop: Expr<I64> = { type: I64, emit: () => {} };

const loads = [
	[i64.load8U, i64.load8S],
	[i64.load16U, i64.load16S],
	[i64.load32U, i64.load32S],
	[i64.load, i64.load],
] as const;
const stores = [i64.store8, i64.store16, i64.store32, i64.store] as const;
