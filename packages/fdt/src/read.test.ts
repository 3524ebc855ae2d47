import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { board } from '../test/board.ts';
import { randomReservations, randomTree } from '../test/random-tree.ts';
import { node, root } from './build.ts';
import { FdtError } from './error.ts';
import { walk } from './query.ts';
import { readFdt } from './read.ts';
import { writeFdt } from './write.ts';

const STRUCT = 0x38;

/** A small blob, changed: header 0..0x28, one empty reservation entry, structure at 0x38. */
function changed(...words: [offset: number, value: number][]): Uint8Array {
	const blob = writeFdt(root({ ab: 'x' }, [node('n', { cd: 5 })]));
	for (const [offset, value] of words) new DataView(blob.buffer).setUint32(offset, value);
	return blob;
}

describe('readFdt', () => {
	test('reads what was written', () => {
		fc.assert(
			fc.property(randomTree, randomReservations, fc.nat(), (tree, reservations, bootCpuId) => {
				const blob = writeFdt(tree, { reservations, bootCpuId });
				expect(readFdt(blob)).toEqual({ root: tree, reservations, bootCpuId, version: 17 });
				expect(writeFdt(readFdt(blob).root, { reservations, bootCpuId })).toEqual(blob);
			}),
			{ numRuns: 200 },
		);
	});

	test('a Buffer gives plain bytes, which share no memory with it', () => {
		const blob = writeFdt(board());
		const buffer = Buffer.from(blob);
		const fdt = readFdt(buffer);
		buffer.fill(0);
		expect(fdt).toEqual(readFdt(blob));
	});

	test('reads at any offset of a buffer, ignores what follows, and shares no memory', () => {
		const blob = writeFdt(board());
		const buffer = new Uint8Array(blob.length + 50).fill(0xff);
		buffer.set(blob, 3);
		const fdt = readFdt(buffer.subarray(3));
		const expected = readFdt(blob);
		buffer.fill(0);
		expect(fdt).toEqual(expected);
	});

	test('skips NOP tokens', () => {
		// The whole of node n: begin, name, property (4 words), end.
		const nops = Array.from({ length: 7 }, (_, i): [number, number] => [STRUCT + 0x18 + i * 4, 4]);
		expect(readFdt(changed(...nops)).root).toEqual(root({ ab: 'x' }));
	});

	test('reads version 16, which has no size of the structure block', () => {
		expect(readFdt(changed([0x14, 16], [0x24, 0xffffffff])).version).toBe(16);
	});

	test.each<[string, RegExp, number, Uint8Array]>([
		['nothing', /header: truncated/, 0, new Uint8Array(0)],
		['a truncated header', /header: truncated/, 35, changed().subarray(0, 35)],
		['a bad magic', /magic: is 0xd00dfeee/, 0, changed([0, 0xd00dfeee])],
		['a version that is too old', /version: 15 is too old/, 0x14, changed([0x14, 15])],
		['a version that is too new', /last compatible version: 18/, 0x18, changed([0x14, 18], [0x18, 18])],
		['a total size beyond the bytes', /total size: 10000 exceeds/, 4, changed([4, 10_000])],
		['a total size of 2^32 - 1', /total size/, 4, changed([4, 0xffffffff])],
		['a total size below the header', /total size: 39/, 4, changed([4, 39])],
		['a structure offset that is not aligned', /aligned to 4/, 8, changed([8, STRUCT + 2])],
		['a structure offset beyond the end', /structOffset/, 8, changed([8, 0xfffffffc])],
		['a structure offset in the header', /structOffset/, 8, changed([8, 8])],
		['a structure size beyond the end', /structOffset: block ends/, 8, changed([0x24, 0xffffffff])],
		['a strings offset beyond the end', /stringsOffset/, 12, changed([12, 0xffffffff])],
		['a strings size beyond the end', /stringsOffset: block ends/, 12, changed([0x20, 0xffffffff])],
		['reservations that are not aligned', /aligned to 8/, 16, changed([16, 0x2c])],
		['reservations without end', /reservation block: has no end/, 0x78, changed([16, 0x78])],
		['a reservation of size 0', /memory reservation: has size 0/, 0x28, changed([0x28, 1])],
		['an empty structure block', /token: the structure block ends/, STRUCT, changed([0x24, 0])],
		['a structure block without end', /token: the structure block ends/, STRUCT + 0x38, changed([0x24, 0x38])],
		['an unknown token', /token: 0x7 is unknown/, STRUCT, changed([STRUCT, 7])],
		['a root with a name', /root: has the name "a"/, STRUCT + 4, changed([STRUCT + 4, 0x61000000])],
		['no root', /there is no root/, STRUCT, changed([STRUCT, 9])],
		['a property outside of nodes', /outside of all nodes/, STRUCT, changed([STRUCT, 3])],
		['an end outside of nodes', /no node is open/, STRUCT, changed([STRUCT, 2])],
		['an end of tree within nodes', /2 nodes are open/, STRUCT + 0x30, changed([STRUCT + 0x30, 9])],
		['a second root', /a root already/, STRUCT + 0x38, changed([0x24, 0x40], [STRUCT + 0x38, 1])],
		[
			'a node name without end',
			/node name: has no end/,
			STRUCT + 0x1c,
			changed([0x24, 0x20], [STRUCT + 0x1c, 0x61616161]),
		],
		['a node name that is not valid', /node name: "\/"/, STRUCT + 0x1c, changed([STRUCT + 0x1c, 0x2f000000])],
		['a length beyond the block', /property ab: length 4294967295/, STRUCT + 12, changed([STRUCT + 12, 0xffffffff])],
		['a name beyond the strings block', /offset 0x6 is not in/, STRUCT + 16, changed([STRUCT + 16, 6])],
		['a name without end', /property name: has no end/, 0x74, changed([0x20, 2])],
		['an empty property name', /property name: ""/, 0x76, changed([STRUCT + 16, 2])],
		['a property behind a child', /behind a child/, STRUCT + 0x34, changed([0x24, 0x40], [STRUCT + 0x34, 3])],
	])('refuses %s', (_, message, offset, blob) => {
		let caught: unknown;
		try {
			readFdt(blob);
		} catch (error) {
			caught = error;
		}
		expect(caught).toBeInstanceOf(FdtError);
		expect((caught as FdtError).message).toMatch(message);
		expect((caught as FdtError).offset).toBe(offset);
	});

	test('refuses a property twice', () => {
		const blob = writeFdt(root({ ab: true, cd: true }));
		new DataView(blob.buffer).setUint32(STRUCT + 8 + 12 + 8, 0);
		expect(() => readFdt(blob)).toThrow(/ab stands there twice/);
	});

	test('refuses a child twice', () => {
		const blob = writeFdt(root({}, [node('a'), node('b')]));
		blob[STRUCT + 8 + 16] = 0x61;
		expect(() => readFdt(blob)).toThrow(/a stands there twice/);
	});

	/** A blob from words of the structure block. */
	function fromStruct(struct: Uint32Array, strings = 'x\0'): Uint8Array {
		const blob = new Uint8Array(STRUCT + struct.length * 4 + strings.length);
		const view = new DataView(blob.buffer);
		const end = STRUCT + struct.length * 4;
		const header = [0xd00dfeed, blob.length, STRUCT, end, 0x28, 17, 16, 0, strings.length, struct.length * 4];
		header.forEach((word, i) => {
			view.setUint32(i * 4, word);
		});
		struct.forEach((word, i) => {
			view.setUint32(STRUCT + i * 4, word);
		});
		blob.set(new TextEncoder().encode(strings), end);
		return blob;
	}

	test('nests 64 deep and no deeper', () => {
		const nested = (depth: number): Uint8Array =>
			fromStruct(Uint32Array.from([[1, 0], Array(depth - 1).fill([1, 0x61000000]), Array(depth).fill(2), 9].flat(2)));
		expect([...walk(readFdt(nested(64)).root)].length).toBe(64);
		expect(() => readFdt(nested(65))).toThrow(/64 deep/);
		expect(() => readFdt(nested(500_000))).toThrow(/64 deep/);
	});

	test('a long name that many properties share costs no time', () => {
		// 100,000 properties, each pointing into one string of a megabyte: quadratic would be for ever.
		const words = [1, 0];
		for (let i = 0; i < 100_000; i++) words.push(3, 0, i);
		words.push(2, 9);
		expect(() => readFdt(fromStruct(Uint32Array.from(words), 'a'.repeat(1 << 20)))).toThrow(/longer than 255/);
	});

	test('refuses a blob above the limit', () => {
		const blob = new Uint8Array((16 << 20) + 1);
		blob.set(changed([4, blob.length]));
		expect(() => readFdt(blob)).toThrow(/exceeds the limit/);
	});
});

