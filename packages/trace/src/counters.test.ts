import { expect, test } from 'vitest';
import { Counters } from './counters.ts';

test('counts by index and by name', () => {
	const counters = new Counters();
	const traps = counters.register('traps');
	counters.count(traps);
	counters.count(traps, 4);
	counters.add('walks', 2);
	counters.add('traps');
	expect(counters.register('traps')).toBe(traps);
	expect(counters.get('traps')).toBe(6);
	expect(counters.get('unknown')).toBe(0);
	expect(counters.state).toEqual({ traps: 6, walks: 2 });
});

test('names that objects know are ordinary names', () => {
	const counters = new Counters();
	counters.add('constructor');
	counters.add('__proto__', 3);
	expect(new Counters(counters.state).get('__proto__')).toBe(3);
	expect(counters.get('toString')).toBe(0);
});

test('continues from its state, and merges', () => {
	const a = new Counters({ x: 1, y: 2 });
	const b = new Counters(structuredClone(a.state));
	b.add('z', 5);
	a.merge(b);
	expect(a.state).toEqual({ x: 2, y: 4, z: 5 });
});

test('refuses a state that does not count', () => {
	expect(() => new Counters({ x: 0.5 })).toThrow(/'x'/);
});
