// What is reported of a device tree that cannot be read.

/** Where a device tree is wrong: an offset in the blob, or a node once it has been read. */
export type FdtErrorPlace =
	| {
			/** Offset in bytes from the start of the blob. */
			readonly offset: number;
	  }
	| {
			/** Path or name of the node. */
			readonly path: string;
	  };

/** A device tree, or one of its properties, is not valid. */
export class FdtError extends Error {
	/** Offset in bytes from the start of the blob, where the blob itself is wrong. */
	readonly offset: number | undefined;
	/** Path or name of the node, where a property does not hold what it should. */
	readonly path: string | undefined;
	/** The part that is wrong. */
	readonly what: string;
	/** Why it is wrong. */
	readonly why: string;

	constructor(place: FdtErrorPlace, what: string, why: string) {
		const where = 'offset' in place ? `offset 0x${place.offset.toString(16)}` : `node ${place.path}`;
		super(`invalid device tree at ${where}: ${what}: ${why}`);
		this.name = 'FdtError';
		this.offset = 'offset' in place ? place.offset : undefined;
		this.path = 'path' in place ? place.path : undefined;
		this.what = what;
		this.why = why;
	}
}
