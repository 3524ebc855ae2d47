/**
 * What a system is, as people write it: plain data, the same whether it comes from TypeScript, JSON or YAML. Durations are
 * nanoseconds or text with a unit, sizes are bytes or text with a unit. `checkSystem` makes a `System` of it, or says what
 * cannot be.
 *
 * Every difference between the compositions is in the data: a cell says how it may exist (as a virtual machine, as native
 * protection domains, or both), and its `placement` says which of them a composition takes.
 */

/** Nanoseconds, or text: `'1ms'`, `'250us'`, `'0.5s'`, `'100ns'`. */
export type Duration = number | string;

/** Bytes, or text: `'64MiB'`, `'4KiB'`, `'1GiB'`, `'512B'`. */
export type Size = number | string;

/** Which kernel a system is assembled on. */
export type CompositionName = 'hypervisor' | 'microkernel';

/** A task of a built-in guest. */
export interface TaskDescription {
	/** 1 to 16 printable ASCII characters. */
	readonly name: string;
	/** Between releases: a multiple of 100 ns. */
	readonly period: Duration;
	/** Instructions of work in each job, at least 2. */
	readonly work: number;
	/** From release; default: the period. */
	readonly deadline?: Duration;
	/** Response times that the guest keeps, 1 to 1,000,000; default 4,096. */
	readonly samples?: number;
}

/** A task of a built-in guest that always has work. */
export interface BusyTaskDescription {
	/** 1 to 16 printable ASCII characters. */
	readonly name: string;
	/** Instructions of one round, at least 2. */
	readonly work: number;
}

/** What a virtual machine or a domain runs: a file, or a guest of `@partita/guests` with its parameters. */
export type ImageDescription =
	/** An ELF executable, or for virtual machines also a Linux Image or a flat binary. Relative to the description. */
	| { readonly file: string }
	/** A kernel for a virtual machine: a control task in the timer interrupt, and a task that takes the rest. */
	| { readonly guest: 'real-time'; readonly control: TaskDescription; readonly background?: BusyTaskDescription }
	/** A native program: one job at each replenishment of its budget. */
	| { readonly guest: 'periodic'; readonly task: TaskDescription }
	/** A native program that always has work. */
	| { readonly guest: 'busy'; readonly task: BusyTaskDescription }
	/** A native program that calls an endpoint again and again. */
	| { readonly guest: 'ping' /** Slot of the endpoint. */; readonly endpoint: number }
	/** A native program that answers calls. */
	| {
			readonly guest: 'pong';
			/** Slot of the endpoint. */
			readonly endpoint: number;
			/** Slot of the reply object. */
			readonly reply: number;
	  };

/** How something is scheduled. */
export interface SchedulingDescription {
	/** 0 to 255; larger is more urgent. */
	readonly priority: number;
	/** Processor time for each period; without it, the time is unlimited. Goes with `period`. */
	readonly budget?: Duration;
	/** After which used budget comes back. */
	readonly period?: Duration;
	/** After which a ready equal gets its turn. */
	readonly slice?: Duration;
}

/** A device of a virtual machine. */
export interface DeviceDescription {
	/** `uart`: an ns16550a, on the guest's console. `plic`: the interrupt controller that `interrupt`s are at. */
	readonly kind: 'uart' | 'plic';
	/** Guest physical address. */
	readonly address: number;
	/** Source at the interrupt controller, 1 to 95. */
	readonly interrupt?: number;
}

/** A cell as a virtual machine with one virtual CPU. */
export interface VmDescription extends SchedulingDescription {
	/** Name of an image. */
	readonly image: string;
	/** A multiple of 4 KiB. */
	readonly memory: Size;
	/** Guest physical address of the memory; default 0x8000_0000. */
	readonly base?: number;
	/** Whether the guest finds a devicetree; default: where the image is a file. */
	readonly deviceTree?: boolean;
	/** Kernel command line, in the devicetree. */
	readonly append?: string;
	/** Name of the image of an initial RAM disk. */
	readonly initrd?: string;
	readonly devices?: readonly DeviceDescription[];
	/** On a microkernel: how the domain is scheduled that holds the monitor. Default: the machine's priority, unlimited. */
	readonly monitor?: SchedulingDescription;
	/** When the guest asks for a reboot: it starts again (default), or it ends. */
	readonly reboot?: 'restart' | 'stop';
}

