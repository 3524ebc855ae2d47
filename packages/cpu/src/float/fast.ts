/**
 * Native paths in front of the general functions. WebAssembly rounds to nearest even and has no flags, so a native result
 * is taken only where it is known to be the exact result in any rounding mode, or where rounding is to nearest, NX is
 * already set, and the result shows that no other flag can be due. Anything else goes to the general function, which starts
 * afresh. fcsr holds NX in bit 0, so both conditions of the second kind are `rm == 0 & fcsr`: there is no table to maintain.
 *
 * Why a result's exponent tells: a biased exponent of 2 or more and not the greatest excludes NaNs (NV), infinities (OF, DZ)
 * and everything that may have underflowed. Exponent 1 is left out since a tiny result may have been rounded up to it.
 */
import {
	type Expr,
	F32,
	F64,
	type FunctionBuilder,
	type FunctionRef,
	f32,
	f64,
	I32,
	I64,
	i32,
	i64,
	type Local,
	type Operand,
} from '@partita/wasm-builder';
import type { IntegerType } from './convert.ts';
import { binary64, type Emission, Flag, type Format, RoundingMode, raise, widen } from './format.ts';

/** Native operations of a format. Its values are typed as F64 here for either format: the emitters are the same. */
interface Native {
	readonly ops: typeof f64;
	readonly fromBits: (bits: Expr) => Expr<F64>;
	readonly toBits: (value: Operand<F64>) => Expr<I32 | I64>;
	readonly local: (f: FunctionBuilder) => Local<F64>;
}

const native64: Native = {
	ops: f64,
	fromBits: (bits) => f64.reinterpret(bits as Expr<I64>),
	toBits: i64.reinterpret,
	local: (f) => f.local(F64),
};
const native32 = {
	ops: f32,
	fromBits: (bits: Expr) => f32.reinterpret(bits as Expr<I32>),
	toBits: i32.reinterpret,
	local: (f: FunctionBuilder) => f.local(F32),
} as unknown as Native;

const nativeOf = ({ name }: Format): Native => (name === 'f64' ? native64 : native32);

/** Nonzero where rounding is to nearest even and NX is set. */
function inexactIsFree({ flagsAddress }: Emission, rm: Operand<I32>): Expr<I32> {
	return i32.and(i32.eqz(rm), i32.load(0, flagsAddress));
}

/** Whether a bit pattern's biased exponent is 2 or more, and that of a finite number. */
export function isSafelyNormal(format: Format, bits: Operand<I64>): Expr<I32> {
	// Doubled, which drops the sign; in 64 bits for binary32 too, with the sign moved out at the top.
	const lift = BigInt(64 - format.width);
	const field = (exponent: number): bigint => (BigInt(exponent) << BigInt(format.fractionBits + 1)) << lift;
	return i64.ltU(i64.sub(i64.shl(bits, 1n + lift), field(2)), field(format.maxExponent - 2));
}

/** Addition or subtraction. Sums of subnormal numbers are exact, so that any finite sum is free of UF. */
export function emitFastAdd(emission: Emission, general: FunctionRef, which: 'add' | 'sub'): FunctionRef {
	const { module, format } = emission;
	const { ops, fromBits, toBits, local } = nativeOf(format);
	const f = module.function(general.params, general.results);
	const rm = f.param<I32>(2);
	const [a, b, sum, part] = [local(f), local(f), local(f), local(f)];
	f.set(a, fromBits(f.param(0)));
	f.set(b, fromBits(f.param(1)));
	f.set(sum, ops[which](a, b));
	f.if(ops.lt(ops.abs(sum), Number.POSITIVE_INFINITY), () => {
		f.if(inexactIsFree(emission, rm), () => f.return(toBits(sum)));
		// The rounding error (Knuth's TwoSum): where it is zero the sum is exact. A zero's sign depends on the mode.
		f.set(part, ops.sub(sum, a));
		const addend = which === 'add' ? b : ops.neg(b);
		const error = ops.add(ops.sub(a, ops.sub(sum, part)), ops.sub(addend, part));
		f.if(i32.and(ops.eq(error, 0), ops.ne(sum, 0)), () => f.return(toBits(sum)));
	});
	f.call(general, f.param(0), f.param(1), rm);
	return f;
}

/** Multiplication or division. */
export function emitFastScale(emission: Emission, general: FunctionRef, which: 'mul' | 'div'): FunctionRef {
	const { module, format } = emission;
	const { ops, fromBits, toBits } = nativeOf(format);
	const f = module.function(general.params, general.results);
	const [a, b, rm] = [f.param(0), f.param(1), f.param<I32>(2)];
	const bits = f.local(I64);
	f.if(inexactIsFree(emission, rm), () => {
		f.set(bits, widen(format, toBits(ops[which](fromBits(a), fromBits(b)))));
		f.if(isSafelyNormal(format, bits), () => f.return(format.type === I64 ? bits : i32.wrap(bits)));
	});
	f.call(general, a, b, rm);
	return f;
}

