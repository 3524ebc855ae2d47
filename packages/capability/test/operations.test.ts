// Each operation's rules and errors, one by one, as the manual and object-api state them.
import { describe, expect, test } from 'vitest';
import {
	CapabilitySpace,
	guardWord,
	messageRegisters,
	ObjectKind,
	Rights,
	SEL4_MCS_RISCV64,
	ZOMBIE,
} from '../src/index.ts';
import { bench, make, recorder, UNTYPED_ADDRESS } from './support.ts';

describe('deriving', () => {
	test('rights are those of the source at most, and those that the type knows', () => {
		const on = bench();
		const { space, at } = on;
		make(on, ObjectKind.Endpoint, 10);
		make(on, ObjectKind.Notification, 11);
		make(on, ObjectKind.Reply, 12);
		make(on, ObjectKind.Tcb, 13);
		expect([10, 11, 12, 13].map((i) => space.rights(space.at(at(i))))).toEqual([15, 3, 4, 0]);
		space.copy(at(20), at(10), Rights.Read);
		space.copy(at(21), at(20), Rights.All);
		expect(space.rights(space.at(at(21)))).toBe(Rights.Read);
	});

	test('badges are set once', () => {
		const on = bench();
		const { space, at } = on;
		make(on, ObjectKind.Endpoint, 10);
		expect(space.mint(at(20), at(10), 15, 0xffff_ffff_ffff_ffffn)).toBeUndefined();
		expect(space.word(space.at(at(20)))).toBe(0xffff_ffff_ffff_ffffn);
		expect(space.mint(at(21), at(20), 15, 5n)).toEqual({ error: 3 });
		expect(space.mutate(at(21), at(10), 5n)).toEqual({ error: 3 });
		expect(space.copy(at(21), at(20), 15)).toBeUndefined();
		expect([20, 21].map((i) => space.isOriginal(space.at(at(i))))).toEqual([true, false]);
	});

	test('a copy of a copy is its sibling, a badged one starts a level of its own', () => {
		const on = bench();
		const { space, at } = on;
		make(on, ObjectKind.Endpoint, 10);
		space.copy(at(20), at(10), 15);
		space.copy(at(21), at(20), 15);
		space.mint(at(22), at(21), 15, 7n);
		space.copy(at(23), at(22), 15);
		space.revoke(at(20)); // no descendants
		expect([20, 21, 22, 23].map((i) => space.at(at(i)) !== 0)).toEqual([true, true, true, true]);
		space.revoke(at(22));
		expect([20, 21, 22, 23].map((i) => space.at(at(i)) !== 0)).toEqual([true, true, true, false]);
		space.revoke(at(10));
		expect([10, 20, 21, 22].map((i) => space.at(at(i)) !== 0)).toEqual([true, false, false, false]);
		expect(on.port.finalised).toEqual([]);
	});

	test('what cannot be derived: IRQControl, zombies, untypeds with children, unmapped page tables', () => {
		const on = bench();
		const { space, at } = on;
		const control = space.createObject(ObjectKind.IrqControl);
		space.place(at(10), control);
		expect(space.copy(at(20), at(10), 15)).toEqual({ error: 3 });
		make(on, ObjectKind.PageTable, 11);
		expect(space.copy(at(20), at(2), 15)).toEqual({ error: 9 });
		expect(space.copy(at(20), at(11), 15)).toEqual({ error: 3 });
		space.setWord(space.at(at(11)), 77n);
		expect(space.copy(at(20), at(11), 15)).toBeUndefined();
		expect(space.word(space.at(at(20)))).toBe(77n);
		expect(() => space.setWord(space.at(at(2)), 1n)).toThrow(TypeError);
	});

	test('a frame is copied unmapped, and each removal of a mapping is told', () => {
		const on = bench();
		const { space, at, port } = on;
		make(on, ObjectKind.Page, 10);
		space.setWord(space.at(at(10)), 5n);
		space.copy(at(20), at(10), Rights.Read);
		expect(space.word(space.at(at(20)))).toBe(0n);
		space.delete(at(10));
		space.delete(at(20));
		expect(port.log).toEqual(['dropped Page 5', 'dropped Page 0', 'finalise Page']);
	});

	test('guards: size and radix within 64 bits, bits beyond the size dropped', () => {
		const on = bench();
		const { space, at } = on;
		make(on, ObjectKind.CNode, 10, 1, 8);
		expect(space.mint(at(20), at(10), 15, guardWord(0n, 57))).toEqual({ error: 3 });
		expect(space.mint(at(20), at(10), 15, (0xffn << 6n) | 4n)).toBeUndefined();
		expect(space.word(space.at(at(20)))).toBe(guardWord(0xfn, 4));
		expect(space.mutate(at(21), at(20), guardWord(1n, 56))).toBeUndefined();
	});

	test('an original that is deleted leaves its children to its parent', () => {
		const on = bench();
		const { space, at } = on;
		make(on, ObjectKind.Endpoint, 10);
		space.mint(at(20), at(10), 15, 1n);
		space.copy(at(21), at(20), 15);
		space.delete(at(20));
		space.delete(at(10));
		expect(space.at(at(21))).not.toBe(0);
		expect(space.hasChildren(space.at(at(2)))).toBe(true);
		space.revoke(at(2));
		expect(space.at(at(21))).toBe(0);
		expect(on.port.log).toEqual(['finalise Endpoint']);
	});
});

