/** Whatever is done in whatever order: the invariants hold, no context is doubled, and states are worth what they say. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Blocked, checkState, type Ipc, type IpcState } from '../src/index.ts';
import { FakeKernel } from './support.ts';

const THREADS = 8;
const OBJECTS = 4;
const CONTEXTS = 4;

const thread = fc.integer({ min: 1, max: THREADS });
const object = fc.integer({ min: 1, max: OBJECTS });
const reply = fc.integer({ min: 0, max: OBJECTS });
const badge = fc.bigInt({ min: 0n, max: 3n });
const flag = fc.boolean();

/** An operation: a kernel makes those of a thread only while it runs. */
type Operation = { readonly by: number | undefined; readonly name: string; readonly run: (kernel: FakeKernel) => void };

const operation: fc.Arbitrary<Operation> = fc.oneof(
	fc
		.tuple(thread, object, badge, flag)
		.map(([t, e, b, g]) => ({ by: t, name: `send ${t} ${e}`, run: ({ ipc }: FakeKernel) => ipc.send(t, e, b, g) })),
	fc.tuple(thread, object, badge, flag, flag).map(([t, e, b, g, d]) => ({
		by: t,
		name: `nbSend ${t} ${e}`,
		run: ({ ipc }: FakeKernel) => ipc.nbSend(t, e, b, g, d),
	})),
	fc.tuple(thread, object, badge, flag, flag).map(([t, e, b, g, c]) => ({
		by: t,
		name: `call ${t} ${e}`,
		run: ({ ipc }: FakeKernel) => ipc.call(t, e, b, g, c),
	})),
	fc
		.tuple(thread, object, reply)
		.map(([t, e, r]) => ({ by: t, name: `recv ${t} ${e} ${r}`, run: ({ ipc }: FakeKernel) => ipc.recv(t, e, r) })),
	fc
		.tuple(thread, object, reply)
		.map(([t, e, r]) => ({ by: t, name: `nbRecv ${t} ${e} ${r}`, run: ({ ipc }: FakeKernel) => ipc.nbRecv(t, e, r) })),
	fc
		.tuple(thread, object, flag)
		.map(([t, r, g]) => ({ by: t, name: `reply ${t} ${r}`, run: ({ ipc }: FakeKernel) => ipc.reply(t, r, g) })),
	fc.tuple(thread, object, object).map(([t, r, e]) => ({
		by: t,
		name: `replyRecv ${t} ${r} ${e}`,
		run: ({ ipc }: FakeKernel) => ipc.replyRecv(t, r, true, e),
	})),
	fc
		.tuple(thread, object)
		.map(([t, n]) => ({ by: t, name: `wait ${t} ${n}`, run: ({ ipc }: FakeKernel) => ipc.wait(t, n) })),
	fc
		.tuple(thread, object)
		.map(([t, n]) => ({ by: t, name: `poll ${t} ${n}`, run: ({ ipc }: FakeKernel) => ipc.poll(t, n) })),
	fc
		.tuple(object, badge)
		.map(([n, b]) => ({ by: undefined, name: `signal ${n} ${b}`, run: ({ ipc }: FakeKernel) => ipc.signal(n, b) })),
	fc
		.tuple(object, thread)
		.map(([n, t]) => ({ by: undefined, name: `bind ${n} ${t}`, run: ({ ipc }: FakeKernel) => ipc.bind(n, t) })),
	thread.map((t) => ({ by: undefined, name: `unbind ${t}`, run: ({ ipc }: FakeKernel) => ipc.unbind(t) })),
	fc.tuple(object, object).map(([c, n]) => ({
		by: undefined,
		name: `bindContext ${c} ${n}`,
		run: ({ ipc }: FakeKernel) => ipc.bindContext(c, n),
	})),
	object.map((c) => ({
		by: undefined,
		name: `unbindContext ${c}`,
		run: ({ ipc }: FakeKernel) => ipc.unbindContext(c),
	})),
	thread.map((t) => ({
		by: undefined,
		name: `cancel ${t}`,
		run: (kernel: FakeKernel) => {
			kernel.ipc.cancel(t);
			kernel.doing.set(t, 'stopped');
		},
	})),
	// A kernel resumes what is stopped.
	thread.map((t) => ({
		by: undefined,
		name: `resume ${t}`,
		run: (kernel: FakeKernel) => {
			if (kernel.doingOf(t) === 'stopped') kernel.doing.set(t, 'running');
		},
	})),
	object.map((e) => ({ by: undefined, name: `cancelAll ${e}`, run: ({ ipc }: FakeKernel) => ipc.cancelAll(e) })),
	fc.tuple(object, badge).map(([e, b]) => ({
		by: undefined,
		name: `cancelBadged ${e} ${b}`,
		run: ({ ipc }: FakeKernel) => ipc.cancelBadgedSends(e, b),
	})),
	object.map((r) => ({ by: undefined, name: `endReply ${r}`, run: ({ ipc }: FakeKernel) => ipc.endReply(r) })),
	object.map((n) => ({
		by: undefined,
		name: `endNotification ${n}`,
		run: ({ ipc }: FakeKernel) => ipc.endNotification(n),
	})),
	fc.tuple(thread, fc.integer({ min: 0, max: 255 })).map(([t, p]) => ({
		by: undefined,
		name: `priority ${t} ${p}`,
		run: (kernel: FakeKernel) => {
			kernel.priorities.set(t, p);
			kernel.ipc.reprioritise(t);
		},
	})),
);

