/**
 * One function's body: raw stack instructions, structured control flow with labels, and statements over expressions
 * (expression.ts). It checks nesting, and the types of expressions where they are used; what raw instructions leave on the
 * stack is for `WebAssembly.validate` to judge.
 */
import { ByteWriter } from './bytes.ts';
import type { Expr, Operand } from './expression.ts';
import { F64, I32, I64, Op, Prefixed, typeName, type ValueType } from './opcodes.ts';

/** The empty block type. */
const VOID = 0x40;

/** A control construct that `br` can name. */
export interface Label {
	/** Nesting depth at which the construct was opened; 1 is the outermost. */
	readonly depth: number;
}

/** A function that can be called: its index in the module and its signature. */
export interface FunctionRef {
	readonly index: number;
	readonly params: readonly ValueType[];
	readonly results: readonly ValueType[];
}

/** A local variable or parameter; as an expression it is its value. */
export class Local<T extends ValueType = ValueType> implements Expr<T> {
	readonly type: T;
	readonly index: number;

	constructor(type: T, index: number) {
		this.type = type;
		this.index = index;
	}

	/** Emits `local.get`. */
	emit(f: FunctionBuilder): void {
		f.localGet(this.index);
	}
}

/** Builds the body of one function. */
export class FunctionBuilder implements FunctionRef {
	readonly index: number;
	readonly params: readonly ValueType[];
	readonly results: readonly ValueType[];
	/** Index of the function's type; set by the module. */
	readonly typeIndex: number;
	#code: ByteWriter = new ByteWriter(1024);
	#locals: ValueType[] = [];
	#open: Label[] = [];

	constructor(index: number, typeIndex: number, params: readonly ValueType[], results: readonly ValueType[]) {
		this.index = index;
		this.typeIndex = typeIndex;
		this.params = params;
		this.results = results;
	}

	/** The instructions so far. */
	get code(): ByteWriter {
		return this.#code;
	}

	/** The parameter at `position`. */
	param<T extends ValueType>(position: number): Local<T> {
		const type = this.params[position];
		if (type === undefined) throw new RangeError(`function has ${this.params.length} parameters, not ${position + 1}`);
		return new Local(type as T, position);
	}