describe('moving', () => {
	test('move and rotate', () => {
		const on = bench();
		const { space, at } = on;
		make(on, ObjectKind.Tcb, 10, 3);
		const [a, b, c] = [10, 11, 12].map((i) => space.at(at(i)));
		expect(space.move(at(10), at(10))).toEqual({ error: 8 });
		expect(space.move(at(20), at(21))).toMatchObject({ error: 6, source: true });
		expect(space.rotate(at(20), at(10), at(11), 0n, 0n)).toBeUndefined();
		expect([20, 10, 11].map((i) => space.at(at(i)))).toEqual([a, b, 0]);
		expect(space.rotate(at(20), at(10), at(20), 0n, 0n)).toBeUndefined();
		expect([20, 10].map((i) => space.at(at(i)))).toEqual([b, a]);
		expect(space.rotate(at(12), at(10), at(20), 0n, 0n)).toEqual({ error: 8 });
		expect(space.rotate(at(30), at(20), at(20), 0n, 0n)).toEqual({ error: 3 });
		expect(space.rotate(at(10), at(10), at(20), 0n, 0n)).toEqual({ error: 3 });
		expect(space.rotate(at(30), at(31), at(20), 0n, 0n)).toMatchObject({ error: 6, source: false });
		expect(space.rotate(at(30), at(10), at(31), 0n, 0n)).toMatchObject({ error: 6, source: true });
		expect(space.at(at(12))).toBe(c);
	});
});

