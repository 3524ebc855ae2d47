/**
 * Which instructions are translated. The others are left to the interpreter: system instructions, and those whose
 * semantics need a function of the interpreter's module, since a call would have all registers spilled around it.
 */
import { instructions, type Mnemonic } from '@partita/riscv';
import { semantics } from '../semantics/index.ts';
import type { Instruction } from './code.ts';
import { nativeFloat, roundsNatively } from './float.ts';

/** Left out: those that call functions, and have no native form. */
const leftOut = new Set<Mnemonic>(['clmul', 'clmulh', 'clmulr', 'cbo.zero', 'fclass.s', 'fclass.d']);

const rows = instructions.map(({ name, format }) => ({
	name,
	possible: semantics[name].kind !== 'system' && !leftOut.has(name),
	rounds: nativeFloat[name] !== undefined && format.includes('rm'),
}));

/** Whether an instruction is translated. */
export function isTranslatable({ row, rm }: Instruction): boolean {
	const { name, possible, rounds } = rows[row]!;
	return possible && (!rounds || roundsNatively(name, rm));
}
