/**
 * What happens to threads: they block, wake, get messages, fault, are suspended and resumed; `@partita/ipc`'s port. Not
 * here: system calls, and whose turn it is (core.ts).
 */
import { type CapabilityId, type CapabilitySpace, ObjectKind, Rights } from '@partita/capability';
import { Blocked, type Ipc, type ThreadPort } from '@partita/ipc';
import type { KernelCore } from './core.ts';
import type { AbiProfile, FaultName } from './profile.ts';
import { type FaultKind, type FaultRecord, PC, Register, TcbSlot, type Thread } from './thread.ts';
import type { MessageTransfer } from './transfer.ts';

/** Registers in the order of Read- and WriteRegisters: pc, ra, sp, gp, s0 to s11, a0 to a7, t0 to t6, tp; indices of words. */
export const CONTEXT_REGISTERS: readonly number[] = [
	PC,
	1,
	2,
	3,
	8,
	9,
	18,
	19,
	20,
	21,
	22,
	23,
	24,
	25,
	26,
	27,
	10,
	11,
	12,
	13,
	14,
	15,
	16,
	17,
	5,
	6,
	7,
	28,
	29,
	30,
	31,
	4,
];
/** How many of them are pc, ra, sp, gp and s: the frame, as CopyRegisters sees it. */
export const FRAME_REGISTERS = 16;

/** Registers of an UnknownSyscall message before the number of the call, and of a UserException's before its number. */
const UNKNOWN_SYSCALL_REGISTERS: readonly number[] = [PC, 2, 1, 10, 11, 12, 13, 14, 15, 16];
const USER_EXCEPTION_REGISTERS: readonly number[] = [PC, 2];

/** What a fault handler's answer changes of the thread: registers by the words of the answer. */
const ANSWERED: Readonly<Partial<Record<FaultKind, readonly number[]>>> = {
	UnknownSyscall: UNKNOWN_SYSCALL_REGISTERS,
	UserException: USER_EXCEPTION_REGISTERS,
	Timeout: CONTEXT_REGISTERS,
};

/** See the file's head. */
export class Threads implements ThreadPort {
	readonly #core: KernelCore;
	readonly #space: CapabilitySpace;
	readonly #transfer: MessageTransfer;
	readonly #profile: AbiProfile;
	/** Set once by the kernel. */
	ipc!: Ipc;

	constructor(core: KernelCore, space: CapabilitySpace, transfer: MessageTransfer, profile: AbiProfile) {
		this.#core = core;
		this.#space = space;
		this.#transfer = transfer;
		this.#profile = profile;
	}

