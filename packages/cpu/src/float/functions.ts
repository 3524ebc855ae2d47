/**
 * The functions that the float emitter gives to the semantics: their names, signatures and conventions. How they compute
 * is in the neighbouring files. Source: The RISC-V Instruction Set Manual, volume I, chapters "F" (2.2) and "D" (2.2).
 */
import type { FunctionRef } from '@partita/wasm-builder';

/** Where the emitted functions find the hart's floating-point state, in the module's memory 0. */
export interface FloatLayout {
	/**
	 * Address of fcsr (fflags in bits 4:0). Flags are OR-ed into it with 32-bit loads and stores; nothing else is written. The
	 * fast functions read NX there, so that nobody has to maintain a table of when they may be used.
	 */
	readonly flagsAddress: number;
}

/**
 * The operations of one format. `v` below is the format's bit pattern: `i64` for binary64, `i32` for binary32 (NaN boxing is
 * the caller's: `unbox`, `box`). `rm` is an `i32`, the effective rounding mode: 0 RNE, 1 RTZ, 2 RDN, 3 RUP, 4 RMM. Other
 * values (and DYN) must have been resolved or refused by the caller. Integer operands and results are whole `i64` registers:
 * 32-bit operands use the low half, 32-bit results (also unsigned ones) are sign-extended, as RV64 wants them.
 */
export interface FormatFunctions {
	/** (v a, v b, rm) -> v */
	readonly add: FunctionRef;
	/** (v a, v b, rm) -> v */
	readonly sub: FunctionRef;
	/** (v a, v b, rm) -> v */
	readonly mul: FunctionRef;
	/** (v a, v b, rm) -> v */
	readonly div: FunctionRef;
	/** (v a, rm) -> v */
	readonly sqrt: FunctionRef;
	/** (v a, v b, v c, rm) -> v: a * b + c, rounded once. The other three forms flip the sign bit of `a` or `c` first. */
	readonly fma: FunctionRef;
	/** (v a, v b) -> v: minimumNumber */
	readonly min: FunctionRef;
	/** (v a, v b) -> v: maximumNumber */
	readonly max: FunctionRef;
	/** (v a, v b) -> i64, 0 or 1: quiet */
	readonly eq: FunctionRef;
	/** (v a, v b) -> i64, 0 or 1: signaling */
	readonly lt: FunctionRef;
	/** (v a, v b) -> i64, 0 or 1: signaling */
	readonly le: FunctionRef;
	/** (v a) -> i64: the mask of fclass */
	readonly classify: FunctionRef;
	/** (v a, rm) -> i64, sign-extended from 32 bits */
	readonly toI32: FunctionRef;
	/** (v a, rm) -> i64, sign-extended from 32 bits */
	readonly toU32: FunctionRef;
	/** (v a, rm) -> i64 */
	readonly toI64: FunctionRef;
	/** (v a, rm) -> i64 */
	readonly toU64: FunctionRef;
	/** (i64 x, rm) -> v: from the low 32 bits */
	readonly fromI32: FunctionRef;
	/** (i64 x, rm) -> v: from the low 32 bits */
	readonly fromU32: FunctionRef;
	/** (i64 x, rm) -> v */
	readonly fromI64: FunctionRef;
	/** (i64 x, rm) -> v */
	readonly fromU64: FunctionRef;
	/** (w a, rm) -> v: from the other format (binary64 from `i32`, binary32 from `i64`) */
	readonly fromOther: FunctionRef;
}

/** Everything that `emitFloat` adds to a module. */
export interface FloatFunctions {
	/** (i64, i64) -> i64: the high half of the product, both unsigned. */
	readonly mulhu: FunctionRef;
	/** (i64, i64) -> i64: the high half of the product, both signed. */
	readonly mulh: FunctionRef;
	/** (i64, i64) -> i64: the high half of the product, the first signed, the second unsigned. */
	readonly mulhsu: FunctionRef;
	/** The general functions on binary64. */
	readonly f64: FormatFunctions;
	/** The general functions on binary32. */
	readonly f32: FormatFunctions;
	/**
	 * The same operations with a native path in front where one pays; same signatures, same results, same flags. The
	 * interpreter calls these.
	 */
	readonly fast: { readonly f64: FormatFunctions; readonly f32: FormatFunctions };
}
