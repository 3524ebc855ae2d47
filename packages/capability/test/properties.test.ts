// Random sequences of operations against a naive tree: revoke removes all descendants and nothing else, rights never
// rise, memory never overlaps, and a state that is saved, restored and stepped gives the same future.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type CapabilitySpace, checkState, ObjectKind, Rights, SEL4_MCS_RISCV64 } from '../src/index.ts';
import { type Bench, bench, make, UNTYPED_ADDRESS } from './support.ts';

const SLOTS = 32;
const index = fc.integer({ min: 3, max: SLOTS - 1 });

type Operation =
	| { do: 'retype'; from: number; to: number; type: number; count: number; sizeBits: number }
	| { do: 'copy'; from: number; to: number; rights: number }
	| { do: 'mint'; from: number; to: number; rights: number; badge: bigint }
	| { do: 'move'; from: number; to: number }
	| { do: 'rotate'; from: number; pivot: number; to: number }
	| { do: 'delete'; at: number }
	| { do: 'revoke'; at: number; units: number };

const rights = fc.integer({ min: 0, max: 15 });
const source = fc.integer({ min: 2, max: SLOTS - 1 });
const operation: fc.Arbitrary<Operation> = fc.oneof(
	{
		weight: 3,
		arbitrary: fc.record({
			do: fc.constant('retype' as const),
			from: fc.oneof(fc.constant(2), source),
			to: index,
			type: fc.constantFrom(ObjectKind.Untyped, ObjectKind.Endpoint, ObjectKind.Notification, ObjectKind.Reply),
			count: fc.integer({ min: 1, max: 3 }),
			sizeBits: fc.integer({ min: 4, max: 9 }),
		}),
	},
	{ weight: 4, arbitrary: fc.record({ do: fc.constant('copy' as const), from: source, to: index, rights }) },
	{
		weight: 5,
		arbitrary: fc.record({
			do: fc.constant('mint' as const),
			from: source,
			to: index,
			rights,
			badge: fc.bigInt(0n, 3n),
		}),
	},
	fc.record({ do: fc.constant('move' as const), from: source, to: index }),
	fc.record({ do: fc.constant('rotate' as const), from: source, pivot: source, to: index }),
	{ weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), at: index }) },
	fc.record({ do: fc.constant('revoke' as const), at: source, units: fc.integer({ min: 1, max: 4 }) }),
);

/** The model: a tree of nodes with parents and children, as the manual draws it. */
interface Node {
	parent: Node | undefined;
	children: Node[];
	name: string; // of the object
	rights: number;
	badge: bigint;
	original: boolean;
	untyped: boolean;
	badged: boolean; // whether the type has badges
	mask: number;
}

class Model {
	slots: (Node | undefined)[] = new Array(SLOTS).fill(undefined);
	made = 0;

	add(slot: number, parent: Node | undefined, node: Omit<Node, 'parent' | 'children'>): void {
		const added = { ...node, parent, children: [] };
		parent?.children.push(added);
		this.slots[slot] = added;
	}

	remove(node: Node): void {
		for (const child of node.children) child.parent = node.parent;
		if (node.parent) {
			node.parent.children = node.parent.children.filter((child) => child !== node).concat(node.children);
		}
		this.slots[this.slots.indexOf(node)] = undefined;
	}

	descendants(node: Node): Node[] {
		return node.children.flatMap((child) => [child, ...this.descendants(child)]);
	}

	/** What holds of a successful operation; failures are not modelled, except that they change nothing. */
	apply(operation: Operation): void {
		const { slots } = this;
		switch (operation.do) {
			case 'retype':
				for (let i = 0; i < operation.count; i++) {
					const type = SEL4_MCS_RISCV64[operation.type];
					this.add(operation.to + i, slots[operation.from], {
						name: `object ${this.made++}`,
						rights: type.rights,
						badge: 0n,
						original: true,
						untyped: type.word === 'watermark',
						badged: type.word === 'badge',
						mask: type.rights,
					});
				}
				break;
			case 'copy':
			case 'mint': {
				const from = slots[operation.from]!;
				const badge = operation.do === 'mint' && from.badged ? operation.badge : from.badge;
				this.add(operation.to, from.original ? from : from.parent, {
					...from,
					rights: from.rights & operation.rights,
					badge,
					original: from.untyped || badge !== from.badge,
				});
				break;
			}
			case 'move':
				slots[operation.to] = slots[operation.from];
				slots[operation.from] = undefined;
				break;
			case 'rotate': {
				const moved = slots[operation.from];
				slots[operation.from] = undefined;
				slots[operation.to] = slots[operation.pivot];
				slots[operation.pivot] = moved;
				break;
			}
			case 'delete': {
				const node = slots[operation.at];
				if (node) this.remove(node);
				break;
			}
			case 'revoke': {
				const node = slots[operation.at];
				if (node) for (const descendant of this.descendants(node)) this.remove(descendant);
				break;
			}
		}
	}
}

