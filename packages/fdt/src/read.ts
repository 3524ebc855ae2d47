// Reads a flattened devicetree blob (Devicetree Specification 0.4, chapter 5), versions 16 and 17. The blob may be
// hostile: every offset and length is checked, work and memory are proportional to its size, and nothing recurses.

import { FdtError } from './error.ts';
import {
	HEADER,
	HEADER_BYTES,
	HEADER_BYTES_V16,
	LAST_COMPATIBLE_VERSION,
	MAGIC,
	RESERVATION_BYTES,
	TOKEN,
	VERSION,
} from './format.ts';
import { type FdtNode, type FdtReservation, isNodeName, isPropertyName, MAX_DEPTH, MAX_NAME_LENGTH } from './tree.ts';

/** How large a blob may be; Linux takes 2 MiB. */
export const MAX_TOTAL_SIZE: number = 16 << 20;

/** What a blob holds. */
export interface Fdt {
	/** The tree. It shares no memory with the blob. */
	readonly root: FdtNode;
	/** The memory reservation block. */
	readonly reservations: FdtReservation[];
	/** Physical id of the boot CPU. */
	readonly bootCpuId: number;
	/** Version of the format: 16, 17 or a later one that is compatible. */
	readonly version: number;
}

interface Block {
	readonly start: number;
	readonly end: number;
}

interface Header {
	readonly reservations: Block;
	readonly struct: Block;
	readonly strings: Block;
	readonly bootCpuId: number;
	readonly version: number;
}

function hex(value: number): string {
	return `0x${value.toString(16)}`;
}

function readHeader(bytes: Uint8Array, view: DataView): Header {
	const field = (name: keyof typeof HEADER): number => view.getUint32(HEADER[name]);
	const fail = (name: keyof typeof HEADER, what: string, why: string): never => {
		throw new FdtError({ offset: HEADER[name] }, what, why);
	};
	if (bytes.length < HEADER_BYTES_V16) {
		throw new FdtError({ offset: bytes.length }, 'header', `truncated: ${bytes.length} bytes, ${HEADER_BYTES} needed`);
	}
	if (field('magic') !== MAGIC) fail('magic', 'magic', `is ${hex(field('magic'))}, not ${hex(MAGIC)}`);
	const version = field('version');
	const compatible = field('lastCompatibleVersion');
	if (version < LAST_COMPATIBLE_VERSION) fail('version', 'version', `${version} is too old, 16 or 17 can be read`);
	if (compatible > VERSION || compatible > version) {
		fail('lastCompatibleVersion', 'last compatible version', `${compatible} is not one that can be read`);
	}
	const headerBytes = version === LAST_COMPATIBLE_VERSION ? HEADER_BYTES_V16 : HEADER_BYTES;
	const totalSize = field('totalSize');
	if (totalSize > bytes.length) fail('totalSize', 'total size', `${totalSize} exceeds the ${bytes.length} bytes given`);
	if (totalSize < headerBytes) fail('totalSize', 'total size', `${totalSize} does not even hold the header`);
	if (totalSize > MAX_TOTAL_SIZE)
		fail('totalSize', 'total size', `${totalSize} exceeds the limit of ${MAX_TOTAL_SIZE}`);
	const block = (
		name: 'structOffset' | 'stringsOffset' | 'reservationsOffset',
		align: number,
		size?: number,
	): Block => {
		const start = field(name);
		if (start % align !== 0) fail(name, name, `${hex(start)} is not aligned to ${align}`);
		if (start < headerBytes || start > totalSize) {
			fail(name, name, `${hex(start)} is not between the header and the total size ${hex(totalSize)}`);
		}
		const end = size === undefined ? totalSize : start + size;
		if (end > totalSize) fail(name, name, `block ends at ${hex(end)}, past the total size ${hex(totalSize)}`);
		return { start, end };
	};
	return {
		reservations: block('reservationsOffset', 8),
		struct: block('structOffset', 4, version === LAST_COMPATIBLE_VERSION ? undefined : field('structSize')),
		strings: block('stringsOffset', 1, field('stringsSize')),
		bootCpuId: field('bootCpuId'),
		version,
	};
}

function readReservations(view: DataView, { start, end }: Block): FdtReservation[] {
	const reservations: FdtReservation[] = [];
	for (let at = start; at + RESERVATION_BYTES <= end; at += RESERVATION_BYTES) {
		const address = view.getBigUint64(at);
		const size = view.getBigUint64(at + 8);
		if (address === 0n && size === 0n) return reservations;
		// The specification would take it for an entry, dtc and libfdt for the end: refused, so that nobody disagrees.
		if (size === 0n) throw new FdtError({ offset: at }, 'memory reservation', 'has size 0');
		reservations.push({ address, size });
	}
	throw new FdtError({ offset: start }, 'memory reservation block', 'has no end');
}

