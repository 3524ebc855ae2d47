// What reads and writes of the pmpcfg and pmpaddr CSRs do on RV64: WARL fields and locks, as pure functions.
// Not here: which CSR numbers exist and who may use them (odd pmpcfg registers are illegal on RV64: the hart), the
// SFENCE.VMA that software owes after a write, Smepmp's rule locking bypass.
// Privileged ISA 1.13: "Physical Memory Protection CSRs", "Locking and Privilege Mode".

import { PMP_A, PMP_A_TOR, PMP_L, PMP_R, PMP_W, PMP_X, type PmpState } from './pmp.ts';

const ADDR_MASK = (1n << 54n) - 1n;

/**
 * Reads an even pmpcfg register.
 * @param register 0, 2, ..., 14: holds entries `4 * register` and the seven that follow. Those not implemented read as 0.
 */
export function readPmpcfg(state: PmpState, register: number): bigint {
	let value = 0n;
	for (let byte = 0; byte < 8; byte++) {
		value |= BigInt(state.cfg[4 * register + byte] ?? 0) << BigInt(8 * byte);
	}
	return value;
}

/**
 * Writes an even pmpcfg register. Locked entries keep their byte; a lock counts if it was set before the write.
 * Bits 6:5 read as zero. The reserved combination R=0, W=1 is taken as R=0, W=0, with X as written.
 * @param register 0, 2, ..., 14.
 * @param value 64 bits unsigned.
 * @returns the new state; the given one stays as it is.
 */
export function writePmpcfg(state: PmpState, register: number, value: bigint): PmpState {
	const cfg = state.cfg.slice();
	for (let byte = 0; byte < 8; byte++) {
		const entry = 4 * register + byte;
		if (entry >= cfg.length || cfg[entry] & PMP_L) continue;
		cfg[entry] = legalCfg(Number((value >> BigInt(8 * byte)) & 0xffn));
	}
	return { cfg, addr: state.addr };
}

/** The legal pmpXcfg value that a written one becomes. */
function legalCfg(written: number): number {
	const cfg = written & (PMP_L | PMP_A | PMP_X | PMP_W | PMP_R);
	return cfg & PMP_R ? cfg : cfg & ~PMP_W;
}

/** Reads a pmpaddr register: bits 53:0 hold bits 55:2 of an address. Entries not implemented read as 0. */
export function readPmpaddr(state: PmpState, entry: number): bigint {
	return state.addr[entry] ?? 0n;
}

/**
 * Writes a pmpaddr register. Ignored if the entry is locked, or if the next one is locked and its mode is TOR, for which
 * this address is the bottom; bits 63:54 read as zero.
 * @returns the new state; the given one stays as it is.
 */
export function writePmpaddr(state: PmpState, entry: number, value: bigint): PmpState {
	if (!isPmpaddrWritable(state, entry)) return state;
	return { cfg: state.cfg, addr: state.addr.with(entry, value & ADDR_MASK) };
}

function isPmpaddrWritable({ cfg }: PmpState, entry: number): boolean {
	if (entry >= cfg.length || cfg[entry] & PMP_L) return false;
	const next = cfg[entry + 1] ?? 0;
	return (next & (PMP_L | PMP_A)) !== (PMP_L | PMP_A_TOR);
}
