import { describe, expect, test } from 'vitest';
import { ByteWriter } from './bytes.ts';

function written(write: (out: ByteWriter) => void): number[] {
	const out = new ByteWriter(1);
	write(out);
	return [...out.toBytes()];
}

/** Signed LEB128 by its definition. */
function signed(value: bigint): number[] {
	const bytes: number[] = [];
	for (let rest = value; ; rest >>= 7n) {
		const done = rest >= -64n && rest < 64n;
		bytes.push(Number(rest & 127n) | (done ? 0 : 128));
		if (done) return bytes;
	}
}

describe('LEB128', () => {
	// The standard's own examples of the encodings (DWARF 4, section 7.6).
	test('unsigned', () => {
		expect(written((out) => out.u32(2))).toEqual([2]);
		expect(written((out) => out.u32(127))).toEqual([127]);
		expect(written((out) => out.u32(128))).toEqual([0x80, 1]);
		expect(written((out) => out.u32(12857))).toEqual([0xb9, 0x64]);
		expect(written((out) => out.u32(0xffff_ffff))).toEqual([0xff, 0xff, 0xff, 0xff, 0x0f]);
	});
	test('signed', () => {
		expect(written((out) => out.s32(-2))).toEqual([0x7e]);
		expect(written((out) => out.s32(127))).toEqual([0xff, 0]);
		expect(written((out) => out.s32(-128))).toEqual([0x80, 0x7f]);
		expect(written((out) => out.s32(-129))).toEqual([0xff, 0x7e]);
	});
	test('signed, around every power of two', () => {
		for (let power = 0n; power < 64n; power++) {
			for (const offset of [-1n, 0n, 1n]) {
				for (const sign of [1n, -1n]) {
					const value = BigInt.asIntN(64, sign * (1n << power) + offset);
					const halves = [Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n))] as const;
					expect(written((out) => out.s64(...halves))).toEqual(signed(value));
					const word = BigInt.asIntN(32, value);
					expect(written((out) => out.s32(Number(word)))).toEqual(signed(word));
				}
			}
		}
	});
});

test('a name is its length and its UTF-8 bytes', () => {
	expect(written((out) => out.name('aé'))).toEqual([3, 0x61, 0xc3, 0xa9]);
});

test('grows, and appends what another writer holds', () => {
	const inner = new ByteWriter(1);
	for (let i = 0; i < 1000; i++) inner.byte(i);
	const out = new ByteWriter(1);
	out.byte(7);
	out.append(inner);
	out.append(new Uint8Array([8, 9]));
	expect(out.length).toBe(1003);
	expect([...out.toBytes()]).toEqual([7, ...Array.from({ length: 1000 }, (_, i) => i & 255), 8, 9]);
});
