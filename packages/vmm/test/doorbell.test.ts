// The doorbell's registers and state.
import { describe, expect, test } from 'vitest';
import { Doorbell } from '../src/index.ts';

function make(): { bell: Doorbell; levels: boolean[]; rings: number[] } {
	const levels: boolean[] = [];
	const rings: number[] = [];
	return {
		levels,
		rings,
		bell: new Doorbell({ set: (level) => levels.push(level) }, (bit) => rings.push(bit)),
	};
}

describe('a doorbell', () => {
	test('rings each bit of a store of 4 bytes, and of no other', () => {
		const { bell, rings } = make();
		bell.write(0, 4, 0x8000_0005);
		bell.write(0, 1, 0xff);
		bell.write(0, 2, 0xffff);
		bell.write(8, 4, 0xff);
		expect(rings).toEqual([0, 2, 31]);
	});

	test('is up while a bit is pending', () => {
		const { bell, levels } = make();
		bell.rung(31);
		bell.rung(2);
		expect(bell.read(4)).toBe(0x8000_0004);
		expect([bell.read(0), bell.read(8)]).toEqual([0, 0]);
		bell.write(4, 4, 0x8000_0000);
		expect(bell.read(4)).toBe(4);
		bell.write(4, 4, 0xffff_ffff);
		expect(bell.read(4)).toBe(0);
		expect(levels).toEqual([true, true, true, false]);
	});

	test('goes on from a saved state, and refuses a damaged one', () => {
		const { bell, levels } = make();
		bell.restore({ pending: 6 });
		expect([bell.state, levels.at(-1)]).toEqual([{ pending: 6 }, true]);
		for (const pending of [-1, 0.5, 2 ** 32, Number.NaN]) expect(() => bell.restore({ pending })).toThrow(/damaged/);
		expect(bell.state).toEqual({ pending: 6 });
	});
});
