/** The built-in SBI. */
export type { FirmwareHart, FirmwarePorts, FirmwareTrap } from './ports.ts';
export { Sbi } from './sbi.ts';
