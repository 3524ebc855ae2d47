import { describe, expect, test } from 'vitest';
import { transformInstruction } from './transformed-instruction.ts';

describe('transformInstruction', () => {
	// Encodings by GNU as; the expected fields are those of the figures in "Transformed Instruction".
	test.each<[string, number, bigint]>([
		['lw a0, 12(a1)', 0x00c5_a503, 0x2503n],
		['ld s3, -8(sp)', 0xff81_3983, 0x3983n],
		['lbu t0, 2047(gp)', 0x7ff1_c283, 0x4283n],
		['flw fa0, 4(a1)', 0x0045_a507, 0x2507n],
		['fld fs1, -16(s0)', 0xff04_3487, 0x3487n],
		['sb a0, -1(a1)', 0xfea5_8fa3, 0x00a0_0023n],
		['sd s2, 8(sp)', 0x0121_3423, 0x0120_3023n],
		['fsd fa0, 8(sp)', 0x00a1_3427, 0x00a0_3027n],
		['amoadd.w.aqrl a0, a1, (a2)', 0x06b6_252f, 0x06b0_252fn],
		['lr.d a0, (a1)', 0x1005_b52f, 0x1000_352fn],
		['sc.w a0, a2, (a1)', 0x18c5_a52f, 0x18c0_252fn],
		['hlv.w a0, (a1)', 0x6805_c573, 0x6800_4573n],
		['hlvx.hu a0, (a1)', 0x6435_c573, 0x6430_4573n],
		['hsv.d a2, (a1)', 0x6ec5_c073, 0x6ec0_4073n],
		['cbo.zero (a0)', 0x0045_200f, 0x0040_200fn],
	])('%s', (_, word, expected) => {
		expect(transformInstruction(word, false, 0)).toBe(expected);
		expect(transformInstruction(word | 0, false, 0)).toBe(expected);
	});

	test('the offset of a misaligned access takes the place of rs1', () => {
		expect(transformInstruction(0x00c5_a503, false, 3)).toBe(0x1_a503n);
		expect(transformInstruction(0x0121_3423, false, 7)).toBe(0x0123_b023n);
	});

	test('a compressed instruction is its expansion with bit 1 clear', () => {
		expect(transformInstruction(0x00c5_a503, true, 0)).toBe(0x2501n);
		expect(transformInstruction(0x0121_3423, true, 0)).toBe(0x0120_3021n);
	});

	test('what has no transformation is 0', () => {
		// addi, jal, csrrw, fence.i, ecall
		for (const word of [0x0010_0093, 0x0000_006f, 0x3000_9073, 0x0000_100f, 0x73]) {
			expect(transformInstruction(word, false, 0)).toBe(0n);
		}
	});
});
