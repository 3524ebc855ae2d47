// Endpoints, notifications and reply objects: who meets whom, in which order, and where scheduling contexts go.
// Not here: rights (the kernel checks them before it asks), what is in a message, what a thread is.
// seL4 reference manual (MCS): "Message Passing (IPC)", "Notifications", "Scheduling Context Donation".

import { checkState } from './invariants.ts';
import {
	Blocked,
	type BlockedOn,
	type ContextId,
	type EndpointId,
	type NotificationId,
	type ReplyId,
	type ThreadId,
	type ThreadPort,
} from './port.ts';
import { enqueue, leave, members } from './queue.ts';
import { CALL, CAN_REPLY, emptyState, GRANT, grow, type IpcState, Role } from './state.ts';

/** What IPC is made of. */
export interface IpcOptions {
	readonly port: ThreadPort;
	/** How waiting threads are served: by priority (seL4 MCS, the default), or first come, first served. */
	readonly order?: 'priority' | 'fifo';
	/** A state to go on from; it is owned by this object from then on. */
	readonly state?: IpcState;
}

/** How a send ends: the message is there, the sender waits, or nobody was there and the message is dropped. */
export type SendOutcome = 'delivered' | 'blocked' | 'dropped';
/** How a receive ends: there is a message (or a notification's word), the receiver waits, or there is nothing. */
export type ReceiveOutcome = 'received' | 'blocked' | 'empty';

/** See the file's head. Numbers of objects are the kernel's, from 1 on; small ones keep the tables small. */
export class Ipc {
	readonly #port: ThreadPort;
	readonly #fifo: boolean;
	#state: IpcState;

	/** Throws a `RangeError` for a broken state. */
	constructor(options: IpcOptions) {
		this.#port = options.port;
		this.#fifo = options.order === 'fifo';
		this.#state = emptyState();
		if (options.state) this.restore(options.state);
	}

	/** All that IPC knows: plain data, live. Clone it to keep it. */
	get state(): IpcState {
		return this.#state;
	}

	/** Goes on from another state. Throws a `RangeError`, and changes nothing, if the state is broken. */
	restore(state: IpcState): void {
		const faults = checkState(state);
		if (faults.length > 0) throw new RangeError(`broken IPC state: ${faults[0]}`);
		this.#state = state;
	}

	// Asking.

