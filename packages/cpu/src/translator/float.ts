/**
 * Floating point in translated code: native operations where they are known to do what the hart does. `needsNative` has
 * seen that rounding is to nearest and that NX is set; the checks here are those of float/fast.ts, which says why they are
 * right. Where one fails the interpreter executes the instruction.
 */
import type { Mnemonic } from '@partita/riscv';
import {
	type Expr,
	type F32,
	type F64,
	f32,
	f64,
	type I32,
	i32,
	i64,
	type Local,
	type Operand,
} from '@partita/wasm-builder';
import { fuse64, isSafelyNormal } from '../float/fast.ts';
import { binary32, binary64, box, unbox } from '../float/format.ts';
import type { Instruction } from './code.ts';
import type { TranslatorContext } from './context.ts';
import { fusesMultiplyAdd, relaxedMultiplyAdd } from './relaxed.ts';

type Emit = (c: TranslatorContext, i: Instruction) => void;

/** How the values of one format are read and written. Values are typed as F64 for either format, as in float/fast.ts. */
interface Native {
	readonly ops: typeof f64;
	readonly read: (c: TranslatorContext, n: number) => Operand<F64>;
	readonly write: (c: TranslatorContext, value: Operand<F64>) => void;
	readonly temporary: (c: TranslatorContext, position: 0 | 1 | 2) => Local<F64>;
	readonly isSafelyNormal: (value: Operand<F64>) => Expr<I32>;
}

const double: Native = {
	ops: f64,
	read: (c, n) => c.fd(n),
	write: (c, value) => c.setDouble(value),
	temporary: (c, position) => c.double(position),
	isSafelyNormal: (value) => isSafelyNormal(binary64, i64.reinterpret(value)),
};

/** The single in f[n]. */
const readSingle = (c: TranslatorContext, n: number): Expr<F32> =>
	f32.reinterpret(unbox(i64.reinterpret(c.fd(n)), c.scratch(2)));
const writeSingle = (c: TranslatorContext, value: Operand<F32>): void => c.setFd(box(i32.reinterpret(value)));

const single = {
	ops: f32,
	read: readSingle,
	write: writeSingle,
	temporary: (c: TranslatorContext, position: 0 | 1 | 2) => c.single(position),
	isSafelyNormal: (value: Operand<F32>) => isSafelyNormal(binary32, i64.extendU(i32.reinterpret(value))),
} as unknown as Native;

/** Operands in locals, since they are used more than once. */
function operands(native: Native, c: TranslatorContext, i: Instruction): [Local<F64>, Local<F64>] {
	const [a, b] = [native.temporary(c, 0), native.temporary(c, 1)];
	c.f.set(a, native.read(c, i.rs1));
	c.f.set(b, native.read(c, i.rs2));
	return [a, b];
}

/** Sum or difference: any finite one is right. */
const sum =
	(native: Native, op: 'add' | 'sub'): Emit =>
	(c, i) => {
		c.needsNative();
		const { ops } = native;
		const result = native.temporary(c, 2);
		c.f.set(result, ops[op](native.read(c, i.rs1), native.read(c, i.rs2)));
		c.systemUnless(ops.lt(ops.abs(result), Number.POSITIVE_INFINITY));
		native.write(c, result);
	};

/** Product or quotient: normal, or zero since an operand is. */
const scale =
	(native: Native, op: 'mul' | 'div'): Emit =>
	(c, i) => {
		c.needsNative();
		const { ops } = native;
		const [a, b] = operands(native, c, i);
		const result = native.temporary(c, 2);
		c.f.set(result, ops[op](a, b));
		const ofZero = op === 'mul' ? i32.or(ops.eq(a, 0), ops.eq(b, 0)) : ops.eq(a, 0);
		c.systemUnless(i32.if(native.isSafelyNormal(result), 1, i32.and(ops.eq(result, 0), ofZero)));
		native.write(c, result);
	};

const root =
	(native: Native): Emit =>
	(c, i) => {
		c.needsNative();
		const { ops } = native;
		const result = native.temporary(c, 2);
		c.f.set(result, ops.sqrt(native.read(c, i.rs1)));
		c.systemUnless(ops.eq(result, result));
		native.write(c, result);
	};

