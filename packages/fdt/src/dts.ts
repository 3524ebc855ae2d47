// Writes a tree as devicetree source, version 1 (Devicetree Specification 0.4, chapter 6), which dtc compiles to an
// equal blob. Blobs hold bytes without types: text and cells are recognized by their looks, as dtc does.

import { resolve } from './resolve.ts';
import type { FdtNode, FdtProperty, FdtReservation } from './tree.ts';

/** What source holds beside the tree. */
export interface ToDtsOptions {
	/** The memory reservation block. */
	readonly reservations?: readonly FdtReservation[];
}

const NUL = 0;
const PRINTABLE_FIRST = 0x20;
const PRINTABLE_LAST = 0x7e;

/** Whether the bytes are one or more printable strings, none of them empty. */
function looksLikeText(value: Uint8Array): boolean {
	let previous = NUL;
	for (const byte of value) {
		if (byte === NUL ? previous === NUL : byte < PRINTABLE_FIRST || byte > PRINTABLE_LAST) return false;
		previous = byte;
	}
	return value.length > 0 && previous === NUL;
}

function text(value: Uint8Array): string {
	const list = new TextDecoder().decode(value).slice(0, -1).split('\0');
	return list.map((item) => `"${item.replace(/["\\]/g, '\\$&')}"`).join(', ');
}

function cell(value: Uint8Array, offset: number): string {
	return `0x${new DataView(value.buffer, value.byteOffset).getUint32(offset).toString(16).padStart(2, '0')}`;
}

function data(value: Uint8Array, labels: ReadonlyMap<number, string>): string {
	if (labels.size === 0 && looksLikeText(value)) return text(value);
	if (value.length % 4 === 0) {
		const items = Array.from({ length: value.length / 4 }, (_, i) => {
			const label = labels.get(i * 4);
			return label === undefined ? cell(value, i * 4) : `&${label}`;
		});
		return `<${items.join(' ')}>`;
	}
	return `[${Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join(' ')}]`;
}

/** The value with references shown by label, or, where source cannot say that, as the complete bytes. */
function shown(property: FdtProperty, complete: FdtProperty): string {
	const { value, references = [] } = property;
	if (references.length === 0) return data(value, new Map());
	const phandles = references.filter(({ kind }) => kind === 'phandle');
	if (phandles.length === references.length) {
		const aligned = value.length % 4 === 0 && phandles.every(({ offset }) => offset % 4 === 0);
		if (aligned) return data(value, new Map(phandles.map(({ offset, label }) => [offset, label])));
	} else if (phandles.length === 0) {
		const pieces: string[] = [];
		let at = 0;
		for (const { offset, label } of references) {
			if (offset > at) pieces.push(data(value.subarray(at, offset), new Map()));
			pieces.push(`&${label}`);
			at = offset;
		}
		if (at < value.length) pieces.push(data(value.subarray(at), new Map()));
		return pieces.join(', ');
	}
	return data(complete.value, new Map());
}

/**
 * The tree as source text. Labels, and references to them, stay visible; phandles are written out, so that every
 * compiler gives the same ones.
 * @throws RangeError for a tree that is not valid
 */
export function toDts(root: FdtNode, options: ToDtsOptions = {}): string {
	const lines = ['/dts-v1/;', ''];
	for (const { address, size } of options.reservations ?? []) {
		lines.push(`/memreserve/ 0x${address.toString(16)} 0x${size.toString(16)};`);
	}
	const put = (node: FdtNode, complete: FdtNode, indent: string): void => {
		const label = node.label === undefined ? '' : `${node.label}: `;
		lines.push(`${indent}${label}${node.name || '/'} {`);
		node.properties.forEach((property, i) => {
			const value = complete.properties[i].value.length === 0 ? '' : ` = ${shown(property, complete.properties[i])}`;
			lines.push(`${indent}\t${property.name}${value};`);
		});
		node.children.forEach((child, i) => {
			put(child, complete.children[i], `${indent}\t`);
		});
		lines.push(`${indent}};`);
	};
	const { labelled, complete } = resolve(root);
	put(labelled, complete, '');
	return `${lines.join('\n')}\n`;
}
