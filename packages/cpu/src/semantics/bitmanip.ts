/**
 * Zba, Zbb, Zbc and Zbs: bit manipulation.
 * The RISC-V Instruction Set Manual, Volume I (20240411), chapter 28.
 */
import { type Expr, type I32, type I64, i32, i64, type Operand } from '@partita/wasm-builder';
import { plain, type Semantics } from './context.ts';

type Unary = (a: Expr<I64>) => Expr<I64>;
type Binary = (a: Expr<I64>, b: Expr<I64>) => Expr<I64>;

const register = (op: Binary): Semantics => plain((c) => c.setRd(op(c.rs1, c.rs2)));
const immediate = (op: Binary): Semantics => plain((c) => c.setRd(op(c.rs1, c.imm)));
const unary = (op: Unary): Semantics => plain((c) => c.setRd(op(c.rs1)));

const low: Unary = (a) => i64.extendU(i32.wrap(a));
const not: Unary = (a) => i64.xor(a, -1);
const bit: Unary = (position) => i64.shl(1, position);
const extract: Binary = (a, position) => i64.and(i64.shrU(a, position), 1);

const shiftAdd = (shift: number, of: Unary = (a) => a): Semantics =>
	register((a, b) => i64.add(i64.shl(of(a), shift), b));
const rotateWord =
	(op: (a: Operand<I32>, b: Operand<I32>) => Expr<I32>): Binary =>
	(a, b) =>
		i64.extendS(op(i32.wrap(a), i32.wrap(b)));
const choose = (holds: (a: Operand<I64>, b: Operand<I64>) => Expr<I32>): Semantics =>
	register((a, b) => i64.select(holds(a, b), a, b));

/** One step of a byte swap: exchanges neighbouring groups of `bits` bits that `mask` selects. */
function exchange(value: Expr<I64>, again: Expr<I64>, bits: number, mask: bigint): Expr<I64> {
	return i64.or(i64.and(i64.shrU(value, bits), mask), i64.shl(i64.and(again, mask), bits));
}

/** Semantics of Zba, Zbb, Zbc and Zbs. */
export const bitmanipSemantics = {
	'add.uw': register((a, b) => i64.add(low(a), b)),
	sh1add: shiftAdd(1),
	sh2add: shiftAdd(2),
	sh3add: shiftAdd(3),
	'sh1add.uw': shiftAdd(1, low),
	'sh2add.uw': shiftAdd(2, low),
	'sh3add.uw': shiftAdd(3, low),
	'slli.uw': immediate((a, b) => i64.shl(low(a), b)),
	andn: register((a, b) => i64.and(a, not(b))),
	orn: register((a, b) => i64.or(a, not(b))),
	xnor: register((a, b) => not(i64.xor(a, b))),
	clz: unary(i64.clz),
	clzw: unary((a) => i64.extendU(i32.clz(i32.wrap(a)))),
	ctz: unary(i64.ctz),
	ctzw: unary((a) => i64.extendU(i32.ctz(i32.wrap(a)))),
	cpop: unary(i64.popcnt),
	cpopw: unary((a) => i64.extendU(i32.popcnt(i32.wrap(a)))),
	min: choose(i64.ltS),
	minu: choose(i64.ltU),
	max: choose(i64.gtS),
	maxu: choose(i64.gtU),
	'sext.b': unary(i64.extend8),
	'sext.h': unary(i64.extend16),
	'zext.h': unary((a) => i64.and(a, 0xffff)),
	rol: register(i64.rotl),
	rolw: register(rotateWord(i32.rotl)),
	ror: register(i64.rotr),
	rorw: register(rotateWord(i32.rotr)),
	rori: immediate(i64.rotr),
	roriw: immediate(rotateWord(i32.rotr)),
	'orc.b': plain((c) => {
		// Smear each byte's bits into its lowest bit, keep that bit, and spread it over the byte.
		const a = c.scratch(0);
		c.f.set(a, c.rs1);
		for (const bits of [4, 2, 1]) c.f.set(a, i64.or(a, i64.shrU(i64.and(a, smearable(bits)), bits)));
		c.setRd(i64.mul(i64.and(a, 0x0101_0101_0101_0101n), 255));
	}),
	rev8: plain((c) => {
		const a = c.scratch(0);
		c.f.set(a, exchange(c.rs1, c.rs1, 8, 0x00ff_00ff_00ff_00ffn));
		c.f.set(a, exchange(a, a, 16, 0x0000_ffff_0000_ffffn));
		c.setRd(i64.rotl(a, 32));
	}),
	clmul: plain((c) => c.setRd(i64.call(c.helpers.clmul, c.rs1, c.rs2))),
	clmulh: plain((c) => c.setRd(i64.call(c.helpers.clmulh, c.rs1, c.rs2))),
	// Bits 126:63 of the product: the high half shifted up by one, and the low half's top bit.
	clmulr: plain((c) =>
		c.setRd(
			i64.or(
				i64.shl(i64.call(c.helpers.clmulh, c.rs1, c.rs2), 1),
				i64.shrU(i64.call(c.helpers.clmul, c.rs1, c.rs2), 63),
			),
		),
	),
	bclr: register((a, b) => i64.and(a, not(bit(b)))),
	bclri: immediate((a, b) => i64.and(a, not(bit(b)))),
	bext: register(extract),
	bexti: immediate(extract),
	binv: register((a, b) => i64.xor(a, bit(b))),
	binvi: immediate((a, b) => i64.xor(a, bit(b))),
	bset: register((a, b) => i64.or(a, bit(b))),
	bseti: immediate((a, b) => i64.or(a, bit(b))),
} satisfies Record<string, Semantics>;

/** Bits of each byte that stay in it when shifted right by `bits`. */
function smearable(bits: number): bigint {
	return BigInt((0xff << bits) & 0xff) * 0x0101_0101_0101_0101n;
}
