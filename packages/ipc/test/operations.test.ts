/** What each operation does. seL4 reference manual (MCS): "Message Passing (IPC)", "Notifications", "Donation". */
import { describe, expect, test } from 'vitest';
import { Blocked } from '../src/index.ts';
import { FakeKernel } from './support.ts';

const E = 1;
const N = 1;
const R = 1;

describe('sending and receiving', () => {
	test('a send meets a receiver that waits', () => {
		const kernel = new FakeKernel();
		expect(kernel.ipc.recv(1, E, 0)).toBe('blocked');
		expect(kernel.ipc.send(2, E, 7n, true)).toBe('delivered');
		expect(kernel.take()).toEqual(['block 1 2', 'deliver 2>1 e1 b7 grant', 'resume 1']);
	});

	test('a receive meets a sender that waits', () => {
		const kernel = new FakeKernel();
		expect(kernel.ipc.send(2, E, 7n, false)).toBe('blocked');
		expect(kernel.ipc.blockedOn(2)).toBe(Blocked.Send);
		expect(kernel.ipc.recv(1, E, 0)).toBe('received');
		expect(kernel.take()).toEqual(['block 2 1', 'deliver 2>1 e1 b7', 'resume 2']);
	});

	test('without a partner, what must not block is dropped or empty', () => {
		const kernel = new FakeKernel();
		expect(kernel.ipc.nbSend(1, E, 0n, false)).toBe('dropped');
		expect(kernel.ipc.nbRecv(1, E, R)).toBe('empty');
		expect(kernel.take()).toEqual([]);
	});

	test('the most urgent is served first, equals in order; a change of priority moves a thread', () => {
		const kernel = new FakeKernel();
		for (const [thread, priority] of [
			[1, 5],
			[2, 9],
			[3, 5],
			[4, 9],
		] as const) {
			kernel.priorities.set(thread, priority);
			kernel.ipc.send(thread, E, 0n, false);
		}
		expect(kernel.ipc.waitingAt(E)).toEqual([2, 4, 1, 3]);
		kernel.priorities.set(2, 5);
		kernel.ipc.reprioritise(2);
		expect(kernel.ipc.waitingAt(E)).toEqual([4, 1, 3, 2]);
		kernel.priorities.set(3, 200);
		kernel.ipc.reprioritise(3);
		expect(kernel.ipc.waitingAt(E)).toEqual([3, 4, 1, 2]);
	});

	test('first come, first served, if that is wanted', () => {
		const kernel = new FakeKernel({ order: 'fifo' });
		kernel.priorities.set(2, 9);
		for (const thread of [1, 2, 3]) kernel.ipc.send(thread, E, 0n, false);
		expect(kernel.ipc.waitingAt(E)).toEqual([1, 2, 3]);
	});
});

