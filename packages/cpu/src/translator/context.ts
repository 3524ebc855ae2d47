/**
 * Operands and effects of translated instructions: fields are constants, registers are locals. Whatever is rare leaves the
 * region, so that the interpreter executes the instruction: there are no calls.
 */
import {
	type Expr,
	F32,
	F64,
	type FunctionBuilder,
	f64,
	I32,
	I64,
	i32,
	i64,
	type Label,
	type Local,
	Op,
	type Operand,
} from '@partita/wasm-builder';
import { highProduct } from '../float/multiply.ts';
import { Tlb, Word } from '../layout.ts';
import type { Context, Helpers, SizeBits } from '../semantics/context.ts';
import { Slot } from '../state.ts';
import type { Instruction } from './code.ts';

/** Fixed-up budget in the upper half of `site`, distance of the pc in the lower. */
const HALF = 0x1_0000_0000;

/** fcsr: address, and the bits that say that rounding is to nearest and NX is set. */
const FCSR = Slot.fcsr * 8;
const FRM_NX = 0xe1;
const NX = 1;

/** What a block has made sure of about floating point; each includes those before. */
const Checked = { nothing: 0, enabled: 1, dirty: 2, native: 3 } as const;

const zero = i64.const(0);
const loads = [
	[Op.i64Load8U, Op.i64Load8S],
	[Op.i64Load16U, Op.i64Load16S],
	[Op.i64Load32U, Op.i64Load32S],
	[Op.i64Load, Op.i64Load],
] as const;
const stores = [Op.i64Store8, Op.i64Store16, Op.i64Store32, Op.i64Store] as const;

/** Locals of a region beside the registers. */
export interface RegionLocals {
	readonly state: Local<I32>;
	/** Virtual address of the origin. */
	readonly base: Local<I64>;
	/** Instructions that may still be executed. */
	readonly left: Local<I32>;
	/** Where the region is left: distance of the pc, odd where the interpreter has to execute; budget to be given back. */
	readonly site: Local<I64>;
	/** The pc where it is not at a constant distance. */
	readonly pc: Local<I64>;
	readonly address: Local<I64>;
	readonly slot: Local<I32>;
	readonly dataContext: Local<I64>;
	/** Linear address of the TLBs, where it is not a constant. */
	readonly tlb: Local<I32> | undefined;
}

/** The context of one region; {@link at} says which instruction is meant. */
export class TranslatorContext implements Context {
	readonly f: FunctionBuilder;
	readonly locals: RegionLocals;
	readonly #leave: Label;
	/** Linear address of the TLBs where it is a constant, else 0. */
	readonly #tlb: number;
	readonly #x: (Local<I64> | undefined)[] = new Array(32).fill(undefined);
	readonly #writtenX = new Set<number>();
	readonly #scratch: Local<I64>[] = [];
	readonly #scratch32: Local<I32>[] = [];
	readonly #f: (Local<F64> | undefined)[] = new Array(32).fill(undefined);
	readonly #writtenF = new Set<number>();
	readonly #doubles: Local<F64>[] = [];
	readonly #singles: Local<F32>[] = [];
	/** What this block has made sure of. */
	#checked: number = Checked.nothing;
	#instruction!: Instruction;
	#at = 0;
	/** Instructions of the block from this one on. */
	#rest = 0;

	constructor(f: FunctionBuilder, locals: RegionLocals, leave: Label, tlb: number) {
		this.f = f;
		this.locals = locals;
		this.#leave = leave;
		this.#tlb = tlb;
	}

	/** The next instruction: its distance from the origin, and how many of its block are not executed before it. */
	at(instruction: Instruction, at: number, rest: number): void {
		this.#instruction = instruction;
		this.#at = at;
		this.#rest = rest;
	}

	get helpers(): Helpers {
		throw new Error('translated code calls no functions');
	}

