// Floating point: 1000 calls per iteration, from a loop in the same module over 1000 operand triples. "general" is the exact
// integer path, "fast" the native one in front of it, with NX set and rounding to nearest, as in a program that runs.
import * as cpu from '@partita/cpu';
import * as builder from '@partita/wasm-builder';
import { test } from 'vitest';

// Taken once: the test runner makes each access to an imported name a getter.
const { emitFloat } = cpu;
const { I32, I64, ModuleBuilder, i32, i64 } = builder;
type FormatFunctions = cpu.FormatFunctions;

const CALLS = 1000;
const FLAGS = 0;
/** Operands: three arrays of 64-bit words, and one of results. */
const ARRAYS = 64;
const STRIDE = 8 * CALLS;

const operations = ['add', 'mul', 'div', 'sqrt', 'fma', 'lt', 'toI64', 'fromI64', 'fromOther'] as const;

function instantiate(): { run: (name: string) => () => void; memory: ArrayBuffer } {
	const module = new ModuleBuilder();
	module.importMemory('env', 'memory');
	const float = emitFloat(module, { flagsAddress: FLAGS });
	const loop = (name: string, callee: FormatFunctions['add']): void => {
		// To nearest, but to integers towards zero, as a cast does.
		const rm = name.includes('toI64') ? 1 : 0;
		const f = module.function([], [], name);
		const at = f.local(I32);
		f.while(i32.ltU(at, STRIDE), () => {
			const args = callee.params.map((type, i) => {
				if (type === I64) return i64.load(at, ARRAYS + i * STRIDE);
				return i === callee.params.length - 1 && !name.includes('lt') ? rm : i32.load(at, ARRAYS + i * STRIDE);
			});
			if (callee.results[0] === I64) i64.store(f, at, i64.call(callee, ...args), ARRAYS + 3 * STRIDE);
			else i32.store(f, at, i32.call(callee, ...args), ARRAYS + 3 * STRIDE);
			f.set(at, i32.add(at, 8));
		});
	};
	for (const name of operations) {
		for (const format of ['f64', 'f32'] as const) {
			loop(`${format} ${name} general`, float[format][name]);
			loop(`${format} ${name} fast`, float.fast[format][name]);
		}
	}
	const memory = new WebAssembly.Memory({ initial: 1 });
	const instance = new WebAssembly.Instance(new WebAssembly.Module(module.emit()), { env: { memory } });
	return { run: (name) => instance.exports[name] as () => void, memory: memory.buffer };
}

/** Operands between 1 and 100, as the operation takes them. */
function fill(memory: ArrayBuffer, format: 'f64' | 'f32', operation: string): void {
	const view = new DataView(memory);
	view.setUint32(FLAGS, 1, true);
	let seed = 1;
	for (let i = 0; i < 3 * CALLS; i++) {
		seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
		const value = 1 + (seed / 2 ** 32) * 99;
		const address = ARRAYS + 8 * i;
		if (operation === 'fromI64') view.setBigInt64(address, BigInt(Math.floor(value * 2 ** 50)), true);
		else if ((format === 'f64') === (operation !== 'fromOther')) view.setFloat64(address, value, true);
		else view.setFloat32(address, value, true);
	}
}

const { run, memory } = instantiate();

for (const format of ['f64', 'f32'] as const) {
	for (const operation of operations) {
		test(`${format} ${operation}`, async ({ bench }) => {
			for (const path of ['general', 'fast']) {
				const name = `${format} ${operation} ${path}`;
				fill(memory, format, operation);
				await bench(`1000 x ${name}`, run(name)).run();
			}
		});
	}
}

test('emission and compilation of all functions', async ({ bench }) => {
	await bench('emitFloat', () => {
		const module = new ModuleBuilder();
		module.importMemory('env', 'memory');
		emitFloat(module, { flagsAddress: FLAGS });
		new WebAssembly.Module(module.emit());
	}).run();
});
