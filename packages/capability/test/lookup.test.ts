// Resolving pointers: the figure of the manual's "Addressing Capabilities", the four kinds of failure, and a naive model.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
	type CapabilityId,
	cnodeCopy,
	destinationNode,
	guardWord,
	LookupFailureKind,
	lookupSlot,
	messageRegisters,
	ObjectKind,
	Rights,
} from '../src/index.ts';
import { bench, make } from './support.ts';

/** The manual's figure, with its pointers of 32 bits. */
function figure() {
	const on = bench(8);
	const { space, at } = on;
	make(on, ObjectKind.CNode, 10, 3, 8);
	const [l1, l2, l3] = [10, 11, 12].map((index) => space.object(space.at(at(index))));
	make(on, ObjectKind.Endpoint, 20, 7);
	space.mutate(at(30), at(10), guardWord(0n, 4));
	space.move(space.slot(l1, 0x60), at(20)); // A
	space.mutate(space.slot(l1, 0x0f), at(11), guardWord(0n, 4)); // L2
	space.move(space.slot(l2, 0x60), at(21)); // B
	space.mutate(space.slot(l2, 0x00), at(12), guardWord(0n, 0)); // L3
	for (let i = 0; i < 5; i++) space.move(space.slot(l3, 0x60 + i), at(22 + i)); // C to G
	return { space, root: space.at(at(30)), l1, l2, l3 };
}

test("the manual's example addresses lead to its capabilities", () => {
	const { space, root, l1, l2, l3 } = figure();
	const resolve = (pointer: bigint, depth: number) => space.resolve(root, pointer, depth);
	expect(resolve(0x0600_0000n, 32)).toEqual({ slot: space.slot(l1, 0x60), bitsLeft: 20 });
	expect(resolve(0x0601_2345n, 32)).toEqual({ slot: space.slot(l1, 0x60), bitsLeft: 20 });
	expect(resolve(0x00f0_6000n, 32)).toEqual({ slot: space.slot(l2, 0x60), bitsLeft: 8 });
	for (let i = 0n; i < 5n; i++) {
		expect(resolve(0x00f0_0060n + i, 32)).toEqual({ slot: space.slot(l3, 0x60 + Number(i)), bitsLeft: 0 });
	}
	expect(resolve(0xabcd_e00fn, 12)).toEqual({ slot: space.slot(l1, 0x0f), bitsLeft: 0 });
	expect(resolve(0xff00_f000n, 24)).toEqual({ slot: space.slot(l2, 0), bitsLeft: 0 });
});

test('each kind of lookup failure says what the manual says', () => {
	const { space, root, l1 } = figure();
	expect(space.resolve(space.at(space.slot(l1, 0x60)), 0n, 32)).toEqual({ kind: LookupFailureKind.InvalidRoot });
	expect(space.resolve(root, 0x1060_0000n, 32)).toEqual({
		kind: LookupFailureKind.GuardMismatch,
		bitsLeft: 32,
		guardFound: 0n,
		bitsFound: 4,
	});
	// L2's guard of 4 bits, and then 8, with 3 or 11 bits left.
	expect(space.resolve(root, 0n, 3)).toMatchObject({ kind: LookupFailureKind.GuardMismatch, bitsLeft: 3 });
	expect(space.resolve(root, 0n, 11)).toEqual({ kind: LookupFailureKind.DepthMismatch, bitsLeft: 11, bitsFound: 12 });
	expect(space.lookup(root, 0, 0x1000_0000)).toMatchObject({ kind: LookupFailureKind.GuardMismatch, bitsLeft: 64 });

	const strict = lookupSlot(space, { root, pointer: 0x0600_0000n, depth: 32 }, true);
	expect(strict).toEqual({
		error: 6,
		source: true,
		lookup: { kind: LookupFailureKind.DepthMismatch, bitsLeft: 20, bitsFound: 0 },
	});
	if (typeof strict !== 'number') expect(messageRegisters(strict)).toEqual([1n, 3n, 20n, 0n]);
	expect(lookupSlot(space, { root, pointer: 0n, depth: 0 }, true)).toEqual({ error: 4, minimum: 1, maximum: 64 });
	expect(lookupSlot(space, { root, pointer: 0n, depth: 65 }, true)).toEqual({ error: 4, minimum: 1, maximum: 64 });
	expect(lookupSlot(space, { root: 0, pointer: 0n, depth: 65 }, true)).toEqual({
		error: 6,
		source: true,
		lookup: { kind: LookupFailureKind.InvalidRoot },
	});
});

