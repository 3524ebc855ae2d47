/**
 * Generator 6: words that are mostly no instructions: the same ones are legal, and mtval is the same.
 *
 * Not judged: what QEMU 7.2 lacks (Zicond, Zicbom, Zicboz); H and Svinval, whose illegal ones leave an older word in
 * its mtval; faults of AMOs, which it reports as a load's; CTZW (integer.test.ts); misaligned accesses over a PMP boundary, of
 * which it asks for the whole; and what would leave the test: CSR writes, returns from traps, WFI (generators 5 and 7
 * have those), jumps and branches (integer.test.ts), which may meet a compressed one that goes on for ever.
 */

import { createDecoded, decode, type Extension, instructions } from '@partita/riscv';
import { Batch, WITHOUT_ADDRESS } from './support/batch.ts';
import { campaign } from './support/campaign.ts';
import type { Random } from './support/random.ts';
import { randomRegisters } from './support/straight-line.ts';
import { C_EBREAK, halves, placeUnits } from './support/units.ts';

const UNITS = 24;
const CASES = 1200;
/** An address that a case starts with is in the middle: no offset, nor two of them, reaches the end of what may be written. */
const MEMORY = 16384;

const unknown = new Set<Extension>(['Zicond', 'Zicbom', 'Zicboz', 'A', 'H', 'Svinval']);
const excluded = new Set(['mret', 'sret', 'wfi', 'jal', 'ctzw']);
const d = createDecoded();

/** A word, most likely near an instruction: a few bits off, or with fields that are out of range. */
function candidate(random: Random): number {
	if (random.oneIn(4)) return (random.word() | 3) >>> 0;
	const row = random.pick(instructions);
	let word = ((random.word() & ~row.mask) | row.match) >>> 0;
	for (let flips = random.below(3); flips > 0; flips--) word ^= 1 << (2 + random.below(30));
	// The opcode may have become a compressed instruction's.
	return (word | 3) >>> 0;
}

function word(random: Random): number {
	for (;;) {
		const found = candidate(random);
		if (!decode(found, d)) return found;
		const { name, extension, format } = instructions[d.index]!;
		if (extension === 'Zicsr' || unknown.has(extension) || excluded.has(name)) continue;
		if (format.includes('branch')) continue;
		return found;
	}
}

campaign({
	name: 'random words',
	generate: (random) => {
		const batch = new Batch();
		const stride = random.pick([10, 14]);
		const cases = Array.from({ length: CASES }, () =>
			Array.from({ length: UNITS }, () => [...halves(word(random)), C_EBREAK]),
		);
		for (const [number, code] of placeUnits(batch, cases, stride).entries()) {
			const memory = batch.reserve(MEMORY, MEMORY);
			const { x, f } = randomRegisters(random);
			for (let n = 1; n < 32; n++) {
				if (random.oneIn(2)) x[n] = BigInt(memory + MEMORY / 2 + random.below(16) * (random.oneIn(4) ? 1 : 8));
			}
			batch.add({
				...code,
				name: `units ${number}`,
				logLimit: UNITS + 1,
				faultMask: WITHOUT_ADDRESS,
				writable: { at: memory, bytes: MEMORY },
				mstatus: (random.pick([0n, 1n]) << 11n) | (random.oneIn(8) ? 0n : 0x6000n),
				x,
				f,
				memory: [[memory, MEMORY]],
			});
		}
		return batch;
	},
});
