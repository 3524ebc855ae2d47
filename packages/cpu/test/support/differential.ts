/// <reference types="node" />
/**
 * Runs batches on both machines and compares; finds the instruction that a difference is due to.
 */

import type { EngineKind } from '../../src/index.ts';
import type { Batch, Difference } from './batch.ts';
import { RAM, TestBoard } from './board.ts';
import { qemuVersion, runInQemu } from './qemu.ts';
import { casesStarted } from './runtime.ts';

/** Instructions after which a batch is taken to hang. */
const MOST_INSTRUCTIONS = 40_000_000;

/** What the differential tests did in this process. */
export const totals = { batches: 0, cases: 0, instructions: 0 };

/** Runs a RAM image on the engine, and returns what it left. */
export function runOnEngine(
	image: Uint8Array,
	engine: EngineKind,
): { outcome: string; ram: Uint8Array; instructions: number } {
	const board = new TestBoard({}, engine);
	board.memory.load(RAM, image);
	let outcome: string;
	try {
		outcome = board.run(MOST_INSTRUCTIONS);
	} catch (error) {
		outcome = `threw: ${error instanceof Error ? error.stack : error}`;
	}
	const ram = new Uint8Array(image.length);
	board.memory.read(RAM, ram);
	return { outcome, ram, instructions: board.retired };
}

/** Runs a batch on QEMU and on the tiers given; undefined if they agree. */
export async function runBatch(batch: Batch, engines: readonly EngineKind[]): Promise<Difference | undefined> {
	const image = batch.finish();
	const theirs = await runInQemu(image, 25_000);
	totals.batches++;
	totals.cases += batch.cases.length;
	for (const engine of engines) {
		const mine = runOnEngine(image, engine);
		totals.instructions += mine.instructions;
		const difference = judge(batch, mine, theirs);
		if (difference) return { ...difference, text: `${engine}: ${difference.text}` };
	}
	return undefined;
}

/** Compares what a run left with what QEMU left. */
function judge(
	batch: Batch,
	mine: ReturnType<typeof runOnEngine>,
	theirs: Awaited<ReturnType<typeof runInQemu>>,
): Difference | undefined {
	const difference = batch.compare(mine.ram, theirs.ram);
	const [here, there] = [casesStarted(mine.ram) - 1, casesStarted(theirs.ram) - 1];
	const last = batch.cases.length - 1;
	const complete = mine.outcome === 'finished' && theirs.outcome === 'finished' && here === last && there === last;
	if (complete) {
		const all = Number(process.env.PARTITA_ALL ?? 0);
		if (difference && all > 0) {
			// For a first look at a new generator.
			for (const index of batch.differing(mine.ram, theirs.ram, all))
				console.log(batch.explain(index, mine.ram, theirs.ram));
		}
		return difference;
	}
	// A difference may be what made one of them go astray.
	const index = difference && difference.index < Math.min(here, there) ? difference.index : Math.min(here, there);
	const ends = `engine: ${mine.outcome} in case ${here}; QEMU: ${theirs.outcome} in case ${there}\n${theirs.messages}`;
	return { index, text: `${ends}\n${index >= 0 ? batch.explain(index, mine.ram, theirs.ram) : ''}` };
}

/** Whether there is a judge. */
export const canJudge: boolean = qemuVersion !== undefined;