/** The name that starts at `at`, up to its NUL, which must lie before `end`. */
function readName(bytes: Uint8Array, at: number, end: number, what: string): string {
	let name = '';
	for (let i = at; ; i++) {
		if (i >= end) throw new FdtError({ offset: at }, what, 'has no end');
		if (bytes[i] === 0) return name;
		if (name.length === MAX_NAME_LENGTH) {
			throw new FdtError({ offset: at }, what, `is longer than ${MAX_NAME_LENGTH} characters`);
		}
		name += String.fromCharCode(bytes[i]);
	}
}

interface OpenNode {
	readonly node: FdtNode;
	readonly propertyNames: Set<string>;
	readonly childNames: Set<string>;
}

function readStruct(bytes: Uint8Array, view: DataView, struct: Block, strings: Block): FdtNode {
	// Names are shared by many properties: each is read once.
	const names = new Map<number, string>();
	const open: OpenNode[] = [];
	let root: FdtNode | undefined;
	let at = struct.start;
	const word = (what: string): number => {
		if (at + 4 > struct.end) throw new FdtError({ offset: at }, what, 'the structure block ends here');
		at += 4;
		return view.getUint32(at - 4);
	};

	const beginNode = (start: number): void => {
		const name = readName(bytes, at, struct.end, 'node name');
		const parent = open.at(-1);
		if (parent === undefined) {
			if (root !== undefined) throw new FdtError({ offset: start }, 'node', 'there is a root already');
			if (name !== '') throw new FdtError({ offset: at }, 'root', `has the name ${JSON.stringify(name)}`);
		} else {
			if (!isNodeName(name)) throw new FdtError({ offset: at }, 'node name', `${JSON.stringify(name)} is not valid`);
			if (parent.childNames.has(name)) throw new FdtError({ offset: at }, 'node', `${name} stands there twice`);
			parent.childNames.add(name);
		}
		if (open.length === MAX_DEPTH) {
			throw new FdtError({ offset: start }, 'node', `is nested more than ${MAX_DEPTH} deep`);
		}
		const node: FdtNode = { name, properties: [], children: [] };
		if (parent === undefined) root = node;
		else parent.node.children.push(node);
		open.push({ node, propertyNames: new Set(), childNames: new Set() });
		at += (name.length + 4) & ~3;
	};

	const property = (start: number): void => {
		const length = word('property');
		const nameOffset = word('property');
		const owner = open.at(-1);
		if (owner === undefined) throw new FdtError({ offset: start }, 'property', 'stands outside of all nodes');
		if (owner.node.children.length > 0) throw new FdtError({ offset: start }, 'property', 'stands behind a child node');
		let name = names.get(nameOffset);
		if (name === undefined) {
			if (nameOffset >= strings.end - strings.start) {
				throw new FdtError(
					{ offset: start + 8 },
					'property name',
					`offset ${hex(nameOffset)} is not in the strings block`,
				);
			}
			name = readName(bytes, strings.start + nameOffset, strings.end, 'property name');
			if (!isPropertyName(name)) {
				const offset = strings.start + nameOffset;
				throw new FdtError({ offset }, 'property name', `${JSON.stringify(name)} is not valid`);
			}
			names.set(nameOffset, name);
		}
		if (owner.propertyNames.has(name)) throw new FdtError({ offset: start }, 'property', `${name} stands there twice`);
		owner.propertyNames.add(name);
		if (length > struct.end - at) {
			throw new FdtError({ offset: start + 4 }, `property ${name}`, `length ${length} exceeds the structure block`);
		}
		// Not slice(): that of Node's Buffer shares the memory.
		owner.node.properties.push({ name, value: new Uint8Array(bytes.subarray(at, at + length)) });
		at += (length + 3) & ~3;
	};

	for (;;) {
		const start = at;
		const token = word('token');
		if (token === TOKEN.beginNode) {
			beginNode(start);
		} else if (token === TOKEN.endNode) {
			if (open.pop() === undefined) throw new FdtError({ offset: start }, 'end of node', 'no node is open');
		} else if (token === TOKEN.property) {
			property(start);
		} else if (token === TOKEN.end) {
			if (open.length > 0) throw new FdtError({ offset: start }, 'end of tree', `${open.length} nodes are open`);
			if (root === undefined) throw new FdtError({ offset: start }, 'end of tree', 'there is no root');
			return root;
		} else if (token !== TOKEN.nop) {
			throw new FdtError({ offset: start }, 'token', `${hex(token)} is unknown`);
		}
	}
}

/**
 * Reads a blob; bytes behind its total size are ignored.
 * @throws FdtError, and nothing else, for any bytes that are not a valid blob
 */
export function readFdt(bytes: Uint8Array): Fdt {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const { reservations, struct, strings, bootCpuId, version } = readHeader(bytes, view);
	return {
		root: readStruct(bytes, view, struct, strings),
		reservations: readReservations(view, reservations),
		bootCpuId,
		version,
	};
}
