/** A hart for tests: plain state, ports that record what they are told, and encoders of the instructions under test. */

import { Slot, STATE_WORDS } from '../../state.ts';
import { type PrivilegedHart, type PrivilegedPorts, resetState } from '../hart.ts';

/** A mode of the hart. */
export type Mode = 'M' | 'HS' | 'U' | 'VS' | 'VU';

/** Every mode. */
export const modes: readonly Mode[] = ['M', 'HS', 'U', 'VS', 'VU'];

/** A hart whose ports append to `calls`, and whose mtime is `now`. */
export interface RecordingHart extends PrivilegedHart {
	readonly calls: string[];
	now: bigint;
}

/** A hart just after reset. */
export function createHart(guestExternalInterrupts = 0): RecordingHart {
	const calls: string[] = [];
	const state = new BigUint64Array(STATE_WORDS);
	resetState(state, 0);
	const ports: PrivilegedPorts = {
		flush: (kind, address, id) =>
			calls.push(`flush ${kind} ${address?.toString(16) ?? '*'} ${id?.toString(16) ?? '*'}`),
		contextChanged: () => calls.push('context'),
		protectionChanged: () => calls.push('protection'),
		floatStateChanged: () => calls.push('float'),
		interruptsChanged: () => calls.push('interrupts'),
		timerChanged: () => calls.push('timer'),
		time: () => hart.now,
	};
	const hart: RecordingHart = { state, ports, guestExternalInterrupts, calls, now: 0n };
	return hart;
}

/** Put a hart into a mode, touching nothing else. */
export function setMode(hart: PrivilegedHart, mode: Mode): void {
	hart.state[Slot.privilege] = mode === 'M' ? 3n : mode === 'HS' || mode === 'VS' ? 1n : 0n;
	hart.state[Slot.virtual] = mode === 'VS' || mode === 'VU' ? 1n : 0n;
}

/** The mode that a hart is in. */
export function modeOf(hart: PrivilegedHart): Mode {
	const privilege = Number(hart.state[Slot.privilege]);
	if (privilege === 3) return 'M';
	if (hart.state[Slot.virtual] !== 0n) return privilege === 1 ? 'VS' : 'VU';
	return privilege === 1 ? 'HS' : 'U';
}

/** funct3 of the CSR instructions. */
export const funct3 = { csrrw: 1, csrrs: 2, csrrc: 3, csrrwi: 5, csrrsi: 6, csrrci: 7 } as const;

/** A CSR instruction's word; `source` is rs1 or the immediate. */
export function csrWord(name: keyof typeof funct3, rd: number, csr: number, source: number): number {
	return ((csr << 20) | (source << 15) | (funct3[name] << 12) | (rd << 7) | 0x73) >>> 0;
}

/** A fence's word. */
export function fenceWord(funct7: number, rs1: number, rs2: number): number {
	return ((funct7 << 25) | (rs2 << 20) | (rs1 << 15) | 0x73) >>> 0;
}

/** A small deterministic generator (xorshift32), for property tests. */
export function createRandom(seed: number): (bound: number) => number {
	let x = seed | 0 || 1;
	return (bound) => {
		x ^= x << 13;
		x ^= x >>> 17;
		x ^= x << 5;
		return (x >>> 0) % bound;
	};
}
