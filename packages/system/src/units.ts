/** Durations and sizes: numbers, or decimal text with a unit. Exact: what is no whole number of the base unit is refused. */

const NANOS = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9 } as const;
const BYTES = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 } as const;

/** Nanoseconds of `'1ms'` or of a number of them; otherwise why it is none. */
export function parseDuration(value: number | string): number | { readonly why: string } {
	return parse(value, NANOS, 'nanoseconds', "'1ms', '250us', '2s' or '100ns'");
}

/** Bytes of `'64MiB'` or of a number of them; otherwise why it is none. */
export function parseSize(value: number | string): number | { readonly why: string } {
	return parse(value, BYTES, 'bytes', "'64MiB', '4KiB' or '1GiB'");
}

function parse(
	value: number | string,
	units: Readonly<Record<string, number>>,
	base: string,
	examples: string,
): number | { readonly why: string } {
	const quoted = JSON.stringify(value);
	if (typeof value === 'number') {
		if (Number.isSafeInteger(value) && value >= 0) return value;
		return { why: `${quoted} is no whole number of ${base}` };
	}
	const [, whole, fraction = '', unit = ''] = /^(\d{1,15})(?:\.(\d{1,9}))?\s*([A-Za-zµ]+)?$/.exec(value) ?? [];
	if (whole === undefined) return { why: `${quoted} is neither a number of ${base} nor text such as ${examples}` };
	const scale = Object.hasOwn(units, unit) ? units[unit]! : undefined;
	if (scale === undefined)
		return {
			why: `${quoted} has ${unit === '' ? 'no unit' : `an unknown unit`}: ${Object.keys(units).join(', ')} are known`,
		};
	// In integers: 0.1 ms are exactly 100,000 ns.
	const scaled = BigInt(whole + fraction) * BigInt(scale);
	const divisor = 10n ** BigInt(fraction.length);
	if (scaled % divisor !== 0n) return { why: `${quoted} is no whole number of ${base}` };
	const result = Number(scaled / divisor);
	return Number.isSafeInteger(result) ? result : { why: `${quoted} is too large` };
}
