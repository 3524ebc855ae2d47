// By section 2.7 of virtio 1.2: every way in which a ring can be read, and every way in which one can be broken.
import { describe, expect, test } from 'vitest';
import { SplitQueue, VIRTIO_F_EVENT_IDX, VIRTIO_F_INDIRECT_DESC, VIRTIO_F_VERSION_1 } from '../index.ts';
import { DESC, MockMemory, MockQueue } from '../testing/index.ts';

const BASE = 0x8000_0000;
const SIZE = 0x40000;
const TABLE = BASE + 0x10000;
const DATA = BASE + 0x20000;
const { NEXT, WRITE, INDIRECT } = DESC;

function board(size = 8, features = VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC) {
	const memory = new MockMemory(BASE, SIZE);
	const failures: string[] = [];
	const port = {
		memory,
		features,
		get active() {
			return failures.length === 0;
		},
		fail: (reason: string) => void failures.push(reason),
	};
	const queue = new SplitQueue(size, port);
	const driver = new MockQueue(0, size, BASE, memory, { read: () => 0, write: () => {} }, () => DATA);
	Object.assign(queue.state, {
		desc: BigInt(driver.desc),
		driver: BigInt(driver.driver),
		device: BigInt(driver.device),
	});
	expect(queue.enable()).toBeUndefined();
	/** Makes chains of whole descriptors; all use DATA. */
	const describeAt = (index: number, flags: number, next = 0, length = 16, address = DATA, table = driver.desc) =>
		driver.describe(index, { address, length, flags, next }, table);
	return { memory, failures, queue, driver, describeAt };
}

describe('2.7.5 descriptor table', () => {
	test('a chain comes out as its readable and writable parts, in order', () => {
		const { queue, driver, describeAt, failures } = board();
		describeAt(3, NEXT, 1, 10, DATA);
		describeAt(1, NEXT, 7, 20, DATA + 100);
		describeAt(7, NEXT | WRITE, 0, 30, DATA + 200);
		describeAt(0, WRITE, 5, 40, DATA + 300);
		driver.publish(3);
		expect(queue.pop()).toEqual({
			head: 3,
			readable: [
				{ address: DATA, length: 10 },
				{ address: DATA + 100, length: 20 },
			],
			writable: [
				{ address: DATA + 200, length: 30 },
				{ address: DATA + 300, length: 40 },
			],
			readableLength: 30,
			writableLength: 70,
		});
		expect(queue.pop()).toBeUndefined();
		expect(failures).toEqual([]);
	});

	test('a chain may use every descriptor', () => {
		const { queue, driver, describeAt } = board();
		for (let index = 0; index < 8; index++) describeAt(index, index < 7 ? NEXT : 0, index + 1);
		driver.publish(0);
		expect(queue.pop()?.readable.length).toBe(8);
	});

	test('empty descriptors are passed over', () => {
		const { queue, driver, describeAt, failures } = board();
		describeAt(0, NEXT, 1, 0);
		describeAt(1, NEXT, 2, 4);
		describeAt(2, WRITE, 0, 0);
		driver.publish(0);
		expect(queue.pop()).toEqual({
			head: 0,
			readable: [{ address: DATA, length: 4 }],
			writable: [],
			readableLength: 4,
			writableLength: 0,
		});
		expect(failures).toEqual([]);
	});

	test('2.7.5.3 an indirect table, also after direct descriptors; its WRITE flag does not count', () => {
		const { queue, driver, describeAt, failures } = board();
		describeAt(0, NEXT, 1, 8);
		describeAt(1, INDIRECT | WRITE, 0, 48, TABLE);
		describeAt(0, NEXT, 2, 16, DATA + 16, TABLE);
		describeAt(2, WRITE, 0, 32, DATA + 32, TABLE);
		driver.publish(0);
		expect(queue.pop()).toMatchObject({
			readable: [
				{ address: DATA, length: 8 },
				{ address: DATA + 16, length: 16 },
			],
			writable: [{ address: DATA + 32, length: 32 }],
		});
		expect(failures).toEqual([]);
	});

	test('an indirect table may be longer than the queue', () => {
		const { queue, driver, describeAt, failures } = board();
		describeAt(0, INDIRECT, 0, 16 * 500, TABLE);
		for (let index = 0; index < 500; index++) describeAt(index, index < 499 ? NEXT : 0, index + 1, 1, DATA, TABLE);
		driver.publish(0);
		expect(queue.pop()?.readableLength).toBe(500);
		expect(failures).toEqual([]);
	});
});

