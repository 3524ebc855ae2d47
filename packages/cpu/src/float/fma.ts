/**
 * Fused multiply-add (IEEE 754-2019, section 5.4.1) for every operand and rounding mode: the exact 106-bit product and the
 * addend are added as 128-bit integers with a sticky bit, and rounded once.
 */
import { type FunctionBuilder, type FunctionRef, I32, I64, i32, i64, type Local } from '@partita/wasm-builder';
import { unpack } from './arithmetic.ts';
import { type Emission, isSignaling, magnitude, narrow, operand, returnNaN, signOf } from './format.ts';
import { highProduct } from './multiply.ts';
import { cancelledZero, shiftRightJam } from './round.ts';

/** Statements: `high:low >>= count`, bits that fall out OR-ed into the lowest one; `count` is not negative. */
function shiftRightJam128(f: FunctionBuilder, high: Local<I64>, low: Local<I64>, count: Local<I32>): void {
	f.if(i32.geU(count, 64), () => {
		// A whole word; with two or more only a sticky bit remains.
		f.set(low, i64.or(high, i64.extendU(i64.ne(low, 0))));
		f.set(high, 0);
		f.set(count, i32.sub(count, 64));
		f.if(i32.geU(count, 64), () => {
			f.set(low, i64.extendU(i64.ne(low, 0)));
			f.set(count, 0);
		});
	});
	f.if(count, () => {
		f.set(low, i64.or(shiftRightJam(low, count), i64.shl(high, i64.extendU(i32.sub(0, count)))));
		f.set(high, i64.shrU(high, i64.extendU(count)));
	});
}

/** a * b + c. */
export function emitFma(emission: Emission, round: FunctionRef): FunctionRef {
	const { module, format } = emission;
	const { infinity } = format;
	const f = module.function([format.type, format.type, format.type, I32], [format.type]);
	const bitsC = operand(f, format, 2);
	const a = operand(f, format, 0);
	const b = operand(f, format, 1);
	const c = f.local(I64);
	const rm = f.param<I32>(3);
	const sign = f.local(I64);
	const subtract = f.local(I32);

	f.set(sign, signOf(format, i64.xor(a, b)));
	f.set(subtract, i64.ne(sign, signOf(format, bitsC)));
	f.set(a, magnitude(format, a));
	f.set(b, magnitude(format, b));
	f.set(c, magnitude(format, bitsC));
	const zeroProduct = i32.or(i64.eqz(a), i64.eqz(b));
	const anyAbove = (compare: typeof i64.gtU): ReturnType<typeof i64.gtU> =>
		i32.or(i32.or(compare(a, infinity), compare(b, infinity)), compare(c, infinity));
	f.if(anyAbove(i64.geU), () => {
		// Infinity times zero is invalid whatever the addend, even a quiet NaN.
		f.if(i32.and(zeroProduct, i32.or(i64.eq(a, infinity), i64.eq(b, infinity))), () => returnNaN(f, emission, 1));
		f.if(anyAbove(i64.gtU), () => {
			const signaling = i32.or(isSignaling(format, a), isSignaling(format, b));
			returnNaN(f, emission, i32.or(signaling, isSignaling(format, c)));
		});
		f.if(i32.or(i64.eq(a, infinity), i64.eq(b, infinity)), () => {
			f.if(i32.and(subtract, i64.eq(c, infinity)), () => returnNaN(f, emission, 1));
			f.return(narrow(format, i64.or(i64.shl(sign, format.width - 1), infinity)));
		});
		f.return(narrow(format, bitsC));
	});
	f.if(zeroProduct, () => {
		f.if(i32.and(i64.eqz(c), subtract), () => f.return(narrow(format, cancelledZero(format, rm))));
		f.return(narrow(format, bitsC));
	});

	// The product, its leading bit at bit 125: 61 of the high word.
	const x = unpack(f, format, a);
	const y = unpack(f, format, b);
	const high = f.local(I64);
	const low = f.local(I64);
	const exponent = f.local(I32);
	f.set(exponent, i32.sub(i32.add(x.exponent, y.exponent), format.bias - 1));
	f.set(high, highProduct(f, x.significand, y.significand));
	f.set(low, i64.mul(x.significand, y.significand));
	f.if(i64.ltU(high, 1n << 61n), () => {
		f.set(high, i64.or(i64.shl(high, 1), i64.shrU(low, 63)));
		f.set(low, i64.shl(low, 1));
		f.set(exponent, i32.sub(exponent, 1));
	});
	f.if(i64.ne(c, 0), () => {
		const z = unpack(f, format, c);
		const highC = f.local(I64);
		const lowC = f.local(I64);
		const distance = f.local(I32);
		f.set(highC, i64.shrU(z.significand, 1));
		f.set(distance, i32.sub(exponent, z.exponent));
		f.if(
			i32.geS(distance, 0),
			() => shiftRightJam128(f, highC, lowC, distance),
			() => {
				f.set(exponent, z.exponent);
				f.set(distance, i32.sub(0, distance));
				shiftRightJam128(f, high, low, distance);
			},
		);
		f.if(
			subtract,
			() => {
				f.set(high, i64.sub(i64.sub(high, highC), i64.extendU(i64.ltU(low, lowC))));
				f.set(low, i64.sub(low, lowC));
				f.if(i64.ltS(high, 0), () => {
					// The addend was larger: negate, and its sign is the result's.
					f.set(high, i64.sub(i64.sub(0, high), i64.extendU(i64.ne(low, 0))));
					f.set(low, i64.sub(0, low));
					f.set(sign, i64.xor(sign, 1));
				});
			},
			() => {
				f.set(low, i64.add(low, lowC));
				f.set(high, i64.add(i64.add(high, highC), i64.extendU(i64.ltU(low, lowC))));
			},
		);
	});

	// Normalize to bit 126, 62 of the high word. Cancellation may have left anything down to nothing.
	const zeros = f.local(I64);
	f.if(i64.eqz(high), () => {
		f.if(i64.eqz(low), () => f.return(narrow(format, cancelledZero(format, rm))));
		// By 63, so that a leading bit 63 of the low word finds room.
		f.set(high, i64.shrU(low, 1));
		f.set(low, i64.shl(low, 63));
		f.set(exponent, i32.sub(exponent, 63));
	});
	f.set(zeros, i64.sub(i64.clz(high), 1));
	f.set(exponent, i32.sub(i32.add(exponent, 1), i32.wrap(zeros)));
	// Two steps: a shift by 64 - 0 would shift by nothing.
	f.set(high, i64.or(i64.shl(high, zeros), i64.shrU(i64.shrU(low, 1), i64.sub(63, zeros))));
	f.call(round, sign, exponent, i64.or(high, i64.extendU(i64.ne(i64.shl(low, zeros), 0))), rm);
	return f;
}
