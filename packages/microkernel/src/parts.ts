/**
 * The parts that a kernel is wired from, as its modules see them: each knows what it is given here, and nothing of the
 * others. Not here: the wiring (kernel.ts).
 */
import type { CapabilitySpace } from '@partita/capability';
import type { Ipc } from '@partita/ipc';
import type { KernelCore } from './core.ts';
import type { DomainSchedule } from './domains.ts';
import type { InterruptController } from './interrupts.ts';
import type { AbiProfile, InvocationName } from './profile.ts';
import type { Thread } from './thread.ts';
import type { Threads } from './threads.ts';
import type { MessageTransfer } from './transfer.ts';
import type { VSpaces } from './vspace.ts';

/** Physical memory as the kernel writes it; `PhysicalMemory` of `@partita/memory` fits. */
export interface KernelMemory {
	/** Whether every byte of the range is memory. */
	contains(address: number, length: number): boolean;
	/** False, with nothing copied, where part of the range is not memory. */
	read(address: number, into: Uint8Array): boolean;
	/** False, with nothing copied, where part of the range is not memory. */
	write(address: number, from: Uint8Array): boolean;
}

/** All parts. */
export interface KernelParts {
	readonly profile: AbiProfile;
	readonly memory: KernelMemory;
	readonly core: KernelCore;
	readonly space: CapabilitySpace;
	readonly ipc: Ipc;
	readonly vspaces: VSpaces;
	readonly interrupts: InterruptController;
	readonly domains: DomainSchedule;
	readonly threads: Threads;
	readonly transfer: MessageTransfer;
	/** Names of invocations by label. */
	readonly labels: ReadonlyMap<number, InvocationName>;
	/** A thread has another address space. */
	vspaceChanged(thread: Thread): void;
	/** A thread's flags are to be these. */
	flagsChanged(thread: Thread, flags: number): void;
	/** A thread prints a byte. */
	debug(thread: string, byte: number): void;
}
