/**
 * A RISC-V hart: exact, deterministic, interpreted and translated in WebAssembly that is generated at run time.
 *
 * @packageDocumentation
 */
export { Engine, type EngineOptions, type EngineState } from './engine.ts';
export { emitFloat, type FloatFunctions, type FloatLayout, type FormatFunctions } from './float/index.ts';
export { type Exit, Hart, type HostedModes, type TrapExit } from './hart.ts';
export { createLinearLayout, type LinearLayout, type LinearLayoutOptions } from './layout.ts';
export type { DeviceBus, HartObserver, TimeSource } from './ports.ts';
export {
	type FenceKind,
	type GuestAccess,
	MISA,
	type PrivilegedHart,
	type PrivilegedPorts,
	readCsr,
	resetState,
	writeCsr,
} from './privileged/index.ts';
export { Slot, STATE_WORDS } from './state.ts';
export type { HartTlbState } from './tlb.ts';
export type { EngineKind, TranslatorStats } from './translator/translator.ts';
