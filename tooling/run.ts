// How the scripts of this folder start other programs.
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root folder. */
export const root: string = dirname(dirname(fileURLToPath(import.meta.url)));

/** What a finished program left behind. */
export interface Outcome {
	/** Exit status; 1 where a signal ended the program or it could not be started. */
	readonly status: number;
	/** Both output streams in the order in which they came; empty where they were inherited. */
	readonly output: string;
}

/** Starts one of the workspace's tools. Windows finds its tools (`.cmd` files) only through a shell. */
function start(command: string, args: readonly string[], options: SpawnOptions): ChildProcess {
	return spawn(command, args, { cwd: root, shell: process.platform === 'win32', ...options });
}

/** Runs a program to its end and keeps what it printed. */
export function capture(command: string, args: readonly string[], options: SpawnOptions = {}): Promise<Outcome> {
	return new Promise((resolve) => {
		const child = start(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
		let output = '';
		const keep = (text: string): void => {
			output += text;
		};
		child.stdout?.setEncoding('utf8').on('data', keep);
		child.stderr?.setEncoding('utf8').on('data', keep);
		child.on('error', (error) => resolve({ status: 1, output: `${command}: ${error.message}\n` }));
		child.on('close', (status) => resolve({ status: status ?? 1, output }));
	});
}

/** Runs a program to its end with this process's terminal. */
export function show(command: string, args: readonly string[], options: SpawnOptions = {}): Promise<Outcome> {
	return new Promise((resolve) => {
		const child = start(command, args, { ...options, stdio: ['ignore', 'inherit', 'inherit'] });
		child.on('error', (error) => {
			process.stderr.write(`${command}: ${error.message}\n`);
			resolve({ status: 1, output: '' });
		});
		child.on('close', (status) => resolve({ status: status ?? 1, output: '' }));
	});
}

/** Runs a program, and throws what it printed if it fails. */
export async function must(command: string, args: readonly string[], options: SpawnOptions = {}): Promise<string> {
	const { status, output } = await capture(command, args, options);
	if (status !== 0) throw new Error(`${[command, ...args].join(' ')} failed (status ${status})\n${output}`);
	return output;
}