	/** A new local variable, zero at entry. */
	local<T extends ValueType>(type: T): Local<T> {
		this.#locals.push(type);
		return new Local(type, this.params.length + this.#locals.length - 1);
	}

	// --- raw instructions ---

	/** Single-byte instructions without immediates. */
	op(...opcodes: readonly number[]): void {
		for (const opcode of opcodes) this.#code.byte(opcode);
	}

	/** An instruction behind the 0xFC prefix, without immediates: a saturating truncation. */
	prefixed(opcode: number): void {
		this.#code.byte(0xfc);
		this.#code.u32(opcode);
	}

	/** A 32-bit constant from -2^31 to 2^32 - 1. */
	i32Const(value: number): void {
		if (value !== (value | 0) && value !== value >>> 0) throw new RangeError(`${value} is no 32-bit integer`);
		this.#code.byte(Op.i32Const);
		this.#code.s32(value);
	}

	/** A 64-bit constant, of which the low 64 bits are taken; a `number` must be an integer within ±2^53. */
	i64Const(value: bigint | number): void {
		if (typeof value === 'number' && !Number.isSafeInteger(value))
			throw new RangeError(`${value} is no integer within ±2^53: write it as a bigint`);
		this.#code.byte(Op.i64Const);
		if (typeof value === 'number') this.#code.s64(value | 0, Math.floor(value / 0x1_0000_0000));
		else this.#code.s64(Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
	}

	/** Emits `f64.const`. */
	f64Const(value: number): void {
		this.#code.byte(Op.f64Const);
		this.#code.append(new Uint8Array(new Float64Array([value]).buffer));
	}

	/** Emits `f32.const`. */
	f32Const(value: number): void {
		this.#code.byte(Op.f32Const);
		this.#code.append(new Uint8Array(new Float32Array([value]).buffer));
	}

	/** Emits `local.get`, by index. */
	localGet(index: number): void {
		this.#code.byte(Op.localGet);
		this.#code.u32(index);
	}

	/** Emits `local.set`, by index. */
	localSet(index: number): void {
		this.#code.byte(Op.localSet);
		this.#code.u32(index);
	}

	/** Emits `local.tee`, by index. */
	localTee(index: number): void {
		this.#code.byte(Op.localTee);
		this.#code.u32(index);
	}

	/** A load or store; `align` is the hint's power of two. */
	memory(opcode: number, offset: number, align = 0): void {
		this.#code.byte(opcode);
		this.#code.u32(align);
		this.#code.u32(offset);
	}

	/** Copies bytes within the memory; the areas may overlap. */
	memoryCopy(to: Operand<I32>, from: Operand<I32>, bytes: Operand<I32>): void {
		for (const operand of [to, from, bytes]) this.push(operand, I32);
		this.prefixed(Prefixed.memoryCopy);
		this.op(0, 0);
	}

	/** Fills bytes of the memory with the low byte of `value`. */
	memoryFill(to: Operand<I32>, value: Operand<I32>, bytes: Operand<I32>): void {
		for (const operand of [to, value, bytes]) this.push(operand, I32);
		this.prefixed(Prefixed.memoryFill);
		this.op(0);
	}

	/** Calls by index, with the arguments already on the stack. */
	callRaw(index: number): void {
		this.#code.byte(Op.call);
		this.#code.u32(index);
	}

	/** Calls through table 0: the arguments, and above them the entry's number, are on the stack. */
	callIndirect(typeIndex: number): void {
		this.#code.byte(Op.callIndirect);
		this.#code.u32(typeIndex);
		this.#code.u32(0);
	}

	// --- control flow ---

	/** Opens a block; `body` gets its label, and a branch to it goes to the block's end. */
	block(body: (label: Label) => void, type: ValueType | typeof VOID = VOID): void {
		this.#construct(Op.block, type, body);
	}

	/** Opens a loop; a branch to its label repeats it, falling off its end leaves it. */
	loop(body: (label: Label) => void, type: ValueType | typeof VOID = VOID): void {
		this.#construct(Op.loop, type, body);
	}

	/** Runs `then` where `condition` is nonzero, else `otherwise`. */
	if(condition: Operand<I32>, then: () => void, otherwise?: () => void): void {
		this.push(condition, I32);
		this.ifStack(then, otherwise);
	}

	/** As `if`, with the condition already on the stack, and a result type where both arms leave one value. */
	ifStack(then: () => void, otherwise?: () => void, type: ValueType | typeof VOID = VOID): void {
		if (type !== VOID && !otherwise) throw new Error('an if that leaves a value needs both arms');
		this.open(Op.if, type);
		then();
		if (otherwise) {
			this.#code.byte(Op.else);
			otherwise();
		}
		this.close();
	}

	/** Repeats `body` while `condition` is nonzero. */
	while(condition: Operand<I32>, body: () => void): void {
		this.block((exit) => {
			this.loop((again) => {
				this.push(condition, I32);
				this.op(Op.i32Eqz);
				this.brIfStack(exit);
				body();
				this.br(again);
			});
		});
	}

	/** Opens a construct by hand, for emitters whose nesting is not lexical; pair with {@link close}. */
	open(opcode: typeof Op.block | typeof Op.loop | typeof Op.if, type: ValueType | typeof VOID = VOID): Label {
		this.#code.byte(opcode);
		this.#code.byte(type);
		const label = { depth: this.#open.length + 1 };
		this.#open.push(label);
		return label;
	}

	/** Closes the innermost construct. */
	close(): void {
		if (this.#open.pop() === undefined) throw new Error('close() without an open construct');
		this.#code.byte(Op.end);
	}

	/** Branches; a label that carries a value takes it from the stack. */
	br(label: Label): void {
		this.#code.byte(Op.br);
		this.#code.u32(this.#distance(label));
	}

	/** Branches where `condition` is nonzero. */
	brIf(label: Label, condition: Operand<I32>): void {
		this.push(condition, I32);
		this.brIfStack(label);
	}

	/** As `brIf`, with the condition already on the stack. */
	brIfStack(label: Label): void {
		this.#code.byte(Op.brIf);
		this.#code.u32(this.#distance(label));
	}

	/** Branches to `labels[n]` for the number n on the stack, or to `fallback` where there is none. */
	brTable(labels: readonly Label[], fallback: Label): void {
		this.#code.byte(Op.brTable);
		this.#code.u32(labels.length);
		for (const label of labels) this.#code.u32(this.#distance(label));
		this.#code.u32(this.#distance(fallback));
	}

	/** Returns, with a value where the function has a result. */
	return(value?: Operand<ValueType>): void {
		if (value !== undefined) this.push(value, this.results[0]);
		this.#code.byte(Op.return);
	}

	// --- statements over expressions ---

	/**
	 * Puts a value on the stack. A bare number or bigint is a constant of type `type`, or `i32` where none is given. Throws a
	 * TypeError where an expression is of another type than the one given.
	 */
	push(value: Operand<ValueType>, type?: ValueType): void {
		if (typeof value === 'object') {
			if (type !== undefined && value.type !== type)
				throw new TypeError(`an ${typeName[value.type]} where an ${typeName[type]} is expected`);
			value.emit(this);
		} else if (type === I64) this.i64Const(value);
		else if (type === undefined || type === I32)
			this.i32Const(typeof value === 'bigint' ? Number(BigInt.asIntN(32, value)) : value);
		else if (type === F64) this.f64Const(Number(value));
		else this.f32Const(Number(value));
	}

	/** Assigns to a local. */
	set<T extends ValueType>(local: Local<T>, value: Operand<T>): void {
		this.push(value, local.type);
		this.localSet(local.index);
	}

	/** Calls a function whose results, if any, stay on the stack. */
	call(callee: FunctionRef, ...args: readonly Operand<ValueType>[]): void {
		if (args.length !== callee.params.length)
			throw new RangeError(`call with ${args.length} arguments of a function with ${callee.params.length} parameters`);
		for (let i = 0; i < args.length; i++) this.push(args[i]!, callee.params[i]!);
		this.callRaw(callee.index);
	}

	/** Puts instructions before everything so far: what turns out to be needed at the start. No construct may be open. */
	prepend(instructions: () => void): void {
		if (this.#open.length !== 0) throw new Error('prepend() within a construct');
		const rest = this.#code;
		this.#code = new ByteWriter(rest.length + 256);
		instructions();
		this.#code.append(rest);
	}

	/** The body's bytes: local declarations, instructions, `end`. */
	finish(): Uint8Array {
		if (this.#open.length !== 0) throw new Error(`${this.#open.length} constructs are still open`);
		const out = new ByteWriter(this.#code.length + 64);
		const groups: { type: ValueType; count: number }[] = [];
		for (const type of this.#locals) {
			const last = groups.at(-1);
			if (last?.type === type) last.count++;
			else groups.push({ type, count: 1 });
		}
		out.u32(groups.length);
		for (const { type, count } of groups) {
			out.u32(count);
			out.byte(type);
		}
		out.append(this.#code);
		out.byte(Op.end);
		return out.toBytes();
	}

	#construct(
		opcode: typeof Op.block | typeof Op.loop,
		type: ValueType | typeof VOID,
		body: (label: Label) => void,
	): void {
		body(this.open(opcode, type));
		this.close();
	}

	#distance(label: Label): number {
		if (this.#open[label.depth - 1] !== label) throw new Error('branch to a label whose construct is closed');
		return this.#open.length - label.depth;
	}
}
