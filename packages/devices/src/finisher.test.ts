// The values that QEMU's and SiFive's test finishers take.
import { expect, test } from 'vitest';
import { Finisher, StateError } from './index.ts';

function board() {
	const calls: string[] = [];
	const finisher = new Finisher({ exit: (code) => calls.push(`exit ${code}`), reset: () => calls.push('reset') });
	return { calls, finisher };
}

test.each([
	[0x5555, 'exit 0'],
	[0x0007_3333, 'exit 7'],
	[0xffff_3333, 'exit 65535'],
	[0x0000_3333, 'exit 0'],
	[0x7777, 'reset'],
	[0x0001_5555, 'exit 0'],
])('0x%x: %s', (value, call) => {
	const { calls, finisher } = board();
	finisher.write(0, 4, value);
	expect(calls).toEqual([call]);
});

test('halfword stores are enough; other values, offsets and sizes do nothing', () => {
	const { calls, finisher } = board();
	finisher.write(0, 2, 0x5555);
	finisher.write(0, 1, 0x55);
	finisher.write(4, 4, 0x5555);
	finisher.write(0, 4, 0x1234);
	expect(calls).toEqual(['exit 0']);
	expect(finisher.read(0, 4)).toBe(0);
});

test('a state is taken over without repeating the request; one that does not fit is refused', () => {
	const { calls, finisher } = board();
	finisher.restore({ request: 'exit', code: 3 });
	expect(finisher.state).toEqual({ request: 'exit', code: 3 });
	expect(calls).toEqual([]);
	expect(() => finisher.restore({ request: 'explode' as never, code: 0 })).toThrow(StateError);
	expect(() => finisher.restore({ request: 'exit', code: -1 })).toThrow(StateError);
});
