/**
 * Carry-less multiplication, which WebAssembly lacks (Zbc: The RISC-V Instruction Set Manual, Volume I, section 28.4.3).
 */
import {
	type Expr,
	type FunctionRef,
	I64,
	i64,
	type Local,
	type ModuleBuilder,
	type Operand,
} from '@partita/wasm-builder';

/** Emits the low and high halves of the carry-less product of two 64-bit numbers. */
export function emitCarrylessProducts(module: ModuleBuilder): { clmul: FunctionRef; clmulh: FunctionRef } {
	const clmul = emitSum(module, (a, position) => i64.shl(a, position));
	// Where bit i of b is set, the high half gets a >> (64 - i): nothing for i = 0.
	const clmulh = emitSum(module, (a, position) => i64.select(i64.eqz(position), 0, i64.shrU(a, i64.sub(64, position))));
	return { clmul, clmulh };
}

/** The exclusive or of `term(a, i)` over the set bits i of b. */
function emitSum(module: ModuleBuilder, term: (a: Local<I64>, position: Expr<I64>) => Operand<I64>): FunctionRef {
	const f = module.function([I64, I64], [I64]);
	const [a, b] = [f.param<I64>(0), f.param<I64>(1)];
	const sum = f.local(I64);
	const position = f.local(I64);
	f.while(i64.ne(b, 0), () => {
		f.set(position, i64.ctz(b));
		f.set(sum, i64.xor(sum, term(a, position)));
		f.set(b, i64.and(b, i64.sub(b, 1)));
	});
	f.push(sum);
	return f;
}
