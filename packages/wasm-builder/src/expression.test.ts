import { describe, expect, test } from 'vitest';
import loadWabt from 'wabt';
import {
	type Expr,
	F32,
	F64,
	type FunctionBuilder,
	f32,
	f64,
	I32,
	I64,
	i32,
	i64,
	ModuleBuilder,
	type Operand,
	type ValueType,
} from './index.ts';

const wabt = await loadWabt();
const families = { i32, i64, f32, f64 };

/** The instructions of the only function's body as the disassembler names them. */
function disassemble(build: (f: FunctionBuilder) => void): string[] {
	const module = new ModuleBuilder();
	module.importMemory('env', 'memory');
	build(module.function([], []));
	const bytes = module.emit();
	expect(WebAssembly.validate(bytes)).toBe(true);
	const lines = wabt.readWasm(bytes, {}).toText({ foldExprs: false }).split('\n');
	// Bodies are indented by two levels; the last line closes the function and the module.
	return lines.filter((line) => line.startsWith('    ')).map((line) => line.trim().replace(/\)+$/, ''));
}

/** `truncSatF64S` of `i32` is `i32.trunc_sat_f64_s` in the text format; a few names say less than the text format's. */
function textName(family: string, method: string): string {
	const special: Record<string, string> = {
		wrap: 'wrap_i64',
		extendS: 'extend_i32_s',
		extendU: 'extend_i32_u',
		extend8: 'extend8_s',
		extend16: 'extend16_s',
		extend32: 'extend32_s',
		promote: 'promote_f32',
		demote: 'demote_f64',
		reinterpret: `reinterpret_${{ i32: 'f32', i64: 'f64', f32: 'i32', f64: 'i64' }[family]}`,
	};
	const snake = method
		.replace(/([SU])$/, '_$1')
		.replace(/([a-z])([A-Z])/g, '$1_$2')
		.toLowerCase();
	return `${family}.${special[method] ?? snake}`;
}

const generic = ['select', 'if', 'tee', 'call', 'do', 'const'];
const rows = Object.entries(families).flatMap(([family, methods]) =>
	Object.entries(methods)
		.filter(([method]) => !generic.includes(method))
		.map(([method, build]) => [`${family}.${method}`, family, method, build] as const),
);

test.each(rows)('%s is the instruction of that name', (_, family, method, build) => {
	const name = textName(family, method);
	const code = disassemble((f) => {
		const value = { i32: i32.const(1), i64: i64.const(1), f32: f32.const(1), f64: f64.const(1) };
		if (method.startsWith('store')) {
			(build as typeof i64.store)(f, 16, value[family as 'i64'], 40);
			return;
		}
		const sources = /^(?:\w+\.)(?:\w+)_(i32|i64|f32|f64)(?:_[su])?$/.exec(name);
		const source = (method.startsWith('load') ? 'i32' : (sources?.[1] ?? family)) as 'i64';
		const operand = method.startsWith('load') ? i32.const(16) : value[source];
		const second = method.startsWith('load') ? 40 : operand;
		f.push((build as (a: Operand<ValueType>, b: Operand<ValueType> | number) => Expr)(operand, second));
		f.op(0x1a);
	});
	const instruction = code.find((line) => !/\.const|drop/.test(line))!;
	expect(instruction.replace(/ align=1$/, '')).toBe(/load|store/.test(method) ? `${name} offset=40` : name);
});

describe('evaluation', () => {
	/** Runs an expression over parameters. */
	function run<T extends ValueType>(
		params: readonly ValueType[],
		result: T,
		build: (f: FunctionBuilder) => Operand<T>,
		...args: (number | bigint)[]
	): unknown {
		const module = new ModuleBuilder();
		const f = module.function(params, [result], 'run');
		f.return(build(f));
		const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.emit()));
		return (exports.run as (...args: (number | bigint)[]) => unknown)(...args);
	}

	test('operands are evaluated left to right', () => {
		const difference = (f: FunctionBuilder) => i32.sub(f.param<I32>(0), f.param<I32>(1));
		expect(run([I32, I32], I32, difference, 7, 2)).toBe(5);
	});

	test('select and if take the first value where the condition is nonzero', () => {
		for (const choose of ['select', 'if'] as const) {
			const build = (f: FunctionBuilder) => i64[choose](f.param<I32>(0), 10, 20);
			expect(run([I32], I64, build, 4)).toBe(10n);
			expect(run([I32], I64, build, 0)).toBe(20n);
		}
	});

	test('if evaluates only the arm that it takes', () => {
		const build = (f: FunctionBuilder) => i32.if(f.param<I32>(0), i32.divU(1, f.param<I32>(0)), 9);
		expect(run([I32], I32, build, 0)).toBe(9);
	});

	test('tee assigns and is the value', () => {
		const build = (f: FunctionBuilder) => {
			const local = f.local(I32);
			return i32.mul(i32.tee(local, i32.add(f.param<I32>(0), 1)), local);
		};
		expect(run([I32], I32, build, 4)).toBe(25);
	});

	test('do runs statements first', () => {
		const build = (f: FunctionBuilder) =>
			i32.do((inner) => {
				inner.set(f.param<I32>(0), 3);
				return i32.add(f.param<I32>(0), 1);
			});
		expect(run([I32], I32, build, 100)).toBe(4);
	});

	test('constants of every type', () => {
		expect(run([], I32, () => 0xffff_ffff)).toBe(-1);
		expect(run([], I32, () => -1n)).toBe(-1);
		expect(run([], I64, () => 2 ** 53 - 1)).toBe(2n ** 53n - 1n);
		expect(run([], I64, () => -(2 ** 40) - 1)).toBe(-(2n ** 40n) - 1n);
		expect(run([], I64, () => 0x8000_0000_0000_0001n)).toBe(-0x7fff_ffff_ffff_ffffn);
		expect(run([], F64, () => -0)).toBe(-0);
		expect(run([], F64, () => 1e300)).toBe(1e300);
		expect(run([], F32, () => 0.1)).toBe(Math.fround(0.1));
		expect(run([], F64, () => Number.NaN)).toBe(Number.NaN);
	});
});

describe('mistakes', () => {
	const f = (): FunctionBuilder => new ModuleBuilder().function([I32, I64], [I32]);

	test('an operand of the wrong type', () => {
		const wrong = i64.const(1) as unknown as Expr<I32>;
		expect(() => f().push(i32.add(wrong, 1))).toThrow('an i64 where an i32 is expected');
		expect(() => f().if(wrong, () => {})).toThrow(TypeError);
		expect(() => f().return(wrong)).toThrow(TypeError);
	});

	test('a constant that the type cannot hold', () => {
		expect(() => f().i32Const(2 ** 32)).toThrow(RangeError);
		expect(() => f().i32Const(-(2 ** 31) - 1)).toThrow(RangeError);
		expect(() => f().i32Const(1.5)).toThrow(RangeError);
		expect(() => f().i32Const(Number.NaN)).toThrow(RangeError);
		expect(() => f().i64Const(2 ** 53)).toThrow('write it as a bigint');
	});

	test('a call for a result of another type, or with other arguments', () => {
		const callee = f();
		expect(() => i64.call(callee, 1, 2)).toThrow('does not return one i64');
		expect(() => f().push(i32.call(callee, 1))).toThrow('1 arguments of a function with 2');
		expect(() => f().push(i32.call(callee, 1, i32.const(1)))).toThrow('an i32 where an i64 is expected');
	});
});
