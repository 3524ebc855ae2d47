// Writing device trees by hand: values of properties, nodes, and changes to a tree.

import { type FdtNode, type FdtProperty, type FdtReference, isLabel, isNodeName, isPropertyName } from './tree.ts';

/** The value of a property, made by one of the functions below. */
export interface PropertyValue {
	/** The bytes; places that depend on other nodes are zero. */
	readonly value: Uint8Array;
	/** Those places, by ascending offset. */
	readonly references?: readonly FdtReference[];
}

/**
 * What a property may be given as. A number is one 32-bit cell, a bigint one 64-bit value, a string or strings are
 * NUL-terminated text, `true` is an empty property; `false` and `undefined` leave the property out.
 */
export type PropertyInput =
	| number
	| bigint
	| string
	| boolean
	| undefined
	| readonly string[]
	| Uint8Array
	| PropertyValue;

const UTF8 = new TextEncoder();

function checkedInteger(value: number | bigint, bits: 32 | 64): bigint {
	if (typeof value === 'number' && !Number.isSafeInteger(value)) {
		throw new RangeError(`${value} is not an exact integer: give large values as bigint`);
	}
	const integer = BigInt(value);
	if (integer < 0n || integer >= 1n << BigInt(bits)) throw new RangeError(`${value} does not fit into ${bits} bits`);
	return integer;
}

/** 32-bit cells, big-endian. References may stand between numbers: `cells(ref('plic'), 10)`. */
export function cells(...items: readonly (number | PropertyValue)[]): PropertyValue {
	return join(
		...items.map((item) => {
			if (typeof item !== 'number') return item;
			const value = new Uint8Array(4);
			new DataView(value.buffer).setUint32(0, Number(checkedInteger(item, 32)));
			return { value };
		}),
	);
}

/** One 32-bit cell. */
export function u32(value: number): PropertyValue {
	return cells(value);
}

/** 64-bit values, each as two cells, high one first. */
export function u64(...values: readonly (number | bigint)[]): PropertyValue {
	const bytes = new Uint8Array(values.length * 8);
	const view = new DataView(bytes.buffer);
	values.forEach((value, i) => {
		view.setBigUint64(i * 8, checkedInteger(value, 64));
	});
	return { value: bytes };
}

/** A `reg` below #address-cells = 2 and #size-cells = 2: pairs of address and size. */
export function reg64(...pairs: readonly (number | bigint)[]): PropertyValue {
	if (pairs.length % 2 !== 0) throw new RangeError('reg64 takes pairs of address and size');
	return u64(...pairs);
}

/** A `reg` below #address-cells = 1 and #size-cells = 1: pairs of address and size. */
export function reg32(...pairs: readonly number[]): PropertyValue {
	if (pairs.length % 2 !== 0) throw new RangeError('reg32 takes pairs of address and size');
	return cells(...pairs);
}

/** Strings, each with its terminating NUL. */
export function strings(...values: readonly string[]): PropertyValue {
	for (const value of values) {
		if (value.includes('\0')) throw new RangeError(`string ${JSON.stringify(value)} contains NUL`);
	}
	return { value: UTF8.encode(values.map((value) => `${value}\0`).join('')) };
}

/** The phandle of the node with this label, as one cell. */
export function ref(label: string): PropertyValue {
	return { value: new Uint8Array(4), references: [{ offset: 0, label, kind: 'phandle' }] };
}

/** The path of the node with this label, as a string. */
export function pathOf(label: string): PropertyValue {
	return { value: new Uint8Array(0), references: [{ offset: 0, label, kind: 'path' }] };
}

/** Values one after the other. */
export function join(...values: readonly PropertyValue[]): PropertyValue {
	const bytes = new Uint8Array(values.reduce((length, { value }) => length + value.length, 0));
	const references: FdtReference[] = [];
	let at = 0;
	for (const { value, references: inner = [] } of values) {
		bytes.set(value, at);
		for (const reference of inner) references.push({ ...reference, offset: reference.offset + at });
		at += value.length;
	}
	return references.length > 0 ? { value: bytes, references } : { value: bytes };
}

/** The bytes that an input stands for; `undefined` where it leaves the property out. */
function bytesOf(input: PropertyInput): PropertyValue | undefined {
	if (input === undefined || input === false) return undefined;
	if (input === true) return { value: new Uint8Array(0) };
	if (typeof input === 'number') return cells(input);
	if (typeof input === 'bigint') return u64(input);
	if (typeof input === 'string') return strings(input);
	if (input instanceof Uint8Array) return { value: input };
	if ('value' in input) return input;
	return strings(...input);
}

/**
 * Sets a property, in its place where it exists, else at the end; `undefined` and `false` remove it.
 * @throws RangeError for a name that is not one, or a value that does not fit
 */
export function setProperty(node: FdtNode, name: string, input: PropertyInput): void {
	if (!isPropertyName(name)) throw new RangeError(`${JSON.stringify(name)} is not a property name`);
	const index = node.properties.findIndex((property) => property.name === name);
	const value = bytesOf(input);
	if (value === undefined) {
		if (index >= 0) node.properties.splice(index, 1);
		return;
	}
	const property: FdtProperty = { name, ...value };
	if (index >= 0) node.properties[index] = property;
	else node.properties.push(property);
}

/**
 * A node. Its name may carry a label, as in source: `node('plic: interrupt-controller@c000000', {...})`.
 * @throws RangeError for a name, a label or a value that is not valid
 */
export function node(
	name: string,
	properties: Readonly<Record<string, PropertyInput>> = {},
	children: readonly FdtNode[] = [],
): FdtNode {
	const colon = name.indexOf(':');
	const label = colon < 0 ? undefined : name.slice(0, colon).trim();
	const bare = name.slice(colon + 1).trim();
	if (label !== undefined && !isLabel(label)) throw new RangeError(`${JSON.stringify(label)} is not a label`);
	if (!isNodeName(bare)) throw new RangeError(`${JSON.stringify(bare)} is not a node name`);
	return filled(
		{ name: bare, ...(label !== undefined && { label }), properties: [], children: [...children] },
		properties,
	);
}

/** The root of a tree. */
export function root(
	properties: Readonly<Record<string, PropertyInput>> = {},
	children: readonly FdtNode[] = [],
): FdtNode {
	return filled({ name: '', properties: [], children: [...children] }, properties);
}

function filled(target: FdtNode, properties: Readonly<Record<string, PropertyInput>>): FdtNode {
	for (const [name, input] of Object.entries(properties)) setProperty(target, name, input);
	return target;
}
