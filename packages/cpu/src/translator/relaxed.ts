/**
 * `f64x2.relaxed_madd` (WebAssembly 3.0, relaxed SIMD) on one double. It may round once or twice, which a host chooses for
 * all times: where it rounds once, it is the fused multiply-add that RISC-V wants.
 */
import { type Expr, F64, type FunctionBuilder, ModuleBuilder, type Operand } from '@partita/wasm-builder';

/** Opcodes behind the SIMD prefix 0xFD. */
const SPLAT = [0xfd, 0x14] as const;
const EXTRACT_FIRST = [0xfd, 0x21, 0] as const;
const RELAXED_MADD = [0xfd, 0x87, 0x02] as const;

/** a·b + c, rounded as the host does. */
export function relaxedMultiplyAdd(a: Operand<F64>, b: Operand<F64>, c: Operand<F64>): Expr<F64> {
	return {
		type: F64,
		emit: (f: FunctionBuilder) => {
			for (const operand of [a, b, c]) {
				f.push(operand, F64);
				f.op(...SPLAT);
			}
			f.op(...RELAXED_MADD, ...EXTRACT_FIRST);
		},
	};
}

let fuses: boolean | undefined;

/** Whether the host has relaxed SIMD and rounds once. */
export function fusesMultiplyAdd(): boolean {
	fuses ??= probe();
	return fuses;
}

function probe(): boolean {
	const module = new ModuleBuilder();
	const f = module.function([F64, F64, F64], [F64], 'madd');
	f.push(relaxedMultiplyAdd(f.param<F64>(0), f.param<F64>(1), f.param<F64>(2)));
	const bytes = module.emit();
	if (!WebAssembly.validate(bytes)) return false;
	const { madd } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as {
		madd: (a: number, b: number, c: number) => number;
	};
	// (1 + e)(1 - e) - 1 = -e²: nothing is left of it where the product is rounded first.
	const e = 2 ** -30;
	return madd(1 + e, 1 - e, -1) === -(e * e);
}
