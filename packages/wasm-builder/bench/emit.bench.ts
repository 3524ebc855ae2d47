// Emission: one function of 10,000 statements `a = ((a + b) << 3) ^ load(c)`, as expressions and as raw instructions.
import * as builder from '@partita/wasm-builder';
import { test } from 'vitest';

// Taken once: the test runner makes each access to an imported name a getter.
const { I32, I64, i32, i64, ModuleBuilder, Op } = builder;
type I32 = builder.I32;
type I64 = builder.I64;

const STATEMENTS = 10_000;

test('emission', async ({ bench }) => {
	await bench(`${STATEMENTS} statements as expressions`, () => {
		const module = new ModuleBuilder();
		module.importMemory('env', 'memory');
		const f = module.function([I64, I64, I32], [], 'run');
		const [a, b, c] = [f.param<I64>(0), f.param<I64>(1), f.param<I32>(2)];
		for (let i = 0; i < STATEMENTS; i++) {
			f.set(a, i64.xor(i64.shl(i64.add(a, b), 3), i64.load(i32.and(c, 0xfff8), 64)));
		}
		module.emit();
	}).run();

	await bench(`${STATEMENTS} statements as raw instructions`, () => {
		const module = new ModuleBuilder();
		module.importMemory('env', 'memory');
		const f = module.function([I64, I64, I32], [], 'run');
		for (let i = 0; i < STATEMENTS; i++) {
			f.localGet(0);
			f.localGet(1);
			f.op(Op.i64Add);
			f.i64Const(3);
			f.op(Op.i64Shl);
			f.localGet(2);
			f.i32Const(0xfff8);
			f.op(Op.i32And);
			f.memory(Op.i64Load, 64);
			f.op(Op.i64Xor);
			f.localSet(0);
		}
		module.emit();
	}).run();
});
