/// <reference types="node" />
/**
 * How long and from which seeds a generator runs.
 *
 * - By default: its fixed seeds, then one fresh seed, which is printed.
 * - `PARTITA_SEED=n`: that seed only, to repeat a failure.
 * - `PARTITA_FUZZ=minutes`: fresh seeds until that time is over, for each generator.
 */

import { describe, expect, test } from 'vitest';
import type { EngineKind } from '../../src/index.ts';
import type { Batch } from './batch.ts';
import { canJudge, runBatch, totals } from './differential.ts';
import { Random } from './random.ts';

/** A generator: fills a batch from one seed. `shrink`, where it can, makes smaller cases of one that failed. */
export interface Generator {
	readonly name: string;
	/** One seed is one batch. */
	readonly generate: (random: Random) => Batch;
	/** Cases of increasing length that lead up to the failing case: the first one that differs says where. */
	readonly shrink?: (random: Random, failing: number) => Batch;
	/** Default: 1 and 2. */
	readonly seeds?: readonly number[];
}

/** Every tier. The translator alone takes long over code that runs once. */
const ALL: readonly EngineKind[] = ['interpreter', 'default', 'translator'];
const QUICK: readonly EngineKind[] = ['interpreter', 'default'];

/** Declares the tests of a generator: its first seed on every tier, the others without the translator alone. */
export function campaign(generator: Generator): void {
	const { name } = generator;
	const fixed = process.env.PARTITA_SEED;
	const minutes = Number(process.env.PARTITA_FUZZ ?? 0);
	const fresh = (): number => globalThis.crypto.getRandomValues(new Uint32Array(1))[0]!;
	const run = async (seed: number, engines: readonly EngineKind[] = ALL): Promise<void> => {
		const difference = await runBatch(generator.generate(new Random(seed)), engines);
		if (!difference) return;
		let { text } = difference;
		if (generator.shrink && difference.index >= 0) {
			const smaller = await runBatch(generator.shrink(new Random(seed), difference.index), engines);
			if (smaller) text += `\n--- shrunk ---\n${smaller.text}`;
		}
		expect.fail(`${name} differs from QEMU; repeat it with PARTITA_SEED=${seed}\n${text}`);
	};
	describe.skipIf(!canJudge)(`${name}, as QEMU 7.2`, () => {
		if (fixed !== undefined) {
			test(`seed ${fixed}`, () => run(Number(fixed)), 300_000);
			return;
		}
		(generator.seeds ?? [1, 2]).forEach((seed, i) => {
			test(`seed ${seed}`, () => run(seed, i === 0 ? ALL : QUICK), 300_000);
		});
		const seed = fresh();
		test(`fresh seed ${seed}`, () => run(seed, QUICK), 300_000);
		if (minutes <= 0) return;
		test(
			`fresh seeds for ${minutes} minutes`,
			async () => {
				const end = performance.now() + minutes * 60_000;
				let seeds = 0;
				for (; performance.now() < end; seeds++) await run(fresh());
				console.log(`${name}: ${seeds} fresh seeds; ${JSON.stringify(totals)} in this process`);
			},
			minutes * 60_000 + 300_000,
		);
	});
}