describe('retype', () => {
	const attempt = (overrides: object, on = bench(4, 12)) =>
		on.space.retype({
			untyped: on.space.at(on.at(2)),
			type: ObjectKind.Endpoint,
			sizeBits: 0,
			node: on.node,
			offset: 4,
			count: 1,
			...overrides,
		});

	test('errors, with what goes to message registers', () => {
		const registers = (overrides: object) => {
			const failure = attempt(overrides);
			return failure && [failure.error, ...messageRegisters(failure)];
		};
		const on = bench(4, 12);
		expect(attempt({ untyped: on.space.at(on.at(1)) })).toEqual({ error: 3 });
		expect(registers({ type: 99 })).toEqual([1, 0n]);
		expect(registers({ type: ObjectKind.IrqControl })).toEqual([1, 0n]);
		expect(registers({ type: ObjectKind.CNode, sizeBits: 0 })).toEqual([1, 1n]);
		expect(registers({ type: ObjectKind.Untyped, sizeBits: 3 })).toEqual([1, 1n]);
		expect(registers({ type: ObjectKind.SchedContext, sizeBits: 6 })).toEqual([1, 1n]);
		expect(registers({ type: ObjectKind.Untyped, sizeBits: 39 })).toEqual([4, 0n, 38n]);
		expect(registers({ type: ObjectKind.CNode, sizeBits: 2 ** 60 })).toEqual([4, 0n, 38n]);
		expect(registers({ offset: 16 })).toEqual([4, 0n, 15n]);
		expect(registers({ count: 0 })).toEqual([4, 1n, 256n]);
		expect(registers({ count: 257 })).toEqual([4, 1n, 256n]);
		expect(registers({ offset: 14, count: 3 })).toEqual([4, 1n, 2n]);
		expect(registers({ offset: 1 })).toEqual([8]);
		expect(registers({ type: ObjectKind.Page, count: 2 })).toEqual([10, 4096n]);
		expect(registers({ type: ObjectKind.MegaPage })).toEqual([10, 4096n]);
	});

	test('objects are aligned to their size, above a watermark that falls when all children are gone', () => {
		const on = bench(8, 14);
		const { space, at, port } = on;
		const address = (index: number) => space.address(space.object(space.at(at(index)))) - UNTYPED_ADDRESS;
		make(on, ObjectKind.Endpoint, 10, 3);
		make(on, ObjectKind.Page, 13, 2);
		make(on, ObjectKind.CNode, 15, 1, 3);
		expect([10, 11, 12, 13, 14, 15].map(address)).toEqual([0, 16, 32, 4096, 8192, 12288]);
		expect(attempt({ type: ObjectKind.Page, offset: 20 }, on)).toEqual({ error: 10, bytes: 4096 - 256 });
		for (let i = 10; i < 15; i++) space.delete(at(i));
		expect(attempt({ type: ObjectKind.Page, offset: 20 }, on)).toMatchObject({ error: 10 });
		space.delete(at(15));
		expect(attempt({ type: ObjectKind.Page, offset: 20 }, on)).toBeUndefined();
		expect(address(20)).toBe(0);
		expect(port.log.at(-1)).toBe(`clear ${UNTYPED_ADDRESS} ${12288 + 256}`);
	});

	test('device memory makes frames and untypeds only, and is not cleared', () => {
		const port = recorder();
		const space = new CapabilitySpace({ types: SEL4_MCS_RISCV64, port });
		const node = space.createObject(ObjectKind.CNode, { address: 0, sizeBits: 9 });
		space.place(space.slot(node, 1), node, 60n);
		space.place(
			space.slot(node, 2),
			space.createObject(ObjectKind.Untyped, { address: 0x1000_0000, sizeBits: 14, device: true }),
		);
		const untyped = space.at(space.slot(node, 2));
		const request = { untyped, sizeBits: 12, node, offset: 4, count: 1 };
		expect(space.retype({ ...request, type: ObjectKind.Endpoint })).toEqual({ error: 1, argument: 1 });
		expect(space.retype({ ...request, type: ObjectKind.Untyped })).toBeUndefined();
		const inner = space.at(space.slot(node, 4));
		expect(space.retype({ ...request, untyped: inner, type: ObjectKind.Page, offset: 5 })).toBeUndefined();
		expect(space.isDevice(space.object(space.at(space.slot(node, 5))))).toBe(true);
		space.revoke(space.slot(node, 2));
		expect(space.retype({ ...request, type: ObjectKind.Page })).toBeUndefined();
		expect(port.log).toEqual(['finalise Untyped', 'dropped Page 0', 'finalise Page']);
	});

	test('a copied untyped takes over what is free', () => {
		const on = bench(8, 12);
		const { space, at } = on;
		space.copy(at(3), at(2), 15);
		expect(attempt({ type: ObjectKind.Endpoint, offset: 20 }, on)).toEqual({ error: 10, bytes: 0 });
		expect(attempt({ untyped: space.at(at(3)), offset: 20 }, on)).toBeUndefined();
		space.delete(at(20));
		space.delete(at(3));
		expect(attempt({ type: ObjectKind.Page, offset: 20 }, on)).toBeUndefined();
	});

	test('a limit of rows is met with NotEnoughMemory', () => {
		const port = recorder();
		const space = new CapabilitySpace({ types: SEL4_MCS_RISCV64, port, limit: 8 });
		const node = space.createObject(ObjectKind.CNode, { address: 0, sizeBits: 13 });
		space.place(space.slot(node, 1), node, 56n);
		space.place(space.slot(node, 2), space.createObject(ObjectKind.Untyped, { address: 0, sizeBits: 30 }));
		const request = {
			untyped: space.at(space.slot(node, 2)),
			type: ObjectKind.Endpoint,
			sizeBits: 0,
			node,
			offset: 10,
			count: 9,
		};
		expect(space.retype(request)).toMatchObject({ error: 10 });
		expect(space.retype({ ...request, count: 1 })).toBeUndefined();
		for (let i = 20; i < 24; i++) expect(space.copy(space.slot(node, i), space.slot(node, 10), 15)).toBeUndefined();
		expect(space.copy(space.slot(node, 30), space.slot(node, 10), 15)).toMatchObject({ error: 10 });
	});

	test('a CNode of 2^28 slots costs what is used of it', () => {
		const on = bench(8, 38);
		const { space, at } = on;
		expect(attempt({ type: ObjectKind.CNode, sizeBits: 29, offset: 10 }, on)).toMatchObject({ error: 4 });
		make(on, ObjectKind.CNode, 10, 1, 28);
		const big = space.object(space.at(at(10)));
		space.copy(space.slot(big, 2 ** 28 - 1), at(10), 15);
		expect(space.state.objects.slots[big]).toMatchObject({ [2 ** 20 - 1]: { length: 256 } });
		expect(() => space.slot(big, 2 ** 28)).toThrow(RangeError);
		space.revoke(at(2));
		expect(space.at(at(10))).toBe(0);
	});
});

