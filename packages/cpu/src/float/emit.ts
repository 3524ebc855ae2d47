/** Adds all floating-point functions to a module. */
import type { ModuleBuilder } from '@partita/wasm-builder';
import { emitAdd, emitDiv, emitMul, emitSqrt } from './arithmetic.ts';
import { emitClassify, emitCompare, emitMinMax } from './compare.ts';
import { emitFromInteger, emitFromOther, emitToInteger, type IntegerType } from './convert.ts';
import {
	emitDemote,
	emitFastAdd,
	emitFastFma32,
	emitFastFma64,
	emitFastFromInteger,
	emitFastScale,
	emitFastSqrt,
	emitFastToInteger,
	emitPromote,
} from './fast.ts';
import { emitFma } from './fma.ts';
import { binary32, binary64, type Emission, type Format } from './format.ts';
import type { FloatFunctions, FloatLayout, FormatFunctions } from './functions.ts';
import { emitMultiply } from './multiply.ts';
import { emitRound } from './round.ts';

const i32Type: IntegerType = { width: 32, signed: true };
const u32Type: IntegerType = { width: 32, signed: false };
const i64Type: IntegerType = { width: 64, signed: true };
const u64Type: IntegerType = { width: 64, signed: false };

function emitGeneral(emission: Emission, other: Format): FormatFunctions {
	const round = emitRound(emission);
	return {
		add: emitAdd(emission, round, false),
		sub: emitAdd(emission, round, true),
		mul: emitMul(emission, round),
		div: emitDiv(emission, round),
		sqrt: emitSqrt(emission, round),
		fma: emitFma(emission, round),
		min: emitMinMax(emission, 'min'),
		max: emitMinMax(emission, 'max'),
		eq: emitCompare(emission, 'eq'),
		lt: emitCompare(emission, 'lt'),
		le: emitCompare(emission, 'le'),
		classify: emitClassify(emission),
		toI32: emitToInteger(emission, i32Type),
		toU32: emitToInteger(emission, u32Type),
		toI64: emitToInteger(emission, i64Type),
		toU64: emitToInteger(emission, u64Type),
		fromI32: emitFromInteger(emission, round, i32Type),
		fromU32: emitFromInteger(emission, round, u32Type),
		fromI64: emitFromInteger(emission, round, i64Type),
		fromU64: emitFromInteger(emission, round, u64Type),
		fromOther: emitFromOther(emission, other, round),
	};
}

/** Minimum, maximum, comparisons and classification are fast as they are. */
function emitFast(emission: Emission, general: FormatFunctions): FormatFunctions {
	const double = emission.format.name === 'f64';
	return {
		...general,
		add: emitFastAdd(emission, general.add, 'add'),
		sub: emitFastAdd(emission, general.sub, 'sub'),
		mul: emitFastScale(emission, general.mul, 'mul'),
		div: emitFastScale(emission, general.div, 'div'),
		sqrt: emitFastSqrt(emission, general.sqrt),
		fma: double ? emitFastFma64(emission, general.fma) : emitFastFma32(emission, general.fma),
		toI32: emitFastToInteger(emission, general.toI32, i32Type),
		toU32: emitFastToInteger(emission, general.toU32, u32Type),
		toI64: emitFastToInteger(emission, general.toI64, i64Type),
		toU64: emitFastToInteger(emission, general.toU64, u64Type),
		fromI32: emitFastFromInteger(emission, general.fromI32, i32Type),
		fromU32: emitFastFromInteger(emission, general.fromU32, u32Type),
		fromI64: emitFastFromInteger(emission, general.fromI64, i64Type),
		fromU64: emitFastFromInteger(emission, general.fromU64, u64Type),
		fromOther: double ? emitPromote(emission, general.fromOther) : emitDemote(emission, general.fromOther),
	};
}

/**
 * Adds the floating-point functions to `module`, which must import its memory (as memory 0). The functions are not exported
 * and keep no state but fcsr.
 */
export function emitFloat(module: ModuleBuilder, layout: FloatLayout): FloatFunctions {
	const { flagsAddress } = layout;
	const double = { module, flagsAddress, format: binary64 };
	const single = { module, flagsAddress, format: binary32 };
	const f64 = emitGeneral(double, binary32);
	const f32 = emitGeneral(single, binary64);
	return { ...emitMultiply(module), f64, f32, fast: { f64: emitFast(double, f64), f32: emitFast(single, f32) } };
}
