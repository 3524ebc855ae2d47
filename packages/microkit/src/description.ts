/**
 * A system as its description says, checked as far as that goes without the program images. Plain data. Not here: XML
 * (read.ts), and what kernel objects it takes (layout.ts).
 */
import type { Place } from './error.ts';

/** Rights of a mapping. */
export interface Permissions {
	readonly read: boolean;
	readonly write: boolean;
	readonly execute: boolean;
}

/** A memory region in a domain's address space. */
export interface MapDescription {
	/** Name of the memory region. */
	readonly region: string;
	/** Where it begins; a multiple of the region's page size. */
	readonly vaddr: number;
	readonly permissions: Permissions;
	/** The board's memory is coherent: it makes no difference here. */
	readonly cached: boolean;
	readonly place: Place;
}

/** An interrupt that a domain handles. */
export interface IrqDescription {
	/** PLIC source. */
	readonly irq: number;
	/** Bit of the notification, and channel number in the program. */
	readonly id: number;
	readonly trigger: 'level' | 'edge';
}

/** What is written to a variable of a program before it starts; all are of 64 bits. */
export type SetvarValue =
	| { readonly kind: 'value'; readonly value: number }
	/** Bytes of a region. */
	| { readonly kind: 'size'; readonly region: string }
	/** Bytes that a region is filled with. */
	| { readonly kind: 'prefill-size'; readonly region: string }
	/** Physical address of a region. */
	| { readonly kind: 'physical-address'; readonly region: string };

/** A variable of a program that the loader sets. */
export interface SetvarDescription {
	readonly symbol: string;
	readonly value: SetvarValue;
	readonly place: Place;
}

/** A capability of another domain's that a domain is given in its root CNode. */
export interface CapMapDescription {
	readonly kind: 'tcb' | 'sc' | 'vspace';
	/** Index of the domain whose object it is. */
	readonly domain: number;
	readonly slot: number;
}

/** A protection domain. */
export interface ProtectionDomain {
	readonly name: string;
	/** 0 to 254. */
	readonly priority: number;
	/** Microseconds. */
	readonly budget: number;
	/** Microseconds. */
	readonly period: number;
	readonly passive: boolean;
	/** Bytes: whole pages. */
	readonly stackSize: number;
	/** Whether it may use floating point. */
	readonly fpu: boolean;
	/** Domain of the domain scheduler, if the system has any. */
	readonly schedulerDomain: number | undefined;
	/** File name of its program. */
	readonly image: string;
	/** File name of an ELF file whose symbols are used in place of the program's own. */
	readonly symbolsImage: string | undefined;
	/** Index of its parent, which handles its faults. */
	readonly parent: number | undefined;
	/** Its number as its parent's child. */
	readonly childId: number | undefined;
	readonly maps: readonly MapDescription[];
	readonly irqs: readonly IrqDescription[];
	readonly setvars: readonly SetvarDescription[];
	readonly capMaps: readonly CapMapDescription[];
	readonly place: Place;
}

/** What a region holds at the start, besides zeros. */
export type Prefill =
	| { readonly kind: 'file'; readonly bytes: Uint8Array }
	/** The board's devicetree. */
	| { readonly kind: 'devicetree' };

/** A memory region. */
export interface MemoryRegion {
	readonly name: string;
	/** Bytes: whole pages. */
	readonly size: number;
	readonly pageSize: number;
	/** Where in physical memory; undefined: anywhere. */
	readonly physicalAddress: number | undefined;
	readonly prefill: Prefill | undefined;
	readonly place: Place;
}

/** One end of a channel. */
export interface ChannelEnd {
	/** Index of the domain. */
	readonly domain: number;
	readonly id: number;
	/** It may notify the other end. */
	readonly notify: boolean;
	/** It may call the other end. */
	readonly pp: boolean;
}

/** A channel. */
export interface Channel {
	readonly ends: readonly [ChannelEnd, ChannelEnd];
}

/** An entry of the domain schedule; `end` ends it. */
export type ScheduleEntry =
	| { readonly domain: number; readonly duration: number; readonly unit: 'us' | 'ticks' }
	| 'end';

/** The domain scheduler's description. */
export interface DomainSchedule {
	readonly names: ReadonlyMap<string, number>;
	readonly entries: readonly ScheduleEntry[];
	readonly start: number;
	readonly shift: number | undefined;
}

/** A system. */
export interface SystemDescription {
	/** File name of the description. */
	readonly file: string;
	/** Parents stand before their children. */
	readonly domains: readonly ProtectionDomain[];
	readonly regions: readonly MemoryRegion[];
	readonly channels: readonly Channel[];
	readonly schedule: DomainSchedule | undefined;
	/** What is allowed, but hardly meant. */
	readonly warnings: readonly string[];
}