/** Square root: it neither overflows nor underflows, and its invalid results are NaNs. */
export function emitFastSqrt(emission: Emission, general: FunctionRef): FunctionRef {
	const { module, format } = emission;
	const { ops, fromBits, toBits, local } = nativeOf(format);
	const f = module.function(general.params, general.results);
	const [a, rm] = [f.param(0), f.param<I32>(1)];
	const root = local(f);
	f.if(inexactIsFree(emission, rm), () => {
		f.set(root, ops.sqrt(fromBits(a)));
		f.if(ops.eq(root, root), () => f.return(toBits(root)));
	});
	f.call(general, a, rm);
	return f;
}

/**
 * Fused multiply-add of binary64 by error-free transformations (Dekker 1971, Knuth):
 *
 * 1. high + low = a·b exactly (TwoProduct with Veltkamp's splitting). It needs the product's lowest bit to be representable:
 *    |high| >= 2^-960 puts it at 2^-1065 or above. An overflow in the splitting makes `low` a NaN.
 * 2. sum + tail = high + c exactly (TwoSum); an overflow makes `tail` a NaN.
 * 3. So the exact result is sum + (tail + low). Let rest be tail + low, rounded: it is within 2^-53·|rest| of the exact
 *    rest (and exact where it is below 2^-1021, being a multiple of 2^-1074). Then the exact rest lies between
 *    rest·(1 - 2^-51) and rest·(1 + 2^-51), also after these two are rounded.
 * 4. Rounding is monotonic: where sum + the one and sum + the other round to the same number, so does the exact result
 *    (Ziv's test). Where they do not (ties, heavy cancellation, NaNs), the general function decides.
 */
export function emitFastFma64(emission: Emission, general: FunctionRef): FunctionRef {
	const f = emission.module.function(general.params, general.results);
	const [a, b, c, result] = Array.from({ length: 4 }, () => f.local(F64)) as [F, F, F, F];
	const rm = f.param<I32>(3);
	f.if(inexactIsFree(emission, rm), () => {
		f.set(a, f64.reinterpret(f.param<I64>(0)));
		f.set(b, f64.reinterpret(f.param<I64>(1)));
		f.set(c, f64.reinterpret(f.param<I64>(2)));
		f.if(fuse64(f, { a, b, c, result }), () => f.return(i64.reinterpret(result)));
	});
	f.call(general, f.param(0), f.param(1), f.param(2), rm);
	return f;
}

/**
 * Statements that set `result` to a·b + c, and nonzero where it is right: rounded once to nearest, with no flag due but NX.
 * See {@link emitFastFma64}.
 */
export function fuse64(
	f: FunctionBuilder,
	{ a, b, c, result }: Readonly<Record<'a' | 'b' | 'c' | 'result', F>>,
): Expr<I32> {
	const [high, sum, part, rest, highA, lowA, highB, lowB] = Array.from({ length: 8 }, () => f.local(F64)) as [
		F,
		F,
		F,
		F,
		F,
		F,
		F,
		F,
	];
	f.set(high, f64.mul(a, b));
	f.set(sum, f64.add(high, c));
	f.set(part, f64.sub(sum, high));
	const tail = f64.add(f64.sub(high, f64.sub(sum, part)), f64.sub(c, part));
	for (const [x, highX, lowX] of [
		[a, highA, lowA],
		[b, highB, lowB],
	] as const) {
		f.set(highX, f64.mul(x, 2 ** 27 + 1));
		f.set(highX, f64.sub(highX, f64.sub(highX, x)));
		f.set(lowX, f64.sub(x, highX));
	}
	const outer = f64.sub(f64.mul(highA, highB), high);
	const low = f64.add(f64.add(f64.add(outer, f64.mul(highA, lowB)), f64.mul(lowA, highB)), f64.mul(lowA, lowB));
	f.set(rest, f64.add(tail, low));
	f.set(result, f64.add(sum, f64.mul(rest, 1 + 2 ** -51)));
	const decided = f64.eq(result, f64.add(sum, f64.mul(rest, 1 - 2 ** -51)));
	const productIsExact = f64.ge(f64.abs(high), 2 ** -960);
	return i32.and(i32.and(decided, productIsExact), isSafelyNormal(binary64, i64.reinterpret(result)));
}

type F = Local<F64>;

/**
 * Fused multiply-add of binary32 in binary64: the product is exact, the sum is rounded to 53 bits and then to 24. Rounding
 * twice differs from rounding once only where the first falls on a tie of the second: 29 bits that are 1 and 28 zeros.
 */
