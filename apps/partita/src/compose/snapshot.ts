// Snapshots of whole systems in files: the machine's state, and which system it is of.
import { decodeSnapshot, encodeSnapshot, MachineError } from '@partita/machine';
import type { RunningSystem } from '@partita/system';
import { CommandError } from '../errors.ts';
import { readWholeFile, writeAtomically } from '../host/files.ts';

/** What a snapshot must be of: two systems with the same text are the same. */
function identity({ plan: { composition, system } }: RunningSystem): string {
	return JSON.stringify({ composition, system });
}

/** Saves a system. @throws CommandError where the file cannot be written */
export function saveSystem(running: RunningSystem, file: string): void {
	const snapshot = { machine: running.machine.description, state: running.save(), application: identity(running) };
	writeAtomically('--snapshot-save', file, encodeSnapshot(snapshot));
}

/** Goes on from a saved system. @throws CommandError where it is damaged, or another's */
export function loadSystem(running: RunningSystem, file: string): void {
	const bytes = readWholeFile('--snapshot-load', file);
	try {
		const { state, application } = decodeSnapshot(bytes);
		if (application !== identity(running))
			throw new MachineError('snapshot: it is of another system or composition', 'describe the system as it was');
		running.restore(state);
	} catch (error) {
		if (!(error instanceof MachineError || error instanceof RangeError)) throw error;
		const { message: why } = error;
		const advice = error instanceof MachineError ? (error.advice ?? '') : '';
		throw new CommandError(`--snapshot-load: ${file} cannot be used`, { why, advice, cause: error });
	}
}
