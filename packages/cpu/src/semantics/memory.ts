/**
 * Loads, stores, the A extension, Zicbom and Zicboz.
 * The RISC-V Instruction Set Manual, Volume I (20240411), sections 2.6 and 4.3, chapters 14 and 19.
 */
import { type Expr, type I64, i32, i64, type Operand } from '@partita/wasm-builder';
import { Slot } from '../state.ts';
import { plain, type Semantics, type SizeBits } from './context.ts';

const load = (size: SizeBits, signed: boolean): Semantics => plain((c) => c.setRd(c.load(size, signed)));
const store = (size: SizeBits): Semantics => plain((c) => c.store(size, c.rs2));

const RESERVATION = Slot.reservation * 8;

const loadAt = (size: 2 | 3): typeof i64.load => (size === 2 ? i64.load32S : i64.load);
const storeAt = (size: 2 | 3): typeof i64.store => (size === 2 ? i64.store32 : i64.store);

function amo(size: 2 | 3, op: (old: Expr<I64>, operand: Expr<I64>) => Operand<I64>): Semantics {
	return plain((c) => {
		const at = c.atomic(size, true);
		const old = c.scratch(0);
		const operand = c.scratch(1);
		c.f.set(old, loadAt(size)(at));
		c.f.set(operand, size === 2 ? i64.extend32(c.rs2) : c.rs2);
		storeAt(size)(c.f, at, op(old, operand));
		c.stored(at, size);
		c.setRd(old);
	});
}

type Comparison = (a: Operand<I64>, b: Operand<I64>) => ReturnType<typeof i64.ltS>;
const pick =
	(holds: Comparison) =>
	(old: Expr<I64>, operand: Expr<I64>): Expr<I64> =>
		i64.select(holds(old, operand), old, operand);

/** LR: the reservation is the linear address, which names the frame and byte. */
function loadReserved(size: 2 | 3): Semantics {
	return plain((c) => {
		const at = c.atomic(size, false);
		i64.store(c.f, 0, i64.extendU(at), RESERVATION);
		c.setRd(loadAt(size)(at));
	});
}

/** SC: its address is checked as a store's whether or not it will store; any SC that is executed ends the reservation. */
function storeConditional(size: 2 | 3): Semantics {
	return plain((c) => {
		const at = c.atomic(size, true);
		const failed = c.scratch(0);
		c.f.set(failed, i64.extendU(i64.ne(i64.load(0, RESERVATION), i64.extendU(at))));
		c.f.if(i64.eqz(failed), () => {
			storeAt(size)(c.f, at, c.rs2);
			c.stored(at, size);
		});
		i64.store(c.f, 0, -1, RESERVATION);
		c.setRd(failed);
	});
}

/** Semantics of loads, stores and atomics. */
export const memorySemantics = {
	lb: load(0, true),
	lh: load(1, true),
	lw: load(2, true),
	ld: load(3, true),
	lbu: load(0, false),
	lhu: load(1, false),
	lwu: load(2, false),
	sb: store(0),
	sh: store(1),
	sw: store(2),
	sd: store(3),
	'lr.w': loadReserved(2),
	'lr.d': loadReserved(3),
	'sc.w': storeConditional(2),
	'sc.d': storeConditional(3),
	'amoswap.w': amo(2, (_, b) => b),
	'amoadd.w': amo(2, i64.add),
	'amoxor.w': amo(2, i64.xor),
	'amoand.w': amo(2, i64.and),
	'amoor.w': amo(2, i64.or),
	'amomin.w': amo(2, pick(i64.ltS)),
	'amomax.w': amo(2, pick(i64.gtS)),
	// Sign extension keeps the order of unsigned words.
	'amominu.w': amo(2, pick(i64.ltU)),
	'amomaxu.w': amo(2, pick(i64.gtU)),
	'amoswap.d': amo(3, (_, b) => b),
	'amoadd.d': amo(3, i64.add),
	'amoxor.d': amo(3, i64.xor),
	'amoand.d': amo(3, i64.and),
	'amoor.d': amo(3, i64.or),
	'amomin.d': amo(3, pick(i64.ltS)),
	'amomax.d': amo(3, pick(i64.gtS)),
	'amominu.d': amo(3, pick(i64.ltU)),
	'amomaxu.d': amo(3, pick(i64.gtU)),
	// Whether they are enabled is for TypeScript to say; what they do to memory is done there too.
	'cbo.inval': { kind: 'system' },
	'cbo.clean': { kind: 'system' },
	'cbo.flush': { kind: 'system' },
	'cbo.zero': plain((c) => c.systemUnless(i32.call(c.helpers.zeroBlock, c.rs1))),
} satisfies Record<string, Semantics>;