export function emitFastFma32(emission: Emission, general: FunctionRef): FunctionRef {
	const f = emission.module.function(general.params, general.results);
	const wide = (position: number): Expr<F64> => f64.promote(f32.reinterpret(f.param<I32>(position)));
	const sum = f.local(F64);
	const bits = f.local(I32);
	const rm = f.param<I32>(3);
	f.if(inexactIsFree(emission, rm), () => {
		f.set(sum, f64.add(f64.mul(wide(0), wide(1)), wide(2)));
		f.set(bits, i32.reinterpret(f32.demote(sum)));
		const tie = i32.eq(i32.and(i32.wrap(i64.reinterpret(sum)), 0x1fff_ffff), 0x1000_0000);
		f.if(i32.gtU(isSafelyNormal(emission.format, i64.extendU(bits)), tie), () => f.return(bits));
	});
	f.call(general, f.param(0), f.param(1), f.param(2), rm);
	return f;
}

/** To an integer: exact conversions in any mode, inexact ones to nearest and towards zero. NX is decided here. */
export function emitFastToInteger(emission: Emission, general: FunctionRef, type: IntegerType): FunctionRef {
	const { module, format, flagsAddress } = emission;
	const { width, signed } = type;
	const f = module.function(general.params, general.results);
	const rm = f.param<I32>(1);
	const value = f.local(F64);
	const rounded = f.local(F64);
	const integer = f.local(I64);
	// binary32 is exact in binary64.
	f.set(value, format.type === I64 ? f64.reinterpret(f.param<I64>(0)) : f64.promote(f32.reinterpret(f.param<I32>(0))));
	f.set(rounded, f64.select(rm, f64.trunc(value), f64.nearest(value)));
	// 32-bit results take the way through 64 bits: V8's code for it is twice as fast.
	const unsigned64 = width === 64 && !signed;
	f.set(integer, unsigned64 ? i64.truncSatF64U(rounded) : i64.truncSatF64S(rounded));
	const back = unsigned64 ? f64.convertI64U(integer) : f64.convertI64S(integer);
	// 2^63 - 1 and 2^64 - 1 come from saturation only, and would convert back to the power of two. NaNs do not come back.
	const inRange =
		width === 64
			? i64.ne(integer, signed ? (1n << 63n) - 1n : -1n)
			: i64.eq(integer, signed ? i64.extend32(integer) : i64.and(integer, 0xffff_ffff));
	f.if(i32.and(f64.eq(back, rounded), inRange), () => {
		if (width === 32 && !signed) f.set(integer, i64.extend32(integer));
		f.if(f64.eq(rounded, value), () => f.return(integer));
		f.if(i32.leU(rm, RoundingMode.RTZ), () => {
			raise(f, flagsAddress, Flag.NX);
			f.return(integer);
		});
	});
	f.call(general, f.param(0), rm);
	return f;
}

/** From an integer: exact up to 2^precision in magnitude, else to nearest. */
export function emitFastFromInteger(emission: Emission, general: FunctionRef, type: IntegerType): FunctionRef {
	const { module, format } = emission;
	const { ops, toBits } = nativeOf(format);
	const f = module.function(general.params, general.results);
	const x = f.param<I64>(0);
	const rm = f.param<I32>(1);
	const value = f.local(I64);
	f.set(value, type.width === 64 ? x : type.signed ? i64.extend32(x) : i64.and(x, 0xffff_ffff));
	const unsigned = type.width === 64 && !type.signed;
	const result = toBits(unsigned ? ops.convertI64U(value) : ops.convertI64S(value));
	if (type.width === 32 && format.name === 'f64') {
		f.return(result);
		return f;
	}
	const limit = 2n ** BigInt(format.fractionBits + 1);
	const exact = unsigned ? i64.leU(value, limit) : i64.leU(i64.add(value, limit), 2n * limit);
	f.if(i32.or(exact, inexactIsFree(emission, rm)), () => f.return(result));
	f.call(general, x, rm);
	return f;
}

/** binary32 to binary64: always exact, but for NaNs. */
export function emitPromote({ module }: Emission, general: FunctionRef): FunctionRef {
	const f = module.function(general.params, general.results);
	const value = f.local(F32);
	f.set(value, f32.reinterpret(f.param<I32>(0)));
	f.if(f32.eq(value, value), () => f.return(i64.reinterpret(f64.promote(value))));
	f.call(general, f.param(0), f.param(1));
	return f;
}

/** binary64 to binary32. */
export function emitDemote(emission: Emission, general: FunctionRef): FunctionRef {
	const f = emission.module.function(general.params, general.results);
	const value = f.local(F64);
	const result = f.local(F32);
	const rm = f.param<I32>(1);
	f.set(value, f64.reinterpret(f.param<I64>(0)));
	f.set(result, f32.demote(value));
	const bits = i32.reinterpret(result);
	const toNearest = i32.and(isSafelyNormal(emission.format, i64.extendU(bits)), inexactIsFree(emission, rm));
	f.if(i32.or(f64.eq(f64.promote(result), value), toNearest), () => f.return(bits));
	f.call(general, f.param(0), rm);
	return f;
}
