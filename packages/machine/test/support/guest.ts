/** How the tests of the board make guests: assembled here, started in M-mode without firmware or in S-mode under the SBI. */
import { asmWith, programToElf } from '@partita/riscv';
import { Machine, type MachineOptions, type RunResult } from '../../src/index.ts';

/** Start of RAM. */
export const RAM = 0x8000_0000n;

/** An ELF of a program in GNU syntax; `base` is where it is linked. */
export function elf(source: string, base: bigint = RAM): Uint8Array {
	return programToElf(asmWith({ base })`${source}`);
}

/** A machine, and what it printed. */
export interface Guest {
	readonly machine: Machine;
	readonly printed: () => string;
}

/** A machine with 8 MiB that starts `source` in M-mode. */
export function guest(source: string, options: Partial<MachineOptions> = {}): Guest {
	return guestOf({ images: { firmware: 'none', kernel: elf(source) }, ...options });
}

/** A machine with 8 MiB that starts `source` in S-mode, under the built-in SBI. */
export function supervisorGuest(source: string, options: Partial<MachineOptions> = {}): Guest {
	return guestOf({ images: { firmware: 'builtin', kernel: elf(source, RAM + 0x20_0000n) }, ...options });
}

/** A machine with 8 MiB, unless `options` say otherwise. */
export function guestOf(options: MachineOptions): Guest {
	let text = '';
	const machine = new Machine({
		memory: 8 * 1024 * 1024,
		console: (byte) => {
			text += String.fromCharCode(byte);
		},
		...options,
	});
	return { machine, printed: () => text };
}

/** Runs in chunks to the end of the guest, or for `limit` instructions at most. */
export function runToEnd(machine: Machine, limit = 50_000_000, chunk = 1_000_000): RunResult {
	let result = machine.run(chunk);
	while (result.reason === 'limit' && machine.executed < limit) result = machine.run(chunk);
	return result;
}

/** A 64-bit word of guest memory. */
export function word(machine: Machine, address: bigint): bigint {
	const bytes = new Uint8Array(8);
	if (!machine.memory.read(Number(address), bytes)) throw new RangeError(`0x${address.toString(16)} is not memory`);
	return new DataView(bytes.buffer).getBigUint64(0, true);
}

/** Ends the guest through the test finisher with the code in a0. Its labels are 91 and 92. */
export const EXIT = `
	li t0, 0x100000
	li t1, 0x5555
	beqz a0, 91f
	slli a0, a0, 16
	li t1, 0x3333
	or t1, t1, a0
91:	sw t1, 0(t0)
92:	j 92b
`;
