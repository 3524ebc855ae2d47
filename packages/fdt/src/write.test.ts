import { describe, expect, test } from 'vitest';
import { board } from '../test/board.ts';
import { node, ref, root } from './build.ts';
import { findByPath, getCells, getStrings, getU32 } from './query.ts';
import { readFdt } from './read.ts';
import { writeFdt } from './write.ts';

describe('writeFdt', () => {
	test('lays the blob out as chapter 5 of the specification says', () => {
		const blob = writeFdt(root({ ab: 'x' }, [node('n', { ab: true })]), {
			bootCpuId: 3,
			reservations: [{ address: 0x80000000n, size: 0x1000n }],
		});
		const words = [
			...['d00dfeed', '00000087', '00000048', '00000084', '00000028'],
			...['00000011', '00000010', '00000003', '00000003', '0000003c'],
			// reservations
			...['00000000', '80000000', '00000000', '00001000', '00000000', '00000000', '00000000', '00000000'],
			// root with ab = "x"
			...['00000001', '00000000', '00000003', '00000002', '00000000', '78000000'],
			// n with ab, empty
			...['00000001', '6e000000', '00000003', '00000000', '00000000', '00000002'],
			...['00000002', '00000009'],
		];
		// The sizes above: structure 60 - 4 = 56 bytes are 14 words.
		words[9] = '00000038';
		words[3] = '00000080';
		words[1] = '00000083';
		expect(Buffer.from(blob).toString('hex')).toBe(`${words.join('')}616200`);
	});

	test('labelled nodes get phandles in tree order, around those that are taken', () => {
		const tree = root({ x: ref('b') }, [
			node('a: a'),
			node('taken', { phandle: 2 }),
			node('b: b'),
			node('c: c', { phandle: 9 }),
		]);
		const written = readFdt(writeFdt(tree)).root;
		expect(written.children.map((child) => getU32(child, 'phandle'))).toEqual([1, 2, 3, 9]);
		expect(getCells(written, 'x')).toEqual([3]);
	});

	test('references are filled in, and the given tree stays as it was', () => {
		const tree = board();
		const { root: written } = readFdt(writeFdt(tree));
		const plic = findByPath(written, '/soc/interrupt-controller')!.node;
		expect(getCells(plic, 'interrupts-extended')).toEqual([1, 11, 1, 9]);
		expect(getStrings(findByPath(written, '/chosen')!.node, 'stdout-path')).toEqual(['/soc/serial@10000000']);
		expect(getU32(findByPath(written, 'serial0')!.node, 'interrupt-parent')).toBe(getU32(plic, 'phandle'));
		expect(tree).toEqual(board());
	});

	test('padding is counted and zero', () => {
		const plain = writeFdt(board());
		const padded = writeFdt(board(), { padding: 100 });
		expect(padded.length).toBe(plain.length + 100);
		expect(padded.subarray(plain.length).every((byte) => byte === 0)).toBe(true);
		expect(readFdt(padded)).toEqual(readFdt(plain));
	});

	test.each([
		['a boot CPU of 33 bits', { bootCpuId: 2 ** 32 }],
		['negative padding', { padding: -1 }],
		['a reservation of 65 bits', { reservations: [{ address: 1n << 64n, size: 1n }] }],
		['the reservation that means the end', { reservations: [{ address: 0n, size: 0n }] }],
		['a reservation that some take for the end', { reservations: [{ address: 1n, size: 0n }] }],
	])('refuses %s', (_, options) => {
		expect(() => writeFdt(root(), options)).toThrow(RangeError);
	});
});
