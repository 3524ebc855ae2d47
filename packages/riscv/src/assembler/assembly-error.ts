/** The one error that assembling can end in. */

/** A place in an assembly source. */
export interface Place {
	/** Line, from 1. */
	readonly line: number;
	/** Column, from 1. */
	readonly column: number;
}

/**
 * A source that cannot be assembled: where, what, and why.
 *
 * The message holds all of it, as `line 3, column 9: addi: the immediate 4096 is out of range: …`.
 */
export class AssemblyError extends Error {
	/** The class's name, for those who cannot use `instanceof`. */
	override readonly name = 'AssemblyError';
	/** Line of the source, from 1. */
	readonly line: number;
	/** Column in that line, from 1. */
	readonly column: number;
	/** What is refused. */
	readonly what: string;
	/** Why, and what would be accepted. */
	readonly why: string;

	constructor(place: Place, what: string, why: string) {
		super(`line ${place.line}, column ${place.column}: ${what}: ${why}`);
		this.line = place.line;
		this.column = place.column;
		this.what = what;
		this.why = why;
	}
}
