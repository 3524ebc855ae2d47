/** Numbers as people read them. Deterministic: no locale of the host. */

/** `1,234,567`. */
export function formatCount(value: number): string {
	return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

const TIME_UNITS = [
	[1e9, 's'],
	[1e6, 'ms'],
	[1e3, 'µs'],
] as const;

/** Nanoseconds with the unit that keeps at least one digit before the point: `201.3 µs`. */
export function formatNanos(nanos: number): string {
	for (const [size, unit] of TIME_UNITS) {
		if (nanos >= size) return `${trim(nanos / size)} ${unit}`;
	}
	return `${nanos} ns`;
}

const SIZE_UNITS = [
	[2 ** 30, 'GiB'],
	[2 ** 20, 'MiB'],
	[2 ** 10, 'KiB'],
] as const;

/** Bytes: `64 MiB`, `12.5 KiB`. */
export function formatBytes(bytes: number): string {
	for (const [size, unit] of SIZE_UNITS) {
		if (bytes >= size) return `${trim(bytes / size)} ${unit}`;
	}
	return `${bytes} B`;
}

/** A share: `12.3 %`. */
export function formatShare(part: number, whole: number): string {
	return whole === 0 ? '-' : `${((part / whole) * 100).toFixed(1)} %`;
}

/** Three digits after the point below ten, so that a figure has about four. */
function trim(value: number): string {
	const digits = value < 10 ? 3 : value < 100 ? 2 : 1;
	return String(Number(value.toFixed(digits)));
}
