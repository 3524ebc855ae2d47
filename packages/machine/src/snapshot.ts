/**
 * Snapshots as bytes: a machine's state, what kind of machine it is the state of, and what an application adds.
 *
 * ```
 * "PARTITA SNAPSHOT"  16 bytes
 * version             32 bits
 * number of sections  32 bits
 * then each section:
 *   name              4 bytes: "mach", "appl", "stat", "fram", in this order
 *   zero              32 bits
 *   length            64 bits, of the contents
 *   contents          fram: one bit for each frame of RAM, set where it is not all zeros; then those frames.
 *                     The others: a value, see snapshot-values.ts
 *   digest            16 bytes: the trace hash of this section, all above included
 * ```
 *
 * Everything is little-endian. The digests tell damage, not forgery: a snapshot is as trustworthy as where it is from, and
 * whatever it says is checked where it is used.
 */
import { TraceHash } from '@partita/trace';
import { MachineError } from './errors.ts';
import type { MachineState } from './machine.ts';
import { decodeValue, encodeValue, type PlainValue, ValueError } from './snapshot-values.ts';

/** What must be equal in the machine that a snapshot is loaded into; back ends and images need not be. */
export interface SnapshotMachine {
	readonly harts: number;
	/** Bytes of RAM. */
	readonly memory: number;
	/** `builtin`: the built-in SBI is there; `none`: M-mode is the guest's. */
	readonly firmware: 'builtin' | 'none';
	/** Addresses of HTIF's words, where the machine has it. */
	readonly htif?: { readonly tohost: number; readonly fromhost?: number };
	/** The kind of device in each virtio slot. */
	readonly virtio: readonly ('block' | 'net' | 'console' | 'entropy')[];
	/** What the real-time clock showed at virtual time 0, in nanoseconds since 1970. */
	readonly wallClock: bigint;
	readonly seed: number;
	/** The trace hash is kept. */
	readonly traceHash: boolean;
}

/** A snapshot. */
export interface Snapshot {
	readonly machine: SnapshotMachine;
	readonly state: MachineState;
	/** What the application remembers with it. */
	readonly application: PlainValue;
}

const MAGIC = 'PARTITA SNAPSHOT';
/** Changes whenever the state of any part does. */
export const SNAPSHOT_VERSION = 1;
const NAMES = ['mach', 'appl', 'stat', 'fram'] as const;
const HEADER = 24;
const SECTION_HEADER = 16;
const DIGEST = 16;
const FRAME = 4096;
const ADVICE = 'take the snapshot again, or copy it again from where it is from';

/** Writes a snapshot, in pieces that follow each other. */
export function encodeSnapshot(snapshot: Snapshot): Uint8Array[] {
	const { machine, state, application } = snapshot;
	const { frames } = state.memory;
	const withoutFrames = { ...state, memory: { ...state.memory, frames: frames.length } };
	const header = new Uint8Array(HEADER);
	header.set(new TextEncoder().encode(MAGIC));
	const view = new DataView(header.buffer);
	view.setUint32(16, SNAPSHOT_VERSION, true);
	view.setUint32(20, NAMES.length, true);
	return [
		header,
		...section('mach', [encodeValue(machine as unknown as PlainValue)]),
		...section('appl', [encodeValue(application)]),
		...section('stat', [encodeValue(withoutFrames as unknown as PlainValue)]),
		...section('fram', encodeFrames(frames)),
	];
}

/**
 * Reads a snapshot.
 * @throws MachineError where it is none, of another version, truncated, or damaged in whatever place
 */
export function decodeSnapshot(file: Uint8Array): Snapshot {
	// A subclass, as Node's Buffer is, may have a `slice` that copies nothing.
	const bytes = new Uint8Array(file.buffer, file.byteOffset, file.byteLength);
	const refuse = (why: string, advice = ADVICE): never => {
		throw new MachineError(`snapshot: ${why}`, advice);
	};
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	if (bytes.length < HEADER || new TextDecoder().decode(bytes.subarray(0, MAGIC.length)) !== MAGIC)
		return refuse('the file is no snapshot', 'name a file that a snapshot was saved to');
	const version = view.getUint32(16, true);
	if (version !== SNAPSHOT_VERSION)
		return refuse(
			`it has version ${version} of the format; this program reads version ${SNAPSHOT_VERSION}`,
			'take it again with this program, or load it with the one that took it',
		);
	if (view.getUint32(20, true) !== NAMES.length) return refuse('its header is damaged');
	const contents: Uint8Array[] = [];
	let at = HEADER;
	for (const name of NAMES) {
		if (bytes.length - at < SECTION_HEADER) return refuse(`it is truncated: section ${name} is missing`);
		const found = new TextDecoder('latin1').decode(bytes.subarray(at, at + 4));
		const length = Number(view.getBigUint64(at + 8, true));
		if (found !== name || view.getUint32(at + 4, true) !== 0) return refuse(`the header of section ${name} is damaged`);
		if (bytes.length - at - SECTION_HEADER - DIGEST < length)
			return refuse(`section ${name} is truncated, or its length is damaged`);
		const end = at + SECTION_HEADER + length;
		if (digest([bytes.subarray(at, end)]) !== hex(bytes.subarray(end, end + DIGEST)))
			return refuse(`section ${name} is damaged`);
		contents.push(bytes.subarray(at + SECTION_HEADER, end));
		at = end + DIGEST;
	}
	if (at !== bytes.length) return refuse(`${bytes.length - at} bytes follow its end`);
	try {
		return assemble(contents);
	} catch (error) {
		if (error instanceof ValueError || error instanceof RangeError)
			return refuse(`it makes no sense: ${error.message}`);
		throw error;
	}
}

