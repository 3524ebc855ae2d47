/**
 * Addition, subtraction, multiplication, division and square root (IEEE 754-2019, section 5.4.1) for every operand and
 * rounding mode. Flags and results are exact: each operation reduces to a significand with a sticky bit, which `emitRound`
 * rounds once.
 */
import {
	type FunctionBuilder,
	type FunctionRef,
	f64,
	I32,
	I64,
	i32,
	i64,
	type Local,
	type Operand,
} from '@partita/wasm-builder';
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
import { highProduct } from './multiply.ts';
import { cancelledZero, shiftRightJam } from './round.ts';

/** A finite nonzero operand taken apart; the significand's leading bit is bit 62. */
export interface Unpacked {
	/** Biased; zero and below for what was subnormal. */
	readonly exponent: Local<I32>;
	readonly significand: Local<I64>;
}

/** Takes apart a nonzero finite magnitude. */
export function unpack(f: FunctionBuilder, { fractionBits }: Format, magnitude: Local<I64>): Unpacked {
	const exponent = f.local(I32);
	const significand = f.local(I64);
	f.set(exponent, i32.wrap(i64.shrU(magnitude, fractionBits)));
	f.if(
		exponent,
		() => {
			// Bit 62 and the exponent field's bits above it: the first is set, the others cleared.
			const fraction = i64.and(i64.shl(magnitude, 62 - fractionBits), (1n << 62n) - 1n);
			f.set(significand, i64.or(fraction, 1n << 62n));
		},
		() => {
			const zeros = f.local(I64);
			f.set(zeros, i64.clz(magnitude));
			f.set(significand, i64.shl(magnitude, i64.sub(zeros, 1)));
			f.set(exponent, i32.sub(64 - fractionBits, i32.wrap(zeros)));
		},
	);
	return { exponent, significand };
}

/** Returns a NaN, with NV where an operand is signaling. */
function propagateNaN(f: FunctionBuilder, emission: Emission, a: Local<I64>, b: Local<I64>): void {
	returnNaN(f, emission, i32.or(isSignaling(emission.format, a), isSignaling(emission.format, b)));
}

/** Addition, or with `negate` subtraction: addition of the second operand with its sign flipped. */
export function emitAdd(emission: Emission, round: FunctionRef, negate: boolean): FunctionRef {
	const { module, format } = emission;
	const f = module.function([format.type, format.type, I32], [format.type]);
	const a = operand(f, format, 0);
	const b = operand(f, format, 1);
	const rm = f.param<I32>(2);
	const magnitudeA = f.local(I64);
	const magnitudeB = f.local(I64);
	const swap = f.local(I64);
	const exponent = f.local(I32);
	const distance = f.local(I32);
	const sum = f.local(I64);
	const smaller = f.local(I64);
	// Two bits of room above for the sum and the sign; the bits below (9 or more) are guard bits.
	const shift = 61 - format.fractionBits;

	if (negate) f.set(b, i64.xor(b, format.signBit));
	f.set(magnitudeA, magnitude(format, a));
	f.set(magnitudeB, magnitude(format, b));
	f.if(i64.ltU(magnitudeA, magnitudeB), () => {
		for (const [x, y] of [
			[a, b],
			[magnitudeA, magnitudeB],
		] as const) {
			f.set(swap, x);
			f.set(x, y);
			f.set(y, swap);
		}
	});
	f.if(i64.geU(magnitudeA, format.infinity), () => {
		f.if(i64.gtU(magnitudeA, format.infinity), () => propagateNaN(f, emission, magnitudeA, magnitudeB));
		f.if(i32.and(i64.eq(magnitudeB, format.infinity), i64.ne(a, b)), () => returnNaN(f, emission, 1));
		f.return(narrow(format, a));
	});
	// A subnormal number has the smallest normal exponent and no leading bit.
	const align = (magnitude: Local<I64>, exponent: Local<I32>, significand: Local<I64>): void => {
		f.set(exponent, i32.wrap(i64.shrU(magnitude, format.fractionBits)));
		const leading = i64.shl(i64.extendU(i32.ne(exponent, 0)), format.fractionBits);
		f.set(significand, i64.shl(i64.or(i64.and(magnitude, format.fractionMask), leading), shift));
		f.set(exponent, i32.add(exponent, i32.eqz(exponent)));
	};
	align(magnitudeA, exponent, sum);
	align(magnitudeB, distance, smaller);
	f.set(distance, i32.sub(exponent, distance));
	f.if(distance, () => {
		f.set(smaller, i64.if(i32.ltU(distance, 63), shiftRightJam(smaller, distance), i64.extendU(i64.ne(smaller, 0))));
	});
	f.if(
		i64.ne(signOf(format, a), signOf(format, b)),
		() => {
			f.set(sum, i64.sub(sum, smaller));
			f.if(i64.eqz(sum), () => f.return(narrow(format, cancelledZero(format, rm))));
		},
		() => {
			f.set(sum, i64.add(sum, smaller));
			f.if(i64.eqz(sum), () => f.return(narrow(format, a)));
		},
	);
	const zeros = f.local(I64);
	f.set(zeros, i64.clz(sum));
	f.call(round, signOf(format, a), i32.sub(i32.add(exponent, 2), i32.wrap(zeros)), i64.shl(sum, i64.sub(zeros, 1)), rm);
	return f;
}

