import { I32, I64, ModuleBuilder } from '@partita/wasm-builder';
import { expect, test } from 'vitest';
import { box, unbox } from './format.ts';

test('NaN boxing: what is not boxed reads as the canonical NaN', () => {
	const module = new ModuleBuilder();
	const boxed = module.function([I32], [I64], 'box');
	boxed.return(box(boxed.param<I32>(0)));
	const unboxed = module.function([I64], [I32], 'unbox');
	unboxed.return(unbox(unboxed.param<I64>(0), unboxed.local(I64)));
	const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.emit()));
	const wasm = exports as { box: (bits: number) => bigint; unbox: (register: bigint) => number };

	expect(BigInt.asUintN(64, wasm.box(0x3f80_0000))).toBe(0xffff_ffff_3f80_0000n);
	expect(BigInt.asUintN(64, wasm.box(-1))).toBe(0xffff_ffff_ffff_ffffn);
	expect(wasm.unbox(0xffff_ffff_3f80_0000n)).toBe(0x3f80_0000);
	expect(wasm.unbox(0xffff_ffff_0000_0000n)).toBe(0);
	for (const register of [0n, 0x3f80_0000n, 0xffff_fffe_3f80_0000n, 0x7fff_ffff_3f80_0000n, 0x3ff0_0000_0000_0000n])
		expect(wasm.unbox(register)).toBe(0x7fc0_0000);
});
