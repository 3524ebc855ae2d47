/**
 * Definitions of the unprivileged CSRs: floating point (F), counters and timers (Zicntr, Zihpm).
 */

import { csrNumbers } from '@partita/riscv';
import { Slot } from '../state.ts';
import { readCycle, readInstret } from './counters.ts';
import { type CsrDefinition, type CsrTable, constant, readOnly } from './csr-definition.ts';
import type { PrivilegedHart } from './hart.ts';
import { markFloatDirty } from './status.ts';

/** A field of fcsr, at bit `shift`. */
function floatField(shift: bigint, mask: bigint): CsrDefinition {
	return {
		gate: 'float',
		read: ({ state }) => (state[Slot.fcsr] >> shift) & mask,
		write: ({ state, ports }, value) => {
			state[Slot.fcsr] = (state[Slot.fcsr] & ~(mask << shift)) | ((value & mask) << shift);
			markFloatDirty(state);
			ports.floatStateChanged();
		},
	};
}

/** time: htimedelta is added while V=1. */
function readTime({ state, ports }: PrivilegedHart): bigint {
	const time = ports.time();
	return BigInt.asUintN(64, state[Slot.virtual] === 0n ? time : time + state[Slot.htimedelta]);
}

/** The unprivileged CSRs. */
export const userCsrs: CsrTable = {
	[csrNumbers.fflags]: floatField(0n, 0x1fn),
	[csrNumbers.frm]: floatField(5n, 7n),
	[csrNumbers.fcsr]: floatField(0n, 0xffn),
	[csrNumbers.cycle]: readOnly(readCycle, 'counter'),
	[csrNumbers.time]: readOnly(readTime, 'counter'),
	[csrNumbers.instret]: readOnly(readInstret, 'counter'),
};

for (let number: number = csrNumbers.hpmcounter3; number <= csrNumbers.hpmcounter31; number++) {
	userCsrs[number] = constant(0n, 'counter');
}
