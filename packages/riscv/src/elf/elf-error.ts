/** The one error that reading or writing an ELF file can end in. */

/** An ELF file that is refused: what, where in the file, and why. */
export class ElfError extends Error {
	/** The class's name, for those who cannot use `instanceof`. */
	override readonly name = 'ElfError';
	/** What is refused, such as `segment 2`. */
	readonly what: string;
	/** Offset in the file, in bytes. */
	readonly where: number;
	/** Why, and what would be accepted. */
	readonly why: string;

	constructor(what: string, where: number, why: string) {
		super(`ELF file, offset 0x${where.toString(16)}: ${what}: ${why}`);
		this.what = what;
		this.where = where;
		this.why = why;
	}
}
