/**
 * The C extension for RV64 with D, as a table of rows that expand to 32-bit instructions. Zcb and the other
 * Zc extensions are not in.
 *
 * Source: The RISC-V Instruction Set Manual, Volume I (20240411), "C" Extension for Compressed Instructions.
 */

import { immediateKind, insertImmediate } from './immediates.ts';
import { findInstruction, type Mnemonic, type Row } from './instructions.ts';

/**
 * Operands of a compressed instruction in GNU assembly syntax; `'` marks a 3-bit field, which names x8 to x15
 * (or f8 to f15).
 *
 * - `rd`, `rs1`: bits 11:7; `rds`: the same, both source and destination; `rs2`: bits 6:2.
 * - `rs1'`: bits 9:7; `rds'`: the same, both source and destination; `rd'`, `rs2'`: bits 4:2.
 * - `fd`, `fs2`: the same for floating-point registers; `sp`: x2, which is in no field.
 * - `imm`: the immediate; `upper`: that of `c.lui`; `shamt`: a shift amount; `jump`, `branch`: a target.
 */
export type CompressedFormat =
	| ''
	| "fd',imm(rs1')"
	| 'fd,imm(sp)'
	| "fs2',imm(rs1')"
	| 'fs2,imm(sp)'
	| 'imm'
	| 'jump'
	| "rd',imm(rs1')"
	| "rd',sp,imm"
	| 'rd,imm'
	| 'rd,imm(sp)'
	| 'rd,rs2'
	| 'rd,upper'
	| "rds',imm"
	| "rds',rs2'"
	| "rds',shamt"
	| 'rds,imm'
	| 'rds,rs2'
	| 'rds,shamt'
	| 'rs1'
	| "rs1',branch"
	| "rs2',imm(rs1')"
	| 'rs2,imm(sp)'
	| 'sp,imm';

/** One row of {@link compressedInstructions}. */
export interface CompressedRow {
	/** GNU mnemonic. Two rows may share one. */
	readonly name: string;
	/** Value of the fixed bits. */
	readonly match: number;
	/** The fixed bits: a halfword belongs to the first row with `(half & mask) === match`. */
	readonly mask: number;
	/** Operands. */
	readonly format: CompressedFormat;
	/** The instruction that it expands to. */
	readonly base: Mnemonic;
	/** Which bit of the immediate each of the bits 12 to 2 holds, as a base-36 digit; `-` for none. */
	readonly layout?: string;
	/** The immediate is sign-extended. */
	readonly signed?: boolean;
	/** What must not be zero: the encoding is reserved if it is. */
	readonly nonzero?: 'rd' | 'rs1' | 'imm';
	/** The expansion's rd, where it is neither an operand nor x0. */
	readonly rd?: number;
}

// Layouts that several rows share, drawn as in the manual: bits 12 down to 2.
const IMM6 = '5-----43210';
const OFFSET_W = '543---26---';
const OFFSET_D = '543---76---';
const BRANCH = '843---76215';

/**
 * Every row of the C extension for RV64 with D. Rows that fix more bits stand before rows that fix fewer.
 * HINTs are legal: they expand to an instruction that writes nothing that matters.
 */
