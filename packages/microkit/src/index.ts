/**
 * Microkit systems: reads descriptions, refuses what Microkit refuses, lays out domains, patches programs. See the README.
 */
export { type MicrokitOptions, microkitSystem } from './boot.ts';
export type {
	CapMapDescription,
	Channel,
	ChannelEnd,
	DomainSchedule,
	IrqDescription,
	MapDescription,
	MemoryRegion,
	Permissions,
	Prefill,
	ProtectionDomain,
	ScheduleEntry,
	SetvarDescription,
	SetvarValue,
	SystemDescription,
} from './description.ts';
export { MicrokitError, type Place } from './error.ts';
export {
	type DomainLayout,
	type LayoutCapability,
	layoutSystem,
	type RegionLayout,
	type RegionMemory,
	type SystemLayout,
} from './layout.ts';
export { type FaultLabels, Monitor } from './monitor.ts';
export type { Program, ProgramPatch, ProgramSegment } from './program.ts';
export { readSystem } from './read.ts';
export type { FileSource } from './read-region.ts';
