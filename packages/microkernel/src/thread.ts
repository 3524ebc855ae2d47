/**
 * A thread: its parked registers, and what the kernel knows of it. Plain data. While a thread is on a hart, the hart's
 * words are the truth.
 *
 * ```
 * words   0..31 x0..x31   32..63 f0..f31   64 pc   65 fcsr     (0..64 as in the hart's own state)
 * ```
 */

/** Number of a thread: of its TCB object, and of its entity in the scheduling policy. */
export type ThreadId = number;

/** Words of a thread's parked registers. */
export const THREAD_WORDS = 66;
/** Index of pc, in a thread's words and in a hart's. */
export const PC = 64;
/** Index of fcsr. */
export const FCSR = 65;

/** Slots of a TCB: seL4's order. */
export const TcbSlot = { cspace: 0, vspace: 1, buffer: 2, faultHandler: 3, timeoutHandler: 4 } as const;

/** Why a thread is not ready; `ready` if it is (its budget aside). */
export type ThreadStatus =
	| 'ready'
	/** Suspended, or never started, or stopped by a fault that nobody handles. */
	| 'inactive'
	/** In `@partita/ipc`: waits to send, to receive, for a reply, or for a notification. */
	| 'blocked';

/** What runs: machine code in U-mode, a TypeScript component, or a guest of a virtual CPU. */
export type ThreadKind = 'program' | 'component' | 'vcpu';

/** Kinds of faults. `VCPUFault` is the exit of a virtual CPU's guest. */
export type FaultKind = 'CapFault' | 'UnknownSyscall' | 'UserException' | 'Timeout' | 'VMFault' | 'VCPUFault';

/** A fault that a thread has had: its message to the handler. */
export interface FaultRecord {
	readonly kind: FaultKind;
	/** Message words. */
	readonly words: readonly bigint[];
}

/** What a receive brought, for components: to programs it is all registers. */
export type Received = 'nothing' | 'signal' | 'message' | 'fault' | 'exit';

/** A thread. Plain data. */
export interface Thread {
	readonly id: ThreadId;
	name: string;
	kind: ThreadKind;
	readonly words: BigUint64Array;
	/** The same as halves, low ones first. */
	readonly halves: Uint32Array;
	/** An IPC buffer's words that are not in guest memory: a component's. */
	readonly buffer: BigUint64Array | undefined;
	/** Virtual address of its IPC buffer; 0: none. The frame is in its slot. */
	bufferAddress: number;
	/** 0 to 255; larger is more urgent. */
	priority: number;
	/** The highest priority that it may give. */
	mcp: number;
	/** The scheduling context that it has, or 0. */
	context: number;
	/** seL4_TCBFlag: bit 0, it may not use floating point. */
	flags: number;
	/** It has written a floating-point register. */
	floatUsed: boolean;
	status: ThreadStatus;
	/** pc of the system call or faulting instruction: where it goes on if the operation is undone. */
	restart: bigint;
	/** Its fault, while its handler has not answered, or for good where there is none. */
	fault: FaultRecord | undefined;
	/** What its last receive brought. */
	received: Received;
	/** A scheduling context that it yielded to: it is told what that consumed when it runs again. 0: none. */
	yieldedTo: number;
	/** Scheduling domain. */
	domain: number;
	/** Virtual nanoseconds that it ran, without the kernel's. */
	runNanos: number;
	/** Times that it was put on a hart. */
	dispatches: number;
	/** Times that it was taken off a hart while it could have gone on. */
	preemptions: number;
	/** Times that its budget ran out. */
	exhaustions: number;
	systemCalls: number;
}

/** Registers with a role in the interface. */
export const Register = { ra: 1, sp: 2, tp: 4, t0: 5, a0: 10, a1: 11, a2: 12, a5: 15, a6: 16, a7: 17 } as const;

/** A thread that has not run. */
export function newThread(id: ThreadId, name: string, kind: ThreadKind): Thread {
	const words = new BigUint64Array(THREAD_WORDS);
	return {
		id,
		name,
		kind,
		words,
		halves: new Uint32Array(words.buffer),
		buffer: kind === 'component' ? new BigUint64Array(128) : undefined,
		bufferAddress: 0,
		priority: 0,
		mcp: 0,
		context: 0,
		flags: 0,
		floatUsed: false,
		status: 'inactive',
		restart: 0n,
		fault: undefined,
		received: 'nothing',
		yieldedTo: 0,
		domain: 0,
		runNanos: 0,
		dispatches: 0,
		preemptions: 0,
		exhaustions: 0,
		systemCalls: 0,
	};
}

/** A thread as a snapshot holds it. */
export type ThreadState = Omit<Thread, 'halves'>;

/** What a snapshot holds of a thread; the words are copied. */
export function saveThread(thread: Thread): ThreadState {
	const { halves: _, ...state } = thread;
	return structuredClone(state);
}

/** A thread as a snapshot says. Throws a `RangeError` for a broken one. */
export function restoreThread(state: ThreadState): Thread {
	if (!(state.words instanceof BigUint64Array) || state.words.length !== THREAD_WORDS)
		throw new RangeError(`thread ${state.id}: broken state`);
	const copy = structuredClone(state);
	return { ...copy, halves: new Uint32Array(copy.words.buffer) };
}
