// The tables: threads, endpoints, notifications, replies and scheduling contexts as columns of typed arrays, plain and
// serializable. A row of zeros is an object that nothing happens to: objects need not be announced, and tables grow to
// the largest number that was used. Number 0 is none.
//
//   thread          blocked   Blocked: what it waits for            badge   of a waiting sender
//                   on        the endpoint, notification or reply   flags   of a waiting sender: CALL, GRANT, CAN_REPLY
//                   reply     offered while it waits to receive     bound   its notification
//                   level, next, previous, above, below             its place in a queue (queue.ts)
//   endpoint        first     queue                                 role    which side the queue holds
//   notification    first     queue   active, word   signals that nobody has taken   bound   thread   context
//   reply           caller    who waits for it       receiver  who offers it while waiting
//                   over, under   its neighbours in a call stack    context  whose stack it tops
//   context         top       reply that tops its stack             notification   that it is bound to

/** Threads, a column a field. */
export interface ThreadColumns {
	blocked: Uint8Array<ArrayBuffer>;
	on: Int32Array<ArrayBuffer>;
	reply: Int32Array<ArrayBuffer>;
	badge: BigUint64Array<ArrayBuffer>;
	flags: Uint8Array<ArrayBuffer>;
	bound: Int32Array<ArrayBuffer>;
	level: Uint8Array<ArrayBuffer>;
	next: Int32Array<ArrayBuffer>;
	previous: Int32Array<ArrayBuffer>;
	above: Int32Array<ArrayBuffer>;
	below: Int32Array<ArrayBuffer>;
}

/** Endpoints, a column a field. */
export interface EndpointColumns {
	first: Int32Array<ArrayBuffer>;
	role: Uint8Array<ArrayBuffer>;
}

/** Notifications, a column a field. */
export interface NotificationColumns {
	first: Int32Array<ArrayBuffer>;
	active: Uint8Array<ArrayBuffer>;
	word: BigUint64Array<ArrayBuffer>;
	bound: Int32Array<ArrayBuffer>;
	context: Int32Array<ArrayBuffer>;
}

/** Reply objects, a column a field. */
export interface ReplyColumns {
	caller: Int32Array<ArrayBuffer>;
	receiver: Int32Array<ArrayBuffer>;
	over: Int32Array<ArrayBuffer>;
	under: Int32Array<ArrayBuffer>;
	context: Int32Array<ArrayBuffer>;
}

/** Scheduling contexts, a column a field. */
export interface ContextColumns {
	top: Int32Array<ArrayBuffer>;
	notification: Int32Array<ArrayBuffer>;
}

/** All that IPC knows: plain data. */
export interface IpcState {
	threads: ThreadColumns;
	endpoints: EndpointColumns;
	notifications: NotificationColumns;
	replies: ReplyColumns;
	contexts: ContextColumns;
}

/** Flags of a waiting sender. */
export const CALL = 1;
export const GRANT = 2;
export const CAN_REPLY = 4;

/** Which side an endpoint's queue holds. */
export const Role = { Idle: 0, Senders: 1, Receivers: 2 } as const;

/** Numbers of objects are below this. */
export const MAX_NUMBER: number = 2 ** 24;

const FIRST_ROWS = 16;

const MAKE: { [K in keyof IpcState]: (rows: number) => IpcState[K] } = {
	threads: (rows) => ({
		blocked: new Uint8Array(rows),
		on: new Int32Array(rows),
		reply: new Int32Array(rows),
		badge: new BigUint64Array(rows),
		flags: new Uint8Array(rows),
		bound: new Int32Array(rows),
		level: new Uint8Array(rows),
		next: new Int32Array(rows),
		previous: new Int32Array(rows),
		above: new Int32Array(rows),
		below: new Int32Array(rows),
	}),
	endpoints: (rows) => ({ first: new Int32Array(rows), role: new Uint8Array(rows) }),
	notifications: (rows) => ({
		first: new Int32Array(rows),
		active: new Uint8Array(rows),
		word: new BigUint64Array(rows),
		bound: new Int32Array(rows),
		context: new Int32Array(rows),
	}),
	replies: (rows) => ({
		caller: new Int32Array(rows),
		receiver: new Int32Array(rows),
		over: new Int32Array(rows),
		under: new Int32Array(rows),
		context: new Int32Array(rows),
	}),
	contexts: (rows) => ({ top: new Int32Array(rows), notification: new Int32Array(rows) }),
};

export function emptyState(): IpcState {
	return {
		threads: MAKE.threads(FIRST_ROWS),
		endpoints: MAKE.endpoints(FIRST_ROWS),
		notifications: MAKE.notifications(FIRST_ROWS),
		replies: MAKE.replies(FIRST_ROWS),
		contexts: MAKE.contexts(FIRST_ROWS),
	};
}

/** Makes a table of `state` large enough to have a row `number`. Throws a `RangeError` for what is no number of an object. */
export function grow(state: IpcState, table: keyof IpcState, number: number): void {
	if (!Number.isInteger(number) || number < 0 || number >= MAX_NUMBER) {
		throw new RangeError(`${number} is no number of an object: these are 1 to ${MAX_NUMBER - 1}`);
	}
	const old = state[table] as unknown as Record<string, { set(from: never): void; length: number }>;
	const length = Object.values(old)[0].length;
	const made = MAKE[table](Math.min(MAX_NUMBER, Math.max(number + 1, 2 * length))) as unknown as typeof old;
	for (const name of Object.keys(old)) made[name].set(old[name] as never);
	Object.assign(state, { [table]: made });
}
