/**
 * A hosted component: a protection domain whose program is TypeScript. To the kernel it is a thread with a capability space
 * and an address space, as any other; what it may touch is what its capabilities name.
 *
 * It is a set of handlers that run to completion over plain state. What a handler does to others (signals, calls, answers)
 * takes place as its processor time is spent: `work(300); notify(5)` signals after 300 ns of its own time, which others may
 * preempt. What it reads and writes of memory and devices takes place at once, when the handler runs.
 *
 * Not here: how events reach it and how its time is spent (component-runner.ts).
 */
import type { Hart, TrapExit } from '@partita/cpu';

/** A message between threads. */
export interface Message {
	/** 52 bits: what it asks for, or an error, or the kind of a fault. */
	readonly label: number;
	/** At most 120 words of 64 bits. */
	readonly words: readonly bigint[];
}

/** What a component is. Handlers that it does not have are not called; what comes for them is lost. */
export interface ComponentBehaviour {
	/** Plain state. */
	readonly state: unknown;
	/** Takes over a copy of a saved state. */
	restore(state: never): void;
	/** Once, when it first runs. */
	init?(): void;
	/** A notification that it waits for: the badges of all signals since, combined. */
	notified?(badges: bigint): void;
	/**
	 * A message at its endpoint. @returns the answer; undefined: it gives it with `reply` before its next event but those of
	 * calls that it makes, or never (a plain Send has no answer)
	 */
	protected?(badge: bigint, message: Message): Message | undefined;
	/** The answer to the call that it made. */
	replied?(message: Message): void;
	/** A thread has faulted. @returns the answer to the fault, as its kind wants it; undefined: the thread stays stopped */
	fault?(badge: bigint, fault: Message): Message | undefined;
	/** One of its virtual CPUs has left its guest. @returns whether it is run on */
	exit?(vcpu: number, exit: TrapExit): 'resume' | 'wait';
	/** The time that it asked for with `alarm` has come. */
	alarm?(): void;
}

/** What a component is given. Slots are those of its capability space. */
export interface ComponentEnvironment {
	/** Its domain's. */
	readonly name: string;
	/** Virtual nanoseconds. */
	now(): number;
	/** It computes for so many nanoseconds: they are spent before what it does next. */
	work(nanos: number): void;
	/** Signals the notification in a slot. */
	notify(slot: number): void;
	/**
	 * Calls the endpoint, or the kernel object, in a slot: the answer comes to `replied`. Until then it gets no other event.
	 * @param capabilities - slots of those that go along, at most three
	 */
	call(slot: number, message: Message, capabilities?: readonly number[]): void;
	/** Answers the caller whose message it got last. */
	reply(message: Message): void;
	/** Lets the interrupt of a handler in a slot through again. */
	acknowledge(slot: number): void;
	/** `alarm` is called at this virtual time; undefined: no call. It replaces the one before. */
	alarm(nanos: number | undefined): void;
	/** Reads memory that is mapped in its address space: all, or nothing and false. */
	read(address: number, into: Uint8Array): boolean;
	/** Writes memory that is mapped writable in its address space: all, or nothing and false. */
	write(address: number, from: Uint8Array): boolean;
	/** Loads from a device that is mapped in its address space, which takes time; undefined where there is none. */
	load(address: number, size: 1 | 2 | 4): number | undefined;
	/** Stores to a device that is mapped writable in its address space, which takes time; false where there is none. */
	store(address: number, size: 1 | 2 | 4, value: number): boolean;
	/** Prints on the kernel's debug console. */
	print(bytes: Uint8Array): void;
	/** Memory of its own, of which it gives out parts: for guests. Empty unless its description says how much. */
	readonly pool: MemoryPool;
	/** Its virtual CPUs, in the order of its description. */
	readonly vcpus: readonly VcpuControl[];
}

/** A run of physical memory that belongs to one component. Addresses are physical; nothing else can be reached. */
export interface MemoryPool {
	/** False, with nothing copied, where part of the range is not the pool's. */
	read(address: number, into: Uint8Array): boolean;
	/** False, with nothing copied, where part of the range is not the pool's, or is a guest's second-stage table in use. */
	write(address: number, from: Uint8Array): boolean;
	/** A run of zeroed memory: its physical address; undefined where there is none. */
	allocate(bytes: number, alignment: number): number | undefined;
	/** Takes a run back, whatever is in it. */
	free(address: number, bytes: number): void;
}

/** A virtual CPU of a component. Its exits come to `exit`. */
export interface VcpuControl {
	/**
	 * Gives it its registers. `hgatp` names the second-stage table, which must lie in the component's pool and map nothing
	 * else than the pool: the kernel checks it, and from then on it cannot be written.
	 * Throws a `RangeError`, and binds nothing, where that is not so.
	 */
	bind(registers: VcpuRegisters, hgatp: bigint): void;
	/** Takes its registers away; it does not run, and the second-stage table is the component's again. */
	unbind(): void;
	/** It runs, from now on, whenever it has processor time. */
	resume(): void;
	/** It does not run. */
	suspend(): void;
}

/** Registers of a virtual CPU, on a hart or parked: `Vcpu` of `@partita/vmm` fits. */
export interface VcpuRegisters {
	/** Puts them on a hart; what keeps the guest in its place, the kernel sets itself. */
	attach(hart: Hart): void;
	/** Takes them off. */
	detach(): void;
	/** They were on this hart when a snapshot was taken that is being restored. */
	adopt(hart: Hart): void;
}

/** How a component is made: once, before anything runs. */
export type ComponentFactory = (environment: ComponentEnvironment) => ComponentBehaviour;
