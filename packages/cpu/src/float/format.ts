/**
 * The two interchange formats (IEEE 754-2019, section 3.4) and the small expressions over their bit patterns that every
 * operation needs: fields, NaN tests, flags, NaN boxing. All bit patterns are handled as `i64` here, binary32 zero-extended,
 * so that one emitter serves both formats.
 */
import {
	type Expr,
	type FunctionBuilder,
	I32,
	I64,
	i32,
	i64,
	type Local,
	type ModuleBuilder,
	type Operand,
} from '@partita/wasm-builder';

/** Accrued exception flags, as in fflags. */
export const Flag = { NX: 1, UF: 2, OF: 4, DZ: 8, NV: 16 } as const;

/** Rounding modes, as in frm. */
export const RoundingMode = { RNE: 0, RTZ: 1, RDN: 2, RUP: 3, RMM: 4 } as const;

/** An interchange format and its constants as `i64` bit patterns. */
export interface Format {
	readonly name: 'f64' | 'f32';
	/** Type of a bit pattern outside. */
	readonly type: I32 | I64;
	/** Bits in all. */
	readonly width: number;
	/** Bits of the trailing significand: 52 or 23. */
	readonly fractionBits: number;
	readonly bias: number;
	/** The biased exponent of infinities and NaNs. */
	readonly maxExponent: number;
	readonly signBit: bigint;
	readonly infinity: bigint;
	readonly fractionMask: bigint;
	/** The bit that tells quiet NaNs from signaling ones. */
	readonly quietBit: bigint;
	readonly canonicalNaN: bigint;
}

function format(name: 'f64' | 'f32', type: I32 | I64, width: number, fractionBits: number): Format {
	const maxExponent = 2 ** (width - 1 - fractionBits) - 1;
	const infinity = BigInt(maxExponent) << BigInt(fractionBits);
	const quietBit = 1n << BigInt(fractionBits - 1);
	return {
		name,
		type,
		width,
		fractionBits,
		bias: maxExponent >> 1,
		maxExponent,
		signBit: 1n << BigInt(width - 1),
		infinity,
		fractionMask: (1n << BigInt(fractionBits)) - 1n,
		quietBit,
		canonicalNaN: infinity | quietBit,
	};
}

/** IEEE 754 binary64, the D extension's. */
export const binary64: Format = format('f64', I64, 64, 52);
/** IEEE 754 binary32, the F extension's. */
export const binary32: Format = format('f32', I32, 32, 23);

/** What the emitters of one format's operations share. */
export interface Emission {
	readonly module: ModuleBuilder;
	readonly flagsAddress: number;
	readonly format: Format;
}

/** The bit pattern of an operand or result as `i64`. */
export function widen({ type }: Format, value: Expr): Expr<I64> {
	return type === I64 ? (value as Expr<I64>) : i64.extendU(value as Expr<I32>);
}

/** An `i64` bit pattern in the type that leaves the function. */
export function narrow({ type }: Format, bits: Operand<I64>): Expr<I32 | I64> {
	if (type === I32) return i32.wrap(bits);
	return typeof bits === 'object' ? bits : i64.const(bits);
}

/** The parameter at `position`, widened into a local. */
export function operand(f: FunctionBuilder, format: Format, position: number): Local<I64> {
	if (format.type === I64) return f.param<I64>(position);
	const bits = f.local(I64);
	f.set(bits, i64.extendU(f.param<I32>(position)));
	return bits;
}

/** The bits without the sign. */
export function magnitude({ signBit }: Format, bits: Operand<I64>): Expr<I64> {
	return i64.and(bits, signBit - 1n);
}

/** The sign of a bit pattern, 0 or 1. */
export function signOf({ width }: Format, bits: Operand<I64>): Expr<I64> {
	return i64.shrU(bits, width - 1);
}

/** Whether a magnitude is that of a signaling NaN: strictly between infinity and the first quiet NaN. */
export function isSignaling({ infinity, quietBit }: Format, magnitude: Operand<I64>): Expr<I32> {
	return i64.ltU(i64.sub(magnitude, infinity + 1n), quietBit - 1n);
}

/** Accrues flags. */
export function raise(f: FunctionBuilder, flagsAddress: number, flags: Operand<I32>): void {
	i32.store(f, 0, i32.or(i32.load(0, flagsAddress), flags), flagsAddress);
}

/** Returns the canonical NaN, with NV where `invalid` is nonzero. */
export function returnNaN(f: FunctionBuilder, { format, flagsAddress }: Emission, invalid: Operand<I32>): void {
	const set = (): void => raise(f, flagsAddress, Flag.NV);
	if (typeof invalid === 'object') f.if(invalid, set);
	else if (invalid) set();
	f.return(narrow(format, format.canonicalNaN));
}

/**
 * The binary32 operand in an f register: the canonical NaN where it is not NaN-boxed ("D" chapter, section 2). `scratch` is
 * overwritten.
 */
export function unbox(register: Operand<I64>, scratch: Local<I64>): Expr<I32> {
	return i32.do((f) => {
		f.set(scratch, register);
		return i32.select(i64.geU(scratch, BOX), i32.wrap(scratch), Number(binary32.canonicalNaN));
	});
}

/** A binary32 result as an f register holds it. */
export function box(bits: Operand<I32>): Expr<I64> {
	return i64.or(i64.extendU(bits), BOX);
}

const BOX = 0xffff_ffff_0000_0000n;
