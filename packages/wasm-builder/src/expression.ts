/**
 * Typed expressions: trees of values that a {@link FunctionBuilder} emits in evaluation order. They make emitted code read
 * as what it computes: `i64.add(a, i64.shl(b, 3))`. An expression is emitted wherever it is used: bind it to a local
 * when it is used twice.
 */
import type { FunctionBuilder, FunctionRef, Local } from './function.ts';
import { F32, F64, I32, I64, Op, Prefixed, typeName, type ValueType } from './opcodes.ts';

/** A value of a known type that can be emitted. */
export interface Expr<T extends ValueType = ValueType> {
	readonly type: T;
	/** Emits code that leaves the value on the stack. */
	emit(f: FunctionBuilder): void;
}

/**
 * An expression, or a constant: a number or a bigint. Integer constants may be written signed or unsigned; a number outside
 * ±2^53 has to be a bigint.
 */
export type Operand<T extends ValueType> = Expr<T> | number | bigint;

/** A node that emits operands, each of its own type, then a tail. */
class Node<T extends ValueType> implements Expr<T> {
	readonly type: T;
	readonly #operands: readonly Operand<ValueType>[];
	readonly #types: readonly ValueType[];
	readonly #tail: (f: FunctionBuilder) => void;

	constructor(
		type: T,
		operands: readonly Operand<ValueType>[],
		types: readonly ValueType[],
		tail: (f: FunctionBuilder) => void,
	) {
		this.type = type;
		this.#operands = operands;
		this.#types = types;
		this.#tail = tail;
	}

