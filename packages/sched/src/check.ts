// Refuses numbers that cannot be times, counts or identifiers.

/** Throws a `RangeError` unless `value` is an integer from `least` to `most`. */
export function checkInteger(what: string, value: unknown, least = 0, most: number = Number.MAX_SAFE_INTEGER): void {
	if (!Number.isSafeInteger(value) || (value as number) < least || (value as number) > most) {
		throw new RangeError(`${what} must be an integer from ${least} to ${most}, not ${String(value)}`);
	}
}