/** Whether neither operand is a NaN. */
const ordered = ({ ops }: Native, a: Local<F64>, b: Local<F64>): Expr<I32> => i32.and(ops.eq(a, a), ops.eq(b, b));

const extreme =
	(native: Native, op: 'min' | 'max'): Emit =>
	(c, i) => {
		c.needsFloat(true);
		const [a, b] = operands(native, c, i);
		c.systemUnless(ordered(native, a, b));
		native.write(c, native.ops[op](a, b));
	};

const comparison =
	(native: Native, op: 'eq' | 'lt' | 'le'): Emit =>
	(c, i) => {
		c.needsFloat(true);
		const [a, b] = operands(native, c, i);
		c.systemUnless(ordered(native, a, b));
		c.setRd(i64.extendU(native.ops[op](a, b)));
	};

const negateIf = (ops: typeof f64, negate: boolean, value: Operand<F64>): Operand<F64> =>
	negate ? ops.neg(value) : value;

const fusedDouble =
	(negateProduct: boolean, negateAddend: boolean): Emit =>
	(c, i) => {
		c.needsNative();
		const { f } = c;
		const result = c.double(3);
		const a = negateIf(f64, negateProduct, c.fd(i.rs1));
		const addend = negateIf(f64, negateAddend, c.fd(i.rs3));
		if (fusesMultiplyAdd()) {
			f.set(result, relaxedMultiplyAdd(a, c.fd(i.rs2), addend));
			c.systemUnless(double.isSafelyNormal(result));
		} else {
			const at = { a: c.double(0), b: c.double(1), c: c.double(2), result };
			f.set(at.a, a);
			f.set(at.b, c.fd(i.rs2));
			f.set(at.c, addend);
			c.systemUnless(i32.do(() => fuse64(f, at)));
		}
		c.setDouble(result);
	};

/** In binary64, where the product is exact; a tie of the second rounding is left to the interpreter. */
const fusedSingle =
	(negateProduct: boolean, negateAddend: boolean): Emit =>
	(c, i) => {
		c.needsNative();
		const wide = (n: number): Expr<F64> => f64.promote(readSingle(c, n));
		const total = c.double(0);
		const result = c.single(2);
		const product = f64.mul(negateIf(f64, negateProduct, wide(i.rs1)), wide(i.rs2));
		c.f.set(total, f64.add(product, negateIf(f64, negateAddend, wide(i.rs3))));
		c.f.set(result, f32.demote(total));
		const tie = i32.eq(i32.and(i32.wrap(i64.reinterpret(total)), 0x1fff_ffff), 0x1000_0000);
		c.systemUnless(i32.gtU(single.isSafelyNormal(result as unknown as Local<F64>), tie));
		writeSingle(c, result);
	};

/** Rounding mode of a conversion to an integer that is towards zero. */
const TOWARDS_ZERO = 1;
/** The mode is that of fcsr. */
const DYNAMIC = 7;

const toInteger =
	(native: Native, width: 32 | 64, signed: boolean): Emit =>
	(c, i) => {
		c.needsNative();
		const { f } = c;
		const value = native.read(c, i.rs1);
		const rounded = c.double(0);
		const integer = c.scratch(0);
		const wide = native === double ? value : f64.promote(value as unknown as Operand<F32>);
		f.set(rounded, i.rm === TOWARDS_ZERO ? f64.trunc(wide) : f64.nearest(wide));
		const unsigned64 = width === 64 && !signed;
		f.set(integer, unsigned64 ? i64.truncSatF64U(rounded) : i64.truncSatF64S(rounded));
		const back = unsigned64 ? f64.convertI64U(integer) : f64.convertI64S(integer);
		const inRange =
			width === 64
				? i64.ne(integer, signed ? (1n << 63n) - 1n : -1n)
				: i64.eq(integer, signed ? i64.extend32(integer) : i64.and(integer, 0xffff_ffff));
		c.systemUnless(i32.and(f64.eq(back, rounded), inRange));
		c.setRd(width === 32 && !signed ? i64.extend32(integer) : integer);
	};

