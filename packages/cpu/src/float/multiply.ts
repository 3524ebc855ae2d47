/** High halves of 64-bit products from 32-bit halves: WebAssembly has no 128-bit arithmetic. */
import {
	type Expr,
	type FunctionBuilder,
	type FunctionRef,
	I64,
	i64,
	type Local,
	type ModuleBuilder,
} from '@partita/wasm-builder';

/** Statements that leave the high half of the unsigned product `a * b` as the value. */
export function highProduct(f: FunctionBuilder, a: Local<I64>, b: Local<I64>): Expr<I64> {
	const low = (x: Local<I64>): Expr<I64> => i64.and(x, 0xffff_ffff);
	const high = (x: Local<I64>): Expr<I64> => i64.shrU(x, 32);
	const middle = f.local(I64);
	const other = f.local(I64);
	// ah·bl + ((al·bl) >> 32) cannot overflow: (2^32 - 1)^2 + 2^32 - 1 < 2^64.
	f.set(middle, i64.add(i64.mul(high(a), low(b)), i64.shrU(i64.mul(low(a), low(b)), 32)));
	f.set(other, i64.add(i64.mul(low(a), high(b)), low(middle)));
	return i64.add(i64.add(i64.mul(high(a), high(b)), high(middle)), high(other));
}

/** `mulhu`, `mulh`, `mulhsu` of the M extension. */
export function emitMultiply(module: ModuleBuilder): Record<'mulhu' | 'mulh' | 'mulhsu', FunctionRef> {
	const emit = (signedOperands: 0 | 1 | 2): FunctionRef => {
		const f = module.function([I64, I64], [I64]);
		const a = f.param<I64>(0);
		const b = f.param<I64>(1);
		let product = highProduct(f, a, b);
		// A negative operand reads 2^64 too large: that is the other operand too much in the high half.
		if (signedOperands >= 1) product = i64.sub(product, i64.and(i64.shrS(a, 63), b));
		if (signedOperands === 2) product = i64.sub(product, i64.and(i64.shrS(b, 63), a));
		f.return(product);
		return f;
	};
	return { mulhu: emit(0), mulh: emit(2), mulhsu: emit(1) };
}
