/**
 * F and D: floating point, on NaN-boxed registers.
 * The RISC-V Instruction Set Manual, Volume I (20240411), chapters 20 and 21.
 */
import { type Expr, type FunctionRef, type I32, type I64, i32, i64 } from '@partita/wasm-builder';
import type { FormatFunctions } from '../float/index.ts';
import { type Context, plain, type Semantics } from './context.ts';

/** How the values of one format sit in registers. */
interface Format {
	readonly functions: (c: Context) => FormatFunctions;
	/** Operand as the format's functions take it. */
	readonly read: (raw: Expr<I64>, scratch: () => ReturnType<Context['scratch']>) => Expr<I32 | I64>;
	/** Result as a register holds it. */
	readonly write: (c: Context, callee: FunctionRef, args: readonly Expr[]) => Expr<I64>;
	/** Flips the sign of an operand. */
	readonly negate: (value: Expr<I32 | I64>) => Expr<I32 | I64>;
}

const SIGN64 = 1n << 63n;
const SIGN32 = 0x8000_0000;
const BOX = 0xffff_ffff_0000_0000n;
const NAN32 = 0x7fc0_0000;

/** A single in a register, by its bits. */
const box = (bits: Expr<I32>): Expr<I64> => i64.or(i64.extendU(bits), BOX);

/** Bits of the single in a register: the canonical NaN where the register is not properly boxed. */
function unbox(raw: Expr<I64>, value: ReturnType<Context['scratch']>): Expr<I32> {
	return i32.do((f) => {
		f.set(value, raw);
		return i32.select(i64.geU(value, BOX), i32.wrap(value), NAN32);
	});
}

const double: Format = {
	functions: (c) => c.helpers.float.fast.f64,
	read: (raw) => raw,
	write: (_, callee, args) => i64.call(callee, ...args),
	negate: (value) => i64.xor(value as Expr<I64>, SIGN64),
};
const single: Format = {
	functions: (c) => c.helpers.float.fast.f32,
	read: (raw, scratch) => unbox(raw, scratch()),
	write: (_, callee, args) => box(i32.call(callee, ...args)),
	negate: (value) => i32.xor(value as Expr<I32>, SIGN32),
};

type Operands = (c: Context) => Expr<I32 | I64>[];
type Pick = (functions: FormatFunctions) => FunctionRef;

function operands(format: Format, count: 1 | 2 | 3): Operands {
	return (c) => {
		const raw = [c.fs1, c.fs2, c.fs3].slice(0, count);
		return raw.map((value) => format.read(value, () => c.scratch(2)));
	};
}

/** f[rd] from floating-point operands. */
function arithmetic(format: Format, count: 1 | 2, pick: Pick, rounds: boolean): Semantics {
	return plain((c) => {
		c.needsFloat(true);
		const args = operands(format, count)(c);
		c.setFd(format.write(c, pick(format.functions(c)), rounds ? [...args, c.rm] : args));
	});
}

/** f[rd] = ±(a × b) ± c. */
function fused(format: Format, negateProduct: boolean, negateAddend: boolean): Semantics {
	return plain((c) => {
		c.needsFloat(true);
		const [a, b, addend] = operands(format, 3)(c) as [Expr<I32 | I64>, Expr<I32 | I64>, Expr<I32 | I64>];
		c.setFd(
			format.write(c, format.functions(c).fma, [
				negateProduct ? format.negate(a) : a,
				b,
				negateAddend ? format.negate(addend) : addend,
				c.rm,
			]),
		);
	});
}

/** x[rd] from floating-point operands; it may raise flags. */
function toInteger(format: Format, count: 1 | 2, pick: Pick, rounds: boolean): Semantics {
	return plain((c) => {
		c.needsFloat(true);
		const args = operands(format, count)(c);
		c.setRd(i64.call(pick(format.functions(c)), ...(rounds ? [...args, c.rm] : args)));
	});
}

/** f[rd] from x[rs1]. */
function fromInteger(format: Format, pick: Pick): Semantics {
	return plain((c) => {
		c.needsFloat(true);
		c.setFd(format.write(c, pick(format.functions(c)), [c.rs1, c.rm]));
	});
}

/** f[rd] from the other format. */
function convert(to: Format, from: Format): Semantics {
	return plain((c) => {
		c.needsFloat(true);
		c.setFd(to.write(c, to.functions(c).fromOther, [from.read(c.fs1, () => c.scratch(2)), c.rm]));
	});
}

/** Sign injection: no flags, no canonicalization. */
function injectDouble(sign: (a: Expr<I64>, b: Expr<I64>) => Expr<I64>): Semantics {
	return plain((c) => {
		c.needsFloat(true);
		c.setFd(i64.or(i64.and(c.fs1, SIGN64 - 1n), i64.and(sign(c.fs1, c.fs2), SIGN64)));
	});
}