function assemble(contents: readonly Uint8Array[]): Snapshot {
	const [machine, application, state] = contents.slice(0, 3).map(decodeValue);
	if (!isRecord(state) || !isRecord(state.memory) || typeof state.memory.frames !== 'number')
		throw new ValueError('its state has no memory');
	const frames = decodeFrames(contents[3]!, state.memory.frames);
	return {
		machine: checkMachine(machine),
		application,
		// Parts check their own states when they take them.
		state: { ...state, memory: { ...state.memory, frames } } as unknown as MachineState,
	};
}

function isRecord(value: PlainValue): value is { readonly [key: string]: PlainValue } {
	return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

const KINDS: readonly PlainValue[] = ['block', 'net', 'console', 'entropy'];

function checkMachine(value: PlainValue): SnapshotMachine {
	const addresses = (htif: PlainValue): boolean =>
		htif === undefined ||
		(isRecord(htif) &&
			Number.isSafeInteger(htif.tohost) &&
			(htif.fromhost === undefined || Number.isSafeInteger(htif.fromhost)));
	const valid =
		isRecord(value) &&
		Number.isSafeInteger(value.harts) &&
		Number.isSafeInteger(value.memory) &&
		(value.firmware === 'builtin' || value.firmware === 'none') &&
		addresses(value.htif) &&
		Array.isArray(value.virtio) &&
		value.virtio.every((kind) => KINDS.includes(kind)) &&
		typeof value.wallClock === 'bigint' &&
		Number.isSafeInteger(value.seed) &&
		typeof value.traceHash === 'boolean';
	if (!valid) throw new ValueError('it does not say what machine it is of');
	return value as unknown as SnapshotMachine;
}

function section(name: (typeof NAMES)[number], contents: readonly Uint8Array[]): Uint8Array[] {
	const header = new Uint8Array(SECTION_HEADER);
	header.set(new TextEncoder().encode(name));
	const length = contents.reduce((sum, piece) => sum + piece.length, 0);
	new DataView(header.buffer).setBigUint64(8, BigInt(length), true);
	const pieces = [header, ...contents];
	const digits = digest(pieces);
	return [
		...pieces,
		Uint8Array.from({ length: DIGEST }, (_, i) => Number.parseInt(digits.slice(i * 2, i * 2 + 2), 16)),
	];
}

/** How a section is divided makes no difference: it is hashed in steps of one length, counted from its start. */
function digest(pieces: readonly Uint8Array[]): string {
	const hash = new TraceHash();
	const step = new Uint8Array(65_536);
	let filled = 0;
	for (const piece of pieces) {
		for (let at = 0; at < piece.length; ) {
			const part = piece.subarray(at, at + step.length - filled);
			step.set(part, filled);
			filled += part.length;
			at += part.length;
			if (filled < step.length) break;
			hash.addBytes(step);
			filled = 0;
		}
	}
	hash.addBytes(step.subarray(0, filled));
	return hash.digest();
}

function hex(bytes: Uint8Array): string {
	return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function encodeFrames(frames: Uint8Array): Uint8Array[] {
	const count = frames.length / FRAME;
	const present = new Uint8Array(Math.ceil(count / 8));
	const pieces: Uint8Array[] = [present];
	const words = new Uint32Array(frames.buffer, frames.byteOffset, frames.length / 4);
	let start = -1;
	for (let frame = 0; frame <= count; frame++) {
		const zero = frame === count || words.subarray(frame * 1024, (frame + 1) * 1024).every((word) => word === 0);
		if (!zero) present[frame >> 3]! |= 1 << (frame & 7);
		if (!zero && start < 0) start = frame;
		else if (zero && start >= 0) {
			pieces.push(frames.subarray(start * FRAME, frame * FRAME));
			start = -1;
		}
	}
	return pieces;
}

function decodeFrames(contents: Uint8Array, length: number): Uint8Array {
	const count = length / FRAME;
	const bits = Math.ceil(count / 8);
	if (!Number.isInteger(count) || count < 0 || contents.length < bits)
		throw new ValueError('its frames do not agree with its state');
	const present = contents.subarray(0, bits);
	const frames = new Uint8Array(length);
	let at = bits;
	for (let frame = 0; frame < count; frame++) {
		if (!(present[frame >> 3]! & (1 << (frame & 7)))) continue;
		if (contents.length - at < FRAME) throw new ValueError('frames are missing');
		frames.set(contents.subarray(at, at + FRAME), frame * FRAME);
		at += FRAME;
	}
	if (at !== contents.length) throw new ValueError('there are frames too many');
	return frames;
}
