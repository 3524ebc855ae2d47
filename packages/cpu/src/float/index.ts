/** Bit-exact RISC-V floating point as WebAssembly functions. */
export type { FloatFunctions, FloatLayout, FormatFunctions } from './functions.ts';