describe('calls', () => {
	test('lend a passive server the scheduling context until the answer', () => {
		const kernel = new FakeKernel();
		kernel.give(10, 1);
		kernel.ipc.recv(2, E, R);
		kernel.ipc.call(1, E, 3n, true, true);
		expect(kernel.take()).toEqual(['block 2 2', 'deliver 1>2 e1 b3 grant', 'donate 10>2', 'block 1 4', 'resume 2']);
		expect(kernel.ipc.callerOf(R)).toBe(1);
		expect(kernel.ipc.reply(2, R, false)).toBe(true);
		expect(kernel.take()).toEqual(['donate 10>1', 'reply 2>1', 'resume 1']);
		expect(kernel.ipc.reply(2, R, false)).toBe(false);
	});

	test('leave an active server its own', () => {
		const kernel = new FakeKernel();
		kernel.give(10, 1);
		kernel.give(20, 2);
		kernel.ipc.call(1, E, 0n, false, true);
		kernel.ipc.recv(2, E, R);
		kernel.ipc.reply(2, R, false);
		expect(kernel.take().filter((line) => line.startsWith('donate'))).toEqual([]);
	});

	test('stop a caller that may not have an answer, or whose receiver offers no reply object', () => {
		for (const [canReply, reply] of [
			[false, R],
			[true, 0],
		] as const) {
			for (const first of ['caller', 'receiver']) {
				const kernel = new FakeKernel();
				if (first === 'receiver') kernel.ipc.recv(2, E, reply);
				kernel.ipc.call(1, E, 0n, false, canReply);
				if (first === 'caller') kernel.ipc.recv(2, E, reply);
				expect(kernel.doingOf(1)).toBe('stopped');
				expect(kernel.doingOf(2)).toBe('running');
			}
		}
	});

	test('nest: the context comes back along the stack', () => {
		const kernel = new FakeKernel();
		kernel.give(10, 1);
		kernel.ipc.recv(2, 2, 2);
		kernel.ipc.recv(3, 3, 3);
		kernel.ipc.call(1, 2, 0n, false, true);
		kernel.ipc.call(2, 3, 0n, false, true);
		expect(kernel.holderOf(10)).toBe(3);
		kernel.ipc.reply(3, 3, false);
		expect(kernel.holderOf(10)).toBe(2);
		kernel.ipc.reply(2, 2, false);
		expect(kernel.holderOf(10)).toBe(1);
	});

	test('a reply object that ends in the middle of a chain leaves its caller out: the context skips it', () => {
		const kernel = new FakeKernel();
		kernel.give(10, 1);
		kernel.ipc.recv(2, 2, 2);
		kernel.ipc.recv(3, 3, 3);
		kernel.ipc.call(1, 2, 0n, false, true);
		kernel.ipc.call(2, 3, 0n, false, true);
		// 2's reply object to 1 ends while 3 has the context.
		kernel.ipc.endReply(2);
		expect(kernel.holderOf(10)).toBe(3);
		expect(kernel.doingOf(1)).toBe('stopped');
		kernel.ipc.reply(3, 3, false);
		expect(kernel.holderOf(10)).toBe(2);
	});

	test('the end of a reply object gives the context back', () => {
		const kernel = new FakeKernel();
		kernel.give(10, 1);
		kernel.ipc.recv(2, E, R);
		kernel.ipc.call(1, E, 0n, false, true);
		kernel.take();
		kernel.ipc.endReply(R);
		expect(kernel.take()).toEqual(['donate 10>1', 'stop 1']);
	});

	test('a reply object that is offered again is taken from who had it', () => {
		const kernel = new FakeKernel();
		kernel.ipc.recv(2, E, R);
		kernel.ipc.recv(3, E, R);
		expect([kernel.doingOf(2), kernel.doingOf(3)]).toEqual(['stopped', 'blocked']);
		kernel.ipc.call(1, E, 0n, false, true);
		kernel.ipc.recv(3, E, R);
		expect(kernel.doingOf(1)).toBe('stopped');
	});

	test('a fault handler may say that the caller does not go on', () => {
		const kernel = new FakeKernel();
		kernel.stopped.add(1);
		kernel.ipc.recv(2, E, R);
		kernel.ipc.call(1, E, 0n, false, true);
		kernel.ipc.reply(2, R, false);
		expect(kernel.doingOf(1)).toBe('stopped');
	});

	test('NBSendRecv gives a passive receiver the context for good', () => {
		const kernel = new FakeKernel();
		kernel.give(10, 1);
		kernel.ipc.recv(2, E, 0);
		expect(kernel.ipc.nbSend(1, E, 0n, false, true)).toBe('delivered');
		expect(kernel.holderOf(10)).toBe(2);
	});
});

