import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createPmp } from './pmp.ts';
import { readPmpaddr, readPmpcfg, writePmpaddr, writePmpcfg } from './pmp-csr.ts';

const ONES = (1n << 64n) - 1n;

describe('"Physical Memory Protection CSRs", RV64', () => {
	test('pmpcfg0 holds entries 0 to 7, pmpcfg2 entries 8 to 15', () => {
		let state = writePmpcfg(createPmp(), 0, 0x0f0b_0908_0700_1f18n);
		state = writePmpcfg(state, 2, 0x1d1c_1b19_1817_1514n);
		expect(state.cfg).toEqual([
			0x18, 0x1f, 0x00, 0x07, 0x08, 0x09, 0x0b, 0x0f, 0x14, 0x15, 0x17, 0x18, 0x19, 0x1b, 0x1c, 0x1d,
		]);
		expect(readPmpcfg(state, 0)).toBe(0x0f0b_0908_0700_1f18n);
		expect(readPmpcfg(state, 2)).toBe(0x1d1c_1b19_1817_1514n);
	});

	test('registers of entries that are not implemented are read-only zero', () => {
		for (const [state, register, entry] of [
			[createPmp(), 4, 16],
			[createPmp(0), 0, 0],
		] as const) {
			expect(readPmpcfg(writePmpcfg(state, register, ONES), register)).toBe(0n);
			expect(readPmpaddr(writePmpaddr(state, entry, ONES), entry)).toBe(0n);
		}
		expect(readPmpaddr(writePmpaddr(createPmp(64), 63, 5n), 63)).toBe(5n);
		expect(readPmpcfg(writePmpcfg(createPmp(64), 14, 0x1fn << 56n), 14)).toBe(0x1fn << 56n);
	});

	test('pmpaddr holds bits 55:2 of an address', () => {
		expect(readPmpaddr(writePmpaddr(createPmp(), 0, ONES), 0)).toBe((1n << 54n) - 1n);
	});

	test.each(Array.from({ length: 256 }, (_, byte) => byte))('a written byte %d becomes legal', (byte) => {
		// "The R, W, and X fields form a collective WARL field for which the combinations with R=0 and W=1 are reserved."
		const state = writePmpcfg(createPmp(), 0, BigInt(byte) << 16n);
		const reserved = (byte & 3) === 2;
		expect(state.cfg[2]).toBe((reserved ? byte - 2 : byte) & 0b1001_1111);
		expect(readPmpcfg(state, 0)).toBe(BigInt(state.cfg[2]) << 16n);
	});

	test('a write leaves the state that it was given', () => {
		const state = createPmp();
		writePmpcfg(state, 0, ONES);
		writePmpaddr(state, 0, ONES);
		expect(state).toEqual(createPmp());
	});
});

describe('"Locking and Privilege Mode"', () => {
	test('a locked entry ignores writes of its byte and its address, even when OFF', () => {
		const locked = writePmpcfg(writePmpaddr(createPmp(), 1, 0x123n), 0, 0x80n << 8n);
		expect(locked.cfg[1]).toBe(0x80);
		const after = writePmpcfg(writePmpaddr(locked, 1, 0x456n), 0, 0x1f1f_1fn);
		expect(after.cfg.slice(0, 3)).toEqual([0x1f, 0x80, 0x1f]);
		expect(after.addr[1]).toBe(0x123n);
	});

	test.each([
		[0x88, false],
		[0x08, true],
		[0x90, true],
		[0x98, true],
		[0x80, true],
	])('pmpaddr below an entry with cfg %d is writable: %s', (cfg, writable) => {
		const state = writePmpcfg(writePmpaddr(createPmp(), 7, 1n), 2, BigInt(cfg));
		expect(readPmpaddr(writePmpaddr(state, 7, 2n), 7)).toBe(writable ? 2n : 1n);
	});

	test('the lock of one byte does not reach its neighbours in the same write', () => {
		const state = writePmpcfg(createPmp(), 0, 0x9f_9f9fn);
		expect(state.cfg.slice(0, 4)).toEqual([0x9f, 0x9f, 0x9f, 0]);
	});

	test('no sequence of writes changes a locked entry or makes an illegal one', () => {
		const write = fc.record({
			entry: fc.nat(15),
			value: fc.bigInt(0n, ONES),
			isAddress: fc.boolean(),
		});
		fc.assert(
			fc.property(fc.array(write, { maxLength: 30 }), (writes) => {
				let state = createPmp();
				for (const { entry, value, isAddress } of writes) {
					const before = state;
					state = isAddress ? writePmpaddr(state, entry, value) : writePmpcfg(state, entry < 8 ? 0 : 2, value);
					for (let index = 0; index < 16; index++) {
						expect(state.cfg[index] & 0x60).toBe(0);
						expect(state.cfg[index] & 3).not.toBe(2);
						if (!(before.cfg[index] & 0x80)) continue;
						expect(state.cfg[index]).toBe(before.cfg[index]);
						expect(state.addr[index]).toBe(before.addr[index]);
						if (index > 0 && (before.cfg[index] & 0x18) === 0x08) {
							expect(state.addr[index - 1]).toBe(before.addr[index - 1]);
						}
					}
				}
			}),
		);
	});
});
