/**
 * System reset. RISC-V SBI 2.0, "System Reset Extension (EID #0x53525354 "SRST")".
 */
import { type Extension, failure, word } from './call.ts';
import type { ResetType } from './ports.ts';

/** By `reset_type`; all others are reserved, or platform-specific and not implemented. */
const types: readonly ResetType[] = ['shutdown', 'cold-reboot', 'warm-reboot'];

/** `reset_reason`: no reason, and system failure; all others are reserved or not implemented. */
const NO_REASON = 0;
const SYSTEM_FAILURE = 1;

/** SRST. */
export const systemResetExtension: Extension = ({ ports }, call) => {
	if (call.function !== 0) return failure('NOT_SUPPORTED');
	const type = types[word(call.args[0])];
	const reason = word(call.args[1]);
	if (type === undefined || (reason !== NO_REASON && reason !== SYSTEM_FAILURE)) return failure('INVALID_PARAM');
	ports.reset(type, reason === SYSTEM_FAILURE);
	return undefined;
};