	/** What a thread waits for. */
	blockedOn(thread: ThreadId): BlockedOn {
		return (this.#state.threads.blocked[thread] ?? Blocked.None) as BlockedOn;
	}

	/** The endpoint, notification or reply that a thread waits for, or 0. */
	waitsFor(thread: ThreadId): number {
		return this.#state.threads.on[thread] ?? 0;
	}

	/** The notification that a thread is bound to, or 0. */
	boundNotification(thread: ThreadId): NotificationId {
		return this.#state.threads.bound[thread] ?? 0;
	}

	/** The thread that a notification is bound to, or 0. */
	boundThread(notification: NotificationId): ThreadId {
		return this.#state.notifications.bound[notification] ?? 0;
	}

	/** The scheduling context that a notification is bound to, or 0. */
	boundContext(notification: NotificationId): ContextId {
		return this.#state.notifications.context[notification] ?? 0;
	}

	/** The notification that a scheduling context is bound to, or 0. */
	notificationOfContext(context: ContextId): NotificationId {
		return this.#state.contexts.notification[context] ?? 0;
	}

	/** The thread that waits for a reply, or 0. */
	callerOf(reply: ReplyId): ThreadId {
		return this.#state.replies.caller[reply] ?? 0;
	}

	/** Who waits at an endpoint, in the order in which they are served. */
	waitingAt(endpoint: EndpointId): ThreadId[] {
		return members(this.#state.threads, this.#state.endpoints.first[endpoint] ?? 0);
	}

	/** Who waits for a notification, in the order in which they are served. */
	waitingFor(notification: NotificationId): ThreadId[] {
		return members(this.#state.threads, this.#state.notifications.first[notification] ?? 0);
	}

	// Sending.

	/** Send: waits for a receiver. Does not donate: a passive receiver has the message and no time to run. */
	send(sender: ThreadId, endpoint: EndpointId, badge: bigint, grant: boolean): SendOutcome {
		const receiver = this.#takeReceiver(sender, endpoint);
		if (receiver === 0) return this.#blockSender(sender, endpoint, badge, grant ? GRANT : 0);
		this.#port.deliver(sender, receiver, endpoint, badge, grant);
		this.#withdrawOffer(receiver);
		this.#port.wake(receiver, 'resume');
		return 'delivered';
	}

	/**
	 * NBSend: drops the message if nobody waits. With `donate` (the first half of NBSendRecv and NBSendWait) a passive
	 * receiver gets the sender's scheduling context for good.
	 */
	nbSend(sender: ThreadId, endpoint: EndpointId, badge: bigint, grant: boolean, donate = false): SendOutcome {
		const port = this.#port;
		const receiver = this.#takeReceiver(sender, endpoint);
		if (receiver === 0) return 'dropped';
		port.deliver(sender, receiver, endpoint, badge, grant);
		this.#withdrawOffer(receiver);
		if (donate && port.contextOf(receiver) === 0) {
			const context = port.contextOf(sender);
			if (context !== 0) port.donate(context, receiver);
		}
		port.wake(receiver, 'resume');
		return 'delivered';
	}

	/**
	 * Call: sends, and waits for the reply, lending a passive receiver the scheduling context until then. `canReply`: the
	 * capability has Grant or GrantReply. Without it, or if the receiver offers no reply object, the message arrives and
	 * the caller is deactivated. A fault is sent in the same way.
	 */
	call(sender: ThreadId, endpoint: EndpointId, badge: bigint, grant: boolean, canReply: boolean): SendOutcome {
		const receiver = this.#takeReceiver(sender, endpoint);
		if (receiver === 0) {
			return this.#blockSender(sender, endpoint, badge, CALL | (grant ? GRANT : 0) | (canReply ? CAN_REPLY : 0));
		}
		this.#port.deliver(sender, receiver, endpoint, badge, grant);
		const reply = this.#withdrawOffer(receiver);
		if (canReply && reply !== 0) this.#awaitReply(sender, receiver, reply);
		else this.#port.deactivate(sender);
		this.#port.wake(receiver, 'resume');
		return 'delivered';
	}

	/** The receiver that a message goes to, taken out of the queue, or 0. Makes room for both numbers. */
	#takeReceiver(sender: ThreadId, endpoint: EndpointId): ThreadId {
		const state = this.#state;
		if (!(sender < state.threads.blocked.length)) grow(state, 'threads', sender);
		if (!(endpoint < state.endpoints.role.length)) grow(state, 'endpoints', endpoint);
		const { endpoints } = state;
		if (endpoints.role[endpoint] !== Role.Receivers) return 0;
		const receiver = endpoints.first[endpoint];
		this.#leaveEndpoint(receiver, endpoint);
		return receiver;
	}

	#leaveEndpoint(thread: ThreadId, endpoint: EndpointId): void {
		const { threads, endpoints } = this.#state;
		leave(threads, endpoints.first, endpoint, thread);
		if (endpoints.first[endpoint] === 0) endpoints.role[endpoint] = Role.Idle;
		threads.blocked[thread] = Blocked.None;
		threads.on[thread] = 0;
	}

	/** The reply object that a receiver offered, which is its no longer. */
	#withdrawOffer(receiver: ThreadId): ReplyId {
		const { threads, replies } = this.#state;
		const reply = threads.reply[receiver];
		if (reply === 0) return 0;
		threads.reply[receiver] = 0;
		replies.receiver[reply] = 0;
		return reply;
	}