function start(): FakeKernel {
	const kernel = new FakeKernel();
	for (let context = 1; context <= CONTEXTS; context++) kernel.give(context, context);
	return kernel;
}

function apply(kernel: FakeKernel, { by, run }: Operation): void {
	if (by === undefined || kernel.doingOf(by) === 'running') run(kernel);
}

/** What the kernel and IPC say of each other. */
function check(kernel: FakeKernel): void {
	const { ipc } = kernel;
	expect(checkState(ipc.state)).toEqual([]);
	const holders = [...kernel.holders.values()].filter((holder) => holder !== 0);
	expect(new Set(holders).size).toBe(holders.length);
	for (let t = 1; t <= THREADS; t++) {
		const waits = ipc.blockedOn(t) !== Blocked.None;
		if (waits) expect(kernel.doingOf(t)).toBe('blocked');
		else expect(kernel.doingOf(t)).not.toBe('blocked');
	}
	expectServedInOrder(kernel, ipc);
}

function expectServedInOrder(kernel: FakeKernel, ipc: Ipc): void {
	for (let e = 1; e <= OBJECTS; e++) {
		for (const waiting of [ipc.waitingAt(e), ipc.waitingFor(e)]) {
			const priorities = waiting.map((t) => kernel.priority(t));
			expect(priorities).toEqual([...priorities].sort((a, b) => b - a));
		}
	}
}

test('any sequence of operations keeps the invariants', () => {
	fc.assert(
		fc.property(fc.array(operation, { maxLength: 80 }), (operations) => {
			const kernel = start();
			for (const each of operations) {
				apply(kernel, each);
				check(kernel);
			}
		}),
		{ numRuns: 400 },
	);
});

test('no scheduling context is lost: each is with a thread that has not ended, or bound to a notification, or free as it was', () => {
	fc.assert(
		fc.property(fc.array(operation, { maxLength: 80 }), (operations) => {
			const kernel = start();
			for (const each of operations) apply(kernel, each);
			for (let context = 1; context <= CONTEXTS; context++)
				if (kernel.holderOf(context) === 0) expect(kernel.log).toContain(`donate ${context}>0`);
		}),
		{ numRuns: 100 },
	);
});

test('a state that was cloned goes on as the one that it was cloned from', () => {
	fc.assert(
		fc.property(fc.array(operation, { maxLength: 40 }), fc.array(operation, { maxLength: 40 }), (first, second) => {
			const through = start();
			for (const each of first) apply(through, each);
			const resumed = start();
			resumed.ipc.restore(structuredClone(through.ipc.state));
			for (const [context, holder] of through.holders) resumed.give(context, holder);
			for (const [t, doing] of through.doing) resumed.doing.set(t, doing);
			for (const [t, priority] of through.priorities) resumed.priorities.set(t, priority);
			through.take();
			for (const each of second) {
				apply(through, each);
				apply(resumed, each);
			}
			expect(resumed.log).toEqual(through.log);
			expect(resumed.ipc.state).toEqual(through.ipc.state);
		}),
		{ numRuns: 100 },
	);
});

test('a damaged state is refused, and nothing changes, or it is one that can be', () => {
	const tables = ['threads', 'endpoints', 'notifications', 'replies', 'contexts'] as const;
	fc.assert(
		fc.property(
			fc.array(operation, { minLength: 10, maxLength: 60 }),
			fc.constantFrom(...tables),
			fc.nat(),
			fc.nat(),
			fc.integer({ min: 0, max: 40 }),
			(operations, table, columnSeed, rowSeed, value) => {
				const kernel = start();
				for (const each of operations) apply(kernel, each);
				const before = structuredClone(kernel.ipc.state);
				const state = structuredClone(before);
				const columns = Object.values(state[table] as IpcState['replies']);
				const column = columns[columnSeed % columns.length]! as unknown as {
					length: number;
					[row: number]: number | bigint;
				};
				const row = rowSeed % column.length;
				column[row] = typeof column[row] === 'bigint' ? BigInt(value) : value;
				const faults = checkState(state);
				if (faults.length === 0) kernel.ipc.restore(state);
				else {
					expect(() => kernel.ipc.restore(state)).toThrow(RangeError);
					expect(kernel.ipc.state).toEqual(before);
				}
				// Whatever it is now, it can be gone on with.
				kernel.doing.clear();
				for (let t = 1; t <= THREADS; t++) if (kernel.ipc.blockedOn(t) !== Blocked.None) kernel.doing.set(t, 'blocked');
				for (const each of operations) apply(kernel, each);
				expect(checkState(kernel.ipc.state)).toEqual([]);
			},
		),
		{ numRuns: 300 },
	);
});
