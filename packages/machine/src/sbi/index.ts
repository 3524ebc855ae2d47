/** The built-in SBI. */
export { IMPLEMENTATION_ID, IMPLEMENTATION_VERSION, SPECIFICATION_VERSION } from './base.ts';
export type { ResetType, SbiHart, SbiHartState, SbiPorts, SbiState, SbiTrap } from './ports.ts';
export { Sbi } from './sbi.ts';