describe('broken rings: the device needs a reset', () => {
	type Board = ReturnType<typeof board>;
	const cases: [string, RegExp, (board: Board) => void][] = [
		['a chain that loops', /loops/, ({ describeAt }) => describeAt(0, NEXT, 0)],
		[
			'a longer loop',
			/loops/,
			({ describeAt }) => {
				describeAt(0, NEXT, 4);
				describeAt(4, NEXT, 0);
			},
		],
		['a next that is not in the table', /past the end/, ({ describeAt }) => describeAt(0, NEXT, 8)],
		['a table outside RAM', /outside RAM/, ({ describeAt }) => describeAt(0, INDIRECT, 0, 16, 0x1000)],
		[
			'a table that runs out of RAM',
			/outside RAM/,
			({ describeAt }) => describeAt(0, INDIRECT, 0, 32, BASE + SIZE - 8),
		],
		['an address above 2^52', /outside RAM/, ({ describeAt }) => describeAt(0, 0, 0, 16, 2 ** 53)],
		['an empty indirect table', /has 0 bytes/, ({ describeAt }) => describeAt(0, INDIRECT, 0, 0, TABLE)],
		['half an indirect descriptor', /has 24 bytes/, ({ describeAt }) => describeAt(0, INDIRECT, 0, 24, TABLE)],
		[
			'an indirect descriptor with a next',
			/has a next/,
			({ describeAt }) => describeAt(0, INDIRECT | NEXT, 1, 16, TABLE),
		],
		[
			'indirect in indirect',
			/holds an indirect/,
			({ describeAt }) => {
				describeAt(0, INDIRECT, 0, 16, TABLE);
				describeAt(0, INDIRECT, 0, 16, TABLE, TABLE);
			},
		],
		[
			'a loop in an indirect table',
			/loops/,
			({ describeAt }) => {
				describeAt(0, INDIRECT, 0, 32, TABLE);
				describeAt(0, NEXT, 1, 16, DATA, TABLE);
				describeAt(1, NEXT, 0, 16, DATA, TABLE);
			},
		],
		[
			'a next that is not in the indirect table',
			/past the end/,
			({ describeAt }) => {
				describeAt(0, INDIRECT, 0, 16, TABLE);
				describeAt(0, NEXT, 1, 16, DATA, TABLE);
			},
		],
		[
			'readable after writable',
			/follows a writable/,
			({ describeAt }) => {
				describeAt(0, NEXT | WRITE, 1);
				describeAt(1, 0);
			},
		],
		[
			'more than 2^32 bytes',
			/longer than 2\^32/,
			({ describeAt }) => {
				describeAt(0, NEXT, 1, 0xffffffff);
				describeAt(1, 0, 0, 2);
			},
		],
	];
	test.each(cases)('%s', (_, reason, breakIt) => {
		const it = board();
		breakIt(it);
		it.driver.publish(0);
		expect(it.queue.pop()).toBeUndefined();
		expect(it.failures).toEqual([expect.stringMatching(reason)]);
		expect(it.queue.pop()).toBeUndefined();
		it.queue.push(0, 0);
		expect(it.driver.usedIdx).toBe(0);
		expect(it.failures.length).toBe(1);
	});

	test('a head that is not in the table', () => {
		const { queue, driver, failures } = board();
		driver.publish(8);
		expect(queue.pop()).toBeUndefined();
		expect(failures).toEqual([expect.stringMatching(/past the end/)]);
	});

	test('an available index that jumps', () => {
		const { queue, driver, failures } = board();
		driver.setAvailIdx(9);
		expect(queue.pop()).toBeUndefined();
		expect(failures).toEqual([expect.stringMatching(/jumped/)]);
	});

	test('an available index that goes back', () => {
		const { queue, driver, describeAt, failures } = board();
		describeAt(0, 0);
		driver.publish(0);
		expect(queue.pop()).toBeDefined();
		driver.setAvailIdx(0);
		expect(queue.pop()).toBeUndefined();
		expect(failures).toEqual([expect.stringMatching(/jumped/)]);
	});

	test('more buffers than the queue has room for', () => {
		const { queue, driver, describeAt, failures } = board();
		describeAt(0, 0);
		for (let count = 0; count < 8; count++) driver.publish(0);
		for (let count = 0; count < 8; count++) expect(queue.pop()).toBeDefined();
		driver.publish(0);
		expect(queue.pop()).toBeUndefined();
		expect(failures).toEqual([expect.stringMatching(/more buffers/)]);
	});

	test('indirect descriptors that were not negotiated', () => {
		const { queue, driver, describeAt, failures } = board(8, VIRTIO_F_VERSION_1);
		describeAt(0, INDIRECT, 0, 16, TABLE);
		driver.publish(0);
		expect(queue.pop()).toBeUndefined();
		expect(failures).toEqual([expect.stringMatching(/not negotiated/)]);
	});

	test.each(['desc', 'driver', 'device'] as const)('a %s area outside RAM', (area) => {
		const { queue, driver, describeAt, failures } = board();
		describeAt(0, 0);
		driver.publish(0);
		queue.state.ready = false;
		queue.state[area] = 0x1000n;
		expect(queue.enable()).toBeUndefined();
		const chain = queue.pop();
		if (chain !== undefined) queue.push(chain.head, 0);
		expect(failures).toEqual([expect.stringMatching(/outside RAM/)]);
	});
});