/** Multiplication. */
export function emitMul(emission: Emission, round: FunctionRef): FunctionRef {
	const { format } = emission;
	const { f, a, b, rm, sign, returnSigned } = signedBinary(emission);
	f.if(i32.or(i64.geU(a, format.infinity), i64.geU(b, format.infinity)), () => {
		f.if(i32.or(i64.gtU(a, format.infinity), i64.gtU(b, format.infinity)), () => propagateNaN(f, emission, a, b));
		f.if(i32.or(i64.eqz(a), i64.eqz(b)), () => returnNaN(f, emission, 1));
		returnSigned(format.infinity);
	});
	f.if(i32.or(i64.eqz(a), i64.eqz(b)), () => returnSigned(0n));
	const x = unpack(f, format, a);
	const y = unpack(f, format, b);
	const product = f.local(I64);
	const low = f.local(I64);
	const exponent = f.local(I32);
	f.set(exponent, i32.sub(i32.add(x.exponent, y.exponent), format.bias));
	// Leading bits 63 and 62: the high half leads at bit 61 or 62.
	f.set(x.significand, i64.shl(x.significand, 1));
	f.set(low, i64.mul(x.significand, y.significand));
	f.set(product, highProduct(f, x.significand, y.significand));
	f.if(
		i64.geU(product, 1n << 62n),
		() => f.set(exponent, i32.add(exponent, 1)),
		() => f.set(product, i64.shl(product, 1)),
	);
	f.call(round, sign, exponent, i64.or(product, i64.extendU(i64.ne(low, 0))), rm);
	return f;
}

/**
 * Division. The quotient of the significands is taken natively, rounded to 53 bits, and then judged exactly: the remainder's
 * sign says on which side of it the true quotient lies. That side is all that rounding needs, since a quotient of two
 * 53-bit numbers is never halfway between two 53-bit numbers.
 */
export function emitDiv(emission: Emission, round: FunctionRef): FunctionRef {
	const { format, flagsAddress } = emission;
	const { f, a, b, rm, sign, returnSigned } = signedBinary(emission);
	f.if(i32.or(i64.geU(a, format.infinity), i64.geU(b, format.infinity)), () => {
		f.if(i32.or(i64.gtU(a, format.infinity), i64.gtU(b, format.infinity)), () => propagateNaN(f, emission, a, b));
		f.if(i64.eq(a, b), () => returnNaN(f, emission, 1));
		returnSigned(i64.select(i64.eq(a, format.infinity), format.infinity, 0));
	});
	f.if(i64.eqz(b), () => {
		f.if(i64.eqz(a), () => returnNaN(f, emission, 1));
		raise(f, flagsAddress, Flag.DZ);
		returnSigned(format.infinity);
	});
	f.if(i64.eqz(a), () => returnSigned(0n));
	const x = unpack(f, format, a);
	const y = unpack(f, format, b);
	const exponent = f.local(I32);
	const quotient = f.local(I64);
	const remainder = f.local(I64);
	f.set(exponent, i32.add(i32.sub(x.exponent, y.exponent), format.bias));
	// 53-bit integers X and Y, X doubled where it is the smaller: 1 <= X/Y < 2.
	f.set(x.significand, i64.shrU(x.significand, 10));
	f.set(y.significand, i64.shrU(y.significand, 10));
	f.if(i64.ltU(x.significand, y.significand), () => {
		f.set(x.significand, i64.shl(x.significand, 1));
		f.set(exponent, i32.sub(exponent, 1));
	});
	const native = f64.div(f64.convertI64S(x.significand), f64.convertI64S(y.significand));
	f.set(quotient, i64.truncSatF64S(f64.mul(native, 2 ** 52)));
	// X·2^52 - Q·Y; it is at most Y/2 in magnitude, so that the low 64 bits are all of it.
	f.set(remainder, i64.sub(i64.shl(x.significand, 52), i64.mul(quotient, y.significand)));
	f.call(round, sign, exponent, beside(quotient, remainder), rm);
	return f;
}

