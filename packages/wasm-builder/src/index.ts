/**
 * A typed WebAssembly emitter: modules, functions, structured control flow, expressions.
 *
 * @packageDocumentation
 */
export { ByteWriter } from './bytes.ts';
export {
	type Binary,
	type Expr,
	f32,
	f64,
	i32,
	i64,
	type Load,
	type Operand,
	type Store,
	type Unary,
} from './expression.ts';
export { FunctionBuilder, type FunctionRef, type Label, Local } from './function.ts';
export { ModuleBuilder } from './module.ts';
export { F32, F64, I32, I64, Op, Prefixed, type ValueType } from './opcodes.ts';
