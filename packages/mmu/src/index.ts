// RISC-V page-table formats, the reference walker with two-stage translation, and physical memory protection.
// Not here: a TLB, a hart, physical memory. Nothing is imported from other packages.

export * from './access.ts';
export * from './page-table.ts';
export * from './paging-mode.ts';
export * from './pmp.ts';
export * from './pmp-csr.ts';
export * from './pte.ts';
export { ALL_RIGHTS, allows, leafRights, type Rights, type RightsCheck } from './rights.ts';
export { PAGE_FAULT, type Stage, type StageMapping, type StagePort, UPDATE_ATTEMPTS, walkStage } from './stage.ts';
export * from './translate.ts';