test('CNode methods check the destination, then the source', () => {
	const on = bench(8);
	const { space, at } = on;
	make(on, ObjectKind.Endpoint, 10, 1);
	const root = space.at(at(1));
	const address = (index: number) => ({ root, pointer: BigInt(index), depth: 64 });
	expect(cnodeCopy(space, address(11), address(10), Rights.All)).toBeUndefined();
	expect(cnodeCopy(space, address(11), address(99), Rights.All)).toEqual({ error: 8 });
	const missing = cnodeCopy(space, address(12), address(99), Rights.All);
	expect(missing && messageRegisters(missing)).toEqual([1n, 2n, 64n]);
	expect(destinationNode(space, { root, pointer: 0n, depth: 0 })).toBe(on.node);
	expect(destinationNode(space, { root, pointer: 1n, depth: 64 })).toBe(on.node);
	const wrong = destinationNode(space, { root, pointer: 10n, depth: 64 });
	expect(typeof wrong !== 'number' && messageRegisters(wrong)).toEqual([0n, 2n, 64n]);
	expect(space.lookup(root, 10, 0)).toBe(space.at(at(10)));
	expect(space.lookup(root, 99, 0)).toEqual({ kind: LookupFailureKind.MissingCapability, bitsLeft: 0 });
	expect(space.lookup(root, 10, 1)).toMatchObject({
		kind: LookupFailureKind.GuardMismatch,
		bitsLeft: 64,
		bitsFound: 56,
	});
});

test('any two CNodes, guards and pointers resolve as a naive model says', () => {
	const cnode = fc.record({
		radix: fc.integer({ min: 1, max: 6 }),
		size: fc.integer({ min: 0, max: 58 }),
		guard: fc.bigInt(0n, (1n << 58n) - 1n),
	});
	fc.assert(
		fc.property(
			fc.tuple(cnode, cnode),
			fc.bigInt(0n, (1n << 64n) - 1n),
			fc.integer({ min: 1, max: 64 }),
			fc.boolean(),
			(nodes, noise, depth, aimed) => {
				const on = bench(8);
				const { space, at } = on;
				nodes.forEach(({ radix }, i) => {
					make(on, ObjectKind.CNode, 10 + i, 1, radix);
				});
				const objects = nodes.map((_, i) => space.object(space.at(at(10 + i))));
				const words = nodes.map(({ guard, size }) => guardWord(guard, size));
				// Every slot of the first CNode leads to the second.
				for (let i = 0; i < 2 ** nodes[0].radix; i++) {
					expect(space.mint(space.slot(objects[0], i), at(11), 15, words[1])).toBeUndefined();
				}
				space.mutate(at(20), at(10), words[0]);
				// Aim: put the guards where they are looked for, at the top of the bits that count.
				let pointer = noise;
				let top = depth;
				for (const { radix, size, guard } of aimed ? nodes : []) {
					if (top < size + radix) break;
					const mask = ((1n << BigInt(size)) - 1n) << BigInt(top - size);
					pointer = (pointer & ~mask) | ((guard << BigInt(top - size)) & mask);
					top -= size + radix;
				}
				expect(space.resolve(space.at(at(20)), pointer, depth)).toEqual(naive(pointer, depth));

				function naive(from: bigint, bits: number): unknown {
					let left = bits;
					let slot = 0;
					for (let i = 0; i < 2; i++) {
						const { radix, size } = nodes[i];
						const guard = words[i] >> 6n;
						const field = (low: number, width: number) => (from >> BigInt(low)) & ((1n << BigInt(width)) - 1n);
						if (size > left || field(left - size, size) !== guard) {
							if (size > 0)
								return { kind: LookupFailureKind.GuardMismatch, bitsLeft: left, guardFound: guard, bitsFound: size };
						}
						if (size + radix > left)
							return { kind: LookupFailureKind.DepthMismatch, bitsLeft: left, bitsFound: size + radix };
						left -= size + radix;
						slot = space.slot(objects[i], Number(field(left, radix)));
						if (left === 0) break;
					}
					return { slot, bitsLeft: left };
				}
			},
		),
		{ numRuns: 400 },
	);
});

test('a CNode that contains itself is walked for as many steps as the pointer has bits', () => {
	const on = bench(8);
	const { space, at } = on;
	make(on, ObjectKind.CNode, 10, 1, 1);
	const object = space.object(space.at(at(10)));
	for (const index of [0, 1]) space.mint(space.slot(object, index), at(10), 15, 0n);
	const root: CapabilityId = space.at(space.slot(object, 0));
	expect(space.resolve(root, 1n, 64)).toEqual({ slot: space.slot(object, 1), bitsLeft: 0 });
});
