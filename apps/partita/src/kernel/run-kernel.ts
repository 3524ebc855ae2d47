// Runs a machine whose kernel is hosted, with what it prints on standard output, until there is nothing more to wait for.

import { type Ending, Machine, MachineError } from '@partita/machine';
import type { MicrokernelFactory } from '@partita/microkernel';
import { Timeline } from '@partita/report';
import { Interruption } from '../compose/drive.ts';
import { TraceFile } from '../compose/trace-file.ts';
import { CommandError } from '../errors.ts';
import { ExitStatus, guestStatus, signalStatus } from '../exit-status.ts';
import { ConsoleOutput } from '../host/console-output.ts';

/** Instructions, or nanoseconds, between two looks at the host. */
const PIECE = 1_000_000;

/** A time line that a kernel writes to. */
export type KernelTimeline = Pick<Timeline, 'running' | 'entered' | 'exhausted'>;

/** What is to run. */
export interface KernelRun {
	/** Makes the kernel. */
	readonly kernel: (trace: KernelTimeline | undefined) => MicrokernelFactory;
	/** Name of its track in a trace. */
	readonly name: string;
	/** Bytes of RAM. */
	readonly memory: number;
	/** Virtual nanoseconds; undefined: until everything waits for what cannot come. */
	readonly until?: number | undefined;
	/** Text that ends the run. */
	readonly expect?: string | undefined;
	/** File of the trace. */
	readonly trace?: string | undefined;
}

/** How a run ended. */
type End =
	| { readonly reason: 'ended'; readonly ending: Ending }
	| { readonly reason: 'seen' | 'time' | 'waiting' | 'interrupted' | 'output-gone' };

/** For `--help`. */
export const KERNEL_EXIT_STATUS_HELP = `
Exit status:
  0        --expect's text came; without it: --for is over, everything waits for what cannot come, or the system halted
  1        --expect's text did not come; without it: everything waits, and a fault that nobody handles has stopped a thread
  125      bad usage, a file that cannot be used, or the host failed: the message says which
  130, 143 ended by SIGINT (Ctrl-C), SIGTERM;  141  the reader of the output is gone
`;

/** Runs. The exit status. @throws CommandError for what cannot run, or the host's failures */
export async function runKernel(run: KernelRun): Promise<number> {
	const trace = run.trace === undefined ? undefined : new TraceFile(run.trace);
	const interruption = new Interruption();
	try {
		const timeline = trace && new Timeline({ sink: trace.writer, name: run.name });
		const output = new ConsoleOutput(process.stdout, run.expect);
		const kernel = run.kernel(timeline);
		const machine = makeMachine(run, kernel, (byte) => output.write(byte));
		const end = await drive(run, machine, output, () => interruption.signal !== undefined);
		timeline?.close(machine.now());
		await output.end();
		const stopped = tellFaults(kernel);
		const status = endStatus(run, end, interruption.signal);
		return status === ExitStatus.success && end.reason === 'waiting' && stopped ? ExitStatus.notSeen : status;
	} finally {
		interruption.end();
		trace?.close();
	}
}

function makeMachine({ memory }: KernelRun, kernel: MicrokernelFactory, console: (byte: number) => void): Machine {
	try {
		return new Machine({ memory, kernel, console });
	} catch (error) {
		if (error instanceof MachineError) throw new CommandError(error.message, { cause: error });
		throw error;
	}
}

async function drive(run: KernelRun, machine: Machine, output: ConsoleOutput, stopped: () => boolean): Promise<End> {
	const { until = Number.POSITIVE_INFINITY } = run;
	for (;;) {
		if (stopped()) return { reason: 'interrupted' };
		const left = until - machine.now();
		if (left <= 0) return { reason: 'time' };
		const result = machine.run(Math.min(PIECE, left), Number.isFinite(until) ? { idleUntil: until } : {});
		await output.flush();
		if (output.seen) return { reason: 'seen' };
		if (output.error) return { reason: 'output-gone' };
		if (result.reason === 'ended') return result;
		if (result.reason === 'idle') return { reason: result.next === undefined ? 'waiting' : 'time' };
		await new Promise<void>((resolve) => setImmediate(resolve));
	}
}

/** Tells of threads that a fault has stopped, since nobody handles it. @returns whether there are any */
function tellFaults({ kernel }: MicrokernelFactory): boolean {
	const stopped = kernel.statistics.threads.filter(({ status, fault }) => status === 'inactive' && fault !== undefined);
	for (const { name, fault } of stopped)
		process.stderr.write(`partita: ${name} has stopped\n  why: ${fault}, which nobody handles\n`);
	return stopped.length > 0;
}

function endStatus({ expect }: KernelRun, end: End, signal: 'SIGINT' | 'SIGTERM' | undefined): number {
	if (end.reason === 'seen') return ExitStatus.success;
	if (end.reason === 'output-gone') return ExitStatus.brokenPipe;
	if (end.reason === 'interrupted' && signal) return signalStatus(signal);
	if (expect === undefined) return end.reason === 'ended' ? guestStatus(end.ending) : ExitStatus.success;
	const reasons: Readonly<Record<string, string>> = {
		time: '--for is over',
		waiting: 'everything waits for what cannot come',
		ended: 'the system has halted',
	};
	process.stderr.write(`partita: the text of --expect has not come\n  why: ${reasons[end.reason]}\n`);
	return ExitStatus.notSeen;
}
