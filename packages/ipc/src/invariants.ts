// Whether a state is one that IPC can be in: each waiting thread in exactly the queue of what it waits for, links in
// pairs, call stacks without cycles, nobody waiting for a signal that is there. In time linear in its size.

import { Blocked } from './port.ts';
import { type IpcState, Role } from './state.ts';

/** What is wrong with a state; empty if nothing is. The first fault may hide others. */
export function checkState(state: IpcState): string[] {
	for (const [name, table] of Object.entries(state)) {
		const lengths = new Set(Object.values(table as object).map((column: { length: number }) => column.length));
		if (lengths.size !== 1 || lengths.has(0)) return [`the columns of ${name} differ in length`];
	}
	const faults: string[] = [];
	const queued = new Set<number>();
	checkEndpoints(state, queued, faults);
	checkNotifications(state, queued, faults);
	if (faults.length === 0) checkThreads(state, queued, faults);
	if (faults.length === 0) checkReplies(state, faults);
	return faults;
}

/** Walks a queue, adds its threads to `queued`, and says what is wrong. */
function checkQueue(state: IpcState, head: number, name: string, queued: Set<number>, faults: string[]): number[] {
	const { level, next, previous, above, below } = state.threads;
	const found: number[] = [];
	let upper = 0;
	for (let ring = head; ring !== 0; ring = below[ring]) {
		if (above[ring] !== upper || (upper !== 0 && level[upper] <= level[ring])) {
			faults.push(`${name}: the levels are broken at thread ${ring}`);
			return found;
		}
		let thread = ring;
		do {
			if (!(thread > 0 && thread < next.length) || queued.has(thread) || previous[next[thread]] !== thread) {
				faults.push(`${name}: the queue is broken at thread ${thread}`);
				return found;
			}
			if (level[thread] !== level[ring]) faults.push(`${name}: thread ${thread} is in the wrong level`);
			queued.add(thread);
			found.push(thread);
			thread = next[thread];
		} while (thread !== ring);
		upper = ring;
	}
	return found;
}

function checkEndpoints(state: IpcState, queued: Set<number>, faults: string[]): void {
	const { threads, endpoints } = state;
	endpoints.first.forEach((head, endpoint) => {
		const name = `endpoint ${endpoint}`;
		const role = endpoints.role[endpoint];
		if ((head === 0) !== (role === Role.Idle)) faults.push(`${name} has a queue and no role, or the reverse`);
		const expected = role === Role.Senders ? Blocked.Send : Blocked.Receive;
		for (const thread of checkQueue(state, head, name, queued, faults)) {
			if (threads.blocked[thread] !== expected || threads.on[thread] !== endpoint) {
				faults.push(`${name}: thread ${thread} does not wait for it`);
			}
		}
	});
}

function checkNotifications(state: IpcState, queued: Set<number>, faults: string[]): void {
	const { threads, notifications, contexts } = state;
	notifications.first.forEach((head, notification) => {
		const name = `notification ${notification}`;
		for (const thread of checkQueue(state, head, name, queued, faults)) {
			if (threads.blocked[thread] !== Blocked.Notification || threads.on[thread] !== notification) {
				faults.push(`${name}: thread ${thread} does not wait for it`);
			}
		}
		const active = notifications.active[notification] !== 0;
		if (active && head !== 0) faults.push(`${name} has a signal and somebody who waits`);
		if (!active && notifications.word[notification] !== 0n) faults.push(`${name} has a word and no signal`);
		const bound = notifications.bound[notification];
		if (bound !== 0) {
			if (threads.bound[bound] !== notification) faults.push(`${name} is bound to a thread that is not`);
			else if (active && threads.blocked[bound] === Blocked.Receive) faults.push(`${name} has a signal for a receiver`);
		}
		const context = notifications.context[notification];
		if (context !== 0 && contexts.notification[context] !== notification) {
			faults.push(`${name} is bound to a scheduling context that is not`);
		}
	});
	contexts.notification.forEach((notification, context) => {
		if (notification !== 0 && notifications.context[notification] !== context) {
			faults.push(`scheduling context ${context} is bound to a notification that is not`);
		}
	});
}

function checkThreads(state: IpcState, queued: ReadonlySet<number>, faults: string[]): void {
	const { threads, notifications, replies } = state;
	threads.blocked.forEach((blocked, thread) => {
		const waits = blocked !== Blocked.None && blocked !== Blocked.Reply;
		if (waits !== queued.has(thread)) faults.push(`thread ${thread} waits in no queue, or is in one and does not wait`);
		if (blocked === Blocked.Reply && replies.caller[threads.on[thread]] !== thread) {
			faults.push(`thread ${thread} waits for a reply that is not its own`);
		}
		if ((threads.on[thread] !== 0) !== (blocked !== Blocked.None)) faults.push(`thread ${thread} waits for nothing`);
		const reply = threads.reply[thread];
		if (reply !== 0 && (blocked !== Blocked.Receive || replies.receiver[reply] !== thread)) {
			faults.push(`thread ${thread} offers a reply that is not its own`);
		}
		const notification = threads.bound[thread];
		if (notification !== 0 && notifications.bound[notification] !== thread) {
			faults.push(`thread ${thread} is bound to a notification that is not`);
		}
	});
}

function checkReplies(state: IpcState, faults: string[]): void {
	const { threads, replies, contexts } = state;
	replies.caller.forEach((caller, reply) => {
		const receiver = replies.receiver[reply];
		const name = `reply ${reply}`;
		if (caller !== 0 && (threads.blocked[caller] !== Blocked.Reply || threads.on[caller] !== reply)) {
			faults.push(`${name} has a caller that does not wait for it`);
		}
		if (receiver !== 0 && threads.reply[receiver] !== reply) faults.push(`${name} is offered by nobody`);
		if (caller !== 0 && receiver !== 0) faults.push(`${name} is used twice`);
		const over = replies.over[reply];
		const under = replies.under[reply];
		const context = replies.context[reply];
		if (caller === 0 && (over !== 0 || under !== 0 || context !== 0)) faults.push(`${name} is in a stack, uncalled`);
		if (under !== 0 && replies.over[under] !== reply) faults.push(`${name} has lost what is under it`);
		if (over !== 0 && (replies.under[over] !== reply || context !== 0))
			faults.push(`${name} is not under what is over it`);
		if (context !== 0 && contexts.top[context] !== reply) faults.push(`${name} does not top its scheduling context`);
	});
	contexts.top.forEach((top, context) => {
		if (top !== 0 && replies.context[top] !== context) faults.push(`scheduling context ${context} has a wrong top`);
	});
	// Links are pairs now: a walk down from every reply with nothing over it meets every reply that is in no cycle.
	let met = 0;
	let stacked = 0;
	replies.caller.forEach((caller, reply) => {
		if (caller === 0) return;
		stacked++;
		if (replies.over[reply] !== 0) return;
		for (let walked = reply; walked !== 0; walked = replies.under[walked]) met++;
	});
	if (met !== stacked) faults.push('a call stack is a cycle');
}
