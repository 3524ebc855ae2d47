import {
	type Access,
	PMP_A_NA4,
	PMP_A_NAPOT,
	PMP_A_TOR,
	PMP_L,
	type PmpState,
	pmpCheck,
	pmpPageRights,
} from '@partita/mmu';
import { describe, expect, test } from 'vitest';
import { DIVIDED, EVERYTHING, Protection } from './protection.ts';

/** Deterministic random numbers below `limit`. */
function generator(seed: number): (limit: number) => number {
	let state = seed;
	return (limit) => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		return Math.floor((state / 2 ** 32) * limit);
	};
}

const length = (first: number, end: number): number => end - first;
const privileges = [0, 1, 3] as const;
const accesses: readonly Access[] = ['fetch', 'load', 'store'];

/** Random PMP registers whose bounds lie within a few pages of each other, some far beyond. */
function randomPmp(random: (limit: number) => number): PmpState {
	const cfg: number[] = [];
	const addr: bigint[] = [];
	for (let entry = 0; entry < 16; entry++) {
		const mode = [0, PMP_A_TOR, PMP_A_NA4, PMP_A_NAPOT][random(random(3) + 2)]!;
		cfg.push(mode | random(8) | (random(4) === 0 ? PMP_L : 0));
		const near = BigInt(0x8000_0000 / 4 + random(16) * 1024 + (random(3) === 0 ? random(1024) : 0));
		const napot = (1n << BigInt(random(14))) - 1n;
		const far = random(12) === 0 ? (1n << 54n) - 1n - BigInt(random(4)) : near;
		addr.push(mode === PMP_A_NAPOT ? (near & ~napot) | (napot >> 1n) : far);
	}
	return { cfg, addr };
}

describe('rights by page are those of the PMP rules', () => {
	const random = generator(7);
	test('over random registers, pages and accesses', () => {
		let divided = 0;
		for (let round = 0; round < 400; round++) {
			const pmp = randomPmp(random);
			const protection = new Protection(pmp);
			for (let probe = 0; probe < 60; probe++) {
				const page = probe === 0 ? 0 : probe === 1 ? 2 ** 40 - 1 : 0x8_0000 - 2 + random(22);
				const offset = random(512) * 8;
				const bytes = Math.min(1 << random(4), 4096 - offset);
				const privilege = privileges[random(3)]!;
				const whole = pmpPageRights(pmp, BigInt(page) * 4096n, privilege);
				const rights = protection.pageRights(page, privilege);
				if (whole === 'mixed') divided++;
				expect(rights).toBe(
					whole === 'mixed'
						? DIVIDED
						: (whole.readable ? 1 : 0) | (whole.writable ? 2 : 0) | (whole.executable ? 4 : 0),
				);
				for (const access of accesses) {
					const physical = page * 4096 + offset;
					expect(protection.allows(physical, bytes, access, privilege)).toBe(
						pmpCheck(pmp, BigInt(physical), bytes, access, privilege),
					);
				}
			}
			for (const privilege of privileges) {
				const { first, end } = protection.openRun(privilege, length);
				for (let page = Math.max(first, 0x8_0000 - 2); page < Math.min(end, 0x8_0020); page++) {
					expect(protection.pageRights(page, privilege)).toBe(EVERYTHING);
				}
			}
		}
		expect(divided).toBeGreaterThan(1000);
	});

	test('without entries everything is allowed, with all off M alone may do anything', () => {
		expect(new Protection({ cfg: [], addr: [] }).openRun(0, length)).toEqual({
			first: 0,
			end: 2 ** 40,
			rights: EVERYTHING,
		});
		const off = new Protection({ cfg: new Array(16).fill(0), addr: new Array(16).fill(0n) });
		expect(off.openRun(1, length).end).toBe(0);
		expect(off.openRun(3, length)).toEqual({ first: 0, end: 2 ** 40, rights: EVERYTHING });
	});
});
