/**
 * Register names: the ABI names that are printed, and every name that is understood.
 *
 * Source: RISC-V ABIs Specification 1.0, Register Convention.
 */

/** ABI names of the integer registers, by number. */
export const integerRegisters: readonly string[] = [
	...['zero', 'ra', 'sp', 'gp', 'tp', 't0', 't1', 't2', 's0', 's1', 'a0', 'a1', 'a2', 'a3', 'a4', 'a5'],
	...['a6', 'a7', 's2', 's3', 's4', 's5', 's6', 's7', 's8', 's9', 's10', 's11', 't3', 't4', 't5', 't6'],
];

/** ABI names of the floating-point registers, by number. */
export const floatRegisters: readonly string[] = [
	...['ft0', 'ft1', 'ft2', 'ft3', 'ft4', 'ft5', 'ft6', 'ft7', 'fs0', 'fs1', 'fa0', 'fa1', 'fa2', 'fa3', 'fa4'],
	...['fa5', 'fa6', 'fa7', 'fs2', 'fs3', 'fs4', 'fs5', 'fs6', 'fs7', 'fs8', 'fs9', 'fs10', 'fs11', 'ft8', 'ft9'],
	...['ft10', 'ft11'],
];

/** Names of the static rounding modes, by the value of rm; 5 and 6 are reserved. */
export const roundingModes: readonly (string | undefined)[] = [
	...['rne', 'rtz', 'rdn', 'rup', 'rmm', undefined, undefined, 'dyn'],
];

const integerNumbers: ReadonlyMap<string, number> = /* @__PURE__ */ new Map([
	...integerRegisters.map((name, index): [string, number] => [name, index]),
	...integerRegisters.map((_, index): [string, number] => [`x${index}`, index]),
	['fp', 8],
]);

const floatNumbers: ReadonlyMap<string, number> = /* @__PURE__ */ new Map([
	...floatRegisters.map((name, index): [string, number] => [name, index]),
	...floatRegisters.map((_, index): [string, number] => [`f${index}`, index]),
]);

/** The number of an integer register: an ABI name, `fp`, or `x0` to `x31`; undefined for any other name. */
export function integerRegister(name: string): number | undefined {
	return integerNumbers.get(name);
}

/** The number of a floating-point register: an ABI name, or `f0` to `f31`; undefined for any other name. */
export function floatRegister(name: string): number | undefined {
	return floatNumbers.get(name);
}
