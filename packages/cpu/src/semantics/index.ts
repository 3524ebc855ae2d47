/**
 * What every instruction does: one record over all mnemonics of `@partita/riscv`, so that a missing row is a type error.
 */
import type { Mnemonic } from '@partita/riscv';
import { bitmanipSemantics } from './bitmanip.ts';
import type { Semantics } from './context.ts';
import { floatSemantics } from './float.ts';
import { integerSemantics } from './integer.ts';
import { memorySemantics } from './memory.ts';
import { systemSemantics } from './system.ts';

/** Semantics by mnemonic. */
export const semantics: Readonly<Record<Mnemonic, Semantics>> = {
	...integerSemantics,
	...bitmanipSemantics,
	...memorySemantics,
	...floatSemantics,
	...systemSemantics,
} satisfies Record<Mnemonic, Semantics>;
