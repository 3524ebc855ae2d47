// Small programs for descriptions: what libmicrokit defines, and what a test adds.
import { assemble, programToElf } from '@partita/riscv';

/** Where Microkit's programs are linked. */
export const BASE = 0x20_0000n;

/** The variables of libmicrokit that the loader sets. */
export const LIBRARY = `
	.bss
	.balign 4096
${Object.entries({
	microkit_name: 64,
	microkit_passive: 1,
	microkit_irqs: 8,
	microkit_notifications: 8,
	microkit_pps: 8,
})
	.map(([name, size]) => variable(name, size))
	.join('\n')}
`;

/** A variable in the section at hand. */
export function variable(name: string, size: number): string {
	return `	.balign 8\n	.globl ${name}\n	.type ${name}, @object\n	.size ${name}, ${size}\n${name}:\n	.zero ${size}`;
}

/** A program of its instructions and, in .bss, its variables. */
export function program(code = '	j .', variables = ''): Uint8Array {
	return programToElf(assemble(`	.text\n	.globl _start\n_start:\n${code}\n${LIBRARY}\n${variables}`, { base: BASE }));
}

/** A source of files by name. */
export function filesOf(files: Readonly<Record<string, Uint8Array>>): (name: string) => Uint8Array | undefined {
	return (name) => (Object.hasOwn(files, name) ? files[name] : undefined);
}

/** Prints a text, one debug call a character. */
export function print(text: string): string {
	const calls = Array.from(text, (character) => `	li a0, ${character.charCodeAt(0)}\n	li a7, -12\n	ecall`);
	return calls.join('\n');
}

/** Receives at the domain's input, offering its reply object; the badge is in a0 then. */
export const RECEIVE = `	li a0, 1
	li a6, 4
	li a7, -7
	ecall`;
