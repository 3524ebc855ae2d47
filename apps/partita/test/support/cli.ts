// Runs the command line as its users do: as a process.
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { CLI } from './build-cli.ts';

/** The command and the arguments that start it. */
export const PARTITA: readonly string[] = [process.execPath, CLI];

/** How a process ended. */
export interface Outcome {
	readonly status: number | null;
	readonly stdout: string;
	readonly stderr: string;
}

/** Starts the command line. */
export function start(args: readonly string[], options: SpawnOptions = {}): ChildProcess {
	const child = spawn(PARTITA[0], [...PARTITA.slice(1), ...args], options);
	onTestFinished(() => {
		child.kill('SIGKILL');
	});
	return child;
}

/** Waits for a process and takes what it prints, one character a byte. */
export function outcome(child: ChildProcess): Promise<Outcome> {
	return new Promise((resolve, reject) => {
		let stdout = '';
		let stderr = '';
		child.stdout?.setEncoding('latin1').on('data', (text: string) => {
			stdout += text;
		});
		child.stderr?.setEncoding('utf8').on('data', (text: string) => {
			stderr += text;
		});
		child.on('error', reject);
		child.on('close', (status) => resolve({ status, stdout, stderr }));
	});
}

/** Runs the command line to its end. */
export function partita(args: readonly string[], input?: string): Promise<Outcome> {
	const child = start(args, { stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] });
	child.stdin?.on('error', () => {});
	child.stdin?.end(input);
	return outcome(child);
}

/** A folder that goes away with the test. */
export function scratch(): string {
	const folder = mkdtempSync(path.join(tmpdir(), 'partita-test-'));
	onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
	return folder;
}