function perform(on: Bench, operation: Operation): boolean {
	const { space, at, node } = on;
	switch (operation.do) {
		case 'retype': {
			const { type, sizeBits, to: offset, count } = operation;
			return !space.retype({ untyped: space.at(at(operation.from)), type, sizeBits, node, offset, count });
		}
		case 'copy':
			return !space.copy(at(operation.to), at(operation.from), operation.rights);
		case 'mint':
			return !space.mint(at(operation.to), at(operation.from), operation.rights, operation.badge);
		case 'move':
			return !space.move(at(operation.to), at(operation.from));
		case 'rotate':
			return !space.rotate(at(operation.to), at(operation.pivot), at(operation.from), 0n, 0n);
		case 'delete':
			space.delete(at(operation.at));
			return true;
		case 'revoke':
			while (space.revokeStep(at(operation.at), operation.units) === 'more');
			return true;
	}
}

/** Parents by slot, read off the brackets. */
function parents(space: CapabilitySpace): Map<number, number> {
	const { next } = space.state.capabilities;
	const stack: number[] = [0];
	const found = new Map<number, number>();
	for (let bracket = next[0]; bracket !== 1; bracket = next[bracket]) {
		if (bracket & 1) stack.pop();
		else {
			found.set(space.slotOf(bracket >> 1), stack[stack.length - 1] === 0 ? -1 : space.slotOf(stack[stack.length - 1]));
			stack.push(bracket >> 1);
		}
	}
	return found;
}

test('the derivation tree is the naive tree, whatever is done', () => {
	fc.assert(
		fc.property(fc.array(operation, { maxLength: 80 }), (operations) => {
			const on = bench(5, 10);
			const { space, at, port } = on;
			const model = new Model();
			const plain = { rights: 0, badge: 0n, original: true, badged: false, mask: 0 };
			model.add(1, undefined, { ...plain, name: 'root', untyped: false });
			model.add(2, undefined, { ...plain, name: 'memory', untyped: true });
			for (const step of operations) {
				const before = structuredClone(space.state);
				const done = perform(on, step);
				if (done) model.apply(step);
				else expect(space.state).toEqual(before);
				expect(checkState(space.state, SEL4_MCS_RISCV64)).toEqual([]);
				const tree = parents(space);
				const seen = new Map<string, number>();
				model.slots.forEach((node, i) => {
					const capability = space.at(at(i));
					expect(capability !== 0).toBe(node !== undefined);
					if (!node) return;
					expect(space.rights(capability)).toBe(node.rights);
					if (node.badged) expect(space.word(capability)).toBe(node.badge);
					expect(space.isOriginal(capability)).toBe(node.original);
					const object = space.object(capability);
					// One object by one name, as long as there is a capability to it.
					expect(seen.get(node.name) ?? object).toBe(object);
					seen.set(node.name, object);
					expect(tree.get(at(i))).toBe(node.parent ? at(model.slots.indexOf(node.parent)) : -1);
				});
				expect(new Set(seen.values()).size).toBe(seen.size);
				expect(port.alive).toEqual(new Set(seen.values()));
				disjoint(on, [...seen.values()]);
			}
		}),
		{ numRuns: 150 },
	);
});

/** Objects that are no untypeds never share memory, and all of it is the first untyped's. */
function disjoint(on: Bench, objects: readonly number[]): void {
	const { space } = on;
	const spans = objects
		.filter((object) => space.objectType(object) !== ObjectKind.Untyped && object !== on.node)
		.map((object) => [space.address(object), 2 ** space.sizeBits(object)])
		.sort(([a], [b]) => a - b);
	spans.forEach(([address, bytes], i) => {
		expect(address % bytes).toBe(0);
		expect(address).toBeGreaterThanOrEqual(i === 0 ? UNTYPED_ADDRESS : spans[i - 1][0] + spans[i - 1][1]);
		expect(address + bytes).toBeLessThanOrEqual(UNTYPED_ADDRESS + 1024);
	});
}

type Nested = { do: string; a: number; b: number; c: number; d: number; units: number };
const nested: fc.Arbitrary<Nested> = fc.record({
	do: fc.constantFrom('make', 'make', 'copy', 'copy', 'copy', 'move', 'move', 'delete', 'revoke'),
	a: fc.integer({ min: 0, max: 5 }),
	b: fc.integer({ min: 0, max: 7 }),
	c: fc.integer({ min: 0, max: 5 }),
	d: fc.integer({ min: 0, max: 7 }),
	units: fc.integer({ min: 1, max: 5 }),
});

