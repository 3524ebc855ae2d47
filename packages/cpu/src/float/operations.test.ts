import { describe, expect, test } from 'vitest';
import { type FormatOperations, instantiate, Operands, type Operation, random32, specials } from './testing/harness.ts';
import { model32, model64, type Outcome, type ReferenceModel } from './testing/reference-model.ts';

const harness = instantiate();
const modes = [0, 1, 2, 3, 4];

interface Case {
	readonly operands: readonly bigint[];
	readonly rm: number;
}

/**
 * Runs an operation's general and fast function on all cases, with no flags set before and with NX set before (which the fast
 * ones distinguish); names the first results that differ.
 */
function judge(
	operations: readonly Operation[],
	model: (operands: readonly bigint[], rm: number) => Outcome,
	cases: Iterable<Case>,
): void {
	const wrong: string[] = [];
	let count = 0;
	for (const { operands, rm } of cases) {
		count++;
		const want = model(operands, rm);
		for (const [index, operation] of operations.entries()) {
			for (const before of [0, 1]) {
				const got = operation(operands, rm, before);
				if (got.bits === want.bits && got.flags === (want.flags | before)) continue;
				const show = ({ bits, flags }: Outcome): string => `${bits.toString(16)}/${flags}`;
				const call = `${operands.map((x) => x.toString(16)).join(' ')} rm ${rm} fflags ${before}`;
				wrong.push(`${index ? 'fast' : 'general'} ${call}: ${show(got)}, expected ${show(want)}`);
			}
		}
		if (wrong.length >= 3) break;
	}
	expect(wrong).toEqual([]);
	expect(count).toBeGreaterThan(0);
}

function* tuples(values: readonly bigint[], arity: number): Iterable<bigint[]> {
	if (arity === 0) yield [];
	else for (const value of values) for (const rest of tuples(values, arity - 1)) yield [value, ...rest];
}

function* crossed(values: readonly bigint[], arity: number): Iterable<Case> {
	for (const operands of tuples(values, arity)) for (const rm of modes) yield { operands, rm };
}

function* random(precision: number, arity: number, count: number): Iterable<Case> {
	const source = new Operands(precision, 1);
	for (let i = 0; i < count; i++)
		yield { operands: Array.from({ length: arity }, () => source.value()), rm: someMode(source) };
}

/** To nearest twice as often as any other: that is where the fast functions have their own path. */
const someMode = (source: Operands): number => source.below(6) % 5;

/** Pairs whose product, or whose quotient, is near an end of the normal range. */
function* atTheEnds(precision: number, arity: 2 | 3, quotient: boolean): Iterable<Case> {
	const source = new Operands(precision, 19);
	const bias = precision === 53 ? 1023 : 127;
	const make = (exponent: number): bigint => {
		const field = Math.min(2 * bias, Math.max(0, exponent + bias));
		return (BigInt(field) << BigInt(precision - 1)) + source.fraction();
	};
	for (let i = 0; i < 40_000; i++) {
		const target = source.below(2)
			? bias + 1 - source.below(4)
			: 1 - bias - source.below(2) * source.below(precision + 4) + source.below(3);
		const exponent = source.below(2 * bias) - bias + 1;
		const other = quotient ? exponent - target : target - exponent;
		if (other < -bias || other > bias) continue;
		const operands = [make(exponent), make(other)];
		if (arity === 3) operands.push(source.below(2) ? source.value() : make(target - source.below(precision + 2)));
		yield { operands, rm: someMode(source) };
	}
}

type Both = Record<keyof FormatOperations, readonly Operation[]>;

function both(general: FormatOperations, fast: FormatOperations): Both {
	const pairs = Object.entries(general).map(([name, operation]) => [name, [operation, fast[name as keyof Both]]]);
	return Object.fromEntries(pairs);
}

const formats: [string, Both, ReferenceModel, ReferenceModel][] = [
	['binary64', both(harness.f64, harness.fast64), model64, model32],
	['binary32', both(harness.f32, harness.fast32), model32, model64],
];

