// Finding nodes, and what their properties mean: Devicetree Specification 0.4, section 2.2.4.2 (types of values) and
// section 2.3 (standard properties). It does not translate addresses through `ranges`.

import { FdtError } from './error.ts';
import type { FdtNode } from './tree.ts';

/** A node and where it stands. */
export interface FdtLocation {
	/** The node itself, not a copy. */
	readonly node: FdtNode;
	/** Path from the root, `/` for the root itself. */
	readonly path: string;
	/** The parent's location; absent for the root. */
	readonly parent?: FdtLocation;
}

/** An entry of `reg`. */
export interface FdtRegion {
	/** Where it begins, in the address space of the parent. */
	readonly address: bigint;
	/** How long it is, in bytes on most buses; 0 where #size-cells is 0. */
	readonly size: bigint;
}

function below(parent: FdtLocation, node: FdtNode): FdtLocation {
	return { node, path: parent.parent === undefined ? `/${node.name}` : `${parent.path}/${node.name}`, parent };
}

/** All nodes, each before its children, in the order of the tree. */
export function* walk(root: FdtNode): Generator<FdtLocation, void> {
	const stack: FdtLocation[] = [{ node: root, path: '/' }];
	for (;;) {
		const location = stack.pop();
		if (location === undefined) return;
		yield location;
		for (let i = location.node.children.length - 1; i >= 0; i--) stack.push(below(location, location.node.children[i]));
	}
}

/**
 * The node with this path. A unit address may be left out where the rest of the name is unique; a path that does not
 * begin with `/` begins with an alias (section 3.3).
 */
export function findByPath(root: FdtNode, path: string): FdtLocation | undefined {
	if (!path.startsWith('/')) {
		const [alias, ...rest] = path.split('/');
		const aliases = root.children.find((child) => child.name === 'aliases');
		const target = aliases && getStrings(aliases, alias)?.[0];
		return target?.startsWith('/') ? findByPath(root, [target, ...rest].join('/')) : undefined;
	}
	let location: FdtLocation = { node: root, path: '/' };
	for (const name of path.split('/')) {
		if (name === '') continue;
		const { children } = location.node;
		let child = children.find((candidate) => candidate.name === name);
		if (child === undefined) {
			const same = children.filter((candidate) => candidate.name.split('@')[0] === name);
			if (same.length !== 1) return undefined;
			child = same[0];
		}
		location = below(location, child);
	}
	return location;
}

/** The nodes whose `compatible` lists this string, in the order of the tree. */
export function findByCompatible(root: FdtNode, compatible: string): FdtLocation[] {
	return [...walk(root)].filter(({ node }) => getStrings(node, 'compatible')?.includes(compatible));
}

/** The node with this phandle. @throws FdtError for a `phandle` on the way that is not 4 bytes long */
export function findByPhandle(root: FdtNode, phandle: number): FdtLocation | undefined {
	for (const location of walk(root)) if (getU32(location.node, 'phandle') === phandle) return location;
	return undefined;
}

/** The child with this name, added where there is none: `ensureChild(root, 'chosen')`. */
export function ensureChild(parent: FdtNode, name: string): FdtNode {
	const found = parent.children.find((child) => child.name === name);
	if (found !== undefined) return found;
	const child: FdtNode = { name, properties: [], children: [] };
	parent.children.push(child);
	return child;
}

/** The bytes of a property; `undefined` where the node has none of this name. */
export function getProperty(node: FdtNode, name: string): Uint8Array | undefined {
	return node.properties.find((property) => property.name === name)?.value;
}

function sized(node: FdtNode, name: string, fits: (length: number) => boolean, expected: string): DataView | undefined {
	const value = getProperty(node, name);
	if (value === undefined) return undefined;
	if (!fits(value.length)) {
		throw new FdtError({ path: node.name || '/' }, `property ${name}`, `has ${value.length} bytes, not ${expected}`);
	}
	return new DataView(value.buffer, value.byteOffset, value.byteLength);
}

/** A property of one cell. @throws FdtError where it is not 4 bytes long */
export function getU32(node: FdtNode, name: string): number | undefined {
	return sized(node, name, (length) => length === 4, '4')?.getUint32(0);
}

/** A property of one 64-bit value. @throws FdtError where it is not 8 bytes long */
export function getU64(node: FdtNode, name: string): bigint | undefined {
	return sized(node, name, (length) => length === 8, '8')?.getBigUint64(0);
}

/** A property of cells. @throws FdtError where its length is not a multiple of 4 */
export function getCells(node: FdtNode, name: string): number[] | undefined {
	const view = sized(node, name, (length) => length % 4 === 0, 'a multiple of 4');
	return view && Array.from({ length: view.byteLength / 4 }, (_, i) => view.getUint32(i * 4));
}

/** A property of strings. A missing NUL at the end is forgiven; bytes that are not UTF-8 become U+FFFD. */
export function getStrings(node: FdtNode, name: string): string[] | undefined {
	const value = getProperty(node, name);
	if (value === undefined) return undefined;
	const text = new TextDecoder().decode(value);
	const list = text.split('\0');
	if (text === '' || text.endsWith('\0')) list.pop();
	return list;
}

function cellCount(node: FdtNode, name: string, otherwise: number): number {
	const count = getU32(node, name) ?? otherwise;
	if (count > 4) throw new FdtError({ path: node.name || '/' }, `property ${name}`, `${count} is more than 4 cells`);
	return count;
}

/**
 * The `reg` of a node, by its parent's #address-cells (2 where absent) and #size-cells (1 where absent); `undefined`
 * where it has none.
 * @throws FdtError where the length does not fit
 */
export function readReg({ node, path, parent }: FdtLocation): FdtRegion[] | undefined {
	const cells = getCells(node, 'reg');
	if (cells === undefined) return undefined;
	const addressCells = parent === undefined ? 2 : cellCount(parent.node, '#address-cells', 2);
	const sizeCells = parent === undefined ? 1 : cellCount(parent.node, '#size-cells', 1);
	const step = addressCells + sizeCells;
	if (step === 0 || cells.length % step !== 0) {
		throw new FdtError(
			{ path },
			'property reg',
			`has ${cells.length} cells, not a multiple of ${addressCells} + ${sizeCells}`,
		);
	}
	const number = (from: number, to: number): bigint =>
		cells.slice(from, to).reduce((value, cell) => (value << 32n) | BigInt(cell), 0n);
	const regions: FdtRegion[] = [];
	for (let i = 0; i < cells.length; i += step) {
		regions.push({ address: number(i, i + addressCells), size: number(i + addressCells, i + step) });
	}
	return regions;
}