describe('fuzzing', () => {
	const attempt = (blob: Uint8Array): void => {
		try {
			const { root: tree, reservations, bootCpuId } = readFdt(blob);
			// What is accepted can be written again, but for phandles that clash.
			expect(readFdt(writeFdt(tree, { reservations, bootCpuId })).root).toEqual(tree);
		} catch (error) {
			if (error instanceof RangeError && error.message.includes('same phandle')) return;
			if (!(error instanceof FdtError)) throw error;
		}
	};

	test('arbitrary bytes', () => {
		fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), attempt), { numRuns: 500 });
	});

	test('mutations of a board end in a tree or an FdtError', () => {
		const base = writeFdt(board());
		const mutation = fc.record({
			at: fc.nat(base.length - 1),
			kind: fc.constantFrom('byte', 'word', 'remove', 'repeat'),
			value: fc.oneof(fc.nat(20), fc.integer(), fc.constantFrom(0, -1, 0x7fffffff, -4)),
		});
		fc.assert(
			fc.property(
				fc.array(mutation, { minLength: 1, maxLength: 4 }),
				fc.option(fc.nat(base.length)),
				(mutations, cut) => {
					let blob: Uint8Array = base.slice();
					for (const { at, kind, value } of mutations) {
						const word = Math.min(at, blob.length - 4) & ~3;
						if (kind === 'byte') blob[at % blob.length] = value;
						else if (kind === 'word') new DataView(blob.buffer).setInt32(word, value);
						else if (kind === 'remove') blob = Uint8Array.from([...blob.subarray(0, word), ...blob.subarray(word + 4)]);
						else blob = Uint8Array.from([...blob.subarray(0, word + 4), ...blob.subarray(word)]);
					}
					attempt(cut === null ? blob : blob.subarray(0, cut));
				},
			),
			{ numRuns: 3000 },
		);
	});

	test('every single bit of a small blob', () => {
		const base = changed();
		for (let bit = 0; bit < base.length * 8; bit++) {
			const blob = base.slice();
			blob[bit >> 3] ^= 1 << (bit & 7);
			attempt(blob);
		}
	});

	test('every truncation of a board', () => {
		const base = writeFdt(board());
		for (let length = 0; length < base.length; length++) {
			expect(() => readFdt(base.subarray(0, length))).toThrow(FdtError);
		}
	});
});