export const compressedInstructions: readonly CompressedRow[] = [
	// Quadrant 0.
	{
		name: 'c.addi4spn',
		match: 0x0000,
		mask: 0xe003,
		format: "rd',sp,imm",
		base: 'addi',
		layout: '54987623---',
		nonzero: 'imm',
	},
	{ name: 'c.fld', match: 0x2000, mask: 0xe003, format: "fd',imm(rs1')", base: 'fld', layout: OFFSET_D },
	{ name: 'c.lw', match: 0x4000, mask: 0xe003, format: "rd',imm(rs1')", base: 'lw', layout: OFFSET_W },
	{ name: 'c.ld', match: 0x6000, mask: 0xe003, format: "rd',imm(rs1')", base: 'ld', layout: OFFSET_D },
	{ name: 'c.fsd', match: 0xa000, mask: 0xe003, format: "fs2',imm(rs1')", base: 'fsd', layout: OFFSET_D },
	{ name: 'c.sw', match: 0xc000, mask: 0xe003, format: "rs2',imm(rs1')", base: 'sw', layout: OFFSET_W },
	{ name: 'c.sd', match: 0xe000, mask: 0xe003, format: "rs2',imm(rs1')", base: 'sd', layout: OFFSET_D },
	// Quadrant 1.
	{ name: 'c.nop', match: 0x0001, mask: 0xffff, format: '', base: 'addi' },
	{ name: 'c.nop', match: 0x0001, mask: 0xef83, format: 'imm', base: 'addi', layout: IMM6, signed: true },
	{ name: 'c.addi', match: 0x0001, mask: 0xe003, format: 'rds,imm', base: 'addi', layout: IMM6, signed: true },
	{
		name: 'c.addiw',
		match: 0x2001,
		mask: 0xe003,
		format: 'rds,imm',
		base: 'addiw',
		layout: IMM6,
		signed: true,
		nonzero: 'rd',
	},
	{ name: 'c.li', match: 0x4001, mask: 0xe003, format: 'rd,imm', base: 'addi', layout: IMM6, signed: true },
	{
		name: 'c.addi16sp',
		match: 0x6101,
		mask: 0xef83,
		format: 'sp,imm',
		base: 'addi',
		layout: '9-----46875',
		signed: true,
		nonzero: 'imm',
	},
	{
		name: 'c.lui',
		match: 0x6001,
		mask: 0xe003,
		format: 'rd,upper',
		base: 'lui',
		layout: 'h-----gfedc',
		signed: true,
		nonzero: 'imm',
	},
	{ name: 'c.srli', match: 0x8001, mask: 0xec03, format: "rds',shamt", base: 'srli', layout: IMM6 },
	{ name: 'c.srai', match: 0x8401, mask: 0xec03, format: "rds',shamt", base: 'srai', layout: IMM6 },
	{ name: 'c.andi', match: 0x8801, mask: 0xec03, format: "rds',imm", base: 'andi', layout: IMM6, signed: true },
	{ name: 'c.sub', match: 0x8c01, mask: 0xfc63, format: "rds',rs2'", base: 'sub' },
	{ name: 'c.xor', match: 0x8c21, mask: 0xfc63, format: "rds',rs2'", base: 'xor' },
	{ name: 'c.or', match: 0x8c41, mask: 0xfc63, format: "rds',rs2'", base: 'or' },
	{ name: 'c.and', match: 0x8c61, mask: 0xfc63, format: "rds',rs2'", base: 'and' },
	{ name: 'c.subw', match: 0x9c01, mask: 0xfc63, format: "rds',rs2'", base: 'subw' },
	{ name: 'c.addw', match: 0x9c21, mask: 0xfc63, format: "rds',rs2'", base: 'addw' },
	{ name: 'c.j', match: 0xa001, mask: 0xe003, format: 'jump', base: 'jal', layout: 'b498a673215', signed: true },
	{ name: 'c.beqz', match: 0xc001, mask: 0xe003, format: "rs1',branch", base: 'beq', layout: BRANCH, signed: true },
	{ name: 'c.bnez', match: 0xe001, mask: 0xe003, format: "rs1',branch", base: 'bne', layout: BRANCH, signed: true },
	// Quadrant 2.
	{ name: 'c.slli', match: 0x0002, mask: 0xe003, format: 'rds,shamt', base: 'slli', layout: IMM6 },
	{ name: 'c.fldsp', match: 0x2002, mask: 0xe003, format: 'fd,imm(sp)', base: 'fld', layout: '5-----43876' },
	{
		name: 'c.lwsp',
		match: 0x4002,
		mask: 0xe003,
		format: 'rd,imm(sp)',
		base: 'lw',
		layout: '5-----43276',
		nonzero: 'rd',
	},
	{
		name: 'c.ldsp',
		match: 0x6002,
		mask: 0xe003,
		format: 'rd,imm(sp)',
		base: 'ld',
		layout: '5-----43876',
		nonzero: 'rd',
	},
	{ name: 'c.jr', match: 0x8002, mask: 0xf07f, format: 'rs1', base: 'jalr', nonzero: 'rs1' },
	{ name: 'c.mv', match: 0x8002, mask: 0xf003, format: 'rd,rs2', base: 'add' },
	{ name: 'c.ebreak', match: 0x9002, mask: 0xffff, format: '', base: 'ebreak' },
	{ name: 'c.jalr', match: 0x9002, mask: 0xf07f, format: 'rs1', base: 'jalr', rd: 1 },
	{ name: 'c.add', match: 0x9002, mask: 0xf003, format: 'rds,rs2', base: 'add' },
	{ name: 'c.fsdsp', match: 0xa002, mask: 0xe003, format: 'fs2,imm(sp)', base: 'fsd', layout: '543876-----' },
	{ name: 'c.swsp', match: 0xc002, mask: 0xe003, format: 'rs2,imm(sp)', base: 'sw', layout: '543276-----' },
	{ name: 'c.sdsp', match: 0xe002, mask: 0xe003, format: 'rs2,imm(sp)', base: 'sd', layout: '543876-----' },
];

/** The operand fields of a compressed instruction, as its expansion names them. */
export interface CompressedFields {
	/** Destination, 0 to 31. */
	rd: number;
	/** First source, 0 to 31. */
	rs1: number;
	/** Second source, 0 to 31. */
	rs2: number;
	/** The immediate, in the units of the expansion. */
	imm: number;
}