	#blockSender(sender: ThreadId, endpoint: EndpointId, badge: bigint, flags: number): 'blocked' {
		const { threads, endpoints } = this.#state;
		endpoints.role[endpoint] = Role.Senders;
		threads.blocked[sender] = Blocked.Send;
		threads.on[sender] = endpoint;
		threads.badge[sender] = badge;
		threads.flags[sender] = flags;
		enqueue(threads, endpoints.first, endpoint, sender, this.#level(sender));
		this.#port.block(sender, Blocked.Send);
		return 'blocked';
	}

	#level(thread: ThreadId): number {
		return this.#fifo ? 0 : this.#port.priority(thread);
	}

	// Receiving.

	/**
	 * Recv with a reply object, Wait with reply 0. A word of the bound notification comes before any message. A reply
	 * object that is in use is taken away from its caller or from its other receiver, which are deactivated.
	 */
	recv(receiver: ThreadId, endpoint: EndpointId, reply: ReplyId): ReceiveOutcome {
		if (this.#receiveNow(receiver, endpoint, reply)) return 'received';
		const { threads, endpoints, replies } = this.#state;
		this.#returnContext(threads.bound[receiver], receiver);
		endpoints.role[endpoint] = Role.Receivers;
		threads.blocked[receiver] = Blocked.Receive;
		threads.on[receiver] = endpoint;
		threads.reply[receiver] = reply;
		if (reply !== 0) replies.receiver[reply] = receiver;
		enqueue(threads, endpoints.first, endpoint, receiver, this.#level(receiver));
		this.#port.block(receiver, Blocked.Receive);
		return 'blocked';
	}

	/** NBRecv with a reply object, NBWait with reply 0. If it is `empty`, the kernel gives the badge 0. */
	nbRecv(receiver: ThreadId, endpoint: EndpointId, reply: ReplyId): ReceiveOutcome {
		return this.#receiveNow(receiver, endpoint, reply) ? 'received' : 'empty';
	}

	#receiveNow(receiver: ThreadId, endpoint: EndpointId, reply: ReplyId): boolean {
		const state = this.#state;
		if (!(receiver < state.threads.blocked.length)) grow(state, 'threads', receiver);
		if (!(endpoint < state.endpoints.role.length)) grow(state, 'endpoints', endpoint);
		if (!(reply < state.replies.caller.length)) grow(state, 'replies', reply);
		const { threads, endpoints } = state;
		if (reply !== 0) this.#reclaim(reply);
		const notification = threads.bound[receiver];
		if (notification !== 0 && state.notifications.active[notification] !== 0) {
			this.#takeWord(receiver, notification);
			return true;
		}
		if (endpoints.role[endpoint] !== Role.Senders) return false;
		const sender = endpoints.first[endpoint];
		this.#leaveEndpoint(sender, endpoint);
		const flags = threads.flags[sender];
		const badge = threads.badge[sender];
		threads.flags[sender] = 0;
		threads.badge[sender] = 0n;
		this.#port.deliver(sender, receiver, endpoint, badge, (flags & GRANT) !== 0);
		if ((flags & CALL) === 0) this.#port.wake(sender, 'resume');
		else if ((flags & CAN_REPLY) !== 0 && reply !== 0) this.#awaitReply(sender, receiver, reply);
		else this.#port.deactivate(sender);
		return true;
	}

	/** Ends whatever a reply object is in use for. */
	#reclaim(reply: ReplyId): void {
		const { replies } = this.#state;
		for (const thread of [replies.caller[reply], replies.receiver[reply]]) {
			if (thread === 0) continue;
			this.cancel(thread);
			this.#port.deactivate(thread);
		}
	}

	// Replying.

	/** Lets a caller wait for a reply; a callee without scheduling context borrows the caller's. */
	#awaitReply(caller: ThreadId, callee: ThreadId, reply: ReplyId): void {
		const state = this.#state;
		const port = this.#port;
		const { threads, replies } = state;
		replies.caller[reply] = caller;
		threads.blocked[caller] = Blocked.Reply;
		threads.on[caller] = reply;
		const context = port.contextOf(caller);
		if (context !== 0 && port.contextOf(callee) === 0) {
			if (!(context < state.contexts.top.length)) grow(state, 'contexts', context);
			const { top } = state.contexts;
			const under = top[context];
			replies.under[reply] = under;
			if (under !== 0) {
				replies.over[under] = reply;
				replies.context[under] = 0;
			}
			replies.context[reply] = context;
			top[context] = reply;
			port.donate(context, callee);
		}
		port.block(caller, Blocked.Reply);
	}

	/**
	 * Takes a reply out of its call stack and from its caller, who does not wait any longer. The rest of the stack holds
	 * together. Returns the scheduling context whose stack it topped, or 0.
	 */
	#release(reply: ReplyId): ContextId {
		const { threads, replies, contexts } = this.#state;
		const caller = replies.caller[reply];
		threads.blocked[caller] = Blocked.None;
		threads.on[caller] = 0;
		replies.caller[reply] = 0;
		const { over: overs, under: unders, context: owners } = replies;
		const over = overs[reply];
		const under = unders[reply];
		const context = owners[reply];
		overs[reply] = 0;
		unders[reply] = 0;
		owners[reply] = 0;
		if (over !== 0) unders[over] = under;
		if (context !== 0) contexts.top[context] = under;
		if (under !== 0) {
			overs[under] = over;
			owners[under] = context;
		}
		return context;
	}

	/** As `#release`; a scheduling context that was lent with this reply goes back. Returns the caller, or 0. */
	#finish(reply: ReplyId): ThreadId {
		const caller = this.#state.replies.caller[reply] ?? 0;
		if (caller === 0) return 0;
		const context = this.#release(reply);
		if (context !== 0 && this.#port.contextOf(caller) === 0) this.#port.donate(context, caller);
		return caller;
	}

	/** Invokes a reply object: at most one caller gets it. Returns whether there was one. Never blocks. */
	reply(sender: ThreadId, reply: ReplyId, grant: boolean): boolean {
		const caller = this.#finish(reply);
		if (caller === 0) return false;
		if (this.#port.reply(sender, caller, grant)) this.#port.wake(caller, 'resume');
		else this.#port.deactivate(caller);
		return true;
	}

	/** ReplyRecv: replies if somebody waits for it, and then receives with the same reply object. */
	replyRecv(thread: ThreadId, reply: ReplyId, grant: boolean, endpoint: EndpointId): ReceiveOutcome {
		this.reply(thread, reply, grant);
		return this.recv(thread, endpoint, reply);
	}

	// Notifications.

	/**
	 * Signal: the bound thread gets the word if it is receiving, else the first that waits, else it is kept. A badge of 0
	 * wakes too, and is kept as a signal with no bits.
	 */
	signal(notification: NotificationId, badge: bigint): void {
		const state = this.#state;
		if (!(notification < state.notifications.active.length)) grow(state, 'notifications', notification);
		const { threads, notifications } = state;
		const bound = notifications.bound[notification];
		if (bound !== 0 && threads.blocked[bound] === Blocked.Receive) {
			this.cancel(bound);
			this.#hand(notification, bound, badge);
			return;
		}
		const first = notifications.first[notification];
		if (first !== 0) {
			this.#leaveNotification(first, notification);
			this.#hand(notification, first, badge);
			return;
		}
		notifications.active[notification] = 1;
		notifications.word[notification] |= BigInt.asUintN(64, badge);
	}

	#hand(notification: NotificationId, thread: ThreadId, word: bigint): void {
		this.#port.notify(thread, word);
		this.#lendContext(notification, thread);
		this.#port.wake(thread, 'resume');
	}

	#leaveNotification(thread: ThreadId, notification: NotificationId): void {
		const { threads, notifications } = this.#state;
		leave(threads, notifications.first, notification, thread);
		threads.blocked[thread] = Blocked.None;
		threads.on[thread] = 0;
	}

	/** Wait on a notification: takes the word, or waits for a signal. */
	wait(thread: ThreadId, notification: NotificationId): ReceiveOutcome {
		if (this.poll(thread, notification) === 'received') return 'received';
		const { threads, notifications } = this.#state;
		this.#returnContext(notification, thread);
		threads.blocked[thread] = Blocked.Notification;
		threads.on[thread] = notification;
		enqueue(threads, notifications.first, notification, thread, this.#level(thread));
		this.#port.block(thread, Blocked.Notification);
		return 'blocked';
	}

	/** Poll: takes the word if there is a signal. If it is `empty`, the kernel gives the badge 0. */
	poll(thread: ThreadId, notification: NotificationId): ReceiveOutcome {
		const state = this.#state;
		if (!(thread < state.threads.blocked.length)) grow(state, 'threads', thread);
		if (!(notification < state.notifications.active.length)) grow(state, 'notifications', notification);
		if (state.notifications.active[notification] === 0) return 'empty';
		this.#takeWord(thread, notification);
		return 'received';
	}

	#takeWord(thread: ThreadId, notification: NotificationId): void {
		const { active, word } = this.#state.notifications;
		const taken = word[notification];
		active[notification] = 0;
		word[notification] = 0n;
		this.#port.notify(thread, taken);
		this.#lendContext(notification, thread);
	}

	/** A passive thread gets the scheduling context of the notification, if nobody has that. */
	#lendContext(notification: NotificationId, thread: ThreadId): void {
		const context = this.#state.notifications.context[notification];
		if (context === 0 || this.#port.contextOf(thread) !== 0 || this.#port.holderOf(context) !== 0) return;
		this.#port.donate(context, thread);
	}

	/** A thread that waits gives the notification's scheduling context back. */
	#returnContext(notification: NotificationId, thread: ThreadId): void {
		if (notification === 0) return;
		const context = this.#state.notifications.context[notification];
		if (context !== 0 && this.#port.contextOf(thread) === context) this.#port.donate(context, 0);
	}

	/**
	 * TCB_BindNotification. Returns false, and does nothing, if one of both is bound or somebody waits for the
	 * notification. A signal that is pending reaches a thread that is receiving at once.
	 */
	bind(notification: NotificationId, thread: ThreadId): boolean {
		const state = this.#state;
		if (!(thread < state.threads.blocked.length)) grow(state, 'threads', thread);
		if (!(notification < state.notifications.active.length)) grow(state, 'notifications', notification);
		const { threads, notifications } = state;
		if (threads.bound[thread] !== 0 || notifications.bound[notification] !== 0) return false;
		if (notifications.first[notification] !== 0) return false;
		threads.bound[thread] = notification;
		notifications.bound[notification] = thread;
		if (notifications.active[notification] !== 0 && threads.blocked[thread] === Blocked.Receive) {
			this.cancel(thread);
			this.#takeWord(thread, notification);
			this.#port.wake(thread, 'resume');
		}
		return true;
	}

	/** TCB_UnbindNotification. Returns whether the thread was bound. */
	unbind(thread: ThreadId): boolean {
		const { threads, notifications } = this.#state;
		const notification = threads.bound[thread] ?? 0;
		if (notification === 0) return false;
		threads.bound[thread] = 0;
		notifications.bound[notification] = 0;
		return true;
	}

	/** SchedContext_Bind to a notification. Returns false, and does nothing, if one of both is bound so. */
	bindContext(context: ContextId, notification: NotificationId): boolean {
		const state = this.#state;
		if (!(context < state.contexts.top.length)) grow(state, 'contexts', context);
		if (!(notification < state.notifications.active.length)) grow(state, 'notifications', notification);
		const { contexts, notifications } = state;
		if (contexts.notification[context] !== 0 || notifications.context[notification] !== 0) return false;
		contexts.notification[context] = notification;
		notifications.context[notification] = context;
		return true;
	}

	/** Ends the binding of a scheduling context to a notification. Returns whether there was one. */
	unbindContext(context: ContextId): boolean {
		const { contexts, notifications } = this.#state;
		const notification = contexts.notification[context] ?? 0;
		if (notification === 0) return false;
		contexts.notification[context] = 0;
		notifications.context[notification] = 0;
		return true;
	}

	// Ending.

	/**
	 * Ends a thread's waiting, whatever it is for; the kernel decides what the thread does then, and the port is not
	 * told. A scheduling context that it lent stays where it is.
	 */
	cancel(thread: ThreadId): void {
		const { threads } = this.#state;
		const on = threads.on[thread];
		switch (threads.blocked[thread]) {
			case Blocked.Send:
				this.#leaveEndpoint(thread, on);
				threads.flags[thread] = 0;
				threads.badge[thread] = 0n;
				break;
			case Blocked.Receive:
				this.#leaveEndpoint(thread, on);
				this.#withdrawOffer(thread);
				break;
			case Blocked.Notification:
				this.#leaveNotification(thread, on);
				break;
			case Blocked.Reply:
				this.#release(on);
				break;
		}
	}

	/** Restarts everybody who waits at an endpoint. Returns how many. */
	cancelAll(endpoint: EndpointId): number {
		return this.#restart(this.waitingAt(endpoint));
	}

	/** Restarts the senders with a badge; the others keep their order. Returns how many. */
	cancelBadgedSends(endpoint: EndpointId, badge: bigint): number {
		const { threads, endpoints } = this.#state;
		if (endpoints.role[endpoint] !== Role.Senders) return 0;
		return this.#restart(this.waitingAt(endpoint).filter((thread) => threads.badge[thread] === badge));
	}

	/** Restarts everybody who waits for a notification. Returns how many. */
	cancelAllSignals(notification: NotificationId): number {
		return this.#restart(this.waitingFor(notification));
	}

	#restart(threads: readonly ThreadId[]): number {
		for (const thread of threads) {
			this.cancel(thread);
			this.#port.wake(thread, 'restart');
		}
		return threads.length;
	}

	/** The last capability to a reply object is gone: a lent scheduling context goes back, and who used it is deactivated. */
	endReply(reply: ReplyId): void {
		const caller = this.#finish(reply);
		if (caller !== 0) this.#port.deactivate(caller);
		const receiver = this.#state.replies.receiver[reply] ?? 0;
		if (receiver === 0) return;
		this.cancel(receiver);
		this.#port.deactivate(receiver);
	}

	/** A notification ends: who waits is restarted, the bindings and the word are gone. */
	endNotification(notification: NotificationId): void {
		const { notifications } = this.#state;
		if (!(notification < notifications.active.length)) return;
		this.cancelAllSignals(notification);
		this.unbind(notifications.bound[notification]);
		this.unbindContext(notifications.context[notification]);
		notifications.active[notification] = 0;
		notifications.word[notification] = 0n;
	}

	/** A thread ends: it waits for nothing and is bound to nothing. */
	endThread(thread: ThreadId): void {
		this.cancel(thread);
		this.unbind(thread);
	}

	/** A scheduling context ends: it is bound to nothing, and does not go back to those who lent it. */
	endContext(context: ContextId): void {
		const { contexts, replies } = this.#state;
		this.unbindContext(context);
		const top = contexts.top[context] ?? 0;
		if (top === 0) return;
		contexts.top[context] = 0;
		replies.context[top] = 0;
	}

	/** A thread's priority has changed: it takes its place in the queue that it waits in, behind its equals. */
	reprioritise(thread: ThreadId): void {
		const { threads, endpoints, notifications } = this.#state;
		const blocked = threads.blocked[thread];
		if (blocked === undefined || blocked === Blocked.None || blocked === Blocked.Reply) return;
		const level = this.#level(thread);
		if (level === threads.level[thread]) return;
		const first = blocked === Blocked.Notification ? notifications.first : endpoints.first;
		const owner = threads.on[thread];
		leave(threads, first, owner, thread);
		enqueue(threads, first, owner, thread, level);
	}
}
