// What IPC needs from a kernel: threads that block and wake, messages that are copied, scheduling contexts that move.
// IPC does not know what any of these is; it knows them by number, and 0 is none.

/** A thread; 0 is none. */
export type ThreadId = number;
/** An endpoint; 0 is none. */
export type EndpointId = number;
/** A notification; 0 is none. */
export type NotificationId = number;
/** A reply object; 0 is none. */
export type ReplyId = number;
/** A scheduling context. */
export type ContextId = number;

/** What a thread is blocked on. */
export const Blocked = { None: 0, Send: 1, Receive: 2, Notification: 3, Reply: 4 } as const;
/** One of {@link Blocked}. */
export type BlockedOn = (typeof Blocked)[keyof typeof Blocked];

/** The kernel's side. No method may call back into IPC, and none may throw because of what a guest did. */
export interface ThreadPort {
	/** 0 to 255; larger is more urgent. */
	priority(thread: ThreadId): number;
	/** The thread waits from now on. Also called when what it waits for changes from Send to Reply. */
	block(thread: ThreadId, on: Exclude<BlockedOn, 0>): void;
	/**
	 * The thread waits no longer. `resume`: its system call is done. `restart`: what it waited for is gone, and it does
	 * its system call again, to learn that. It may run if it has a scheduling context.
	 */
	wake(thread: ThreadId, how: 'resume' | 'restart'): void;
	/** The thread waits no longer and does not run either, until somebody resumes it (seL4's Inactive). */
	deactivate(thread: ThreadId): void;
	/**
	 * Copies a message, and its capabilities if `grant`, and gives the receiver the badge. Or the sender's fault, if it
	 * is a fault that it sends. `endpoint` decides which capabilities are unwrapped.
	 */
	deliver(from: ThreadId, to: ThreadId, endpoint: EndpointId, badge: bigint, grant: boolean): void;
	/**
	 * Copies a reply, and its capabilities if `grant`, or applies it to the fault that `to` had sent. Returns whether
	 * `to` goes on (a fault handler may answer that it does not).
	 */
	reply(from: ThreadId, to: ThreadId, grant: boolean): boolean;
	/** Gives a thread the word of a notification as its badge, with an empty message. */
	notify(to: ThreadId, word: bigint): void;
	/** The scheduling context that a thread has, or 0: then it is passive. */
	contextOf(thread: ThreadId): ContextId;
	/** The thread that has a scheduling context, or 0. */
	holderOf(context: ContextId): ThreadId;
	/** Takes a scheduling context from whoever has it and gives it to a thread that has none; 0 leaves it with nobody. */
	donate(context: ContextId, to: ThreadId): void;
}