describe('removing', () => {
	test('the last capability to a CNode empties it, in steps, and is a zombie meanwhile', () => {
		const on = bench();
		const { space, at, port } = on;
		make(on, ObjectKind.CNode, 10, 1, 4);
		const inner = space.object(space.at(at(10)));
		make(on, ObjectKind.Endpoint, 11);
		for (let i = 0; i < 10; i++) space.copy(space.slot(inner, i), at(11), 15);
		expect(space.deleteStep(at(10), 4)).toBe('more');
		expect(space.kind(space.at(at(10)))).toBe(ZOMBIE);
		expect(space.references(space.object(space.at(at(11))))).toBe(7);
		expect(space.copy(at(20), at(10), 15)).toEqual({ error: 3 });
		expect(space.resolve(space.at(at(10)), 0n, 4)).toEqual({ kind: 1 });
		expect(space.move(at(20), at(10))).toBeUndefined();
		expect(space.deleteStep(at(20), 6)).toBe('more');
		expect(space.deleteStep(at(20), 1)).toBe('done');
		expect(space.deleteStep(at(20), 1)).toBe('done');
		expect(port.log).toEqual(['finalise CNode']);
		expect(() => space.deleteStep(at(20), 0)).toThrow(RangeError);
	});

	test('a container in a container becomes unreachable, and goes with the untyped', () => {
		const on = bench();
		const { space, at, port } = on;
		make(on, ObjectKind.CNode, 10, 2, 4);
		const [outer, inner] = [10, 11].map((i) => space.object(space.at(at(i))));
		make(on, ObjectKind.Endpoint, 12, 2);
		space.move(space.slot(inner, 0), at(12));
		space.move(space.slot(inner, 1), at(13));
		space.move(space.slot(outer, 5), at(11));
		const found = space.at(space.slot(outer, 5));
		space.delete(at(10));
		// What was in slot 0 has been deleted in its place; slot 1 lives on.
		expect(space.slotOf(found)).toBe(space.slot(inner, 0));
		expect(port.log.filter((line) => line === 'finalise Endpoint')).toHaveLength(1);
		space.revoke(at(2));
		expect(port.log.filter((line) => line === 'finalise Endpoint')).toHaveLength(2);
		expect(space.hasChildren(space.at(at(2)))).toBe(false);
		expect(port.alive.size).toBe(2);
	});

	test('a thread in a CNode is finalised before its slots are emptied', () => {
		const on = bench();
		const { space, at, port } = on;
		make(on, ObjectKind.Tcb, 10);
		make(on, ObjectKind.CNode, 11, 1, 4);
		const tcb = space.object(space.at(at(10)));
		expect(space.radix(tcb)).toBe(3);
		space.move(space.slot(tcb, 0), at(11));
		space.delete(at(10));
		expect(port.log).toEqual(['finalise TCB', 'finalise CNode']);
	});

	test('a revoke that deletes its own target stops', () => {
		const on = bench();
		const { space, at } = on;
		make(on, ObjectKind.Untyped, 10, 1, 14);
		const untyped = space.at(at(10));
		expect(
			space.retype({ untyped, type: ObjectKind.CNode, sizeBits: 4, node: on.node, offset: 11, count: 1 }),
		).toBeUndefined();
		const inner = space.object(space.at(at(11)));
		space.move(space.slot(inner, 3), at(10));
		space.revoke(space.slot(inner, 3));
		expect(space.at(at(10))).toBe(0);
		expect(space.at(at(11))).toBe(0);
		expect(on.port.alive.size).toBe(2);
	});
});

test('an object placed below an untyped uses it up', () => {
	const on = bench();
	const { space, at } = on;
	make(on, ObjectKind.Untyped, 10, 1, 12);
	const pool = space.createObject(ObjectKind.AsidPool, { address: UNTYPED_ADDRESS, sizeBits: 12 });
	expect(space.place(at(11), pool, 0n, space.at(at(10)))).toBe(undefined);
	expect(space.word(space.at(at(10)))).toBe(4096n);
	expect(space.hasChildren(space.at(at(10)))).toBe(true);
	space.delete(at(11));
	expect(space.hasChildren(space.at(at(10)))).toBe(false);
});
