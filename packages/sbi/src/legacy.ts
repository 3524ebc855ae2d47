/**
 * Legacy extensions: one function each, which returns in a0 alone. RISC-V SBI 2.0, "Legacy Extensions (EIDs #0x00 -
 * #0x0F)".
 *
 * Not here: sending interprocessor interrupts (4) and remote fences (5 to 7), whose hart masks lie in virtual memory.
 * Only supervisors that know no other SBI than 0.1 call them.
 */
import type { SbiMachine } from './call.ts';

/** A legacy call: what a0 is to be, signed; `undefined`: the call does not return. */
export type LegacyExtension = (machine: SbiMachine, hart: number, argument: bigint) => bigint | undefined;

/** By EID. */
export const legacyExtensions: ReadonlyMap<number, LegacyExtension> = new Map<number, LegacyExtension>([
	[
		0x00,
		({ ports }, hart, time) => {
			ports.harts[hart].setTimer(time);
			return 0n;
		},
	],
	[
		0x01,
		({ ports }, _hart, character) => {
			ports.console.write(Uint8Array.of(Number(character & 0xffn)));
			return 0n;
		},
	],
	[
		0x02,
		({ ports }) => {
			const input = ports.console.read(1);
			return input.length === 0 ? -1n : BigInt(input[0]);
		},
	],
	[0x03, ({ ports }, hart) => (ports.harts[hart].clearSoftware() ? 1n : 0n)],
	[
		0x08,
		({ ports }) => {
			ports.reset('shutdown', false);
			return undefined;
		},
	],
]);