/** A native protection domain. */
export interface DomainDescription extends SchedulingDescription {
	/** Unique among all domains. */
	readonly name: string;
	/** Name of an image. */
	readonly image: string;
	/** Default 16 KiB. */
	readonly stack?: Size;
	/** It has no processor time of its own, and runs on that of its callers. */
	readonly passive?: boolean;
}

/** How a cell exists in each composition; a composition that is not named is one that the system does not have. */
export interface PlacementDescription {
	/** On a hypervisor there are virtual machines only. */
	readonly hypervisor?: 'vm' | 'none';
	/** `none`: the cell is absent there. */
	readonly microkernel?: 'vm' | 'domains' | 'none';
}

/** A part of the system that is isolated from the others. */
export interface CellDescription {
	/** Unique. */
	readonly name: string;
	/** What it is for, for people. */
	readonly about?: string;
	/** SPDX expression of what it runs. */
	readonly licence?: string;
	readonly vm?: VmDescription;
	readonly domains?: readonly DomainDescription[];
	readonly placement: PlacementDescription;
}

/** An end of a channel. */
export interface ChannelEndDescription {
	/** Name of a domain. */
	readonly domain: string;
	/** Slot of its capability space in which it finds the channel, 1 to 255. */
	readonly slot: number;
}

/** What two native domains communicate through, where both exist. */
export interface ChannelDescription {
	/** Unique. */
	readonly name: string;
	/** `endpoint`: `from` calls `to`. `notification`: `from` signals `to`. */
	readonly kind: 'endpoint' | 'notification';
	readonly from: ChannelEndDescription & {
		/** Tells the receiver who it was: 0 to 2^53 - 1; default 0. */
		readonly badge?: number;
	};
	readonly to: ChannelEndDescription & {
		/** Slot of the reply object, for an endpoint. */
		readonly reply?: number;
	};
}

/** A scheduling policy of `@partita/sched`. */
export type PolicyDescription =
	| {
			readonly policy: 'fixed-priority';
			/** Turn of equals without one of their own. */
			readonly slice?: Duration;
			/** The least budget; default 1 ns. */
			readonly minimumBudget?: Duration;
	  }
	| { readonly policy: 'round-robin'; readonly slice: Duration; readonly minimumBudget?: Duration };

/** A system. */
export interface SystemDescription {
	readonly name: string;
	/** What it is, for people. */
	readonly about?: string;
	readonly machine: {
		/** RAM: 1 MiB to 3 GiB. */
		readonly memory: Size;
		/** What kernel work costs, a profile of `@partita/kernel-costs`; default `u54h`. */
		readonly costs?: 'u54h' | 'u54' | 'free';
	};
	/** How long a run takes unless asked otherwise; default 1 s. */
	readonly duration?: Duration;
	readonly scheduling: PolicyDescription;
	/**
	 * What must be promised before anything starts. `utilisation`: in each composition the budgets of all periods fit into
	 * the processor. `response-time`: moreover, under fixed priorities, each budget can be had within its period, with
	 * nothing unbudgeted above it. Default `none`.
	 */
	readonly admission?: 'none' | 'utilisation' | 'response-time';
	/** By name. */
	readonly images: Readonly<Record<string, ImageDescription>>;
	readonly cells: readonly CellDescription[];
	readonly channels?: readonly ChannelDescription[];
}

/** Gives a description its type, and returns it as it is: for descriptions in TypeScript and JavaScript. */
export function defineSystem(description: SystemDescription): SystemDescription {
	return description;
}
