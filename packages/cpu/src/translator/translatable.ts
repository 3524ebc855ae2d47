/**
 * Which instructions are translated. The others are left to the interpreter: system instructions, and those whose
 * semantics need a function of the interpreter's module, since a call would have all registers spilled around it.
 */
import { findInstruction, type Mnemonic } from '@partita/riscv';
import { semantics } from '../semantics/index.ts';

/** Extensions that are left out whole. */
const LEFT_OUT = new Set(['F', 'D', 'Zbc', 'Zicboz']);

/** Whether an instruction is translated. */
export function isTranslatable(name: Mnemonic): boolean {
	return semantics[name].kind !== 'system' && !LEFT_OUT.has(findInstruction(name)!.extension);
}