describe.each(formats)('%s', (_, operations, model, other) => {
	const { precision } = model;

	describe.each(['add', 'sub', 'mul', 'div'] as const)('%s', (name) => {
		const expected = ([a, b]: readonly bigint[], rm: number): Outcome => model[name](a!, b!, rm);
		test('special operands', () => judge(operations[name], expected, crossed(specials(precision), 2)));
		test('random operands', () => judge(operations[name], expected, random(precision, 2, 40_000)));
		if (name === 'mul' || name === 'div')
			test('results at the ends of the range', () =>
				judge(operations[name], expected, atTheEnds(precision, 2, name === 'div')));
	});

	describe('sqrt', () => {
		const expected = ([a]: readonly bigint[], rm: number): Outcome => model.sqrt(a!, rm);
		test('special operands', () => judge(operations.sqrt, expected, crossed(specials(precision), 1)));
		test('random operands', () => judge(operations.sqrt, expected, random(precision, 1, 20_000)));
	});

	describe('fma', () => {
		const expected = ([a, b, c]: readonly bigint[], rm: number): Outcome => model.fma(a!, b!, c!, rm);
		test('special operands', () => {
			const some = specials(precision).filter((_, i) => ![4, 5, 10, 11, 16, 17, 18, 19, 26, 27].includes(i));
			judge(operations.fma, expected, crossed(some, 3));
		});
		test('random operands', () => judge(operations.fma, expected, random(precision, 3, 60_000)));
		test('products at the ends of the range', () => judge(operations.fma, expected, atTheEnds(precision, 3, false)));
		test('operands whose product nearly cancels the addend', () => {
			function* cases(): Iterable<Case> {
				const source = new Operands(precision, 7);
				for (let i = 0; i < 20_000; i++) {
					const [a, b] = [source.value(), source.value()];
					const product = model.mul(a, b, source.below(5)).bits;
					const c = BigInt.asUintN(
						model.width,
						(product ^ (1n << BigInt(model.width - 1))) + BigInt(source.below(5) - 2),
					);
					yield { operands: [a, b, c], rm: someMode(source) };
				}
			}
			judge(operations.fma, expected, cases());
		});
	});

	test.each(['min', 'max'] as const)('%s', (name) => {
		const expected = ([a, b]: readonly bigint[]): Outcome => model.minMax(a!, b!, name === 'max');
		judge(operations[name], expected, crossed(specials(precision), 2));
		judge(operations[name], expected, random(precision, 2, 10_000));
	});

	test.each(['eq', 'lt', 'le'] as const)('%s', (name) => {
		const expected = ([a, b]: readonly bigint[]): Outcome => model.compare(name, a!, b!);
		judge(operations[name], expected, crossed(specials(precision), 2));
		judge(operations[name], expected, random(precision, 2, 10_000));
	});

	test('classify', () => {
		const expected = ([a]: readonly bigint[]): Outcome => ({ bits: model.classify(a!), flags: 0 });
		judge(operations.classify, expected, crossed(specials(precision), 1));
		judge(operations.classify, expected, random(precision, 1, 10_000));
	});

	test('from the other format', () => {
		const expected = ([a]: readonly bigint[], rm: number): Outcome => model.fromOther(other, a!, rm);
		judge(operations.fromOther, expected, crossed(specials(other.precision), 1));
		judge(operations.fromOther, expected, random(other.precision, 1, 20_000));
	});

	const integers = [
		['I32', 32, true],
		['U32', 32, false],
		['I64', 64, true],
		['U64', 64, false],
	] as const;

	test.each(integers)('to %s', (name, width, signed) => {
		const expected = ([a]: readonly bigint[], rm: number): Outcome => model.toInteger(a!, rm, width, signed);
		// The limits, and halves and neighbours around them.
		const limits = [0n, 1n, 2n, 3n, 1n << 31n, 1n << 32n, 1n << 53n, 1n << 63n, 1n << 64n].flatMap((n) =>
			[-2n, -1n, 0n, 1n, 2n].flatMap((d) => [1n, -1n].map((sign) => model.fromInteger(sign * (2n * n + d), 0).bits)),
		);
		const halves = limits.map(
			(bits) =>
				model.mul(bits, model.div(model.fromInteger(1n, 0).bits, model.fromInteger(2n, 0).bits, 0).bits, 0).bits,
		);
		judge(operations[`to${name}`], expected, crossed([...limits, ...halves, ...specials(precision)], 1));
		function* around(): Iterable<Case> {
			const source = new Operands(precision, 3);
			const bias = precision === 53 ? 1023 : 127;
			for (let i = 0; i < 30_000; i++) {
				const exponent = BigInt(bias - 3 + source.below(70) + source.below(2) * (bias + 1) * 2);
				yield { operands: [(exponent << BigInt(precision - 1)) + source.fraction()], rm: someMode(source) };
			}
		}
		judge(operations[`to${name}`], expected, around());
	});

	test.each(integers)('from %s', (name, width, signed) => {
		const value = (x: bigint): bigint => (signed ? BigInt.asIntN(width, x) : BigInt.asUintN(width, x));
		const expected = ([x]: readonly bigint[], rm: number): Outcome => model.fromInteger(value(x!), rm);
		function* registers(): Iterable<Case> {
			const source = new Operands(precision, 5);
			for (const x of [0n, 1n, (1n << 31n) - 1n, 1n << 31n, (1n << 32n) - 1n, 1n << 32n, (1n << 63n) - 1n, 1n << 63n])
				for (const rm of modes) yield { operands: [x], rm };
			for (let i = 0; i < 20_000; i++) {
				const bits = source.bits64() >> BigInt(source.below(64));
				const mask = source.below(2) ? -1n << BigInt(source.below(64)) : -1n;
				const flip = source.below(2) ? -1n : 0n;
				yield { operands: [BigInt.asUintN(64, (bits & mask) ^ flip)], rm: someMode(source) };
			}
		}
		judge(operations[`from${name}`], expected, registers());
	});

	test('flags accrue and the rest of fcsr is kept', () => {
		const one = model.fromInteger(1n, 0).bits;
		const three = model.fromInteger(3n, 0).bits;
		for (const operation of operations.div) {
			expect(operation([one, 0n], 0, 0b010_00001).flags).toBe(0b010_01001);
			expect(operation([one, three], 0, 0b111_11000).flags).toBe(0b111_11001);
			expect(operation([three, one], 0, 0b111_00000).flags).toBe(0b111_00000);
		}
	});
});