	emit(f: FunctionBuilder): void {
		for (let i = 0; i < this.#operands.length; i++) f.push(this.#operands[i]!, this.#types[i]!);
		this.#tail(f);
	}
}

/** Emits an operation on one value. */
export type Unary<A extends ValueType, R extends ValueType> = (a: Operand<A>) => Expr<R>;
/** Emits an operation on two values of one type. */
export type Binary<A extends ValueType, R extends ValueType> = (a: Operand<A>, b: Operand<A>) => Expr<R>;
/** Emits a load from `address + offset`; the offset is unsigned, 32 bits. */
export type Load<R extends ValueType> = (address: Operand<I32>, offset?: number) => Expr<R>;
/** Emits a store to `address + offset`; the offset is unsigned, 32 bits. */
export type Store<A extends ValueType> = (
	f: FunctionBuilder,
	address: Operand<I32>,
	value: Operand<A>,
	offset?: number,
) => void;

function unary<A extends ValueType, R extends ValueType>(from: A, to: R, opcode: number): Unary<A, R> {
	return (a) => new Node(to, [a], [from], (f) => f.op(opcode));
}

function binary<A extends ValueType, R extends ValueType>(from: A, to: R, opcode: number): Binary<A, R> {
	return (a, b) => new Node(to, [a, b], [from, from], (f) => f.op(opcode));
}

function load<R extends ValueType>(type: R, opcode: number): Load<R> {
	return (address, offset = 0) => new Node(type, [address], [I32], (f) => f.memory(opcode, offset));
}

function store<A extends ValueType>(type: A, opcode: number): Store<A> {
	return (f, address, value, offset = 0) => {
		f.push(address, I32);
		f.push(value, type);
		f.memory(opcode, offset);
	};
}

function truncation<A extends ValueType, R extends ValueType>(from: A, to: R, opcode: number): Unary<A, R> {
	return (a) => new Node(to, [a], [from], (f) => f.prefixed(opcode));
}

interface Generic<T extends ValueType> {
	/** `condition` nonzero: `a`, else `b`; both are evaluated. */
	select(condition: Operand<I32>, a: Operand<T>, b: Operand<T>): Expr<T>;
	/** `condition` nonzero: `a`, else `b`; only that one is evaluated. */
	if(condition: Operand<I32>, a: Operand<T>, b: Operand<T>): Expr<T>;
	/** Assigns to a local; the value assigned. */
	tee(local: Local<T>, value: Operand<T>): Expr<T>;
	/** The single result of a call. Throws a TypeError where the function returns something else. */
	call(callee: FunctionRef, ...args: readonly Operand<ValueType>[]): Expr<T>;
	/** Runs statements, then is the value that they return. */
	do(statements: (f: FunctionBuilder) => Operand<T>): Expr<T>;
	/** A constant as an expression. */
	const(value: number | bigint): Expr<T>;
}

function generic<T extends ValueType>(type: T): Generic<T> {
	return {
		select: (condition, a, b) => new Node(type, [a, b, condition], [type, type, I32], (f) => f.op(Op.select)),
		if: (condition, a, b) =>
			new Node(type, [condition], [I32], (f) =>
				f.ifStack(
					() => f.push(a, type),
					() => f.push(b, type),
					type,
				),
			),
		tee: (local, value) => new Node(type, [value], [type], (f) => f.localTee(local.index)),
		call: (callee, ...args) => {
			const [result] = callee.results;
			if (callee.results.length !== 1 || result !== type)
				throw new TypeError(`call of a function that does not return one ${typeName[type]}`);
			return new Node(type, [], [], (f) => f.call(callee, ...args));
		},
		do: (statements) => new Node(type, [], [], (f) => f.push(statements(f), type)),
		const: (value) => new Node(type, [value], [type], () => {}),
	};
}

const integer32 = {
	add: binary(I32, I32, Op.i32Add),
	sub: binary(I32, I32, Op.i32Sub),
	mul: binary(I32, I32, Op.i32Mul),
	and: binary(I32, I32, Op.i32And),
	or: binary(I32, I32, Op.i32Or),
	xor: binary(I32, I32, Op.i32Xor),
	shl: binary(I32, I32, Op.i32Shl),
	shrS: binary(I32, I32, Op.i32ShrS),
	shrU: binary(I32, I32, Op.i32ShrU),
	rotl: binary(I32, I32, Op.i32Rotl),
	rotr: binary(I32, I32, Op.i32Rotr),
	divS: binary(I32, I32, Op.i32DivS),
	divU: binary(I32, I32, Op.i32DivU),
	remS: binary(I32, I32, Op.i32RemS),
	remU: binary(I32, I32, Op.i32RemU),
	eq: binary(I32, I32, Op.i32Eq),
	ne: binary(I32, I32, Op.i32Ne),
	ltS: binary(I32, I32, Op.i32LtS),
	ltU: binary(I32, I32, Op.i32LtU),
	gtS: binary(I32, I32, Op.i32GtS),
	gtU: binary(I32, I32, Op.i32GtU),
	leS: binary(I32, I32, Op.i32LeS),
	leU: binary(I32, I32, Op.i32LeU),
	geS: binary(I32, I32, Op.i32GeS),
	geU: binary(I32, I32, Op.i32GeU),
	eqz: unary(I32, I32, Op.i32Eqz),
	clz: unary(I32, I32, Op.i32Clz),
	ctz: unary(I32, I32, Op.i32Ctz),
	popcnt: unary(I32, I32, Op.i32Popcnt),
	wrap: unary(I64, I32, Op.i32WrapI64),
	extend8: unary(I32, I32, Op.i32Extend8S),
	extend16: unary(I32, I32, Op.i32Extend16S),
	reinterpret: unary(F32, I32, Op.i32ReinterpretF32),
	truncSatF32S: truncation(F32, I32, Prefixed.i32TruncSatF32S),
	truncSatF32U: truncation(F32, I32, Prefixed.i32TruncSatF32U),
	truncSatF64S: truncation(F64, I32, Prefixed.i32TruncSatF64S),
	truncSatF64U: truncation(F64, I32, Prefixed.i32TruncSatF64U),
	load: load(I32, Op.i32Load),
	load8S: load(I32, Op.i32Load8S),
	load8U: load(I32, Op.i32Load8U),
	load16S: load(I32, Op.i32Load16S),
	load16U: load(I32, Op.i32Load16U),
	store: store(I32, Op.i32Store),
	store8: store(I32, Op.i32Store8),
	store16: store(I32, Op.i32Store16),
};

const integer64 = {
	add: binary(I64, I64, Op.i64Add),
	sub: binary(I64, I64, Op.i64Sub),
	mul: binary(I64, I64, Op.i64Mul),
	and: binary(I64, I64, Op.i64And),
	or: binary(I64, I64, Op.i64Or),
	xor: binary(I64, I64, Op.i64Xor),
	shl: binary(I64, I64, Op.i64Shl),
	shrS: binary(I64, I64, Op.i64ShrS),
	shrU: binary(I64, I64, Op.i64ShrU),
	rotl: binary(I64, I64, Op.i64Rotl),
	rotr: binary(I64, I64, Op.i64Rotr),
	divS: binary(I64, I64, Op.i64DivS),
	divU: binary(I64, I64, Op.i64DivU),
	remS: binary(I64, I64, Op.i64RemS),
	remU: binary(I64, I64, Op.i64RemU),
	eq: binary(I64, I32, Op.i64Eq),
	ne: binary(I64, I32, Op.i64Ne),
	ltS: binary(I64, I32, Op.i64LtS),
	ltU: binary(I64, I32, Op.i64LtU),
	gtS: binary(I64, I32, Op.i64GtS),
	gtU: binary(I64, I32, Op.i64GtU),
	leS: binary(I64, I32, Op.i64LeS),
	leU: binary(I64, I32, Op.i64LeU),
	geS: binary(I64, I32, Op.i64GeS),
	geU: binary(I64, I32, Op.i64GeU),
	eqz: unary(I64, I32, Op.i64Eqz),
	clz: unary(I64, I64, Op.i64Clz),
	ctz: unary(I64, I64, Op.i64Ctz),
	popcnt: unary(I64, I64, Op.i64Popcnt),
	extendS: unary(I32, I64, Op.i64ExtendI32S),
	extendU: unary(I32, I64, Op.i64ExtendI32U),
	extend8: unary(I64, I64, Op.i64Extend8S),
	extend16: unary(I64, I64, Op.i64Extend16S),
	extend32: unary(I64, I64, Op.i64Extend32S),
	reinterpret: unary(F64, I64, Op.i64ReinterpretF64),
	truncSatF32S: truncation(F32, I64, Prefixed.i64TruncSatF32S),
	truncSatF32U: truncation(F32, I64, Prefixed.i64TruncSatF32U),
	truncSatF64S: truncation(F64, I64, Prefixed.i64TruncSatF64S),
	truncSatF64U: truncation(F64, I64, Prefixed.i64TruncSatF64U),
	load: load(I64, Op.i64Load),
	load8S: load(I64, Op.i64Load8S),
	load8U: load(I64, Op.i64Load8U),
	load16S: load(I64, Op.i64Load16S),
	load16U: load(I64, Op.i64Load16U),
	load32S: load(I64, Op.i64Load32S),
	load32U: load(I64, Op.i64Load32U),
	store: store(I64, Op.i64Store),
	store8: store(I64, Op.i64Store8),
	store16: store(I64, Op.i64Store16),
	store32: store(I64, Op.i64Store32),
};

const float32 = {
	add: binary(F32, F32, Op.f32Add),
	sub: binary(F32, F32, Op.f32Sub),
	mul: binary(F32, F32, Op.f32Mul),
	div: binary(F32, F32, Op.f32Div),
	min: binary(F32, F32, Op.f32Min),
	max: binary(F32, F32, Op.f32Max),
	copysign: binary(F32, F32, Op.f32Copysign),
	sqrt: unary(F32, F32, Op.f32Sqrt),
	abs: unary(F32, F32, Op.f32Abs),
	neg: unary(F32, F32, Op.f32Neg),
	ceil: unary(F32, F32, Op.f32Ceil),
	floor: unary(F32, F32, Op.f32Floor),
	trunc: unary(F32, F32, Op.f32Trunc),
	nearest: unary(F32, F32, Op.f32Nearest),
	eq: binary(F32, I32, Op.f32Eq),
	ne: binary(F32, I32, Op.f32Ne),
	lt: binary(F32, I32, Op.f32Lt),
	gt: binary(F32, I32, Op.f32Gt),
	le: binary(F32, I32, Op.f32Le),
	ge: binary(F32, I32, Op.f32Ge),
	reinterpret: unary(I32, F32, Op.f32ReinterpretI32),
	demote: unary(F64, F32, Op.f32DemoteF64),
	convertI32S: unary(I32, F32, Op.f32ConvertI32S),
	convertI32U: unary(I32, F32, Op.f32ConvertI32U),
	convertI64S: unary(I64, F32, Op.f32ConvertI64S),
	convertI64U: unary(I64, F32, Op.f32ConvertI64U),
	load: load(F32, Op.f32Load),
	store: store(F32, Op.f32Store),
};

const float64 = {
	add: binary(F64, F64, Op.f64Add),
	sub: binary(F64, F64, Op.f64Sub),
	mul: binary(F64, F64, Op.f64Mul),
	div: binary(F64, F64, Op.f64Div),
	min: binary(F64, F64, Op.f64Min),
	max: binary(F64, F64, Op.f64Max),
	copysign: binary(F64, F64, Op.f64Copysign),
	sqrt: unary(F64, F64, Op.f64Sqrt),
	abs: unary(F64, F64, Op.f64Abs),
	neg: unary(F64, F64, Op.f64Neg),
	ceil: unary(F64, F64, Op.f64Ceil),
	floor: unary(F64, F64, Op.f64Floor),
	trunc: unary(F64, F64, Op.f64Trunc),
	nearest: unary(F64, F64, Op.f64Nearest),
	eq: binary(F64, I32, Op.f64Eq),
	ne: binary(F64, I32, Op.f64Ne),
	lt: binary(F64, I32, Op.f64Lt),
	gt: binary(F64, I32, Op.f64Gt),
	le: binary(F64, I32, Op.f64Le),
	ge: binary(F64, I32, Op.f64Ge),
	reinterpret: unary(I64, F64, Op.f64ReinterpretI64),
	promote: unary(F32, F64, Op.f64PromoteF32),
	convertI32S: unary(I32, F64, Op.f64ConvertI32S),
	convertI32U: unary(I32, F64, Op.f64ConvertI32U),
	convertI64S: unary(I64, F64, Op.f64ConvertI64S),
	convertI64U: unary(I64, F64, Op.f64ConvertI64U),
	load: load(F64, Op.f64Load),
	store: store(F64, Op.f64Store),
};

/** Expressions of type `i32`, and stores of them. */
export const i32 = { ...integer32, ...generic(I32) };
/** Expressions of type `i64`, comparisons of them (of type `i32`), and stores. */
export const i64 = { ...integer64, ...generic(I64) };
/** Expressions of type `f32`. */
export const f32 = { ...float32, ...generic(F32) };
/** Expressions of type `f64`. */
export const f64 = { ...float64, ...generic(F64) };
