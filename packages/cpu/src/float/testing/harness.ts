/** Test support: the emitted functions as JavaScript functions on BigInt bit patterns, and operands worth testing. */
import { type FunctionRef, I32, ModuleBuilder } from '@partita/wasm-builder';
import { emitFloat } from '../emit.ts';
import type { FormatFunctions } from '../functions.ts';
import type { Outcome } from './reference-model.ts';

/** Calls an operation with the flags given and says what it returned and what the flags are then. */
export type Operation = (operands: readonly bigint[], rm: number, flagsBefore?: number) => Outcome;

export type FormatOperations = Record<keyof FormatFunctions, Operation>;

export interface FloatHarness {
	readonly f64: FormatOperations;
	readonly f32: FormatOperations;
	readonly fast64: FormatOperations;
	readonly fast32: FormatOperations;
	readonly multiply: Record<'mulhu' | 'mulh' | 'mulhsu', (a: bigint, b: bigint) => bigint>;
}

const flagsAddress = 560;

/** Instantiates a module of nothing but the float functions. */
export function instantiate(): FloatHarness {
	const module = new ModuleBuilder();
	module.importMemory('env', 'memory', 1);
	const float = emitFloat(module, { flagsAddress });
	const memory = new WebAssembly.Memory({ initial: 1 });
	const words = new Int32Array(memory.buffer);
	const refs: FunctionRef[] = [];
	const exported = (ref: FunctionRef): string => {
		if (!refs.some(({ index }) => index === ref.index)) {
			refs.push(ref);
			module.exportFunction(String(ref.index), ref);
		}
		return String(ref.index);
	};
	const lists = [float.f64, float.f32, float.fast.f64, float.fast.f32];
	for (const list of lists) for (const ref of Object.values(list)) exported(ref);
	for (const ref of [float.mulhu, float.mulh, float.mulhsu]) exported(ref);
	const instance = new WebAssembly.Instance(new WebAssembly.Module(module.emit()), { env: { memory } });

	type Call = (...args: (number | bigint)[]) => number | bigint;
	const call = (ref: FunctionRef): Call => instance.exports[String(ref.index)] as Call;
	const operation = (ref: FunctionRef): Operation => {
		const wasm = call(ref);
		const result = ref.results[0] === I32 ? 32 : 64;
		return (operands, rm, flagsBefore = 0) => {
			words[flagsAddress / 4] = flagsBefore;
			const args = ref.params.map((type, position) => {
				const operand = operands[position];
				if (operand === undefined) return rm;
				return type === I32 ? Number(BigInt.asIntN(32, operand)) : operand;
			});
			const bits = BigInt.asUintN(result, BigInt(wasm(...args)));
			return { bits, flags: words[flagsAddress / 4]! };
		};
	};
	const operations = (functions: FormatFunctions): FormatOperations =>
		Object.fromEntries(Object.entries(functions).map(([name, ref]) => [name, operation(ref)])) as FormatOperations;
	const multiply = (ref: FunctionRef) => (a: bigint, b: bigint) => BigInt.asUintN(64, BigInt(call(ref)(a, b)));
	return {
		f64: operations(float.f64),
		f32: operations(float.f32),
		fast64: operations(float.fast.f64),
		fast32: operations(float.fast.f32),
		multiply: {
			mulhu: multiply(float.mulhu),
			mulh: multiply(float.mulh),
			mulhsu: multiply(float.mulhsu),
		},
	};
}

/** A generator of 32-bit numbers (xorshift128, Marsaglia 2003). */
export function random32(seed: number): () => number {
	let [x, y, z, w] = [123456789, 362436069, 521288629, seed | 1];
	const next = (): number => {
		const t = x ^ (x << 11);
		[x, y, z] = [y, z, w];
		w = w ^ (w >>> 19) ^ t ^ (t >>> 8);
		return w >>> 0;
	};
	for (let i = 0; i < 16; i++) next();
	return next;
}

/** Random operands of a format, most of them near something: each other's exponents, ties, the range's ends. */
export class Operands {
	readonly next: () => number;
	readonly #precision: number;
	readonly #exponents: number;
	#near = 0;

	constructor(precision: number, seed: number) {
		this.next = random32(seed);
		this.#precision = precision;
		this.#exponents = precision === 53 ? 2048 : 256;
		this.#near = this.#exponents / 2;
	}

	below(limit: number): number {
		return this.next() % limit;
	}

	/** 64 random bits. */
	bits64(): bigint {
		return (BigInt(this.next()) << 32n) | BigInt(this.next());
	}

	/** A significand field: random, or few ones, or runs of ones. */
	fraction(): bigint {
		const bits = BigInt(this.#precision - 1);
		const limit = 1n << bits;
		switch (this.below(4)) {
			case 0:
				return this.bits64() % limit;
			case 1:
				return ((1n << BigInt(this.below(this.#precision))) + (1n << BigInt(this.below(this.#precision)))) % limit;
			case 2:
				return limit - 1n - (this.bits64() % (1n << BigInt(1 + this.below(this.#precision - 2))));
			default:
				return (
					(((this.bits64() % limit) >> BigInt(this.below(this.#precision))) << BigInt(this.below(8))) & (limit - 1n)
				);
		}
	}

	/** A bit pattern; most are finite. */
	value(): bigint {
		let exponent: number;
		switch (this.below(8)) {
			case 0:
				exponent = this.below(this.#exponents);
				break;
			case 1:
				exponent = this.below(4);
				break;
			case 2:
				exponent = this.#exponents - 1 - this.below(4);
				break;
			case 3:
				exponent = this.#exponents / 2 - 1 + this.below(5) - 2;
				break;
			default:
				exponent = this.#near + this.below(2 * this.#precision) - this.#precision;
		}
		exponent = Math.min(this.#exponents - 1, Math.max(0, exponent));
		if (this.below(4) === 0) this.#near = this.below(this.#exponents);
		const sign = BigInt(this.below(2)) * BigInt(this.#exponents);
		return ((sign + BigInt(exponent)) << BigInt(this.#precision - 1)) + this.fraction();
	}
}

/** Operands at which something changes: 40 of them for either format. */
export function specials(precision: number): bigint[] {
	const fractionBits = BigInt(precision - 1);
	const bias = precision === 53 ? 1023n : 127n;
	const at = (exponent: bigint, fraction: bigint): bigint => ((exponent + bias) << fractionBits) + fraction;
	const full = (1n << fractionBits) - 1n;
	const quiet = 1n << (fractionBits - 1n);
	const positive = [
		0n,
		1n,
		2n,
		full,
		full + 1n,
		full + 2n,
		at(0n, 0n),
		at(0n, 1n),
		at(-1n, full),
		at(-1n, 0n),
		at(1n, quiet),
		at(fractionBits, 1n),
		at(fractionBits + 1n, full),
		at(-fractionBits - 2n, 0n),
		at(bias, full),
		at(bias, 0n),
		at(bias + 1n, 0n),
		at(bias + 1n, quiet),
		at(bias + 1n, quiet + 5n),
		at(bias + 1n, 1n),
	];
	return positive.flatMap((bits) => [bits, bits + (1n << BigInt(precision === 53 ? 63 : 31))]);
}
