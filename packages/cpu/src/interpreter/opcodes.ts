/**
 * Opcodes of decoded entries: what the interpreter dispatches on. Most mnemonics have one; control transfers have
 * variants that are chosen when an instruction is decoded.
 */
import { instructions, type Mnemonic } from '@partita/riscv';
import { semantics } from '../semantics/index.ts';

/** A variant of a control transfer. */
export interface Variant {
	/** The target is on the instruction's own page: the immediate is the distance between entries. */
	readonly near: boolean;
	/** The return address is written. */
	readonly link: boolean;
}

/** One opcode. */
export interface Opcode {
	readonly mnemonic: Mnemonic;
	readonly variant: Variant;
}

/** Opcodes that are no instruction. */
export const Special = {
	/** Not decoded yet. */
	undecoded: 0,
	/** Behind the last entry of a page. */
	pageEnd: 1,
	/** A 32-bit instruction whose second half is on the next page. */
	straddle: 2,
	/** For TypeScript: system instructions and illegal encodings. */
	system: 3,
} as const;

const SPECIALS = 4;

/** First opcode of each row of the instruction table; `Special.system` for system instructions. */
const firstOpcode: number[] = [];

/** Opcodes by number, from {@link Special} on up; the first four are empty. */
export const opcodes: readonly (Opcode | undefined)[] = buildOpcodes();

function buildOpcodes(): (Opcode | undefined)[] {
	const list: (Opcode | undefined)[] = new Array(SPECIALS).fill(undefined);
	instructions.forEach(({ name }, index) => {
		const { kind } = semantics[name];
		if (kind === 'system') {
			firstOpcode[index] = Special.system;
			return;
		}
		firstOpcode[index] = list.length;
		for (const variant of variants(kind)) list.push({ mnemonic: name, variant });
	});
	return list;
}

/** Variants in the order that {@link opcodeFor} counts on. */
function variants(kind: 'plain' | 'branch' | 'jump' | 'jumpRegister'): Variant[] {
	const far = { near: false, link: true };
	const near = { near: true, link: true };
	switch (kind) {
		case 'plain':
			return [far];
		case 'branch':
			return [far, near];
		case 'jump':
			return [far, near, { near: false, link: false }, { near: true, link: false }];
		case 'jumpRegister':
			return [far, { near: false, link: false }];
	}
}

/** The opcode of a row of the instruction table. */
export function opcodeFor(index: number, near: boolean, link: boolean): number {
	const first = firstOpcode[index]!;
	const kind = first === Special.system ? 'system' : semantics[opcodes[first]!.mnemonic].kind;
	if (kind === 'branch') return first + (near ? 1 : 0);
	if (kind === 'jump') return first + (near ? 1 : 0) + (link ? 0 : 2);
	if (kind === 'jumpRegister') return first + (link ? 0 : 1);
	return first;
}