describe('against the host, to nearest', () => {
	const source = new Operands(53, 11);
	const view = new DataView(new ArrayBuffer(8));
	const toNumber = (bits: bigint): number => {
		view.setBigUint64(0, bits);
		return view.getFloat64(0);
	};
	const toBits = (value: number): bigint => {
		view.setFloat64(0, value);
		return Number.isNaN(value) ? model64.nan : view.getBigUint64(0);
	};
	const host = {
		add: (a: number, b: number) => a + b,
		sub: (a: number, b: number) => a - b,
		mul: (a: number, b: number) => a * b,
		div: (a: number, b: number) => a / b,
		sqrt: (a: number, _: number) => Math.sqrt(a),
	};
	test.each(Object.keys(host) as (keyof typeof host)[])('%s', (name) => {
		const arity = name === 'sqrt' ? 1 : 2;
		for (let i = 0; i < 20_000; i++) {
			const [a, b] = [source.value(), source.value()];
			const got = harness.f64[name]([a, b].slice(0, arity), 0).bits;
			if (got !== toBits(host[name](toNumber(a), toNumber(b)))) expect.fail(`${name} ${a} ${b}: ${got}`);
		}
		const source32 = new Operands(24, 13);
		const toNumber32 = (bits: bigint): number => {
			view.setUint32(0, Number(bits));
			return view.getFloat32(0);
		};
		const toBits32 = (value: number): bigint => {
			view.setFloat32(0, value);
			return Number.isNaN(value) ? model32.nan : BigInt(view.getUint32(0));
		};
		for (let i = 0; i < 20_000; i++) {
			const [a, b] = [source32.value(), source32.value()];
			const got = harness.f32[name]([a, b].slice(0, arity), 0).bits;
			const want = toBits32(Math.fround(host[name](toNumber32(a), toNumber32(b))));
			if (got !== want) expect.fail(`${name} ${a} ${b}: ${got}, expected ${want}`);
		}
	});
});

test('high products', () => {
	const next = random32(17);
	const word = (): bigint => {
		const bits = (BigInt(next()) << 32n) | BigInt(next());
		return BigInt.asUintN(64, next() % 2 ? bits : BigInt.asIntN(64, bits) >> BigInt(next() % 64));
	};
	const edges = [0n, 1n, 0xffff_ffffn, 1n << 32n, (1n << 63n) - 1n, 1n << 63n, (1n << 64n) - 1n];
	const pairs = edges.flatMap((a) => edges.map((b) => [a, b] as const));
	for (let i = 0; i < 10_000; i++) pairs.push([word(), word()]);
	const high = (x: bigint): bigint => BigInt.asUintN(64, x >> 64n);
	for (const [a, b] of pairs) {
		const signed = BigInt.asIntN(64, a);
		expect(harness.multiply.mulhu(a, b)).toBe(high(a * b));
		expect(harness.multiply.mulh(a, b)).toBe(high(signed * BigInt.asIntN(64, b)));
		expect(harness.multiply.mulhsu(a, b)).toBe(high(signed * b));
	}
});