	get rs1(): Expr<I64> {
		return this.x(this.#instruction.rs1);
	}

	get rs2(): Expr<I64> {
		return this.x(this.#instruction.rs2);
	}

	get fs1(): Expr<I64> {
		return i64.reinterpret(this.fd(this.#instruction.rs1));
	}

	get fs2(): Expr<I64> {
		return i64.reinterpret(this.fd(this.#instruction.rs2));
	}

	get fs3(): Expr<I64> {
		return i64.reinterpret(this.fd(this.#instruction.rs3));
	}

	/** f[n] as a double. */
	fd(n: number): Local<F64> {
		this.#f[n] ??= this.f.local(F64);
		return this.#f[n];
	}

	get imm(): Expr<I64> {
		return i64.const(this.#instruction.imm);
	}

	get pc(): Expr<I64> {
		return i64.add(this.locals.base, this.#at);
	}

	get rm(): Expr<I32> {
		return i32.const(this.#instruction.rm);
	}

	/** x[n]. */
	x(n: number): Expr<I64> {
		return n === 0 ? zero : this.#register(n);
	}

	setRd(value: Operand<I64>): void {
		this.setX(this.#instruction.rd, value);
	}

	/** Writes x[n]. */
	setX(n: number, value: Operand<I64>): void {
		const { f } = this;
		f.push(value, I64);
		if (n === 0) {
			f.op(Op.drop);
			return;
		}
		f.localSet(this.#register(n).index);
		this.#writtenX.add(n);
	}

	setFd(value: Operand<I64>): void {
		this.setDouble(f64.reinterpret(value));
	}

	/** Writes a double to f[rd]. */
	setDouble(value: Operand<F64>): void {
		const { rd } = this.#instruction;
		this.f.set(this.fd(rd), value);
		this.#writtenF.add(rd);
	}

	/** The double at x[rs1] + imm. */
	loadDouble(): Expr<F64> {
		return {
			type: F64,
			emit: (f) => {
				this.#address(this.#instruction.imm);
				this.#check(3, Tlb.read);
				this.#host(Tlb.read);
				f.memory(Op.f64Load, 0);
			},
		};
	}

	/** Stores f[rs2] at x[rs1] + imm. */
	storeDouble(): void {
		this.#address(this.#instruction.imm);
		this.#check(3, Tlb.write);
		this.#host(Tlb.write);
		this.f.push(this.fd(this.#instruction.rs2), F64);
		this.f.memory(Op.f64Store, 0);
	}

	/** A scratch double of this instruction. */
	double(position: 0 | 1 | 2 | 3): Local<F64> {
		this.#doubles[position] ??= this.f.local(F64);
		return this.#doubles[position];
	}

	/** A scratch single of this instruction. */
	single(position: 0 | 1 | 2): Local<F32> {
		this.#singles[position] ??= this.f.local(F32);
		return this.#singles[position];
	}

	/**
	 * Leaves unless native operations do what the hart does: FS is Dirty, rounding is to nearest, and NX is set already. None
	 * of this changes in a region.
	 */
	needsNative(): void {
		if (this.#checked >= Checked.native) return;
		this.#checked = Checked.native;
		this.systemUnless(i32.and(i32.load(0, Word.floatDirty), i32.eq(i32.and(i32.load(0, FCSR), FRM_NX), NX)));
	}

	/** A block begins. */
	begin(): void {
		this.#checked = Checked.nothing;
	}

	scratch(position: 0 | 1 | 2): Local<I64> {
		this.#scratch[position] ??= this.f.local(I64);
		return this.#scratch[position];
	}

	scratch32(position: 0 | 1): Local<I32> {
		this.#scratch32[position] ??= this.f.local(I32);
		return this.#scratch32[position];
	}

	load(size: SizeBits, signed: boolean): Expr<I64> {
		return {
			type: I64,
			emit: (f) => {
				this.#address(this.#instruction.imm);
				this.#check(size, Tlb.read);
				this.#host(Tlb.read);
				f.memory(loads[size][signed ? 1 : 0], 0);
			},
		};
	}

	store(size: SizeBits, value: Expr<I64>): void {
		const { f } = this;
		this.#address(this.#instruction.imm);
		this.#check(size, Tlb.write);
		this.#host(Tlb.write);
		f.push(value, I64);
		f.memory(stores[size], 0);
	}

	atomic(size: 2 | 3, write: boolean): Local<I32> {
		const at = this.scratch32(0);
		const tlb = write ? Tlb.write : Tlb.read;
		this.#address(0);
		this.#check(size, tlb);
		this.#host(tlb);
		this.f.localSet(at.index);
		return at;
	}

	/** The write TLB has no pages with code. */
	stored(): void {}

	highProduct(which: 'mulh' | 'mulhsu' | 'mulhu', left: Expr<I64>, right: Expr<I64>): Expr<I64> {
		const [a, b] = [this.scratch(0), this.scratch(1)];
		return i64.do((f) => {
			f.set(a, left);
			f.set(b, right);
			let product = highProduct(f, a, b);
			if (which !== 'mulhu') product = i64.sub(product, i64.and(i64.shrS(a, 63), b));
			if (which === 'mulh') product = i64.sub(product, i64.and(i64.shrS(b, 63), a));
			return product;
		});
	}

	systemUnless(ok: Operand<I32>): void {
		this.#mayLeave();
		this.f.brIf(this.#leave, i32.eqz(ok));
	}

	needsFloat(writes: boolean): void {
		const needed = writes ? Checked.dirty : Checked.enabled;
		if (this.#checked >= needed) return;
		this.#checked = needed;
		this.systemUnless(i32.load(0, writes ? Word.floatDirty : Word.floatEnabled));
	}

	/** Leaves where the budget is below `longest`; nothing of the block at `at` has been counted. */
	leaveBelow(longest: number, at: number): void {
		const { f, locals } = this;
		this.#setSite(at + 1, 0);
		f.brIf(this.#leave, i32.ltS(locals.left, longest));
	}

	/** Leaves at a distance; `odd`: for the interpreter to execute the instruction there. */
	leaveAt(at: number, odd: boolean): void {
		this.#setSite(odd ? at + 1 : at, 0);
		this.f.br(this.#leave);
	}

	/** Loads the registers that are used: to be emitted before everything else. */
	loadRegisters(): void {
		const { f } = this;
		this.#x.forEach((local, n) => {
			if (!local) return;
			f.i32Const(0);
			f.memory(Op.i64Load, (Slot.x + n) * 8);
			f.localSet(local.index);
		});
		this.#f.forEach((local, n) => {
			if (local) f.set(local, f64.load(0, (Slot.f + n) * 8));
		});
	}

	/** Stores the registers that are written. */
	storeRegisters(): void {
		const { f } = this;
		for (const n of this.#writtenX) i64.store(f, 0, this.#x[n]!, (Slot.x + n) * 8);
		for (const n of this.#writtenF) f64.store(f, 0, this.#f[n]!, (Slot.f + n) * 8);
	}

	#register(n: number): Local<I64> {
		this.#x[n] ??= this.f.local(I64);
		return this.#x[n];
	}

	#setSite(pc: number, back: number): void {
		this.f.i64Const(back * HALF + (pc >>> 0));
		this.f.localSet(this.locals.site.index);
	}

	/** This instruction may be left to the interpreter. */
	#mayLeave(): void {
		this.#setSite(this.#at + 1, this.#rest);
	}

	/** Address x[rs1] + offset. */
	#address(offset: number): void {
		const { f, locals } = this;
		f.push(this.rs1, I64);
		if (offset !== 0) {
			f.i64Const(offset);
			f.op(Op.i64Add);
		}
		f.localSet(locals.address.index);
	}

	/** Leaves unless the TLB maps the address, aligned to the access. */
	#check(size: SizeBits, tlb: number): void {
		const { f, locals } = this;
		this.#mayLeave();
		f.localGet(locals.address.index);
		f.i64Const(8);
		f.op(Op.i64ShrU, Op.i32WrapI64);
		f.i32Const((Tlb.entries - 1) * Tlb.entryBytes);
		f.op(Op.i32And);
		if (locals.tlb) {
			f.localGet(locals.tlb.index);
			f.op(Op.i32Add);
		}
		f.localTee(locals.slot.index);
		f.memory(Op.i64Load, this.#tlb + tlb);
		f.localGet(locals.address.index);
		f.i64Const(-4096 | ((1 << size) - 1));
		f.op(Op.i64And);
		f.localGet(locals.dataContext.index);
		f.op(Op.i64Or, Op.i64Ne);
		f.brIfStack(this.#leave);
	}

	/** Puts the linear address of the access on the stack. */
	#host(tlb: number): void {
		const { f, locals } = this;
		f.localGet(locals.address.index);
		f.op(Op.i32WrapI64);
		f.localGet(locals.slot.index);
		f.memory(Op.i32Load, this.#tlb + tlb + 8);
		f.op(Op.i32Add);
	}
}
