/** The one error that a description, or a system made from one, is refused with. */

/** Where in a file something stands. Lines and columns count from 1. */
export interface Place {
	readonly line: number;
	readonly column: number;
}

/** A system that is refused: in which file, where in it, and why. */
export class MicrokitError extends Error {
	/** The class's name, for those who cannot use `instanceof`. */
	override readonly name = 'MicrokitError';
	/** The description's file name, as it was given. */
	readonly file: string;
	/** Where in the file; undefined for what concerns the file as a whole. */
	readonly place: Place | undefined;
	/** What is wrong, and what would be accepted. */
	readonly why: string;

	constructor(file: string, place: Place | undefined, why: string) {
		super(place ? `${file}:${place.line}:${place.column}: ${why}` : `${file}: ${why}`);
		this.file = file;
		this.place = place;
		this.why = why;
	}
}
