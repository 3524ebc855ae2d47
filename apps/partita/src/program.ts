// The command line as a whole: its commands, and what becomes of their failures.
import { Command, CommanderError } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { registerBoot } from './commands/boot.ts';
import { registerCheck } from './commands/check.ts';
import { registerCompare } from './commands/compare.ts';
import { registerDemo } from './commands/demo.ts';
import { registerGraph } from './commands/graph.ts';
import { registerImages } from './commands/images.ts';
import { registerMicrokit } from './commands/microkit.ts';
import { registerRootTask } from './commands/root-task.ts';
import { registerRun } from './commands/run.ts';
import { CommandError, describeError } from './errors.ts';
import { ExitStatus } from './exit-status.ts';

const DESCRIPTION =
	'Assembles systems as hypervisors or microkernels on an exact RISC-V machine, and boots such machines.';

/** Runs the command line; never throws for what a user can cause. The exit status. */
export async function runProgram(args: readonly string[]): Promise<number> {
	let status: number = ExitStatus.success;
	const program = new Command('partita').description(DESCRIPTION).version(manifest.version).exitOverride();
	program.showHelpAfterError('(--help shows what there is)').showSuggestionAfterError();
	program.enablePositionalOptions();
	const setStatus = (value: number): void => {
		status = value;
	};
	registerCompare(program, setStatus);
	registerRun(program, setStatus);
	registerCheck(program);
	registerGraph(program);
	registerMicrokit(program, setStatus);
	registerRootTask(program, setStatus);
	registerBoot(program, setStatus);
	registerDemo(program, setStatus);
	registerImages(program);
	try {
		await program.parseAsync(args.length > 0 ? [...args] : ['compare', 'gateway'], { from: 'user' });
		return status;
	} catch (error) {
		if (error instanceof CommanderError) return usageStatus(error);
		if (!(error instanceof CommandError)) throw error;
		process.stderr.write(`partita: ${describeError(error)}\n`);
		return ExitStatus.failure;
	}
}

/** Commander has printed the message. */
function usageStatus(error: CommanderError): number {
	if (error.exitCode === 0) return ExitStatus.success;
	// What a command reports itself keeps its status.
	return error.code === 'commander.error' ? error.exitCode : ExitStatus.failure;
}
