/**
 * Small RISC-V guests of the project's own, and how to read what they did.
 *
 * @packageDocumentation
 */
export type { BusyParameters, TaskParameters } from './fragments.ts';
export { type MediaGuestOptions, mediaGuest } from './media-guest.ts';
export {
	busyProgram,
	NATIVE_BASE,
	type PairOptions,
	periodicProgram,
	pingProgram,
	pongProgram,
	SystemCall,
} from './native-programs.ts';
export { type RealTimeGuestOptions, realTimeGuest } from './real-time-guest.ts';
export { REPORT_MAGIC, readReportArea, type TaskReport } from './report-area.ts';
export { type SignalPairOptions, signalPing, signalPong } from './signal-pair.ts';
