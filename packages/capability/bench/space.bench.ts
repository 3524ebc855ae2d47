// Capability operations, with 10 to 100,000 capabilities in the space: the common ones must not grow with it.
import { CapabilitySpace, ObjectKind, Rights, SEL4_MCS_RISCV64, type Slot } from '@partita/capability';
import { test } from 'vitest';

const port = {
	created: (): void => {},
	finalise: (): void => {},
	dropped: (): void => {},
	derive: (): bigint => 0n,
	clear: (): void => {},
};

/** A root CNode of 2^18 slots with an endpoint in slot 3 and `count` copies of it from slot 16 on. */
function filled(count: number): { space: CapabilitySpace; at: (index: number) => Slot } {
	const space = new CapabilitySpace({ types: SEL4_MCS_RISCV64, port });
	const node = space.createObject(ObjectKind.CNode, { address: 0, sizeBits: 18 + 5 });
	const at = (index: number): Slot => space.slot(node, index);
	space.place(at(1), node, BigInt(64 - 18));
	space.place(at(2), space.createObject(ObjectKind.Untyped, { address: 0x8000_0000, sizeBits: 30 }));
	const untyped = space.at(at(2));
	space.retype({ untyped, type: ObjectKind.Endpoint, sizeBits: 0, node, offset: 3, count: 2 });
	for (let i = 0; i < count; i++) space.copy(at(16 + i), at(3), Rights.All);
	return { space, at };
}

for (const count of [10, 1_000, 100_000]) {
	test(`${count} capabilities`, async ({ bench }) => {
		const { space, at } = filled(count);
		const root = space.at(at(1));
		let sum = 0;
		await bench(`1000 x lookup, ${count} capabilities`, () => {
			for (let i = 0; i < 1000; i++) sum += space.lookup(root, 16 + ((i * 7919) % count), 0) as number;
		}).run();
		const to = at(8);
		const from = at(3);
		await bench(`1000 x mint and delete, ${count} capabilities`, () => {
			for (let i = 0; i < 1000; i++) {
				space.mint(to, from, Rights.Write, 1n);
				space.delete(to);
			}
		}).run();
		const moved = at(16);
		await bench(`1000 x move there and back, ${count} capabilities`, () => {
			for (let i = 0; i < 1000; i++) {
				space.move(to, moved);
				space.move(moved, to);
			}
		}).run();
		// The other endpoint: its copies are made anew each time.
		const original = at(4);
		await bench(`copy and revoke ${count}`, () => {
			for (let i = 0; i < count; i++) space.copy(at(120_000 + i), original, Rights.All);
			space.revoke(original);
		}).run();
		if (sum === 0) throw new Error('nothing was found');
	});
}
