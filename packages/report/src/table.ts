/**
 * Text tables for terminals and files: columns are aligned, numbers to the right. Styles are codes for terminals and left
 * out elsewhere. What guests choose (names, faults) is printed only after it was made printable.
 */

/** A cell's text and on which side it is flush. */
export interface Column {
	readonly title: string;
	readonly align?: 'left' | 'right';
}

/** Whether and how to use a terminal's styles. */
export interface Style {
	/** Emphasis. */
	bold(text: string): string;
	/** Less important. */
	dim(text: string): string;
	/** Something is wrong. */
	bad(text: string): string;
}

/** No styles: for files and pipes. */
export const PLAIN: Style = { bold: (text) => text, dim: (text) => text, bad: (text) => text };

/** ANSI styles (ECMA-48 SGR). */
export const ANSI: Style = {
	bold: (text) => `\x1b[1m${text}\x1b[22m`,
	dim: (text) => `\x1b[2m${text}\x1b[22m`,
	bad: (text) => `\x1b[31m${text}\x1b[39m`,
};

/** Text of which nothing controls a terminal, shortened to `most` characters. */
export function printable(text: string, most = 60): string {
	const clean = text.replace(/\p{C}/gu, (character) => {
		const code = character.codePointAt(0)!.toString(16);
		return `\\u{${code}}`;
	});
	return clean.length > most ? `${clean.slice(0, most - 1)}…` : clean;
}

/** Columns of a character that a terminal shows; marks such as combining accents do not occur in reports. */
function width(text: string): number {
	return [...text].length;
}

/** A table's value: text, or text that is to be styled after it was aligned. */
export type TableCell = string | { readonly text: string; readonly style: keyof Style };

/** Lines of a table. Rows that are shorter than the columns end early. */
export function renderTable(
	columns: readonly Column[],
	rows: readonly (readonly TableCell[])[],
	style: Style,
): string[] {
	const plain = (cell: TableCell): string => (typeof cell === 'string' ? cell : cell.text);
	const widths = columns.map(({ title }, index) =>
		Math.max(width(title), ...rows.map((row) => (row[index] === undefined ? 0 : width(plain(row[index]))))),
	);
	const line = (cells: readonly TableCell[], header: boolean): string => {
		const parts = cells.map((cell, index) => {
			const text = plain(cell);
			const gap = ' '.repeat(widths[index]! - width(text));
			const last = index === cells.length - 1;
			const padded = columns[index]!.align === 'right' ? gap + text : last ? text : text + gap;
			if (header) return style.dim(padded);
			return typeof cell === 'string' ? padded : style[cell.style](padded);
		});
		return `  ${parts.join('  ')}`.trimEnd();
	};
	const titles = columns.map(({ title }) => title);
	return [line(titles, true), ...rows.map((row) => line(row, false))];
}