/**
 * The row of a compressed instruction, also if its operands are reserved.
 *
 * @param half - 16 bits
 * @returns undefined if no row matches
 */
export function findCompressed(half: number): CompressedRow | undefined {
	return compressedInstructions.find((row) => (half & row.mask) === row.match);
}

/** Reads the operands of a halfword that belongs to the given row. */
export function compressedFields(half: number, row: CompressedRow): CompressedFields {
	const fields: CompressedFields = { rd: row.rd ?? 0, rs1: 0, rs2: 0, imm: compressedImmediate(half, row) };
	const wide = (half >>> 7) & 31;
	const high = 8 + ((half >>> 7) & 7);
	const low = 8 + ((half >>> 2) & 7);
	for (const operand of row.format.split(/[,()]/)) {
		switch (operand) {
			case 'rd':
			case 'fd':
				fields.rd = wide;
				break;
			case 'rds':
				fields.rd = fields.rs1 = wide;
				break;
			case 'rs1':
				fields.rs1 = wide;
				break;
			case 'rs2':
			case 'fs2':
				fields.rs2 = (half >>> 2) & 31;
				break;
			case "rd'":
			case "fd'":
				fields.rd = low;
				break;
			case "rds'":
				fields.rd = fields.rs1 = high;
				break;
			case "rs1'":
				fields.rs1 = high;
				break;
			case "rs2'":
			case "fs2'":
				fields.rs2 = low;
				break;
			case 'sp':
				fields.rs1 = 2;
				if (row.format === 'sp,imm') fields.rd = 2;
				break;
		}
	}
	return fields;
}

function compressedImmediate(half: number, row: CompressedRow): number {
	const layout = row.layout ?? '';
	let value = 0;
	let highest = 0;
	for (let at = 0; at < layout.length; at++) {
		if (layout[at] === '-') continue;
		const bit = Number.parseInt(layout[at]!, 36);
		value |= ((half >>> (12 - at)) & 1) << bit;
		highest = Math.max(highest, bit);
	}
	return row.signed ? (value << (31 - highest)) >> (31 - highest) : value;
}

/**
 * The bits of a halfword that hold an immediate, after the row's layout.
 *
 * @returns undefined if the row cannot hold that value
 */
export function insertCompressedImmediate(value: number, row: CompressedRow): number | undefined {
	const layout = row.layout ?? '';
	let half = 0;
	for (let at = 0; at < layout.length; at++) {
		if (layout[at] === '-') continue;
		half |= ((value >> Number.parseInt(layout[at]!, 36)) & 1) << (12 - at);
	}
	return compressedImmediate(half, row) === value ? half : undefined;
}

/** Whether a legal halfword is a HINT: it has no effect, and its expansion writes nothing. */
export function isHint(half: number): boolean {
	const row = findCompressed(half);
	if (!row) return false;
	const fields = compressedFields(half, row);
	if (row.base === 'addi' && fields.rd === fields.rs1 && fields.imm === 0) return row.format !== '';
	if (row.format.endsWith('shamt') && fields.imm === 0) return true;
	return fields.rd === 0 && /^(rds?,|imm)/.test(row.format);
}

const bases: readonly Row[] = /* @__PURE__ */ compressedInstructions.map((row) => findInstruction(row.base)!);

function expand(half: number): number {
	const index = compressedInstructions.findIndex((row) => (half & row.mask) === row.match);
	if (index < 0) return 0;
	const row = compressedInstructions[index]!;
	const fields = compressedFields(half, row);
	if (row.nonzero && fields[row.nonzero] === 0) return 0;
	const base = bases[index]!;
	if (base.name === 'ebreak') return base.match;
	const kind = immediateKind(base.format);
	// A field that the base's immediate takes is zero here, and the base's rd and rs2 are zero where it has none.
	const word = base.match | (fields.rd << 7) | (fields.rs1 << 15) | (fields.rs2 << 20);
	return (word | insertImmediate(fields.imm, kind)) >>> 0;
}

// Expansions that were asked for: bits of the halfword to the word; 1 (no 32-bit encoding) if not yet known.
const expansions: Uint32Array = /* @__PURE__ */ new Uint32Array(3 << 14).fill(1);

/**
 * The 32-bit instruction that a compressed one stands for.
 *
 * @param half - 16 bits
 * @returns an unsigned 32-bit word, or 0 if the encoding is illegal or reserved, or not compressed
 */
export function expandCompressed(half: number): number {
	// The quadrant moves to the top, so that the three that are compressed are the first 48 Ki entries.
	const slot = ((half & 3) << 14) | ((half >>> 2) & 0x3fff);
	if (slot >= expansions.length) return 0;
	let word = expansions[slot]!;
	if (word === 1) {
		word = expand(half & 0xffff);
		expansions[slot] = word;
	}
	return word;
}
