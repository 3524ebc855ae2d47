import { expect, test } from 'vitest';
import loadWabt from 'wabt';
import { I32, I64, i32, ModuleBuilder, Op } from './index.ts';

/** A module with every kind of section. */
function everything(): ModuleBuilder {
	const module = new ModuleBuilder();
	module.importMemory('env', 'memory', 3);
	module.importTable('env', 'table', 8);
	const log = module.importFunction('env', 'log', [I32]);
	const twice = module.function([I32], [I32], 'twice');
	twice.return(i32.shl(twice.param<I32>(0), 1));
	const square = module.function([I32], [I32]);
	square.return(i32.mul(square.param<I32>(0), square.param<I32>(0)));
	module.exportFunction('square', square);
	module.elements(5, [twice, square]);
	const apply = module.function([I32, I32], [I32], 'apply');
	apply.call(log, apply.param<I32>(0));
	apply.push(apply.param<I32>(1));
	apply.push(apply.param<I32>(0));
	apply.callIndirect(module.typeIndex([I32], [I32]));
	return module;
}

test('imports, exports, the table and indirect calls', () => {
	const memory = new WebAssembly.Memory({ initial: 3 });
	const table = new WebAssembly.Table({ initial: 8, element: 'anyfunc' });
	const logged: number[] = [];
	const env = { memory, table, log: (value: number) => logged.push(value) };
	const { exports } = new WebAssembly.Instance(new WebAssembly.Module(everything().emit()), { env });
	const { apply, square } = exports as Record<string, (...args: number[]) => number>;
	expect(apply!(5, 21)).toBe(42);
	expect(apply!(6, 5)).toBe(25);
	expect(square!(9)).toBe(81);
	expect(logged).toEqual([5, 6]);
	expect(table.get(5)).toBe(exports.twice);
});

test('the bytes read back as what was built', async () => {
	const wabt = await loadWabt();
	const module = wabt.readWasm(everything().emit(), {});
	module.validate();
	expect(module.toText({ foldExprs: true })).toBe(`(module
  (type (;0;) (func (param i32)))
  (type (;1;) (func (param i32) (result i32)))
  (type (;2;) (func (param i32 i32) (result i32)))
  (import "env" "memory" (memory (;0;) 3))
  (import "env" "table" (table (;0;) 8 funcref))
  (import "env" "log" (func (;0;) (type 0)))
  (func (;1;) (type 1) (param i32) (result i32)
    (return
      (i32.shl
        (local.get 0)
        (i32.const 1))))
  (func (;2;) (type 1) (param i32) (result i32)
    (return
      (i32.mul
        (local.get 0)
        (local.get 0))))
  (func (;3;) (type 2) (param i32 i32) (result i32)
    (call 0
      (local.get 0))
    (call_indirect (type 1)
      (local.get 1)
      (local.get 0)))
  (export "twice" (func 1))
  (export "square" (func 2))
  (export "apply" (func 3))
  (elem (;0;) (i32.const 5) func 1 2))
`);
});

test('equal signatures share one type, different ones do not', () => {
	const module = new ModuleBuilder();
	expect(module.typeIndex([I32, I64], [])).toBe(0);
	expect(module.typeIndex([I32], [I64])).toBe(1);
	expect(module.typeIndex([I32, I64], [])).toBe(0);
});

test('an import after a definition is refused', () => {
	const module = new ModuleBuilder();
	module.function([], []);
	expect(() => module.importFunction('env', 'late', [])).toThrow('before the first one is defined');
});

test('emitting twice gives the same bytes', () => {
	const module = everything();
	expect(module.emit()).toEqual(module.emit());
	const empty = new ModuleBuilder();
	expect(WebAssembly.validate(empty.emit())).toBe(true);
	empty.function([], []).op(Op.nop);
	expect(WebAssembly.validate(empty.emit())).toBe(true);
});
