/**
 * Interprocessor interrupts. RISC-V SBI 2.0, "IPI Extension (EID #0x735049 "sPI: s-mode IPI")".
 */
import { type Extension, failure, hartList, success } from './call.ts';

/** sPI. Harts that are stopped have nobody to interrupt: they are passed over. */
export const ipiExtension: Extension = ({ ports, harts }, call) => {
	if (call.function !== 0) return failure('NOT_SUPPORTED');
	const targets = hartList(harts.length, call.args[0], call.args[1]);
	if (targets === undefined) return failure('INVALID_PARAM');
	for (const id of targets) if (!harts[id].stopped) ports.harts[id].raiseSoftware();
	return success();
};
