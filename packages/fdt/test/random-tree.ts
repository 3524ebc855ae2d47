// Random trees that both we and dtc accept.

import * as fc from 'fast-check';
import type { FdtNode, FdtProperty, FdtReservation } from '../src/tree.ts';

const letter = fc.constantFrom(...'abcxyzABCXYZ0189,._+-');
const name = fc.string({ unit: letter, minLength: 1, maxLength: 12 });
/** Names whose values dtc checks are left out. */
const propertyName = fc
	.tuple(fc.constantFrom('', '#', 'q,'), name)
	.map((parts) => parts.join(''))
	.filter((n) => n !== 'name' && n !== 'phandle' && n !== 'linux,phandle');
const nodeName = fc.oneof(
	name,
	fc.tuple(name, fc.nat()).map(([n, unit]) => `${n}@${unit.toString(16)}`),
);

const text = fc.array(fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 10 }), {
	minLength: 1,
	maxLength: 3,
});
const value: fc.Arbitrary<Uint8Array> = fc.oneof(
	fc.uint8Array({ maxLength: 20 }),
	fc.array(fc.nat(), { maxLength: 5 }).map((cells) => {
		const bytes = new Uint8Array(cells.length * 4);
		cells.forEach((cell, i) => {
			new DataView(bytes.buffer).setUint32(i * 4, cell);
		});
		return bytes;
	}),
	text.map((list) => new TextEncoder().encode(list.map((item) => `${item}\0`).join(''))),
	// Almost text: what tells cells, strings and bytes apart must not lose any.
	fc.array(fc.constantFrom(0, 0, 0x22, 0x5c, 0x41, 0x7f, 0x1f), { maxLength: 12 }).map((list) => Uint8Array.from(list)),
);

const properties: fc.Arbitrary<FdtProperty[]> = fc.uniqueArray(fc.record({ name: propertyName, value }), {
	selector: (property) => property.name,
	maxLength: 6,
});

const { tree } = fc.letrec<{ tree: FdtNode; children: FdtNode[] }>((tie) => ({
	tree: fc.record({ name: nodeName, properties, children: tie('children') }),
	children: fc.oneof(
		{ maxDepth: 4 },
		fc.constant<FdtNode[]>([]),
		fc.uniqueArray(tie('tree'), { selector: (node) => node.name, maxLength: 4 }),
	),
}));

export const randomTree: fc.Arbitrary<FdtNode> = tree.map((node) => ({ ...node, name: '' }));

const word64 = (min: bigint): fc.Arbitrary<bigint> => fc.bigInt({ min, max: (1n << 64n) - 1n });
export const randomReservations: fc.Arbitrary<FdtReservation[]> = fc.array(
	fc.record({ address: word64(0n), size: word64(1n) }),
	{ maxLength: 3 },
);
