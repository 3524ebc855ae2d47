import { describe, expect, test } from 'vitest';
import { type FunctionBuilder, I32, I64, i32, i64, ModuleBuilder, Op, type ValueType } from './index.ts';

type Exported = (...args: (number | bigint)[]) => unknown;

/** Builds one function over a memory. */
function build(
	params: readonly ValueType[],
	results: readonly ValueType[],
	body: (f: FunctionBuilder) => void,
): { run: Exported; memory: Uint8Array } {
	const module = new ModuleBuilder();
	module.importMemory('env', 'memory');
	body(module.function(params, results, 'run'));
	const memory = new WebAssembly.Memory({ initial: 1 });
	const instance = new WebAssembly.Instance(new WebAssembly.Module(module.emit()), { env: { memory } });
	return { run: instance.exports.run as Exported, memory: new Uint8Array(memory.buffer) };
}

describe('control flow', () => {
	test('while repeats as long as its condition holds', () => {
		const { run } = build([I64], [I64], (f) => {
			const n = f.param<I64>(0);
			const product = f.local(I64);
			f.set(product, 1);
			f.while(i64.gtU(n, 1), () => {
				f.set(product, i64.mul(product, n));
				f.set(n, i64.sub(n, 1));
			});
			f.return(product);
		});
		expect(run(20n)).toBe(2432902008176640000n);
		expect(run(0n)).toBe(1n);
	});

	test('if, with and without the other arm', () => {
		const { run } = build([I32], [I32], (f) => {
			const result = f.local(I32);
			f.if(
				f.param<I32>(0),
				() => f.set(result, 1),
				() => f.set(result, 2),
			);
			f.if(i32.eq(f.param<I32>(0), 7), () => f.set(result, 3));
			f.return(result);
		});
		expect([0, 1, 7].map((x) => run(x))).toEqual([2, 1, 3]);
	});

	test('prepend puts instructions before those that are there', () => {
		const { run } = build([I32], [I32], (f) => {
			const value = f.local(I32);
			f.return(i32.add(value, f.param<I32>(0)));
			f.prepend(() => f.set(value, 40));
			f.block(() => expect(() => f.prepend(() => {})).toThrow('within a construct'));
		});
		expect(run(2)).toBe(42);
	});

	test('br_table takes the label of the number, or the fallback', () => {
		const { run } = build([I32], [I32], (f) => {
			f.block((fallback) => {
				f.block((one) => {
					f.block((zero) => {
						f.push(f.param<I32>(0));
						f.brTable([zero, one], fallback);
					});
					f.return(10);
				});
				f.return(11);
			});
			f.return(12);
		});
		expect([0, 1, 2, -1].map((x) => run(x))).toEqual([10, 11, 12, 12]);
	});

	test('branches leave several constructs, loops repeat, blocks carry values', () => {
		const { run } = build([I32], [I32], (f) => {
			const n = f.param<I32>(0);
			f.block((done) => {
				f.loop((again) => {
					f.push(n);
					f.brIf(done, i32.geS(n, 100));
					f.op(Op.drop);
					f.set(n, i32.mul(n, 3));
					f.br(again);
				});
				f.op(Op.unreachable);
			}, I32);
		});
		expect(run(2)).toBe(162);
	});

	test('constructs opened by hand nest like the others', () => {
		const { run } = build([I32], [I32], (f) => {
			const outer = f.open(Op.block);
			const inner = f.open(Op.block);
			f.brIf(outer, i32.eq(f.param<I32>(0), 1));
			f.br(inner);
			f.close();
			f.return(5);
			f.close();
			f.return(6);
		});
		expect([0, 1].map((x) => run(x))).toEqual([5, 6]);
	});
});

test('locals of mixed types start at zero and follow the parameters', () => {
	const { run } = build([I32], [I64], (f) => {
		const a = f.local(I64);
		const b = f.local(I32);
		const c = f.local(I64);
		f.set(c, 5);
		f.return(i64.add(i64.add(a, c), i64.extendS(i32.add(b, f.param<I32>(0)))));
	});
	expect(run(-7)).toBe(-2n);
});

test('memory.copy and memory.fill', () => {
	const { run, memory } = build([I32, I32], [], (f) => {
		f.memoryFill(f.param<I32>(0), 0x1ab, 4);
		f.memoryCopy(f.param<I32>(1), i32.sub(f.param<I32>(0), 1), 4);
	});
	run(16, 32);
	expect([...memory.subarray(15, 21)]).toEqual([0, 0xab, 0xab, 0xab, 0xab, 0]);
	expect([...memory.subarray(32, 37)]).toEqual([0, 0xab, 0xab, 0xab, 0]);
});

test('functions call each other, in either order of definition', () => {
	const module = new ModuleBuilder();
	const isOdd = module.function([I32], [I32], 'isOdd');
	const isEven = module.function([I32], [I32]);
	isEven.return(i32.if(isEven.param<I32>(0), i32.call(isOdd, i32.sub(isEven.param<I32>(0), 1)), 1));
	isOdd.return(i32.if(isOdd.param<I32>(0), i32.call(isEven, i32.sub(isOdd.param<I32>(0), 1)), 0));
	const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.emit()));
	expect([6, 7].map((n) => (exports.isOdd as Exported)(n))).toEqual([0, 1]);
});

describe('mistakes', () => {
	const f = (): FunctionBuilder => new ModuleBuilder().function([I32], []);

	test('a parameter that is not there', () => {
		expect(() => f().param(1)).toThrow('function has 1 parameters, not 2');
	});

	test('constructs left open, or closed once too often', () => {
		const open = f();
		open.open(Op.block);
		expect(() => open.finish()).toThrow('1 constructs are still open');
		expect(() => f().close()).toThrow('close() without an open construct');
	});

	test('a branch to a closed construct, even where another is open at its depth', () => {
		const builder = f();
		const first = builder.open(Op.block);
		builder.close();
		expect(() => builder.br(first)).toThrow('closed');
		builder.open(Op.block);
		expect(() => builder.br(first)).toThrow('closed');
	});

	test('an if with a value and one arm', () => {
		const builder = f();
		builder.push(1);
		expect(() => builder.ifStack(() => builder.push(1), undefined, I32)).toThrow('needs both arms');
	});
});