const fromInteger =
	(native: Native, width: 32 | 64, signed: boolean): Emit =>
	(c) => {
		c.needsNative();
		const value = width === 64 ? c.rs1 : signed ? i64.extend32(c.rs1) : i64.and(c.rs1, 0xffff_ffff);
		native.write(c, width === 64 && !signed ? native.ops.convertI64U(value) : native.ops.convertI64S(value));
	};

const demote: Emit = (c, i) => {
	c.needsNative();
	const value = c.fd(i.rs1);
	const result = c.single(0);
	c.f.set(result, f32.demote(value));
	const exact = f64.eq(f64.promote(result), value);
	c.systemUnless(i32.or(single.isSafelyNormal(result as unknown as Local<F64>), exact));
	writeSingle(c, result);
};

const promote: Emit = (c, i) => {
	// The dynamic mode may be a reserved one, although nothing is rounded.
	if (i.rm === DYNAMIC) c.needsNative();
	else c.needsFloat(true);
	const value = c.single(0);
	c.f.set(value, readSingle(c, i.rs1));
	c.systemUnless(f32.eq(value, value));
	c.setDouble(f64.promote(value));
};

/** Sign injection of a register with itself is a move, a negation, or the absolute value. */
const inject =
	(sign: (a: Operand<F64>, b: Operand<F64>) => Operand<F64>, same: (a: Operand<F64>) => Operand<F64>): Emit =>
	(c, i) => {
		c.needsFloat(true);
		const a = c.fd(i.rs1);
		c.setDouble(i.rs1 === i.rs2 ? same(a) : sign(a, c.fd(i.rs2)));
	};

function rows<S extends 's' | 'd'>(suffix: S, native: Native): Partial<Record<Mnemonic, Emit>> {
	const fused = native === double ? fusedDouble : fusedSingle;
	const of: Record<string, Emit> = {
		fadd: sum(native, 'add'),
		fsub: sum(native, 'sub'),
		fmul: scale(native, 'mul'),
		fdiv: scale(native, 'div'),
		fsqrt: root(native),
		fmin: extreme(native, 'min'),
		fmax: extreme(native, 'max'),
		feq: comparison(native, 'eq'),
		flt: comparison(native, 'lt'),
		fle: comparison(native, 'le'),
		fmadd: fused(false, false),
		fmsub: fused(false, true),
		fnmsub: fused(true, false),
		fnmadd: fused(true, true),
		'fcvt.w': toInteger(native, 32, true),
		'fcvt.wu': toInteger(native, 32, false),
		'fcvt.l': toInteger(native, 64, true),
		'fcvt.lu': toInteger(native, 64, false),
	};
	return {
		...Object.fromEntries(Object.entries(of).map(([name, emit]) => [`${name}.${suffix}`, emit])),
		[`fcvt.${suffix}.w`]: fromInteger(native, 32, true),
		[`fcvt.${suffix}.wu`]: fromInteger(native, 32, false),
		[`fcvt.${suffix}.l`]: fromInteger(native, 64, true),
		[`fcvt.${suffix}.lu`]: fromInteger(native, 64, false),
	};
}

/** Native forms by mnemonic. Rows of F and D that are not here either move bits, as their semantics do, or stay away. */
export const nativeFloat: Readonly<Partial<Record<Mnemonic, Emit>>> = {
	...rows('s', single),
	...rows('d', double),
	'fcvt.s.d': demote,
	'fcvt.d.s': promote,
	fld: (c) => {
		c.needsFloat(true);
		c.setDouble(c.loadDouble());
	},
	fsd: (c) => {
		c.needsFloat(false);
		c.storeDouble();
	},
	'fsgnj.d': inject(
		(a, b) => f64.copysign(a, b),
		(a) => a,
	),
	'fsgnjn.d': inject(
		(a, b) => f64.copysign(a, f64.neg(b)),
		(a) => f64.neg(a),
	),
};

/** Whether an instruction's rounding mode is one that native operations have. */
export function roundsNatively(name: Mnemonic, rm: number): boolean {
	return rm === 0 || rm === DYNAMIC || (rm === TOWARDS_ZERO && /^fcvt\.[wl]/.test(name));
}
