// What the flags of `partita boot` may say: texts to values. Each parser throws InvalidArgumentError with the reason.
import { InvalidArgumentError } from 'commander';

/** `--drive FILE[,overlay|,overlay=FILE][,readonly]` */
export interface DriveFlag {
	readonly file: string;
	/** `memory`: writes are forgotten at the end; else the file that holds them. */
	readonly overlay?: 'memory' | { readonly file: string };
	readonly readOnly: boolean;
}

/** `--net …` */
export interface NetFlag {
	readonly mode: 'connect' | 'listen';
	readonly address: { readonly host: string; readonly port: number } | { readonly path: string };
	/** Six bytes, where one was given. */
	readonly mac?: Uint8Array;
	/** As it was given, for messages. */
	readonly text: string;
}

/** `--log-instructions FILE[,N|,first=N|,last=N]` */
export interface LogFlag {
	readonly file: string;
	readonly keep: 'first' | 'last';
	readonly count: number;
}

const UNITS: Readonly<Record<string, number>> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };
const DEFAULT_LOG = 1_000_000;
const MOST_LOG = 100_000_000;

/** `128M`, `1G`: bytes of RAM. A number without a unit is MiB, as QEMU takes it. */
export function parseMemory(text: string): number {
	const match = /^(\d{1,15})([KMG]?)(?:i?B)?$/i.exec(text);
	if (!match) throw new InvalidArgumentError('A size is a number and a unit: 128M, 1G.');
	const size = Number(match[1]) * (UNITS[match[2].toUpperCase()] ?? UNITS.M);
	if (!(size >= 4 * UNITS.K && size <= 64 * UNITS.G && size % (4 * UNITS.K) === 0))
		throw new InvalidArgumentError('From 4 KiB to 64 GiB, in pages of 4 KiB.');
	return size;
}

/** A whole number in a range. Underscores may separate digits. */
export function parseWhole(low: number, high: number): (text: string) => number {
	return (text) => {
		const digits = text.replaceAll('_', '');
		const value = /^\d+$/.test(digits) ? Number(digits) : Number.NaN;
		if (!(value >= low && value <= high)) throw new InvalidArgumentError(`A whole number from ${low} to ${high}.`);
		return value;
	};
}

/** Seconds, with a fraction if need be. */
export function parseSeconds(text: string): number {
	const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
	if (!(value > 0 && value <= 2_000_000)) throw new InvalidArgumentError('A positive number of seconds.');
	return value;
}

/** `now`, or a date and time: nanoseconds since 1970. */
export function parseWallClock(text: string): bigint {
	const millis = text === 'now' ? Date.now() : /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
	if (!(millis >= 0))
		throw new InvalidArgumentError('now, or a date and time as ISO 8601 writes it: 2026-01-31T12:00:00Z.');
	return BigInt(millis) * 1_000_000n;
}

/** Text that is not empty. */
export function parseText(text: string): string {
	if (text === '') throw new InvalidArgumentError('It must not be empty.');
	return text;
}

/** A drive; repeated flags collect. */
export function collectDrive(text: string, before: readonly DriveFlag[] = []): readonly DriveFlag[] {
	const [file, ...options] = text.split(',');
	if (file === '') throw new InvalidArgumentError('It begins with the name of a file.');
	let overlay: DriveFlag['overlay'];
	let readOnly = false;
	for (const option of options) {
		if (option === 'overlay') overlay = 'memory';
		else if (option.startsWith('overlay=') && option.length > 8) overlay = { file: option.slice(8) };
		else if (option === 'readonly') readOnly = true;
		else
			throw new InvalidArgumentError(
				`After the file: overlay, overlay=FILE or readonly, not ${JSON.stringify(option)}.`,
			);
	}
	if (overlay && readOnly) throw new InvalidArgumentError('A drive is read only or has an overlay, not both.');
	return [...before, { file, readOnly, ...(overlay === undefined ? {} : { overlay }) }];
}

const NET_FORMS =
	'none, stream:HOST:PORT, stream-listen:[HOST:]PORT, unix:PATH or unix-listen:PATH, each with ,mac=… if need be';

/** A network; repeated flags collect, `none` adds nothing. */
export function collectNet(text: string, before: readonly NetFlag[] = []): readonly NetFlag[] {
	if (text === 'none') return before;
	const [, scheme, place, macText] = /^([a-z-]+):(.+?)(?:,mac=([^,]*))?$/.exec(text) ?? [];
	if (scheme === undefined || place === undefined) throw new InvalidArgumentError(`One of ${NET_FORMS}.`);
	const mac = macText === undefined ? {} : { mac: parseMac(macText) };
	switch (scheme) {
		case 'stream':
			return [...before, { mode: 'connect', address: parseAddress(place, undefined), text, ...mac }];
		case 'stream-listen':
			return [...before, { mode: 'listen', address: parseAddress(place, '127.0.0.1'), text, ...mac }];
		case 'unix':
			return [...before, { mode: 'connect', address: { path: place }, text, ...mac }];
		case 'unix-listen':
			return [...before, { mode: 'listen', address: { path: place }, text, ...mac }];
		default:
			throw new InvalidArgumentError(`One of ${NET_FORMS}.`);
	}
}

function parseAddress(text: string, defaultHost: string | undefined): { host: string; port: number } {
	const colon = text.lastIndexOf(':');
	const host = colon < 0 ? defaultHost : text.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
	const digits = text.slice(colon + 1);
	const port = /^\d{1,5}$/.test(digits) ? Number(digits) : 0;
	if (host === undefined || host === '' || port < 1 || port > 65535)
		throw new InvalidArgumentError(
			`${JSON.stringify(text)} is not a host and a port from 1 to 65535, as in 127.0.0.1:5000.`,
		);
	return { host, port };
}

function parseMac(text: string): Uint8Array {
	if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text))
		throw new InvalidArgumentError('A MAC address is six bytes: 52:54:00:12:34:56.');
	const mac = Uint8Array.from(text.split(':'), (byte) => Number.parseInt(byte, 16));
	if (mac[0] & 1) throw new InvalidArgumentError('That MAC address is a multicast address.');
	return mac;
}

/** Where the instruction log goes, and how much of it is kept. */
export function parseLog(text: string): LogFlag {
	const match = /^(.+?)(?:,(?:(first|last)=)?(\d[\d_]*))?$/.exec(text);
	if (!match) throw new InvalidArgumentError('FILE, or FILE,N.');
	const [, file, keep, count] = match;
	return {
		file,
		keep: keep === 'first' ? 'first' : 'last',
		count: count === undefined ? DEFAULT_LOG : parseWhole(1, MOST_LOG)(count),
	};
}
