/**
 * Timer. RISC-V SBI 2.0, "Timer Extension (EID #0x54494D45 "TIME")".
 */
import { type Extension, failure, success } from './call.ts';

/** TIME. */
export const timerExtension: Extension = ({ ports }, call) => {
	if (call.function !== 0) return failure('NOT_SUPPORTED');
	ports.harts[call.hart].setTimer(call.args[0]);
	return success();
};
