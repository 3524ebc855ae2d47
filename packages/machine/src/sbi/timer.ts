/**
 * Timer. RISC-V SBI 2.0, "Timer Extension (EID #0x54494D45 "TIME")".
 * The harts have Sstc, so that the timer is the supervisor's own stimecmp.
 */
import { Slot } from '@partita/cpu';
import { type Extension, failure, success } from './call.ts';
import type { SbiHart } from './ports.ts';

/** The next timer interrupt is at `time` (mtime, in ticks); a pending one is withdrawn, unless that time has come. */
export function setTimer(hart: SbiHart, time: bigint): void {
	hart.state[Slot.stimecmp] = time;
	hart.ports.timerChanged();
}

/** TIME. */
export const timerExtension: Extension = ({ ports }, call) => {
	if (call.function !== 0) return failure('NOT_SUPPORTED');
	setTimer(ports.harts[call.hart], call.args[0]);
	return success();
};
