/**
 * Interprocessor interrupts. RISC-V SBI 2.0, "IPI Extension (EID #0x735049 "sPI: s-mode IPI")".
 */
import { Slot } from '@partita/cpu';
import { csrFields } from '@partita/riscv';
import { type Extension, failure, hartList, success } from './call.ts';
import type { SbiHart } from './ports.ts';

const { SSI: SSIP } = csrFields.interruptBits;

/** Withdraws a pending interprocessor interrupt. @returns whether there was one */
export function clearIpi(hart: SbiHart): boolean {
	const pending = (hart.state[Slot.mip] & SSIP) !== 0n;
	hart.state[Slot.mip] &= ~SSIP;
	hart.ports.interruptsChanged();
	return pending;
}

/** sPI. Harts that are stopped have nobody to interrupt: they are passed over. */
export const ipiExtension: Extension = ({ ports, harts }, call) => {
	if (call.function !== 0) return failure('NOT_SUPPORTED');
	const targets = hartList(harts.length, call.args[0], call.args[1]);
	if (targets === undefined) return failure('INVALID_PARAM');
	for (const id of targets) {
		if (harts[id].stopped) continue;
		const hart = ports.harts[id];
		hart.state[Slot.mip] |= SSIP;
		hart.ports.interruptsChanged();
	}
	return success();
};
