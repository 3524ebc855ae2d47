/**
 * Encodings of Zba, Zbb, Zbc and Zbs for RV64. The RISC-V Instruction Set Manual, Volume I (20240411), "B" Extension for Bit Manipulation.
 *
 * Data only: what the columns mean is said in `instructions.ts`.
 */

/** Rows of the instruction table; see {@link instructions}. */
export const bitmanipRows = [
	// Zba: address generation.
	{ name: 'add.uw', match: 0x0800003b, mask: 0xfe00707f, format: 'rd,rs1,rs2', extension: 'Zba' },
	{ name: 'sh1add', match: 0x20002033, mask: 0xfe00707f, format: 'rd,rs1,rs2', extension: 'Zba' },
	{ name: 'sh2add', match: 0x20004033, mask: 0xfe00707f, format: 'rd,rs1,rs2', extension: 'Zba' },
	{ name: 'sh3add', match: 0x20006033, mask: 0xfe00707f, format: 'rd,rs1,rs2', extension: 'Zba' },
	{ name: 'sh1add.uw', match: 0x2000203b, mask: 0xfe00707f, format: 'rd,rs1,rs2', extension: 'Zba' },
	{ name: 'sh2add.uw', match: 0x2000403b, mask: 0xfe00707f, format: 'rd,rs1,rs2', extension: 'Zba' },
	{ name: 'sh3add.uw', match: 0x2000603b, mask: 0xfe00707f, format: 'rd,rs1,rs2', extension: 'Zba' },
	{ name: 'slli.uw', match: 0x0800101b, mask: 0xfc00707f, format: 'rd,rs1,shamt6', extension: 'Zba' },
	// Zbb: basic bit manipulation.
	{ name: 'andn', match: 0x40007033, mask: 0xfe00707f, format: 'rd,rs1,rs2', extension: 'Zbb' },
	{ name: 'orn', match: 0x40006033, mask: 0xfe00707f, format: 'rd,rs1,rs2', extension: 'Zbb' },
	{ name: 'xnor', match: 0x40004033, mask: 0xfe00707f, format: 'rd,rs1,rs2', extension: 'Zbb' },
	{ name: 'clz', match: 0x60001013, mask: 0xfff0707f, format: 'rd,rs1', extension: 'Zbb' },
	{ name: 'clzw', match: 0x6000101b, mask: 0xfff0707f, format: 'rd,rs1', extension: 'Zbb' },
	{ name: 'ctz', match: 0x60101013, mask: 0xfff0707f, format: 'rd,rs1', extension: 'Zbb' },
	{ name: 'ctzw', match: 0x6010101b, mask: 0xfff0707f, format: 'rd,rs1', extension: 'Zbb' },
	{ name: 'cpop', match: 0x60201013, mask: 0xfff0707f, format: 'rd,rs1', extension: 'Zbb' },
	{ name: 'cpopw', match: 0x6020101b, mask: 0xfff0707f, format: 'rd,rs1', extension: 'Zbb' },
	{ name: 'min', match: 0x0a004033, mask: 0xfe00707f, format: 'rd,rs1,rs2', extension: 'Zbb' },
	{ name: 'minu', match: 0x0a005033, mask: 0xfe00707f, format: 'rd,rs1,rs2', extension: 'Zbb' },
	{ name: 'max', match: 0x0a006033, mask: 0xfe00707f, format: 'rd,rs1,rs2', extension: 'Zbb' },
	{ name: 'maxu', match: 0x0a007033, mask: 0xfe00707f, format: 'rd,rs1,rs2', extension: 'Zbb' },
	{ name: 'sext.b', match: 0x60401013, mask: 0xfff0707f, format: 'rd,rs1', extension: 'Zbb' },
	{ name: 'sext.h', match: 0x60501013, mask: 0xfff0707f, format: 'rd,rs1', extension: 'Zbb' },
	{ name: 'zext.h', match: 0x0800403b, mask: 0xfff0707f, format: 'rd,rs1', extension: 'Zbb' },
	{ name: 'rol', match: 0x60001033, mask: 0xfe00707f, format: 'rd,rs1,rs2', extension: 'Zbb' },
	{ name: 'rolw', match: 0x6000103b, mask: 0xfe00707f, format: 'rd,rs1,rs2', extension: 'Zbb' },
	{ name: 'ror', match: 0x60005033, mask: 0xfe00707f, format: 'rd,rs1,rs2', extension: 'Zbb' },
	{ name: 'rorw', match: 0x6000503b, mask: 0xfe00707f, format: 'rd,rs1,rs2', extension: 'Zbb' },
	{ name: 'rori', match: 0x60005013, mask: 0xfc00707f, format: 'rd,rs1,shamt6', extension: 'Zbb' },
	{ name: 'roriw', match: 0x6000501b, mask: 0xfe00707f, format: 'rd,rs1,shamt5', extension: 'Zbb' },
	{ name: 'orc.b', match: 0x28705013, mask: 0xfff0707f, format: 'rd,rs1', extension: 'Zbb' },
	{ name: 'rev8', match: 0x6b805013, mask: 0xfff0707f, format: 'rd,rs1', extension: 'Zbb' },
	// Zbc: carry-less multiplication.
	{ name: 'clmul', match: 0x0a001033, mask: 0xfe00707f, format: 'rd,rs1,rs2', extension: 'Zbc' },
	{ name: 'clmulr', match: 0x0a002033, mask: 0xfe00707f, format: 'rd,rs1,rs2', extension: 'Zbc' },
	{ name: 'clmulh', match: 0x0a003033, mask: 0xfe00707f, format: 'rd,rs1,rs2', extension: 'Zbc' },
	// Zbs: single-bit instructions.
	{ name: 'bclr', match: 0x48001033, mask: 0xfe00707f, format: 'rd,rs1,rs2', extension: 'Zbs' },
	{ name: 'bclri', match: 0x48001013, mask: 0xfc00707f, format: 'rd,rs1,shamt6', extension: 'Zbs' },
	{ name: 'bext', match: 0x48005033, mask: 0xfe00707f, format: 'rd,rs1,rs2', extension: 'Zbs' },
	{ name: 'bexti', match: 0x48005013, mask: 0xfc00707f, format: 'rd,rs1,shamt6', extension: 'Zbs' },
	{ name: 'binv', match: 0x68001033, mask: 0xfe00707f, format: 'rd,rs1,rs2', extension: 'Zbs' },
	{ name: 'binvi', match: 0x68001013, mask: 0xfc00707f, format: 'rd,rs1,shamt6', extension: 'Zbs' },
	{ name: 'bset', match: 0x28001033, mask: 0xfe00707f, format: 'rd,rs1,rs2', extension: 'Zbs' },
	{ name: 'bseti', match: 0x28001013, mask: 0xfc00707f, format: 'rd,rs1,shamt6', extension: 'Zbs' },
] as const;
