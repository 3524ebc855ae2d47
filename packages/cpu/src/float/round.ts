/**
 * Rounding and packing (IEEE 754-2019, sections 4.3 and 7): where every inexact result, overflow and underflow of the
 * general path comes from. Tininess is detected after rounding, as RISC-V requires.
 */
import { type Expr, type FunctionRef, I32, I64, i32, i64, type Local, type Operand } from '@partita/wasm-builder';
import { type Emission, Flag, narrow, RoundingMode, raise } from './format.ts';

/** `value >> count` with the bits that fall out OR-ed into the lowest; `count` is 1 to 63. */
export function shiftRightJam(value: Local<I64>, count: Local<I32>): Expr<I64> {
	const distance = i64.extendU(count);
	return i64.or(i64.shrU(value, distance), i64.extendU(i64.ne(i64.shl(value, i64.sub(0, distance)), 0)));
}

/** The zero that an exact cancellation gives: negative when rounding down. */
export function cancelledZero({ signBit }: { signBit: bigint }, rm: Operand<I32>): Expr<I64> {
	return i64.select(i32.eq(rm, RoundingMode.RDN), signBit, 0);
}

/**
 * (i64 sign, i32 exponent, i64 significand, i32 rm) -> v: the value (-1)^sign · significand · 2^(exponent - bias - 62)
 * rounded to the format, flags raised. The significand is normalized, its leading bit is bit 62; bit 0 stands for
 * everything below it ("sticky"). The exponent may be far out of the format's range, within ±2^11 of it.
 */
export function emitRound({ module, format, flagsAddress }: Emission): FunctionRef {
	const f = module.function([I64, I32, I64, I32], [format.type]);
	const sign = f.param<I64>(0);
	const exponent = f.param<I32>(1);
	const significand = f.param<I64>(2);
	const rm = f.param<I32>(3);
	const increment = f.local(I64);
	const rest = f.local(I64);
	const bits = f.local(I64);
	const underflow = f.local(I32);
	const roundBits = 62 - format.fractionBits;
	const half = 1n << BigInt(roundBits - 1);
	const mask = (half << 1n) - 1n;

	// What to add before cutting: half a unit to nearest, just under one away from zero, nothing towards zero.
	f.set(increment, half);
	f.if(i32.ltU(i32.sub(rm, 1), 3), () => {
		// RDN (2) of a negative or RUP (3) of a positive value goes away from zero.
		f.set(increment, i64.select(i32.eq(rm, i32.sub(3, i32.wrap(sign))), mask, 0));
	});
	f.if(i32.leS(exponent, 0), () => {
		// Tiny, unless rounding as if the exponent had no bound carries into the normal range.
		f.if(i32.or(i32.ltS(exponent, 0), i64.geS(i64.add(significand, increment), 0)), () => {
			f.set(underflow, Flag.UF);
		});
		f.set(exponent, i32.sub(1, exponent));
		f.set(significand, i64.if(i32.ltU(exponent, 63), shiftRightJam(significand, exponent), 1));
		f.set(exponent, 1);
	});
	f.set(rest, i64.and(significand, mask));
	// The leading bit adds one to the exponent field; a carry of the rounding one more.
	f.set(bits, i64.shrU(i64.add(significand, increment), roundBits));
	f.if(i64.ne(rest, 0), () => {
		f.if(i32.and(i64.eq(rest, half), i32.eqz(rm)), () => f.set(bits, i64.and(bits, -2)));
		raise(f, flagsAddress, i32.or(underflow, Flag.NX));
	});
	f.set(bits, i64.add(bits, i64.shl(i64.extendU(i32.sub(exponent, 1)), format.fractionBits)));
	f.if(i64.geU(bits, format.infinity), () => {
		raise(f, flagsAddress, Flag.OF | Flag.NX);
		// Where the rounding could not have gone up, the largest finite number.
		f.set(bits, i64.sub(format.infinity, i64.extendU(i64.eqz(increment))));
	});
	f.return(narrow(format, i64.or(bits, i64.shl(sign, format.width - 1))));
	return f;
}
