// The device tree as plain data, and its limits. Devicetree Specification 0.4, section 2.2 (structure and conventions).
// Values are bytes, big-endian as in the blob; what they mean depends on the property (see query.ts).

/** A place in a property's value that depends on another node, named by its label. */
export interface FdtReference {
	/** Where in the value, in bytes. */
	readonly offset: number;
	/** Label of the node that is meant. */
	readonly label: string;
	/**
	 * `phandle`: the four bytes at the offset become that node's phandle. `path`: its path, as a string, is inserted
	 * there.
	 */
	readonly kind: 'phandle' | 'path';
}

/** A property. */
export interface FdtProperty {
	/** Its name, unique in its node. */
	readonly name: string;
	/** Its bytes. */
	readonly value: Uint8Array;
	/** By ascending offset; absent where the value is complete, as in every tree that was read from a blob. */
	readonly references?: readonly FdtReference[];
}

/** A node. The root's name is empty. */
export interface FdtNode {
	/** Name with unit address, such as `uart@10000000`. */
	readonly name: string;
	/** What references call this node. A label does not survive in a blob; the phandle does. */
	readonly label?: string;
	/** Its properties, in the order of the blob. */
	readonly properties: FdtProperty[];
	/** Its children, in the order of the blob. */
	readonly children: FdtNode[];
}

/** An entry of the memory reservation block: memory that the client program must leave alone. */
export interface FdtReservation {
	/** Physical address. */
	readonly address: bigint;
	/** Bytes, at least 1. */
	readonly size: bigint;
}

/** How deep nodes may nest, the root included: as in Linux. */
export const MAX_DEPTH = 64;
/** How long a name may be. The specification says 31 characters; real trees use more. */
export const MAX_NAME_LENGTH = 255;

// Table 2.1 and section 2.2.4.1, plus what dtc accepts.
const NODE_NAME: RegExp = /^[0-9A-Za-z,._+*#?-]+(@[0-9A-Za-z,._+*#?-]+)?$/;
const PROPERTY_NAME: RegExp = /^[0-9A-Za-z,._+*#?-]+$/;
const LABEL: RegExp = /^[A-Za-z_][0-9A-Za-z_]*$/;

/** Whether a node other than the root may have this name. */
export function isNodeName(name: string): boolean {
	return name.length <= MAX_NAME_LENGTH && NODE_NAME.test(name);
}

/** Whether a property may have this name. */
export function isPropertyName(name: string): boolean {
	return name.length <= MAX_NAME_LENGTH && PROPERTY_NAME.test(name);
}

/** Whether a node may have this label (section A.1: as identifiers in C). */
export function isLabel(label: string): boolean {
	return LABEL.test(label);
}
