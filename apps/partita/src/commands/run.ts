// `partita run`: one system, one composition. Wiring only; the work is in ../compose/.
import { ANSI, PLAIN, recordJson, renderRun } from '@partita/report';
import type { CompositionName } from '@partita/system';
import { type Command, Option } from 'commander';
import { COMPOSITIONS } from '../compose/composition.ts';
import { findSystem } from '../compose/description.ts';
import { Interruption } from '../compose/drive.ts';
import { runSystem } from '../compose/run.ts';
import { TraceFile } from '../compose/trace-file.ts';
import { SYSTEM_EXIT_STATUS_HELP, signalStatus, systemStatus } from '../exit-status.ts';
import { checkWritable, writeAtomically } from '../host/files.ts';
import { durationArgument } from './duration.ts';

interface RunFlags {
	as: CompositionName;
	for?: number;
	json?: string;
	trace?: string;
	snapshotSave?: string;
	snapshotLoad?: string;
	strict?: true;
}

/** What SYSTEM is, for `--help`. */
export const SYSTEM_HELP = 'name of an example, or a file: TypeScript, JavaScript, JSON, YAML';

/** Adds the `run` command. `setStatus` is given the exit status. */
export function registerRun(program: Command, setStatus: (status: number) => void): void {
	program
		.command('run')
		.description('run a system as a hypervisor or as a microkernel system, and tell what it did')
		.argument('<system>', SYSTEM_HELP)
		.addOption(new Option('--as <composition>', 'what to assemble it as').choices(COMPOSITIONS).makeOptionMandatory())
		.option('--for <duration>', "virtual time, such as 2s or 250ms (default: the system's)", durationArgument)
		.option('--json <file>', 'write the report as JSON')
		.option('--trace <file>', 'write a time line that ui.perfetto.dev opens')
		.option('--snapshot-save <file>', 'save the system as it is when the run stops')
		.option('--snapshot-load <file>', 'go on from a saved system, up to the virtual time')
		.option('--strict', 'status 1 where a deadline was missed, or a cell has failed')
		.addHelpText('after', SYSTEM_EXIT_STATUS_HELP)
		.action(async (source: string, flags: RunFlags) => setStatus(await run(source, flags)));
}

async function run(source: string, flags: RunFlags): Promise<number> {
	const found = await findSystem(source);
	if (flags.json !== undefined) checkWritable('--json', flags.json);
	if (flags.snapshotSave !== undefined) checkWritable('--snapshot-save', flags.snapshotSave);
	const trace = flags.trace === undefined ? undefined : new TraceFile(flags.trace);
	const interruption = new Interruption();
	const { record } = await runSystem({
		found,
		composition: flags.as,
		until: flags.for ?? found.system.duration,
		track: 1,
		progress: process.stderr,
		interruption,
		console: (byte) => process.stderr.write(Uint8Array.of(byte)),
		...(trace ? { trace } : {}),
		...(flags.snapshotLoad === undefined ? {} : { load: flags.snapshotLoad }),
		...(flags.snapshotSave === undefined ? {} : { save: flags.snapshotSave }),
	}).finally(() => {
		interruption.end();
		trace?.close();
	});
	if (flags.json !== undefined) writeAtomically('--json', flags.json, [new TextEncoder().encode(recordJson(record))]);
	process.stdout.write(renderRun(record, process.stdout.isTTY ? ANSI : PLAIN));
	if (interruption.signal) return signalStatus(interruption.signal);
	return flags.strict ? systemStatus([record]) : 0;
}
