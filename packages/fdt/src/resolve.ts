// From a tree with labels and references to one that can be written: checks names, gives phandles, fills in values.

import { cells } from './build.ts';
import { type FdtNode, type FdtProperty, isNodeName, isPropertyName, MAX_DEPTH } from './tree.ts';

interface Target {
	readonly phandle: number;
	readonly path: string;
}

function phandleOf(node: FdtNode): number | undefined {
	const value = node.properties.find((property) => property.name === 'phandle')?.value;
	return value?.length === 4 ? new DataView(value.buffer, value.byteOffset).getUint32(0) : undefined;
}

/** Throws a RangeError where the tree could not be written: names, duplicates, nesting. */
function check(node: FdtNode, path: string, depth: number, visit: (node: FdtNode, path: string) => void): void {
	if (depth > MAX_DEPTH) throw new RangeError(`node ${path} is nested more than ${MAX_DEPTH} deep`);
	visit(node, path);
	const names = new Set<string>();
	for (const { name } of node.properties) {
		if (!isPropertyName(name)) throw new RangeError(`node ${path}: ${JSON.stringify(name)} is not a property name`);
		if (names.has(name)) throw new RangeError(`node ${path} has property ${name} twice`);
		names.add(name);
	}
	const siblings = new Set<string>();
	for (const child of node.children) {
		if (!isNodeName(child.name)) throw new RangeError(`node ${path}: ${JSON.stringify(child.name)} is not a node name`);
		if (siblings.has(child.name)) throw new RangeError(`node ${path} has child ${child.name} twice`);
		siblings.add(child.name);
		check(child, path === '/' ? `/${child.name}` : `${path}/${child.name}`, depth + 1, visit);
	}
}

/** Checks the tree and says what each label stands for. Labelled nodes without phandle get free ones, in tree order. */
function targetsOf(root: FdtNode): Map<string, Target> {
	if (root.name !== '') throw new RangeError(`the root's name must be empty, not ${JSON.stringify(root.name)}`);
	const used = new Map<number, string>();
	const labelled = new Map<string, { node: FdtNode; path: string }>();
	check(root, '/', 1, (node, path) => {
		const phandle = phandleOf(node);
		if (phandle !== undefined) {
			const other = used.get(phandle);
			if (other !== undefined) throw new RangeError(`nodes ${other} and ${path} have the same phandle ${phandle}`);
			used.set(phandle, path);
		}
		if (node.label === undefined) return;
		const other = labelled.get(node.label);
		if (other !== undefined) throw new RangeError(`nodes ${other.path} and ${path} have the same label ${node.label}`);
		labelled.set(node.label, { node, path });
	});
	const targets = new Map<string, Target>();
	let next = 1;
	for (const [label, { node, path }] of labelled) {
		let phandle = phandleOf(node);
		if (phandle === undefined) {
			while (used.has(next)) next++;
			phandle = next;
			used.set(phandle, path);
		}
		targets.set(label, { phandle, path });
	}
	return targets;
}

function filledIn(property: FdtProperty, targets: ReadonlyMap<string, Target>, owner: FdtNode): FdtProperty {
	if (property.references === undefined) return property;
	const pieces: Uint8Array[] = [];
	let at = 0;
	for (const { offset, label, kind } of property.references) {
		const target = targets.get(label);
		if (target === undefined) {
			throw new RangeError(
				`property ${property.name} of node ${owner.name || '/'} refers to '${label}', which no node is labelled`,
			);
		}
		pieces.push(property.value.subarray(at, offset));
		pieces.push(kind === 'phandle' ? cells(target.phandle).value : new TextEncoder().encode(`${target.path}\0`));
		at = kind === 'phandle' ? offset + 4 : offset;
	}
	pieces.push(property.value.subarray(at));
	const value = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
	let end = 0;
	for (const piece of pieces) {
		value.set(piece, end);
		end += piece.length;
	}
	return { name: property.name, value };
}

/** A tree that can be written as source or as a blob. */
export interface ResolvedTree {
	/** Phandles are given; references are still there, for source. */
	readonly labelled: FdtNode;
	/** References are filled in: every value is complete. */
	readonly complete: FdtNode;
}

/**
 * Gives phandles to labelled nodes and fills in references. The given tree is not changed.
 * @throws RangeError for names that are not valid or occur twice, unknown labels, or nesting past MAX_DEPTH
 */
export function resolve(root: FdtNode): ResolvedTree {
	const targets = targetsOf(root);
	const withPhandles = (node: FdtNode): FdtNode => {
		const properties = [...node.properties];
		if (node.label !== undefined && phandleOf(node) === undefined) {
			properties.push({ name: 'phandle', ...cells(targets.get(node.label)!.phandle) });
		}
		return { ...node, properties, children: node.children.map(withPhandles) };
	};
	const completed = (node: FdtNode): FdtNode => ({
		...node,
		properties: node.properties.map((property) => filledIn(property, targets, node)),
		children: node.children.map(completed),
	});
	const labelled = withPhandles(root);
	return { labelled, complete: completed(labelled) };
}
