/**
 * Runs batches on both machines and compares; finds the instruction that a difference is due to.
 */

import type { Batch, Difference } from './batch.ts';
import { RAM, TestBoard } from './board.ts';
import { qemuVersion, runInQemu } from './qemu.ts';
import { casesStarted } from './runtime.ts';

/** Instructions after which a batch is taken to hang. */
const MOST_INSTRUCTIONS = 400_000_000;

/** What the differential tests did in this process. */
export const totals = { batches: 0, cases: 0, instructions: 0 };

/** Runs a RAM image on the engine, and returns what it left. */
export function runOnEngine(image: Uint8Array): { outcome: string; ram: Uint8Array; instructions: number } {
	const board = new TestBoard();
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

/** Runs a batch on both; undefined if they agree. */
export async function runBatch(batch: Batch): Promise<Difference | undefined> {
	const image = batch.finish();
	const judging = runInQemu(image, 120_000);
	const mine = runOnEngine(image);
	const theirs = await judging;
	totals.batches++;
	totals.cases += batch.cases.length;
	totals.instructions += mine.instructions;
	const difference = batch.compare(mine.ram, theirs.ram);
	if (difference) return difference;
	if (mine.outcome === 'finished' && theirs.outcome === 'finished') return undefined;
	const index = Math.min(casesStarted(mine.ram), casesStarted(theirs.ram)) - 1;
	const text = `engine: ${mine.outcome} in case ${casesStarted(mine.ram) - 1}; QEMU: ${theirs.outcome} in case ${casesStarted(theirs.ram) - 1}
${theirs.messages}`;
	return { index, text: `${text}\n${index >= 0 ? batch.explain(index, mine.ram, theirs.ram) : ''}` };
}

/** Whether there is a judge. */
export const canJudge: boolean = qemuVersion !== undefined;
