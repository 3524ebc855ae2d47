/**
 * Comparison, minimum, maximum and classification (IEEE 754-2019, sections 5.6.1, 5.7.2, 9.6; "F" chapter, sections 6, 8
 * and 9). WebAssembly's own comparisons are exact and have no flags; only NaNs need care.
 */
import {
	type Expr,
	type FunctionBuilder,
	type FunctionRef,
	f32,
	f64,
	type I32,
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

type Relation = 'eq' | 'lt' | 'le';

/** Whether `a` stands in `relation` to `b`, by the native comparison: false where one is a NaN. */
function holds({ format }: Emission, relation: Relation, a: Expr, b: Expr): Expr<I32> {
	if (format.name === 'f64') return f64[relation](f64.reinterpret(a as Expr<I64>), f64.reinterpret(b as Expr<I64>));
	return f32[relation](f32.reinterpret(a as Expr<I32>), f32.reinterpret(b as Expr<I32>));
}

interface NaNTests {
	/** Whether an operand is a NaN. To be evaluated before the others. */
	readonly either: Expr<I32>;
	readonly signaling: Expr<I32>;
	readonly a: Expr<I32>;
	readonly b: Expr<I32>;
}

function nanTests(f: FunctionBuilder, format: Format, a: Local<I64>, b: Local<I64>): NaNTests {
	const magnitudeA = f.local(I64);
	const magnitudeB = f.local(I64);
	const isNan = (bits: Operand<I64>): Expr<I32> => i64.gtU(bits, format.infinity);
	return {
		either: i32.or(isNan(i64.tee(magnitudeA, magnitude(format, a))), isNan(i64.tee(magnitudeB, magnitude(format, b)))),
		signaling: i32.or(isSignaling(format, magnitudeA), isSignaling(format, magnitudeB)),
		a: isNan(magnitudeA),
		b: isNan(magnitudeB),
	};
}

/** feq, flt or fle. A NaN makes it false; NV is raised by a signaling NaN, and by any NaN in flt and fle. */
export function emitCompare(emission: Emission, relation: Relation): FunctionRef {
	const { module, format, flagsAddress } = emission;
	const f = module.function([format.type, format.type], [I64]);
	const a = f.param(0);
	const b = f.param(1);
	f.if(holds(emission, relation, a, b), () => f.return(1));
	const tests = nanTests(f, format, operand(f, format, 0), operand(f, format, 1));
	f.if(tests.either, () => {
		if (relation === 'eq') f.if(tests.signaling, () => raise(f, flagsAddress, Flag.NV));
		else raise(f, flagsAddress, Flag.NV);
	});
	f.return(0);
	return f;
}

/** fmin or fmax: minimumNumber or maximumNumber, with -0 below +0. */
export function emitMinMax(emission: Emission, which: 'min' | 'max'): FunctionRef {
	const { module, format, flagsAddress } = emission;
	const f = module.function([format.type, format.type], [format.type]);
	const a = operand(f, format, 0);
	const b = operand(f, format, 1);
	const tests = nanTests(f, format, a, b);
	f.if(tests.either, () => {
		f.if(tests.signaling, () => raise(f, flagsAddress, Flag.NV));
		f.if(i32.eqz(tests.a), () => f.return(narrow(format, a)));
		f.if(i32.eqz(tests.b), () => f.return(narrow(format, b)));
		returnNaN(f, emission, 0);
	});
	const ordered = (x: Local<I64>): Expr<I64> => {
		// Bit patterns order as sign and magnitude; this maps them to two's complement.
		const value = format.width === 64 ? x : i64.extend32(x);
		return i64.xor(value, i64.and(i64.shrS(value, 63), format.signBit - 1n));
	};
	const compare = which === 'min' ? i64.ltS : i64.gtS;
	f.return(narrow(format, i64.select(compare(ordered(a), ordered(b)), a, b)));
	return f;
}

/** fclass: one bit of ten. */
export function emitClassify({ module, format }: Emission): FunctionRef {
	const f = module.function([format.type], [I64]);
	const a = operand(f, format, 0);
	const bits = f.local(I64);
	const { infinity, fractionMask } = format;
	f.set(bits, magnitude(format, a));
	f.if(i64.gtU(bits, infinity), () => f.return(i64.select(isSignaling(format, bits), 1 << 8, 1 << 9)));
	// 0 infinite, 1 normal, 2 subnormal, 3 zero; the bits for positive values mirror these in 7..4.
	const rank = f.local(I64);
	f.set(rank, i64.extendU(i64.ltU(bits, infinity)));
	f.set(rank, i64.add(rank, i64.extendU(i64.leU(bits, fractionMask))));
	f.set(rank, i64.add(rank, i64.extendU(i64.eqz(bits))));
	const positive = i64.sub(7, rank);
	f.return(i64.shl(1, i64.select(i64.eqz(signOf(format, a)), positive, rank)));
	return f;
}
