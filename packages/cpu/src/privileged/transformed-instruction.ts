/**
 * Values of mtinst and htinst that describe a trapping memory access.
 * Hypervisor extension, "Transformed Instruction or Pseudoinstruction for mtinst or htinst"; for cache-block
 * instructions, the CMO extensions' "Hypervisor Extension".
 */

/** Pseudoinstruction: the fault arose while reading a VS-stage page-table entry. */
export const VS_STAGE_READ = 0x3000n;
/** Pseudoinstruction: the fault arose while writing A or D bits into a VS-stage page-table entry. */
export const VS_STAGE_WRITE = 0x3020n;

const RS1 = 31 << 15;

/**
 * Transformed form of an instruction that trapped on an explicit memory access.
 * @param word the instruction, expanded to 32 bits if it was compressed
 * @param compressed whether the fetched instruction had 16 bits
 * @param addressOffset faulting virtual address minus the access's virtual address: 0 unless it was misaligned
 * @returns the value for mtinst or htinst; 0 for an instruction that has no transformation
 */
export function transformInstruction(word: number, compressed: boolean, addressOffset: number): bigint {
	let kept: number;
	switch (word & 0x7f) {
		case 0x03: // LOAD
		case 0x07: // LOAD-FP: rd, funct3, opcode
			kept = word & 0x7fff;
			break;
		case 0x23: // STORE
		case 0x27: // STORE-FP: rs2, funct3, opcode
			kept = word & 0x01f0_707f;
			break;
		case 0x0f: // MISC-MEM; only cache-block instructions access memory: operation, funct3, opcode
			return ((word >>> 12) & 7) === 2 ? BigInt((word & 0xfff0_707f) >>> 0) : 0n;
		case 0x2f: // AMO
			kept = word & ~RS1;
			break;
		case 0x73: // SYSTEM; HLV, HLVX and HSV have funct3 4
			if (((word >>> 12) & 7) !== 4) return 0n;
			kept = word & ~RS1;
			break;
		default:
			return 0n;
	}
	const transformed = kept | ((addressOffset & 31) << 15);
	return BigInt((compressed ? transformed & ~2 : transformed) >>> 0);
}
