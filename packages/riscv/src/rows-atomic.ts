/**
 * Encodings of the A extension. The RISC-V Instruction Set Manual, Volume I (20240411), "A" Extension for Atomic Instructions.
 *
 * Data only: what the columns mean is said in `instructions.ts`.
 */

/** Rows of the instruction table; see {@link instructions}. */
export const atomicRows = [
	// Zalrsc, then Zaamo; aq and rl are operands, bits 26 and 25.
	{ name: 'lr.w', match: 0x1000202f, mask: 0xf9f0707f, format: 'rd,(rs1)', extension: 'A' },
	{ name: 'sc.w', match: 0x1800202f, mask: 0xf800707f, format: 'rd,rs2,(rs1)', extension: 'A' },
	{ name: 'lr.d', match: 0x1000302f, mask: 0xf9f0707f, format: 'rd,(rs1)', extension: 'A' },
	{ name: 'sc.d', match: 0x1800302f, mask: 0xf800707f, format: 'rd,rs2,(rs1)', extension: 'A' },
	{ name: 'amoswap.w', match: 0x0800202f, mask: 0xf800707f, format: 'rd,rs2,(rs1)', extension: 'A' },
	{ name: 'amoadd.w', match: 0x0000202f, mask: 0xf800707f, format: 'rd,rs2,(rs1)', extension: 'A' },
	{ name: 'amoxor.w', match: 0x2000202f, mask: 0xf800707f, format: 'rd,rs2,(rs1)', extension: 'A' },
	{ name: 'amoand.w', match: 0x6000202f, mask: 0xf800707f, format: 'rd,rs2,(rs1)', extension: 'A' },
	{ name: 'amoor.w', match: 0x4000202f, mask: 0xf800707f, format: 'rd,rs2,(rs1)', extension: 'A' },
	{ name: 'amomin.w', match: 0x8000202f, mask: 0xf800707f, format: 'rd,rs2,(rs1)', extension: 'A' },
	{ name: 'amomax.w', match: 0xa000202f, mask: 0xf800707f, format: 'rd,rs2,(rs1)', extension: 'A' },
	{ name: 'amominu.w', match: 0xc000202f, mask: 0xf800707f, format: 'rd,rs2,(rs1)', extension: 'A' },
	{ name: 'amomaxu.w', match: 0xe000202f, mask: 0xf800707f, format: 'rd,rs2,(rs1)', extension: 'A' },
	{ name: 'amoswap.d', match: 0x0800302f, mask: 0xf800707f, format: 'rd,rs2,(rs1)', extension: 'A' },
	{ name: 'amoadd.d', match: 0x0000302f, mask: 0xf800707f, format: 'rd,rs2,(rs1)', extension: 'A' },
	{ name: 'amoxor.d', match: 0x2000302f, mask: 0xf800707f, format: 'rd,rs2,(rs1)', extension: 'A' },
	{ name: 'amoand.d', match: 0x6000302f, mask: 0xf800707f, format: 'rd,rs2,(rs1)', extension: 'A' },
	{ name: 'amoor.d', match: 0x4000302f, mask: 0xf800707f, format: 'rd,rs2,(rs1)', extension: 'A' },
	{ name: 'amomin.d', match: 0x8000302f, mask: 0xf800707f, format: 'rd,rs2,(rs1)', extension: 'A' },
	{ name: 'amomax.d', match: 0xa000302f, mask: 0xf800707f, format: 'rd,rs2,(rs1)', extension: 'A' },
	{ name: 'amominu.d', match: 0xc000302f, mask: 0xf800707f, format: 'rd,rs2,(rs1)', extension: 'A' },
	{ name: 'amomaxu.d', match: 0xe000302f, mask: 0xf800707f, format: 'rd,rs2,(rs1)', extension: 'A' },
] as const;
