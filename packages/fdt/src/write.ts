// Writes a tree as a flattened devicetree blob (Devicetree Specification 0.4, chapter 5), version 17.

import { HEADER, HEADER_BYTES, LAST_COMPATIBLE_VERSION, MAGIC, RESERVATION_BYTES, TOKEN, VERSION } from './format.ts';
import { resolve } from './resolve.ts';
import type { FdtNode, FdtReservation } from './tree.ts';

/** What a blob holds beside the tree. */
export interface WriteFdtOptions {
	/** Physical id of the boot CPU (`boot_cpuid_phys`): on RISC-V the hart id. By default 0. */
	readonly bootCpuId?: number;
	/** The memory reservation block. */
	readonly reservations?: readonly FdtReservation[];
	/** Zero bytes to leave at the end, for firmware that adds to the blob in place. By default 0. */
	readonly padding?: number;
}

/** Bytes that grow. */
class Output {
	bytes: Uint8Array = new Uint8Array(4096);
	view: DataView = new DataView(this.bytes.buffer);
	length = 0;

	#reserve(extra: number): number {
		const at = this.length;
		this.length += extra;
		if (this.length > this.bytes.length) {
			const bytes = new Uint8Array(Math.max(this.length, this.bytes.length * 2));
			bytes.set(this.bytes);
			this.bytes = bytes;
			this.view = new DataView(bytes.buffer);
		}
		return at;
	}

	u32(value: number): void {
		const at = this.#reserve(4);
		this.view.setUint32(at, value);
	}

	/** Bytes, then zeros up to a multiple of 4. */
	padded(value: Uint8Array): void {
		const at = this.#reserve((value.length + 3) & ~3);
		this.bytes.set(value, at);
	}

	/** An ASCII name, its NUL, then zeros up to a multiple of `align`. */
	name(name: string, align: 1 | 4): void {
		const at = this.#reserve(align === 4 ? (name.length + 4) & ~3 : name.length + 1);
		for (let i = 0; i < name.length; i++) this.bytes[at + i] = name.charCodeAt(i);
	}
}

/**
 * The blob of a tree. Labelled nodes get phandles (1, 2, ... in tree order, where they have none), and references to
 * labels are filled in.
 *
 * @throws RangeError for a tree that is not valid: names, duplicates, unknown labels, nesting
 */
export function writeFdt(root: FdtNode, options: WriteFdtOptions = {}): Uint8Array {
	const { bootCpuId = 0, reservations = [], padding = 0 } = options;
	if (!Number.isInteger(bootCpuId) || bootCpuId < 0 || bootCpuId >= 2 ** 32) {
		throw new RangeError(`bootCpuId must be an integer of 32 bits, got ${bootCpuId}`);
	}
	if (!Number.isSafeInteger(padding) || padding < 0) throw new RangeError(`padding must not be negative: ${padding}`);
	for (const { address, size } of reservations) {
		if (BigInt.asUintN(64, address) !== address || BigInt.asUintN(64, size) !== size) {
			throw new RangeError(`reservation ${address}, ${size} does not fit into 64 bits`);
		}
		// The specification ends the list at address and size 0, dtc and libfdt already at size 0.
		if (size === 0n) throw new RangeError(`the reservation at ${address} has size 0, which ends the list`);
	}
	const struct = new Output();
	const strings = new Output();
	const nameOffsets = new Map<string, number>();
	const put = (node: FdtNode): void => {
		struct.u32(TOKEN.beginNode);
		struct.name(node.name, 4);
		for (const { name, value } of node.properties) {
			let offset = nameOffsets.get(name);
			if (offset === undefined) {
				offset = strings.length;
				nameOffsets.set(name, offset);
				strings.name(name, 1);
			}
			struct.u32(TOKEN.property);
			struct.u32(value.length);
			struct.u32(offset);
			struct.padded(value);
		}
		node.children.forEach(put);
		struct.u32(TOKEN.endNode);
	};
	put(resolve(root).complete);
	struct.u32(TOKEN.end);

	const structOffset = HEADER_BYTES + (reservations.length + 1) * RESERVATION_BYTES;
	const stringsOffset = structOffset + struct.length;
	const totalSize = stringsOffset + strings.length + padding;
	const blob = new Uint8Array(totalSize);
	const view = new DataView(blob.buffer);
	view.setUint32(HEADER.magic, MAGIC);
	view.setUint32(HEADER.totalSize, totalSize);
	view.setUint32(HEADER.structOffset, structOffset);
	view.setUint32(HEADER.stringsOffset, stringsOffset);
	view.setUint32(HEADER.reservationsOffset, HEADER_BYTES);
	view.setUint32(HEADER.version, VERSION);
	view.setUint32(HEADER.lastCompatibleVersion, LAST_COMPATIBLE_VERSION);
	view.setUint32(HEADER.bootCpuId, bootCpuId);
	view.setUint32(HEADER.stringsSize, strings.length);
	view.setUint32(HEADER.structSize, struct.length);
	reservations.forEach(({ address, size }, i) => {
		view.setBigUint64(HEADER_BYTES + i * RESERVATION_BYTES, address);
		view.setBigUint64(HEADER_BYTES + i * RESERVATION_BYTES + 8, size);
	});
	blob.set(struct.bytes.subarray(0, struct.length), structOffset);
	blob.set(strings.bytes.subarray(0, strings.length), stringsOffset);
	return blob;
}
