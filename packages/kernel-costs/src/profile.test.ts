import { expect, test } from 'vitest';
import {
	chargeOf,
	free,
	hypervisorOperations,
	type Operation,
	operations,
	publishedPaths,
	scaleProfile,
	u54,
	u54h,
} from './index.ts';

test.each([u54, u54h, free])(
	'$name is complete: every figure is a whole number of nanoseconds with a source',
	(profile) => {
		expect(Object.keys(profile.operations).sort()).toEqual(Object.keys(operations).sort());
		for (const { nanos, perUnit = 0, source, kind } of Object.values(profile.operations)) {
			expect(Number.isSafeInteger(nanos) && nanos >= 0 && Number.isSafeInteger(perUnit) && perUnit >= 0).toBe(true);
			expect(source).not.toBe('');
			expect(kind).toBe('modelled');
		}
		expect(structuredClone(profile)).toEqual(profile);
	},
);

/** Units: one level of a capability space; no words. */
const path = (names: readonly Operation[]): number =>
	names.reduce((sum, name) => sum + chargeOf(u54, name, name === 'ipcTransfer' ? 0 : 1), 0);

test.each(publishedPaths.filter(({ fitted }) => fitted))('$name equals what is published: $published', (published) => {
	expect(path(published.operations)).toBe(published.published);
});

test.each(publishedPaths.filter(({ fitted }) => !fitted))(
	'$name, held out, is predicted within 5 %: $published',
	(held) => {
		expect(Math.abs(path(held.operations) / held.published - 1)).toBeLessThan(0.05);
	},
);

test('units are charged, and must be a number of units', () => {
	const { nanos, perUnit } = u54.operations.ipcTransfer;
	expect(chargeOf(u54, 'ipcTransfer', 7)).toBe(nanos + 7 * perUnit!);
	expect(chargeOf(u54, 'deviceAccess')).toBe(60);
	for (const units of [-1, 0.5, Number.NaN]) expect(() => chargeOf(u54, 'copyWord', units)).toThrow(RangeError);
});

test('what needs the hypervisor extension costs nothing on a core that has none', () => {
	for (const name of hypervisorOperations) {
		expect(chargeOf(u54, name)).toBe(0);
		expect(chargeOf(u54h, name)).toBeGreaterThan(0);
	}
});

test('a profile is halved and doubled, all of it or in part', () => {
	expect(chargeOf(scaleProfile(u54h, 2), 'ipcTransfer', 3)).toBe(2 * chargeOf(u54h, 'ipcTransfer', 3));
	const half = scaleProfile(u54h, 0.5, ['schedule']);
	expect([chargeOf(half, 'schedule'), chargeOf(half, 'vmExit')]).toEqual([1350, 160]);
	expect(half.name).toBe('u54h (schedule x 0.5)');
	expect(() => scaleProfile(u54h, -1)).toThrow(RangeError);
});