describe('2.7.8 used ring', () => {
	test('entries and index, around the end of the ring and of 16 bits', () => {
		const { queue, driver, memory, describeAt, failures } = board(4);
		describeAt(2, WRITE);
		for (let count = 0; count < 65_540; count++) {
			driver.publish(2);
			const chain = queue.pop();
			queue.push(chain?.head ?? -1, count & 0xff);
		}
		expect(failures).toEqual([]);
		expect(driver.usedIdx).toBe(4);
		expect([0, 1, 2, 3].map((entry) => memory.load(driver.device + 4 + 8 * entry, 4))).toEqual([2, 2, 2, 2]);
		expect(memory.load(driver.device + 4 + 8 * 3 + 4, 4)).toBe(65_539 & 0xff);
	});

	test('buffers that were put back come again', () => {
		const { queue, driver, describeAt } = board();
		for (const index of [0, 1, 2]) {
			describeAt(index, 0);
			driver.publish(index);
		}
		expect([queue.pop()?.head, queue.pop()?.head, queue.pop()?.head]).toEqual([0, 1, 2]);
		queue.undo(2);
		expect([queue.pop()?.head, queue.pop()?.head, queue.pop()]).toEqual([1, 2, undefined]);
	});
});

describe('2.7.7 notification suppression', () => {
	const EVENT = VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX;

	function served(features: bigint) {
		const it = board(8, features);
		it.describeAt(0, WRITE);
		const serve = (count: number) => {
			for (let done = 0; done < count; done++) {
				it.driver.publish(0);
				it.queue.pop();
				it.queue.push(0, 0);
			}
			it.queue.pop();
			return it.queue.wantsNotification();
		};
		return { ...it, serve };
	}

	test('without event index: VIRTQ_AVAIL_F_NO_INTERRUPT', () => {
		const { driver, queue, serve } = served(VIRTIO_F_VERSION_1);
		expect(queue.wantsNotification()).toBe(false);
		expect(serve(1)).toBe(true);
		expect(queue.wantsNotification()).toBe(false);
		driver.setFlags(1);
		expect(serve(3)).toBe(false);
	});

	test('with event index: once the entry used_event was written, flags do not count', () => {
		const { driver, serve } = served(EVENT);
		driver.setFlags(1);
		expect(serve(1)).toBe(true); // used_event 0
		expect(serve(1)).toBe(false);
		driver.setUsedEvent(4);
		expect(serve(2)).toBe(false); // entries 2 and 3
		expect(serve(3)).toBe(true); // 4, 5, 6
		expect(serve(1)).toBe(false);
	});

	test('with event index, around the end of 16 bits', () => {
		const { driver, serve } = served(EVENT);
		for (let done = 0; done < 65_528; done += 8) serve(8);
		driver.setUsedEvent(65_535);
		expect(serve(7)).toBe(false);
		expect(serve(1)).toBe(true);
		driver.setUsedEvent(2);
		expect(serve(2)).toBe(false);
		expect(serve(1)).toBe(true);
	});

	test('avail_event asks for the next buffer once the ring is empty', () => {
		const { driver, serve } = served(EVENT);
		serve(5);
		expect(driver.availEvent).toBe(5);
		const { driver: plain, serve: serveThem } = served(VIRTIO_F_VERSION_1);
		serveThem(5);
		expect(plain.availEvent).toBe(0);
	});
});
