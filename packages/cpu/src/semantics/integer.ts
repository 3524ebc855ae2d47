/**
 * RV64I, M and Zicond: integer computation and control transfer.
 * The RISC-V Instruction Set Manual, Volume I (20240411), chapters 2, 4, 12 and 13.
 */
import { type Expr, type I64, i32, i64, type Operand } from '@partita/wasm-builder';
import { type Context, plain, type Semantics } from './context.ts';

type Binary = (a: Operand<I64>, b: Operand<I64>) => Expr<I64>;

const register = (op: Binary): Semantics => plain((c) => c.setRd(op(c.rs1, c.rs2)));
const immediate = (op: Binary): Semantics => plain((c) => c.setRd(op(c.rs1, c.imm)));
const branch = (op: (a: Operand<I64>, b: Operand<I64>) => ReturnType<typeof i64.eq>): Semantics => ({
	kind: 'branch',
	condition: (c) => op(c.rs1, c.rs2),
});

/** A 32-bit operation on the low halves, its result sign-extended. */
function word(op: (a: Expr<typeof i32Type>, b: Expr<typeof i32Type>) => Expr<typeof i32Type>): Binary {
	return (a, b) => i64.extendS(op(i32.wrap(a as Expr<I64>), i32.wrap(b as Expr<I64>)));
}
const i32Type = 0x7f as const;

const less: Binary = (a, b) => i64.extendU(i64.ltS(a, b));
const lessUnsigned: Binary = (a, b) => i64.extendU(i64.ltU(a, b));

/** Division: by zero gives `byZero`; the one overflow gives `overflow`. */
function division(
	op: Binary,
	extend: (value: Expr<I64>) => Expr<I64>,
	byZero: (a: Expr<I64>) => Operand<I64>,
	overflow?: (a: Expr<I64>) => Operand<I64>,
): Semantics {
	return plain((c) => {
		const a = c.scratch(0);
		const b = c.scratch(1);
		c.f.set(a, extend(c.rs1));
		c.f.set(b, extend(c.rs2));
		const quotient = overflow ? i64.if(i64.eq(b, -1), overflow(a), op(a, b)) : op(a, b);
		c.setRd(resultOf(extend, i64.if(i64.eqz(b), byZero(a), quotient)));
	});
}

const whole = (value: Expr<I64>): Expr<I64> => value;
const signedWord = (value: Expr<I64>): Expr<I64> => i64.extend32(value);
const unsignedWord = (value: Expr<I64>): Expr<I64> => i64.extendU(i32.wrap(value));

function resultOf(extend: (value: Expr<I64>) => Expr<I64>, value: Expr<I64>): Expr<I64> {
	return extend === whole ? value : i64.extend32(value);
}

const negated = (a: Expr<I64>): Expr<I64> => i64.sub(0, a);
const zero = (): number => 0;
const ones = (): number => -1;

const nothing = plain(() => {});

function conditionalZero(isZero: (value: Expr<I64>) => ReturnType<typeof i64.eqz>): Semantics {
	return plain((c) => c.setRd(i64.select(isZero(c.rs2), 0, c.rs1)));
}

const highProduct = (name: 'mulh' | 'mulhsu' | 'mulhu'): Semantics =>
	plain((c: Context) => c.setRd(c.highProduct(name, c.rs1, c.rs2)));

/** Semantics of RV64I, M and Zicond. */
export const integerSemantics = {
	lui: plain((c) => c.setRd(c.imm)),
	auipc: plain((c) => c.setRd(i64.add(c.pc, c.imm))),
	jal: { kind: 'jump' },
	jalr: { kind: 'jumpRegister' },
	beq: branch(i64.eq),
	bne: branch(i64.ne),
	blt: branch(i64.ltS),
	bge: branch(i64.geS),
	bltu: branch(i64.ltU),
	bgeu: branch(i64.geU),
	addi: immediate(i64.add),
	slti: immediate(less),
	sltiu: immediate(lessUnsigned),
	xori: immediate(i64.xor),
	ori: immediate(i64.or),
	andi: immediate(i64.and),
	slli: immediate(i64.shl),
	srli: immediate(i64.shrU),
	srai: immediate(i64.shrS),
	add: register(i64.add),
	sub: register(i64.sub),
	sll: register(i64.shl),
	slt: register(less),
	sltu: register(lessUnsigned),
	xor: register(i64.xor),
	srl: register(i64.shrU),
	sra: register(i64.shrS),
	or: register(i64.or),
	and: register(i64.and),
	addiw: immediate((a, b) => i64.extend32(i64.add(a, b))),
	slliw: immediate((a, b) => i64.extend32(i64.shl(a, b))),
	srliw: immediate(word(i32.shrU)),
	sraiw: immediate(word(i32.shrS)),
	addw: register((a, b) => i64.extend32(i64.add(a, b))),
	subw: register((a, b) => i64.extend32(i64.sub(a, b))),
	sllw: register(word(i32.shl)),
	srlw: register(word(i32.shrU)),
	sraw: register(word(i32.shrS)),
	// Every access is performed in program order, and fetches see stores at once: fences have nothing to do.
	fence: nothing,
	'fence.i': nothing,
	pause: nothing,
	mul: register(i64.mul),
	mulh: highProduct('mulh'),
	mulhsu: highProduct('mulhsu'),
	mulhu: highProduct('mulhu'),
	div: division(i64.divS, whole, ones, negated),
	divu: division(i64.divU, whole, ones),
	rem: division(i64.remS, whole, (a) => a, zero),
	remu: division(i64.remU, whole, (a) => a),
	mulw: register((a, b) => i64.extend32(i64.mul(a, b))),
	divw: division(i64.divS, signedWord, ones, negated),
	divuw: division(i64.divU, unsignedWord, ones),
	remw: division(i64.remS, signedWord, (a) => a, zero),
	remuw: division(i64.remU, unsignedWord, (a) => a),
	'czero.eqz': conditionalZero(i64.eqz),
	'czero.nez': conditionalZero((value) => i64.ne(value, 0)),
} satisfies Record<string, Semantics>;
