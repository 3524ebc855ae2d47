/// <reference types="node" />
// Source text, and dtc as the judge of blobs and source: what it makes of ours must be what we meant.
import { execFileSync, spawnSync } from 'node:child_process';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { board } from '../test/board.ts';
import { randomReservations, randomTree } from '../test/random-tree.ts';
import { cells, join, node, pathOf, ref, root, strings, u32 } from './build.ts';
import { toDts } from './dts.ts';
import { walk } from './query.ts';
import { readFdt } from './read.ts';
import { writeFdt } from './write.ts';

describe('toDts', () => {
	test('shows labels, references and kinds of values', () => {
		const tree = root({ model: 'a "b" \\', empty: true }, [
			node('plic: plic@c000000', { bytes: Uint8Array.of(1, 2, 255), nul: Uint8Array.of(0) }),
			node('user', { p: cells(ref('plic'), 10), path: pathOf('plic'), mixed: join(strings('x'), pathOf('plic')) }),
		]);
		expect(toDts(tree, { reservations: [{ address: 0x80000000n, size: 0x1000n }] })).toBe(`/dts-v1/;

/memreserve/ 0x80000000 0x1000;
/ {
	model = "a \\"b\\" \\\\";
	empty;
	plic: plic@c000000 {
		bytes = [01 02 ff];
		nul = [00];
		phandle = <0x01>;
	};
	user {
		p = <&plic 0x0a>;
		path = &plic;
		mixed = "x", &plic;
	};
};
`);
	});

	test('references that source cannot express are written as bytes', () => {
		const tree = root({ x: join({ value: Uint8Array.of(7) }, ref('a')), y: join(u32(1), ref('a'), pathOf('a')) }, [
			node('a: a'),
		]);
		expect(toDts(tree)).toContain('x = [07 00 00 00 01];');
		expect(toDts(tree)).toContain('y = [00 00 00 01 00 00 00 01 2f 61 00];');
	});
});

const missing = spawnSync('dtc', ['--version']).error !== undefined;

function dtc(input: Uint8Array | string, from: 'dtb' | 'dts', to: 'dtb' | 'dts'): Buffer {
	return execFileSync('dtc', ['-q', '-I', from, '-O', to, '-'], { input, stdio: 'pipe' });
}

describe('dtc agrees', () => {
	test('on the board: our source compiles to our blob', ({ skip }) => {
		if (missing) skip('dtc is not installed');
		const blob = writeFdt(board());
		expect(readFdt(dtc(toDts(board()), 'dts', 'dtb')).root).toEqual(readFdt(blob).root);
	});

	test('on the board: our blob survives dtb -> dts -> dtb', ({ skip }) => {
		if (missing) skip('dtc is not installed');
		const blob = writeFdt(board());
		expect(readFdt(dtc(dtc(blob, 'dtb', 'dts'), 'dts', 'dtb')).root).toEqual(readFdt(blob).root);
	});

	test('on header and reservations', ({ skip }) => {
		if (missing) skip('dtc is not installed');
		const reservations = [
			{ address: 0x80000000n, size: 0x1000n },
			{ address: 1n << 63n, size: 1n },
		];
		const blob = writeFdt(board(), { bootCpuId: 5, reservations, padding: 64 });
		expect(readFdt(dtc(blob, 'dtb', 'dtb'))).toEqual(readFdt(blob));
	});

	test('on version 16', ({ skip }) => {
		if (missing) skip('dtc is not installed');
		const old = execFileSync('dtc', ['-q', '-I', 'dtb', '-O', 'dtb', '-V', '16', '-'], { input: writeFdt(board()) });
		expect(readFdt(old)).toEqual({ ...readFdt(writeFdt(board())), version: 16 });
	});

	// A process per case: few runs, with fresh seeds each time.
	test('on random trees', { timeout: 120_000 }, ({ skip }) => {
		if (missing) skip('dtc is not installed');
		fc.assert(
			fc.property(randomTree, randomReservations, (tree, reservations) => {
				const blob = writeFdt(tree, { reservations });
				const expected = { root: tree, reservations };
				expect(readFdt(dtc(toDts(tree, { reservations }), 'dts', 'dtb'))).toMatchObject(expected);
				expect(readFdt(dtc(blob, 'dtb', 'dtb'))).toMatchObject(expected);
				// dtc 1.6 writes a NUL before a digit as \\0 and reads both as one octal number.
				const misread = [...walk(tree)].some(({ node: { properties } }) =>
					properties.some(({ value }) => value.some((byte, i) => value[i - 1] === 0 && byte >= 0x30 && byte <= 0x37)),
				);
				if (!misread) expect(readFdt(dtc(dtc(blob, 'dtb', 'dts'), 'dts', 'dtb'))).toMatchObject(expected);
			}),
			{ numRuns: 60 },
		);
	});
});
