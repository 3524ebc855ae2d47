/** How `li` builds a constant: `lui` and `addiw` for 32 bits, and shifted additions for more, as GNU as does. */

/**
 * The instructions that set a register to a value.
 *
 * @param rd - the register, 0 to 31
 * @param value - taken modulo 2^64
 * @returns one to eight words
 */
export function loadConstant(rd: number, value: bigint): number[] {
	const signed = BigInt.asIntN(64, value);
	return BigInt.asIntN(12, signed) === signed ? [addi(rd, 0, signed)] : build(rd, signed);
}

function build(rd: number, value: bigint): number[] {
	const low = BigInt.asIntN(12, value);
	const rest = BigInt.asIntN(64, value - low);
	if (BigInt.asIntN(32, value) === value) {
		if (rest === 0n) return [addi(rd, 0, low) | ADDIW];
		const lui = Number(BigInt.asIntN(32, rest)) | (rd << 7) | 0x37;
		// addiw, since lui and a negative low part may have overflowed 32 bits.
		return low === 0n ? [lui] : [lui, addi(rd, rd, low) | ADDIW];
	}
	let shift = 12;
	while (((rest >> BigInt(shift)) & 1n) === 0n) shift++;
	const words = build(rd, rest >> BigInt(shift));
	words.push((shift << 20) | (rd << 15) | (1 << 12) | (rd << 7) | 0x13);
	if (low !== 0n) words.push(addi(rd, rd, low));
	return words;
}

/** What makes addi an addiw. */
const ADDIW = 0x08;

function addi(rd: number, rs1: number, immediate: bigint): number {
	return (Number(immediate) << 20) | (rs1 << 15) | (rd << 7) | 0x13;
}