/** Containers in containers, themselves included: `a` and `c` choose a container, `b` and `d` a slot in it. */
function performNested(on: Bench, step: Nested): void {
	const { space, at } = on;
	const containers = [...on.port.alive].filter((object) => space.radix(object) !== undefined);
	const pick = (container: number, slot: number) => {
		const object = containers[container % containers.length];
		return object === on.node ? at(8 + slot) : space.slot(object, slot % 2 ** space.radix(object)!);
	};
	const from = pick(step.a, step.b);
	const to = pick(step.c, step.d);
	switch (step.do) {
		case 'make': {
			const type = [ObjectKind.CNode, ObjectKind.Tcb, ObjectKind.Endpoint][step.units % 3];
			space.retype({ untyped: space.at(at(2)), type, sizeBits: 2, node: on.node, offset: 8 + step.b, count: 1 });
			break;
		}
		case 'copy':
			space.copy(to, from, Rights.All);
			break;
		case 'move':
			space.move(to, from);
			break;
		case 'delete':
			space.deleteStep(from, step.units);
			break;
		case 'revoke':
			space.revokeStep(from, step.units);
			break;
	}
}

test('containers in containers, cycles and half-done removals: invariants hold, and a revoke of the memory ends all', () => {
	fc.assert(
		fc.property(fc.array(nested, { maxLength: 100 }), (steps) => {
			const on = bench(5, 20);
			const { space, at, port } = on;
			for (const step of steps) {
				performNested(on, step);
				expect(checkState(space.state, SEL4_MCS_RISCV64)).toEqual([]);
			}
			let calls = 0;
			while (space.revokeStep(at(2), 3) === 'more') expect(++calls).toBeLessThan(2000);
			expect(checkState(space.state, SEL4_MCS_RISCV64)).toEqual([]);
			expect(space.hasChildren(space.at(at(2)))).toBe(false);
			expect(port.alive).toEqual(new Set([space.object(space.at(at(1))), space.object(space.at(at(2)))]));
		}),
		{ numRuns: 300 },
	);
});

test('a state that is saved in the middle has the same future', () => {
	fc.assert(
		fc.property(fc.array(nested, { maxLength: 60 }), fc.array(nested, { maxLength: 60 }), (first, second) => {
			const on = bench(5, 20);
			for (const step of first) performNested(on, step);
			const other = bench(5, 20, structuredClone(on.space.state));
			other.port.alive.clear();
			for (const object of on.port.alive) other.port.alive.add(object);
			on.port.log.length = 0;
			for (const step of second) {
				performNested(on, step);
				performNested(other, step);
			}
			expect(other.space.state).toEqual(on.space.state);
			expect(other.port.log).toEqual(on.port.log);
		}),
		{ numRuns: 100 },
	);
});

test('no forged word breaks the space: pointers, depths, sizes and counts as a guest may give them', () => {
	const word = fc.oneof(
		fc.constantFrom(0, 1, 2, 63, 64, 65, 255, 2 ** 32, 2 ** 53, 2 ** 64),
		fc.double({ min: 0, max: 2 ** 64, noNaN: true }).map(Math.floor),
	);
	fc.assert(
		fc.property(word, word, word, word, fc.bigInt(0n, (1n << 64n) - 1n), (type, sizeBits, offset, count, pointer) => {
			const on = bench(6, 16);
			const { space, at, node } = on;
			make(on, ObjectKind.CNode, 10, 1, 3);
			space.retype({ untyped: space.at(at(2)), type, sizeBits, node, offset, count });
			space.mint(at(20), at(10), 15, pointer);
			const low = Number(pointer & 0xffff_ffffn);
			space.lookup(space.at(at(20)) || space.at(at(1)), low, Number(pointer >> 32n));
			expect(checkState(space.state, SEL4_MCS_RISCV64)).toEqual([]);
		}),
		{ numRuns: 500 },
	);
});

test('a broken state is refused, and changes nothing', () => {
	const breaks: [string, (on: Bench) => void][] = [
		[
			'rights',
			({ space, at }) => {
				space.state.capabilities.rights[space.at(at(2))] = 1;
			},
		],
		[
			'count',
			({ space, node }) => {
				space.state.objects.references[node]++;
			},
		],
		[
			'slot',
			({ space, at }) => {
				space.state.capabilities.slot[space.at(at(10))]++;
			},
		],
		[
			'bracket',
			({ space, at }) => {
				space.state.capabilities.next[2 * space.at(at(10))] = 0;
			},
		],
		[
			'cycle',
			({ space, at }) => {
				space.state.capabilities.next[2 * space.at(at(10))] = 2 * space.at(at(10));
			},
		],
		[
			'object',
			({ space, at }) => {
				space.state.capabilities.object[space.at(at(10))] = 99;
			},
		],
		[
			'watermark',
			({ space, at }) => {
				space.state.capabilities.word[space.at(at(2))] = 0n;
			},
		],
		[
			'free list',
			({ space }) => {
				space.state.capabilities.free = 1;
			},
		],
		[
			'column',
			({ space }) => {
				space.state.capabilities.kind = new Uint8Array(3);
			},
		],
	];
	for (const [name, harm] of breaks) {
		const on = bench();
		make(on, ObjectKind.Endpoint, 10, 2);
		const good = structuredClone(on.space.state);
		harm(on);
		const other = bench(8, 20, good);
		expect(() => other.space.restore(on.space.state), name).toThrow(RangeError);
		expect(other.space.state).toBe(good);
	}
});
