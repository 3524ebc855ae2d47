/**
 * What an instruction's semantics may say. The semantics emit WebAssembly through a {@link Context}; who provides it
 * decides where operands come from: the interpreter's loads fields from a decoded entry and registers from memory, a
 * translator's knows the fields and keeps registers in locals.
 */
import type { Expr, FunctionBuilder, FunctionRef, I32, I64, Local, Operand } from '@partita/wasm-builder';
import type { FloatFunctions } from '../float/index.ts';

/** log2 of an access's bytes. */
export type SizeBits = 0 | 1 | 2 | 3;

/** Helper functions of the engine's module that semantics may call. */
export interface Helpers {
	readonly float: FloatFunctions;
	/** (virtual address) -> nonzero where it has executed CBO.ZERO; 0: TypeScript has to. */
	readonly zeroBlock: FunctionRef;
	/** (a, b) -> carry-less product, low and high halves. */
	readonly clmul: FunctionRef;
	readonly clmulh: FunctionRef;
}

/** Operands and effects of one instruction. */
export interface Context {
	readonly f: FunctionBuilder;
	readonly helpers: Helpers;
	readonly rs1: Expr<I64>;
	readonly rs2: Expr<I64>;
	/** Raw contents of floating-point registers. */
	readonly fs1: Expr<I64>;
	readonly fs2: Expr<I64>;
	readonly fs3: Expr<I64>;
	/** The immediate, sign-extended; the amount of a shift. */
	readonly imm: Expr<I64>;
	/** The instruction's own address. */
	readonly pc: Expr<I64>;
	/** Effective rounding mode, 0 to 4; leaves for TypeScript where it is reserved. */
	readonly rm: Expr<I32>;
	/** Writes x[rd]. */
	setRd(value: Operand<I64>): void;
	/** Writes the raw contents of f[rd]. */
	setFd(value: Operand<I64>): void;
	/** A scratch local of this instruction. */
	scratch(position: 0 | 1 | 2): Local<I64>;
	scratch32(position: 0 | 1): Local<I32>;
	/** The value at x[rs1] + imm. */
	load(size: SizeBits, signed: boolean): Expr<I64>;
	/** Stores the value's low bytes at x[rs1] + imm. */
	store(size: SizeBits, value: Expr<I64>): void;
	/** Linear address of x[rs1] for an atomic access; `write`: SC and AMO. */
	atomic(size: 2 | 3, write: boolean): Local<I32>;
	/** A store was made where {@link atomic} said. */
	stored(at: Local<I32>, size: 2 | 3): void;
	/** The high half of a product. */
	highProduct(which: 'mulh' | 'mulhsu' | 'mulhu', a: Expr<I64>, b: Expr<I64>): Expr<I64>;
	/** Leaves for TypeScript to execute the instruction, where `ok` is zero. */
	systemUnless(ok: Operand<I32>): void;
	/** Requires FS not Off; `writes`: it must be Dirty, since the instruction changes registers or flags. */
	needsFloat(writes: boolean): void;
}

/** What one instruction does. */
export type Semantics =
	/** Falls through to the next instruction. */
	| { readonly kind: 'plain'; readonly emit: (c: Context) => void }
	/** Goes to pc + imm where the condition is nonzero. */
	| { readonly kind: 'branch'; readonly condition: (c: Context) => Expr<I32> }
	/** x[rd] = pc + length; goes to pc + imm. */
	| { readonly kind: 'jump' }
	/** x[rd] = pc + length; goes to (x[rs1] + imm) & ~1. */
	| { readonly kind: 'jumpRegister' }
	/** Executed by TypeScript (privileged/). */
	| { readonly kind: 'system' };

/** Semantics that fall through. */
export function plain(emit: (c: Context) => void): Semantics {
	return { kind: 'plain', emit };
}