function injectSingle(sign: (a: Expr<I32>, b: Expr<I32>) => Expr<I32>): Semantics {
	return plain((c) => {
		c.needsFloat(true);
		const a = c.scratch32(0);
		const b = c.scratch32(1);
		c.f.set(a, unbox(c.fs1, c.scratch(2)));
		c.f.set(b, unbox(c.fs2, c.scratch(2)));
		c.setFd(box(i32.or(i32.and(a, SIGN32 - 1), i32.and(sign(a, b), SIGN32))));
	});
}

const load = (size: 2 | 3): Semantics =>
	plain((c) => {
		c.needsFloat(true);
		const value = c.load(size, false);
		c.setFd(size === 2 ? i64.or(value, BOX) : value);
	});
const store = (size: 2 | 3): Semantics =>
	plain((c) => {
		c.needsFloat(false);
		c.store(size, c.fs2);
	});

/** Rows that F and D share, under the format's suffix. */
function common<S extends 's' | 'd'>(suffix: S, format: Format): Record<`${CommonName}.${S}`, Semantics> {
	const rows: Record<CommonName, Semantics> = {
		fmadd: fused(format, false, false),
		fmsub: fused(format, false, true),
		fnmsub: fused(format, true, false),
		fnmadd: fused(format, true, true),
		fadd: arithmetic(format, 2, (f) => f.add, true),
		fsub: arithmetic(format, 2, (f) => f.sub, true),
		fmul: arithmetic(format, 2, (f) => f.mul, true),
		fdiv: arithmetic(format, 2, (f) => f.div, true),
		fsqrt: arithmetic(format, 1, (f) => f.sqrt, true),
		fmin: arithmetic(format, 2, (f) => f.min, false),
		fmax: arithmetic(format, 2, (f) => f.max, false),
		feq: toInteger(format, 2, (f) => f.eq, false),
		flt: toInteger(format, 2, (f) => f.lt, false),
		fle: toInteger(format, 2, (f) => f.le, false),
		fclass: plain((c) => {
			c.needsFloat(false);
			c.setRd(i64.call(format.functions(c).classify, ...operands(format, 1)(c)));
		}),
		'fcvt.w': toInteger(format, 1, (f) => f.toI32, true),
		'fcvt.wu': toInteger(format, 1, (f) => f.toU32, true),
		'fcvt.l': toInteger(format, 1, (f) => f.toI64, true),
		'fcvt.lu': toInteger(format, 1, (f) => f.toU64, true),
	};
	return Object.fromEntries(Object.entries(rows).map(([name, row]) => [`${name}.${suffix}`, row])) as Record<
		`${CommonName}.${S}`,
		Semantics
	>;
}

type CommonName =
	| `f${'n' | ''}m${'add' | 'sub'}`
	| `f${'add' | 'sub' | 'mul' | 'div' | 'sqrt' | 'min' | 'max' | 'eq' | 'lt' | 'le' | 'class'}`
	| `fcvt.${'w' | 'wu' | 'l' | 'lu'}`;

/** Semantics of F and D. */
export const floatSemantics = {
	...common('s', single),
	...common('d', double),
	flw: load(2),
	fld: load(3),
	fsw: store(2),
	fsd: store(3),
	'fsgnj.s': injectSingle((_, b) => b),
	'fsgnjn.s': injectSingle((_, b) => i32.xor(b, -1)),
	'fsgnjx.s': injectSingle((a, b) => i32.xor(a, b)),
	'fsgnj.d': injectDouble((_, b) => b),
	'fsgnjn.d': injectDouble((_, b) => i64.xor(b, -1)),
	'fsgnjx.d': injectDouble((a, b) => i64.xor(a, b)),
	'fcvt.s.w': fromInteger(single, (f) => f.fromI32),
	'fcvt.s.wu': fromInteger(single, (f) => f.fromU32),
	'fcvt.s.l': fromInteger(single, (f) => f.fromI64),
	'fcvt.s.lu': fromInteger(single, (f) => f.fromU64),
	'fcvt.d.w': fromInteger(double, (f) => f.fromI32),
	'fcvt.d.wu': fromInteger(double, (f) => f.fromU32),
	'fcvt.d.l': fromInteger(double, (f) => f.fromI64),
	'fcvt.d.lu': fromInteger(double, (f) => f.fromU64),
	'fcvt.s.d': convert(single, double),
	'fcvt.d.s': convert(double, single),
	'fmv.x.w': plain((c) => {
		c.needsFloat(false);
		c.setRd(i64.extend32(c.fs1));
	}),
	'fmv.x.d': plain((c) => {
		c.needsFloat(false);
		c.setRd(c.fs1);
	}),
	'fmv.w.x': plain((c) => {
		c.needsFloat(true);
		c.setFd(i64.or(c.rs1, BOX));
	}),
	'fmv.d.x': plain((c) => {
		c.needsFloat(true);
		c.setFd(c.rs1);
	}),
} satisfies Record<string, Semantics>;
