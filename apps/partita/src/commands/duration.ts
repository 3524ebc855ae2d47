// Durations on the command line: as descriptions have them.
import { parseDuration } from '@partita/system';
import { InvalidArgumentError } from 'commander';

/** `2s`, `250us`: nanoseconds. */
export function durationArgument(text: string): number {
	const value = parseDuration(text);
	if (typeof value === 'number' && value > 0 && !/^\d+$/.test(text)) return value;
	throw new InvalidArgumentError('A duration is a number and a unit: 2s, 250ms, 100us.');
}
