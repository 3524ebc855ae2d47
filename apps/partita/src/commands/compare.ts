// `partita compare`: one system, assembled each way, side by side. Wiring only; the work is in ../compose/.
import { ANSI, compareRuns, PLAIN, type RunRecord, recordJson, renderComparison } from '@partita/report';
import type { Command } from 'commander';
import { findSystem } from '../compose/description.ts';
import { Interruption } from '../compose/drive.ts';
import { runSystem } from '../compose/run.ts';
import { TraceFile } from '../compose/trace-file.ts';
import { CommandError } from '../errors.ts';
import { SYSTEM_EXIT_STATUS_HELP, signalStatus, systemStatus } from '../exit-status.ts';
import { checkWritable, writeAtomically } from '../host/files.ts';
import { durationArgument } from './duration.ts';
import { SYSTEM_HELP } from './run.ts';

interface CompareFlags {
	for?: number;
	json: string | false;
	trace: string | false;
	strict?: true;
}

/** Adds the `compare` command. `setStatus` is given the exit status. */
export function registerCompare(program: Command, setStatus: (status: number) => void): void {
	program
		.command('compare')
		.description('run a system in every composition that it describes, and show the differences')
		.argument('<system>', SYSTEM_HELP)
		.option('--for <duration>', "virtual time, such as 2s or 250ms (default: the system's)", durationArgument)
		.option('--json <file>', 'where the report goes as JSON (default: NAME.report.json)')
		.option('--no-json', 'write no JSON')
		.option('--trace <file>', 'where the time line for ui.perfetto.dev goes (default: NAME.trace.json)')
		.option('--no-trace', 'write no time line')
		.option('--strict', 'status 1 where a deadline was missed, or a cell has failed')
		.addHelpText('after', SYSTEM_EXIT_STATUS_HELP)
		.action(async (source: string, flags: CompareFlags) => setStatus(await compare(source, flags)));
}

async function compare(source: string, flags: Partial<CompareFlags>): Promise<number> {
	const found = await findSystem(source);
	const { system } = found;
	if (system.compositions.length < 2) {
		throw new CommandError(`${source} exists as ${system.compositions.join('')} only: there is nothing to compare`, {
			advice: `add the other placement to each cell, or partita run ${source} --as ${system.compositions.join('')}`,
		});
	}
	const file = (flag: string | false | undefined, ending: string): string | undefined =>
		flag === false ? undefined : typeof flag === 'string' ? flag : `${system.name}.${ending}`;
	const jsonFile = file(flags.json, 'report.json');
	const traceFile = file(flags.trace, 'trace.json');
	if (jsonFile !== undefined) checkWritable('--json', jsonFile);
	const trace = traceFile === undefined ? undefined : new TraceFile(traceFile);
	const interruption = new Interruption();
	const records: RunRecord[] = [];
	try {
		for (const composition of system.compositions) {
			const { record } = await runSystem({
				found,
				composition,
				until: flags.for ?? system.duration,
				track: records.length + 1,
				progress: process.stderr,
				interruption,
				...(trace ? { trace } : {}),
			});
			records.push(record);
			if (interruption.signal) break;
		}
	} finally {
		interruption.end();
		trace?.close();
	}
	const comparison = compareRuns(records);
	process.stdout.write(renderComparison(comparison, process.stdout.isTTY ? ANSI : PLAIN));
	if (interruption.signal) return signalStatus(interruption.signal);
	if (jsonFile !== undefined) writeAtomically('--json', jsonFile, [new TextEncoder().encode(recordJson(comparison))]);
	const written = [
		...(jsonFile === undefined ? [] : [`report: ${jsonFile}`]),
		...(traceFile === undefined ? [] : [`time line, for ui.perfetto.dev: ${traceFile}`]),
	];
	if (written.length > 0) process.stderr.write(`\n${written.join('\n')}\n`);
	return flags.strict ? systemStatus(records) : 0;
}