	#thread(id: number): Thread {
		return this.#core.threads.get(id)!;
	}

	// The port of IPC.

	priority(id: number): number {
		return this.#thread(id).priority;
	}

	block(id: number): void {
		this.#core.block(this.#thread(id), 'blocked');
	}

	wake(id: number, how: 'resume' | 'restart'): void {
		const thread = this.#thread(id);
		if (how === 'restart') {
			// A fault cannot be sent again: its handler's endpoint is gone.
			if (thread.fault) {
				this.#core.block(thread, 'inactive');
				return;
			}
			this.#core.setPc(thread, thread.restart);
		}
		this.#core.wake(thread);
	}

	deactivate(id: number): void {
		const thread = this.#thread(id);
		// If somebody resumes it, it does its system call again.
		this.#core.setPc(thread, thread.restart);
		this.#core.block(thread, 'inactive');
	}

	deliver(from: number, to: number, endpoint: number, badge: bigint, grant: boolean): void {
		const sender = this.#thread(from);
		const receiver = this.#thread(to);
		this.#core.pay('ipcTransfer');
		const { fault } = sender;
		if (fault) {
			const label = this.#profile.faults[fault.kind as FaultName];
			const words = this.#transfer.give(receiver, badge, label, fault.words);
			receiver.received = fault.kind === 'VCPUFault' ? 'exit' : 'fault';
			this.#core.trace.message?.(sender.name, receiver.name, 'fault', words, this.#core.now);
			return;
		}
		const words = this.#transfer.copy(sender, receiver, endpoint, badge, grant);
		receiver.received = 'message';
		this.#core.counters.ipc.words += words;
	}

	reply(from: number, to: number, grant: boolean): boolean {
		const sender = this.#thread(from);
		const caller = this.#thread(to);
		this.#core.pay('ipcTransfer');
		const { fault } = caller;
		if (!fault) {
			const words = this.#transfer.copy(sender, caller, 0, 0n, grant);
			this.#core.counters.ipc.replies++;
			this.#core.counters.ipc.words += words;
			return true;
		}
		caller.fault = undefined;
		return this.#answer(sender, caller, fault);
	}

	/** Applies a handler's answer. @returns whether the thread goes on */
	#answer(handler: Thread, thread: Thread, { kind }: FaultRecord): boolean {
		const { words, length, label } = this.answerOf(handler);
		const registers = ANSWERED[kind];
		const own = this.#core.words(thread);
		if (registers) {
			for (let i = 0; i < Math.min(length, registers.length); i++)
				if (registers[i] !== PC) own[registers[i]!] = words[i]!;
			const pc = length > 0 && registers[0] === PC ? words[0]! : thread.restart;
			this.#core.setPc(thread, pc);
			return label === 0;
		}
		this.#core.setPc(thread, thread.restart);
		return true;
	}

	/** The message that a thread is sending. */
	answerOf(thread: Thread): { label: number; length: number; words: bigint[] } {
		const info = this.#core.words(thread)[Register.a1]!;
		const length = Math.min(Number(info & 0x7fn), 120);
		return { label: Number(info >> 12n), length, words: this.#transfer.words(thread, length) };
	}

	notify(id: number, word: bigint): void {
		const thread = this.#thread(id);
		thread.received = 'signal';
		const registers = this.#core.words(thread);
		registers[Register.a0] = word;
		registers[Register.a1] = 0n;
	}

	contextOf(id: number): number {
		return this.#thread(id).context;
	}

	holderOf(context: number): number {
		return this.#core.contexts.get(context)?.thread ?? 0;
	}

	donate(context: number, to: number): void {
		this.#core.bind(to, context);
		if (to !== 0) this.#core.handOver(to);
	}

	// Faults.

	/** A thread has faulted: its handler is told, or it stops. */
	fault(thread: Thread, fault: FaultRecord): void {
		const core = this.#core;
		core.counters.faults[fault.kind as FaultName] = (core.counters.faults[fault.kind as FaultName] ?? 0) + 1;
		core.pay('faultDelivery');
		core.trace.fault?.(thread.name, fault.kind, thread.restart, core.now);
		thread.fault = fault;
		const space = this.#space;
		const handler = space.at(space.slot(thread.id, TcbSlot.faultHandler));
		if (!this.isHandler(handler)) {
			core.counters.unhandledFaults++;
			core.block(thread, 'inactive');
			return;
		}
		this.#send(thread, handler);
	}

	/** A thread's budget has run out. @returns whether a handler is told */
	timeout(thread: Thread): boolean {
		const space = this.#space;
		const handler = space.at(space.slot(thread.id, TcbSlot.timeoutHandler));
		const context = this.#core.contexts.get(thread.context);
		if (!context || thread.status !== 'ready' || !this.isHandler(handler)) return false;
		const consumed = BigInt(Math.floor(this.#core.takeConsumed(context) / 1000));
		this.#core.counters.faults.Timeout = (this.#core.counters.faults.Timeout ?? 0) + 1;
		thread.restart = this.#core.words(thread)[PC]!;
		thread.fault = { kind: 'Timeout', words: [context.badge, consumed] };
		this.#send(thread, handler);
		return true;
	}

	/** A thread has got its scheduling context back with an answer: if that is used up, its timeout handler is told. */
	returned(id: number): void {
		const thread = this.#core.threads.get(id);
		const context = thread && this.#core.contexts.get(thread.context);
		if (context?.configured && this.#core.policy.due(context.id) > this.#core.now) this.timeout(thread!);
	}

	/** A guest has left: its monitor is told. */
	exit(thread: Thread, { cause, value }: { readonly cause: number; readonly value: bigint }): void {
		thread.fault = { kind: 'VCPUFault', words: [BigInt(cause), value] };
		const space = this.#space;
		const handler = space.at(space.slot(thread.id, TcbSlot.faultHandler));
		if (this.isHandler(handler)) this.#send(thread, handler);
		else this.#core.block(thread, 'inactive');
	}

	#send(thread: Thread, handler: CapabilityId): void {
		const space = this.#space;
		const rights = space.rights(handler);
		const canReply = (rights & (Rights.Grant | Rights.GrantReply)) !== 0;
		this.ipc.call(thread.id, space.object(handler), space.word(handler), (rights & Rights.Grant) !== 0, canReply);
	}

	/** Whether a capability is one that faults can be sent to. */
	isHandler(capability: CapabilityId): boolean {
		const space = this.#space;
		if (capability === 0 || space.kind(capability) !== ObjectKind.Endpoint) return false;
		const rights = space.rights(capability);
		return (rights & Rights.Write) !== 0 && (rights & (Rights.Grant | Rights.GrantReply)) !== 0;
	}

	// Suspending and resuming.

	/** TCB_Suspend. */
	suspend(thread: Thread): void {
		this.cancel(thread);
		thread.yieldedTo = 0;
		this.#core.block(thread, 'inactive');
	}

	/** Whatever the thread waits for, it waits no longer; if it is resumed, it does its system call again. */
	cancel(thread: Thread): void {
		const waits = this.ipc.blockedOn(thread.id) !== Blocked.None;
		this.ipc.cancel(thread.id);
		if (waits || thread.status === 'blocked') {
			thread.fault = undefined;
			this.#core.setPc(thread, thread.restart);
		}
	}

	/** TCB_Resume: a thread that waits or is stopped goes on with what it was doing. */
	resume(thread: Thread): void {
		if (thread.status === 'ready') return;
		this.cancel(thread);
		thread.fault = undefined;
		this.#core.wake(thread);
	}
}
