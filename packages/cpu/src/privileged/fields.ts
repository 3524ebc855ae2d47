/**
 * Names for the field tables of the status and configuration CSRs that do not collide with those of variables that hold
 * the registers' values, and the values of the fields that are fixed here. The tables are `@partita/riscv`'s.
 */

import { csrFields } from '@partita/riscv';

/** Fields of mstatus; those of sstatus and vsstatus are at the same bits. */
export const Status: typeof csrFields.mstatus = csrFields.mstatus;
/** Fields of hstatus. */
export const HypervisorStatus: typeof csrFields.hstatus = csrFields.hstatus;
/** Fields of menvcfg; those of henvcfg and senvcfg are at the same bits. */
export const EnvironmentConfig: typeof csrFields.envcfg = csrFields.envcfg;

/** UXL of mstatus and vsstatus: 64 bits. */
export const UXL_64 = 0x2_0000_0000n;
/** SXL of mstatus: 64 bits. */
export const SXL_64 = 0x8_0000_0000n;
/** VSXL of hstatus: 64 bits. */
export const VSXL_64 = 0x2_0000_0000n;
