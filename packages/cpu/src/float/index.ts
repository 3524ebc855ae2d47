/** Bit-exact RISC-V floating point as WebAssembly functions. */
export { emitFloat } from './emit.ts';
export { box, Flag, RoundingMode, unbox } from './format.ts';
export type { FloatFunctions, FloatLayout, FormatFunctions } from './functions.ts';
