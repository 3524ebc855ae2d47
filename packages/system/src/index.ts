/**
 * One description of a system, checked, and assembled as a hypervisor (`@partita/system/hypervisor`) or as a microkernel
 * system (`@partita/system/microkernel`). This entry imports neither kernel.
 *
 * @packageDocumentation
 */
export { checkSystem } from './check.ts';
export * from './description.ts';
export { systemGraph } from './graph.ts';
export { type DomainPlan, type PlacedPart, type Plan, planSystem, type ReadFile, type VmPlan } from './plan.ts';
export { describeProblem, type Problem, SystemError } from './problems.ts';
export { readSystem } from './read.ts';
export type { AssemblyOptions, RunEnd, RunningSystem, SystemTrace } from './running.ts';
export type * from './system.ts';
export { parseDuration, parseSize } from './units.ts';
