/**
 * Generator 3: compressed code, all 49152 encodings, legal, reserved and HINTs, each as a unit of its own.
 */

import { createDecoded, decode } from '@partita/riscv';
import { Batch, WITHOUT_ADDRESS } from './support/batch.ts';
import { campaign } from './support/campaign.ts';
import type { Random } from './support/random.ts';
import { randomRegisters } from './support/straight-line.ts';
import { placeUnits } from './support/units.ts';

const UNITS = 24;
const MEMORY = 4096;
/** MPP of the cases. */
const MODES = [0n, 1n];

/** Every 16-bit encoding, in random order. */
function encodings(random: Random): number[] {
	const all: number[] = [];
	for (let half = 0; half < 0x1_0000; half++) if ((half & 3) !== 3) all.push(half);
	return random.shuffled(all);
}

/** How far C.J, C.BEQZ and C.BNEZ go; undefined for others. */
function jumpOffset(half: number): number | undefined {
	if ((half & 3) !== 1 || half < 0xa000) return undefined;
	const d = createDecoded();
	decode(half, d);
	return d.imm;
}

/** All encodings as units, without loops: a jump may not go where another one is. */
function unitsOf(random: Random, stride: number): number[] {
	const all = encodings(random);
	return all.map((half, i) => {
		const offset = jumpOffset(half);
		if (offset === undefined) return half;
		const target = i * stride + offset;
		const into = target % stride === 0 ? all[target / stride] : undefined;
		return offset === 0 || (into !== undefined && jumpOffset(into) !== undefined) ? 1 : half;
	});
}

campaign({
	name: 'compressed encodings',
	seeds: [1],
	generate: (random) => {
		const batch = new Batch();
		// 6 and 10 bytes let units begin at every even offset in a page.
		const stride = random.pick([6, 10]);
		const all = unitsOf(random, stride);
		const cases: number[][][] = [];
		for (let i = 0; i < all.length; i += UNITS) cases.push(all.slice(i, i + UNITS).map((half) => [half]));
		for (const [number, code] of placeUnits(batch, cases, stride).entries()) {
			const memory = batch.reserve(MEMORY, MEMORY);
			for (let i = 0; i < MEMORY; i += 64) batch.poke(memory + i, random.float());
			const { x, f } = randomRegisters(random);
			const pointer = (): bigint => BigInt(memory + 1024 + random.below(8) * (random.oneIn(4) ? 1 : 8));
			x[2] = pointer();
			for (let n = 8; n < 16; n++) if (!random.oneIn(3)) x[n] = pointer();
			// Somewhere to jump to.
			for (const n of [1, 5, 17, 20])
				x[n] = BigInt(code.codeStart + random.below(UNITS) * stride + 2 + random.below(stride - 2));
			batch.add({
				...code,
				name: `units ${number}`,
				logLimit: UNITS + 1,
				faultMask: WITHOUT_ADDRESS,
				writable: { at: memory, bytes: MEMORY },
				mstatus: (random.pick(MODES) << 11n) | (random.oneIn(8) ? 0n : 0x6000n),
				x,
				f,
				memory: [[memory, MEMORY]],
			});
		}
		return batch;
	},
});
