/**
 * Base extension. RISC-V SBI 2.0, "Base Extension (EID #0x10)".
 */
import { type Extension, failure, success, word } from './call.ts';

/** SBI 2.0: major number in bits 30:24, minor in 23:0. */
export const SPECIFICATION_VERSION = 0x0200_0000n;

/** "PART": in none of the ranges that the specification's table of implementation ids has given out. */
export const IMPLEMENTATION_ID = 0x5041_5254n;

/** Major number in bits 31:16, minor in 15:0; raised when what a supervisor can see changes. */
export const IMPLEMENTATION_VERSION = 0x0001_0000n;

/** mvendorid, marchid and mimpid of the hart: not implemented. */
const MACHINE_ID = 0n;

/** @param available whether an extension id is implemented */
export function baseExtension(available: (id: number) => boolean): Extension {
	return (_machine, { function: id, args }) => {
		switch (id) {
			case 0:
				return success(SPECIFICATION_VERSION);
			case 1:
				return success(IMPLEMENTATION_ID);
			case 2:
				return success(IMPLEMENTATION_VERSION);
			case 3:
				return success(available(word(args[0])) ? 1n : 0n);
			case 4:
			case 5:
			case 6:
				return success(MACHINE_ID);
			default:
				return failure('NOT_SUPPORTED');
		}
	};
}
