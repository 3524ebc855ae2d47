// One run of a system: assembled, driven, told. What `partita run` and `partita compare` have in common.
import { type RunRecord, Timeline } from '@partita/report';
import type { CompositionName } from '@partita/system';
import { CommandError } from '../errors.ts';
import { assemble } from './composition.ts';
import { explaining, type FoundSystem, planOf } from './description.ts';
import { drive, type Interruption, type ProgressStream } from './drive.ts';
import { linkedGroups } from './linked.ts';
import { loadSystem, saveSystem } from './snapshot.ts';
import type { TraceFile } from './trace-file.ts';

/** What is wanted of a run. */
export interface RunRequest {
	readonly found: FoundSystem;
	readonly composition: CompositionName;
	/** Virtual nanoseconds. */
	readonly until: number;
	readonly trace?: TraceFile;
	/** Which process track of the trace is this run's. */
	readonly track: number;
	readonly progress: ProgressStream;
	readonly interruption: Interruption;
	/** Takes what the terminal of the system shows. */
	readonly console?: (byte: number) => void;
	readonly load?: string;
	readonly save?: string;
}

/** What came of it. */
export interface RunOutcome {
	readonly record: RunRecord;
	readonly interrupted: boolean;
}

/** Runs. @throws CommandError for what the user can do something about */
export async function runSystem(request: RunRequest): Promise<RunOutcome> {
	const { found, composition, until, trace, interruption } = request;
	const plan = planOf(found, composition);
	const timeline = trace && new Timeline({ sink: trace.writer, name: composition, process: request.track });
	const options = {
		...(timeline ? { trace: timeline } : {}),
		...(request.console ? { console: request.console } : {}),
	};
	const running = await assembled(found, () => assemble(plan, options));
	if (request.load !== undefined) loadSystem(running, request.load);
	const end = await drive(running, until, request.progress, () => interruption.signal !== undefined);
	timeline?.close(running.machine.now());
	if (request.save !== undefined) saveSystem(running, request.save);
	const linked = linkedGroups(plan);
	const record = running.record();
	return { record: linked ? { ...record, linked } : record, interrupted: end === 'interrupted' };
}

async function assembled<T>({ source }: FoundSystem, action: () => Promise<T>): Promise<T> {
	try {
		return await action();
	} catch (error) {
		if (error instanceof CommandError) throw error;
		return explaining(source, () => {
			throw error;
		});
	}
}