describe('notifications', () => {
	test('combine signals until they are taken', () => {
		const kernel = new FakeKernel();
		kernel.ipc.signal(N, 1n);
		kernel.ipc.signal(N, 1n << 63n);
		expect(kernel.ipc.poll(1, N)).toBe('received');
		expect(kernel.ipc.poll(1, N)).toBe('empty');
		expect(kernel.take()).toEqual([`notify 1 ${(1n << 63n) | 1n}`]);
	});

	test('a signal without bits is one', () => {
		const kernel = new FakeKernel();
		kernel.ipc.signal(N, 0n);
		expect(kernel.ipc.wait(1, N)).toBe('received');
	});

	test('wake one that waits', () => {
		const kernel = new FakeKernel();
		kernel.ipc.wait(1, N);
		kernel.ipc.wait(2, N);
		kernel.ipc.signal(N, 4n);
		expect(kernel.take().slice(2)).toEqual(['notify 1 4', 'resume 1']);
		expect(kernel.ipc.waitingFor(N)).toEqual([2]);
	});

	test('reach the bound thread where it waits on an endpoint, and come before messages', () => {
		const kernel = new FakeKernel();
		expect(kernel.ipc.bind(N, 1)).toBe(true);
		expect(kernel.ipc.bind(N, 2)).toBe(false);
		kernel.ipc.recv(1, E, R);
		kernel.ipc.signal(N, 4n);
		expect(kernel.take()).toEqual(['block 1 2', 'notify 1 4', 'resume 1']);
		kernel.ipc.send(2, E, 0n, false);
		kernel.ipc.signal(N, 8n);
		kernel.ipc.recv(1, E, R);
		expect(kernel.take()).toEqual(['block 2 1', 'notify 1 8']);
	});

	test('lend a passive thread their context, and get it back when it waits', () => {
		const kernel = new FakeKernel();
		kernel.ipc.bindContext(10, N);
		kernel.ipc.wait(1, N);
		kernel.ipc.signal(N, 1n);
		expect(kernel.holderOf(10)).toBe(1);
		kernel.ipc.wait(1, N);
		expect(kernel.holderOf(10)).toBe(0);
	});
});

describe('ends', () => {
	test('of a badge restart its senders only', () => {
		const kernel = new FakeKernel();
		for (const [thread, badge] of [
			[1, 5n],
			[2, 6n],
			[3, 5n],
		] as const)
			kernel.ipc.send(thread, E, badge, false);
		expect(kernel.ipc.cancelBadgedSends(E, 5n)).toBe(2);
		expect(kernel.ipc.waitingAt(E)).toEqual([2]);
		expect(kernel.take().slice(3)).toEqual(['restart 1', 'restart 3']);
	});

	test('of endpoints and notifications restart who waits', () => {
		const kernel = new FakeKernel();
		kernel.ipc.recv(1, E, R);
		kernel.ipc.wait(2, N);
		expect(kernel.ipc.cancelAll(E)).toBe(1);
		kernel.ipc.endNotification(N);
		expect(kernel.take().slice(2)).toEqual(['restart 1', 'restart 2']);
	});

	test('of threads leave nothing behind', () => {
		const kernel = new FakeKernel();
		kernel.ipc.bind(N, 1);
		kernel.ipc.recv(1, E, R);
		kernel.ipc.endThread(1);
		expect(kernel.ipc.waitingAt(E)).toEqual([]);
		expect(kernel.ipc.boundThread(N)).toBe(0);
		expect(kernel.ipc.send(2, E, 0n, false)).toBe('blocked');
	});

	test('of contexts: they do not go back', () => {
		const kernel = new FakeKernel();
		kernel.give(10, 1);
		kernel.ipc.recv(2, E, R);
		kernel.ipc.call(1, E, 0n, false, true);
		kernel.ipc.endContext(10);
		kernel.holders.delete(10);
		kernel.take();
		kernel.ipc.reply(2, R, false);
		expect(kernel.take()).toEqual(['reply 2>1', 'resume 1']);
	});
});

test('numbers beyond those of objects are refused', () => {
	const { ipc } = new FakeKernel();
	for (const number of [Number.NaN, 2 ** 24, 1e300]) expect(() => ipc.send(number, E, 0n, false)).toThrow(RangeError);
});
