/**
 * The RISC-V Supervisor Binary Interface 2.0, over a port to the harts that call it.
 *
 * @packageDocumentation
 */
export { IMPLEMENTATION_ID, IMPLEMENTATION_VERSION, SPECIFICATION_VERSION } from './base.ts';
export {
	type Extension,
	ExtensionId,
	failure,
	type SbiCall,
	SbiError,
	type SbiMachine,
	type SbiReturn,
	success,
} from './call.ts';
export { CONSOLE_BYTES } from './debug-console.ts';
export { HartStatus } from './hart-state.ts';
export type { ResetType, SbiFence, SbiHart, SbiHartState, SbiPorts, SbiState } from './ports.ts';
export { RANGE_PAGES } from './remote-fence.ts';
export { Sbi } from './sbi.ts';
