/**
 * A system after it was checked: units are gone, defaults are filled in, names are known to lead somewhere. This is what
 * images are loaded for and compositions are assembled from. Plain data.
 */
import type { CompositionName, ImageDescription } from './description.ts';

/** How something is scheduled. Nanoseconds. */
export interface Scheduling {
	readonly priority: number;
	readonly budget?: number;
	readonly period?: number;
	readonly slice?: number;
}

/** A task of a guest. */
export interface PeriodicTask {
	readonly name: string;
	/** Nanoseconds. */
	readonly period: number;
	/** Instructions. */
	readonly work: number;
	/** Nanoseconds. */
	readonly deadline: number;
	readonly samples: number;
}

/** A task that always has work. */
export interface BusyTask {
	readonly name: string;
	/** Instructions of a round. */
	readonly work: number;
}

/** What is run. */
export type Image =
	| { readonly file: string }
	| { readonly guest: 'real-time'; readonly control: PeriodicTask; readonly background?: BusyTask }
	| { readonly guest: 'periodic'; readonly task: PeriodicTask }
	| { readonly guest: 'busy'; readonly task: BusyTask }
	| Extract<ImageDescription, { readonly guest: 'ping' | 'pong' }>;

/** A device of a virtual machine. */
export interface Device {
	readonly kind: 'uart' | 'plic';
	readonly address: number;
	readonly interrupt?: number;
}

/** A virtual machine. */
export interface Vm {
	readonly scheduling: Scheduling;
	readonly image: string;
	/** Bytes. */
	readonly memory: number;
	readonly base: number;
	readonly deviceTree: boolean;
	readonly append?: string;
	readonly initrd?: string;
	readonly devices: readonly Device[];
	/** Of the domain that holds the monitor, on a microkernel. */
	readonly monitor: Scheduling;
	readonly reboot: 'restart' | 'stop';
}

/** A native protection domain. */
export interface Domain {
	readonly name: string;
	readonly scheduling: Scheduling;
	readonly image: string;
	/** Bytes. */
	readonly stack: number;
	readonly passive: boolean;
}

/** How a cell exists. */
export type Placement = 'vm' | 'domains' | 'none';

/** A cell. */
export interface Cell {
	readonly name: string;
	readonly about?: string;
	readonly licence?: string;
	readonly vm?: Vm;
	readonly domains: readonly Domain[];
	readonly placement: Partial<Readonly<Record<CompositionName, Placement>>>;
}

/** A channel between two native domains. */
export interface Channel {
	readonly name: string;
	readonly kind: 'endpoint' | 'notification';
	readonly from: { readonly domain: string; readonly slot: number; readonly badge: number };
	readonly to: { readonly domain: string; readonly slot: number; readonly reply?: number };
}

/** A scheduling policy and its options. Nanoseconds. */
export type Policy =
	| { readonly policy: 'fixed-priority'; readonly slice?: number; readonly minimumBudget: number }
	| { readonly policy: 'round-robin'; readonly slice: number; readonly minimumBudget: number };

/** A system that was checked. */
export interface System {
	readonly name: string;
	readonly about?: string;
	readonly machine: {
		/** Bytes of RAM. */
		readonly memory: number;
		readonly costs: 'u54h' | 'u54' | 'free';
	};
	/** Nanoseconds. */
	readonly duration: number;
	readonly scheduling: Policy;
	readonly admission: 'none' | 'utilisation' | 'response-time';
	readonly images: Readonly<Record<string, Image>>;
	readonly cells: readonly Cell[];
	readonly channels: readonly Channel[];
	/** Compositions that every cell has a placement for. */
	readonly compositions: readonly CompositionName[];
}