/** Square root, by the same method as division. */
export function emitSqrt(emission: Emission, round: FunctionRef): FunctionRef {
	const { module, format } = emission;
	const f = module.function([format.type, I32], [format.type]);
	const a = operand(f, format, 0);
	const rm = f.param<I32>(1);
	const magnitudeA = f.local(I64);
	f.set(magnitudeA, magnitude(format, a));
	f.if(i64.eqz(magnitudeA), () => f.return(narrow(format, a)));
	// Infinity, NaNs and negative numbers.
	f.if(i64.geU(a, format.infinity), () => {
		f.if(i64.eq(a, format.infinity), () => f.return(narrow(format, a)));
		f.if(i64.gtU(magnitudeA, format.infinity), () => propagateNaN(f, emission, magnitudeA, magnitudeA));
		returnNaN(f, emission, 1);
	});
	const x = unpack(f, format, a);
	const root = f.local(I64);
	const remainder = f.local(I64);
	// An integer X of 53 bits, 54 where the exponent is odd: sqrt(X·2^52) has 53 bits before the point.
	f.set(x.exponent, i32.sub(x.exponent, format.bias));
	f.set(x.significand, i64.shl(i64.shrU(x.significand, 10), i64.extendU(i32.and(x.exponent, 1))));
	f.set(root, i64.truncSatF64S(f64.sqrt(f64.mul(f64.convertI64S(x.significand), 2 ** 52))));
	// X·2^52 - R²; at most R in magnitude.
	f.set(remainder, i64.sub(i64.shl(x.significand, 52), i64.mul(root, root)));
	f.call(round, i64.const(0), i32.add(i32.shrS(x.exponent, 1), format.bias), beside(root, remainder), rm);
	return f;
}

/** A 53-bit result at bits 62..10, with a hair added or taken away where the remainder is positive or negative. */
function beside(result: Local<I64>, remainder: Local<I64>): Operand<I64> {
	const side = i64.or(i64.shrS(remainder, 63), i64.extendU(i64.ne(remainder, 0)));
	return i64.add(i64.shl(result, 10), side);
}

interface SignedBinary {
	readonly f: FunctionBuilder;
	/** Magnitudes of the operands. */
	readonly a: Local<I64>;
	readonly b: Local<I64>;
	readonly rm: Local<I32>;
	/** Sign of the product or quotient. */
	readonly sign: Local<I64>;
	/** Returns a magnitude with that sign. */
	returnSigned(magnitude: Operand<I64>): void;
}

/** Begins a function whose result's sign is the exclusive or of the operands' signs. */
function signedBinary({ module, format }: Emission): SignedBinary {
	const f = module.function([format.type, format.type, I32], [format.type]);
	const a = operand(f, format, 0);
	const b = operand(f, format, 1);
	const sign = f.local(I64);
	f.set(sign, signOf(format, i64.xor(a, b)));
	f.set(a, magnitude(format, a));
	f.set(b, magnitude(format, b));
	return {
		f,
		a,
		b,
		rm: f.param<I32>(2),
		sign,
		returnSigned: (magnitude) => f.return(narrow(format, i64.or(magnitude, i64.shl(sign, format.width - 1)))),
	};
}
