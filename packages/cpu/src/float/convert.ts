/**
 * Conversions between formats and integers (IEEE 754-2019, section 5.4.2 and 5.8; "F" chapter, section 7; "D" chapter,
 * section 5): saturation with NV, and never NX with it, where the rounded value does not fit.
 */
import { type FunctionRef, I32, I64, i32, i64 } from '@partita/wasm-builder';
import { unpack } from './arithmetic.ts';
import {
	type Emission,
	Flag,
	type Format,
	isSignaling,
	magnitude,
	narrow,
	operand,
	raise,
	returnNaN,
	signOf,
} from './format.ts';

/** An integer type of the fcvt instructions. */
export interface IntegerType {
	readonly width: 32 | 64;
	readonly signed: boolean;
}

/** To an integer, rounded; 32-bit results are sign-extended. */
export function emitToInteger({ module, format, flagsAddress }: Emission, { width, signed }: IntegerType): FunctionRef {
	const f = module.function([format.type, I32], [I64]);
	const a = operand(f, format, 0);
	const rm = f.param<I32>(1);
	const bits = f.local(I64);
	const sign = f.local(I64);
	const whole = f.local(I64);
	/** The fraction below the point, from bit 63 down; bit 0 is sticky. */
	const fraction = f.local(I64);
	const scale = f.local(I32);
	const max = signed ? (1n << BigInt(width - 1)) - 1n : (1n << BigInt(width)) - 1n;
	const min = signed ? -max - 1n : 0n;
	// As a register holds it.
	const register = (value: bigint): bigint => BigInt.asIntN(width, value);

	f.set(bits, magnitude(format, a));
	f.set(sign, signOf(format, a));
	// NaNs count as positive.
	f.if(i64.gtU(bits, format.infinity), () => f.set(sign, 0));
	f.block((overflow) => {
		// The value is significand · 2^(scale - fractionBits), 1 <= significand · 2^-fractionBits < 2 for normal numbers.
		f.set(scale, i32.sub(i32.wrap(i64.shrU(bits, format.fractionBits)), format.bias));
		f.brIf(overflow, i32.geS(scale, 64));
		f.if(
			i32.ltS(scale, 0),
			() => {
				// Below one. Only zero, less than a half, a half, or more than a half matters.
				f.set(fraction, i64.shl(i64.and(bits, format.fractionMask), 62 - format.fractionBits));
				f.set(
					fraction,
					i64.if(i32.eq(scale, -1), i64.or(i64.shl(fraction, 1), 1n << 63n), i64.extendU(i64.ne(bits, 0))),
				);
			},
			() => {
				f.set(whole, i64.or(i64.and(bits, format.fractionMask), format.fractionMask + 1n));
				f.if(
					i32.geS(scale, format.fractionBits),
					() => f.set(whole, i64.shl(whole, i64.extendU(i32.sub(scale, format.fractionBits)))),
					() => {
						f.set(scale, i32.sub(format.fractionBits, scale));
						f.set(fraction, i64.shl(whole, i64.sub(64, i64.extendU(scale))));
						f.set(whole, i64.shrU(whole, i64.extendU(scale)));
					},
				);
			},
		);
		f.if(i64.ne(fraction, 0), () => {
			const up = f.local(I32);
			const half = 1n << 63n;
			f.if(
				i32.eqz(i32.and(rm, 3)),
				() => {
					// RNE and RMM differ in a tie: to even, or away from zero.
					const tieUp = i32.or(rm, i32.wrap(i64.and(whole, 1)));
					f.set(up, i32.or(i64.gtU(fraction, half), i32.and(i64.eq(fraction, half), i32.ne(tieUp, 0))));
				},
				() => f.set(up, i32.eq(rm, i32.sub(3, i32.wrap(sign)))),
			);
			f.set(whole, i64.add(whole, i64.extendU(up)));
		});
		const limit = i64.select(i64.eqz(sign), max, -min);
		f.brIf(overflow, i64.gtU(whole, limit));
		f.if(i64.ne(fraction, 0), () => raise(f, flagsAddress, Flag.NX));
		// Negated where the sign is 1.
		const value = i64.sub(i64.xor(whole, i64.sub(0, sign)), i64.sub(0, sign));
		f.return(width === 32 ? i64.extend32(value) : value);
	});
	raise(f, flagsAddress, Flag.NV);
	f.return(i64.select(i64.eqz(sign), register(max), register(min)));
	return f;
}

/** From an integer register, rounded. */
export function emitFromInteger({ module, format }: Emission, round: FunctionRef, type: IntegerType): FunctionRef {
	const f = module.function([I64, I32], [format.type]);
	const value = f.param<I64>(0);
	const rm = f.param<I32>(1);
	const sign = f.local(I64);
	const zeros = f.local(I64);
	if (type.width === 32) f.set(value, type.signed ? i64.extend32(value) : i64.and(value, 0xffff_ffff));
	f.if(i64.eqz(value), () => f.return(narrow(format, 0)));
	if (type.signed) {
		f.set(sign, i64.shrU(value, 63));
		f.set(value, i64.sub(i64.xor(value, i64.sub(0, sign)), i64.sub(0, sign)));
	}
	f.set(zeros, i64.clz(value));
	f.call(
		round,
		sign,
		i32.sub(63 + format.bias, i32.wrap(zeros)),
		i64.if(i64.eqz(zeros), i64.or(i64.shrU(value, 1), i64.and(value, 1)), i64.shl(value, i64.sub(zeros, 1))),
		rm,
	);
	return f;
}

/** From the other format, rounded (binary64 to binary32) or exactly (binary32 to binary64, where rounding finds nothing). */
export function emitFromOther(emission: Emission, other: Format, round: FunctionRef): FunctionRef {
	const { module, format } = emission;
	const f = module.function([other.type, I32], [format.type]);
	const a = operand(f, other, 0);
	const rm = f.param<I32>(1);
	const bits = f.local(I64);
	const sign = f.local(I64);
	f.set(bits, magnitude(other, a));
	f.set(sign, signOf(other, a));
	const signed = (magnitude: bigint): void =>
		f.return(narrow(format, i64.or(i64.shl(sign, format.width - 1), magnitude)));
	f.if(i64.geU(bits, other.infinity), () => {
		f.if(i64.gtU(bits, other.infinity), () => returnNaN(f, emission, isSignaling(other, bits)));
		signed(format.infinity);
	});
	f.if(i64.eqz(bits), () => signed(0n));
	const x = unpack(f, other, bits);
	f.call(round, sign, i32.add(x.exponent, format.bias - other.bias), x.significand, rm);
	return f;
}
