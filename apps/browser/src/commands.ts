// What the tests in the page ask of the process that started the browser.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { chromiumSeconds } from './chromium.ts';
import type { Guest, Outcome } from './run-guest.ts';

/** What a run in Node came to. */
export interface NodeRun {
	readonly outcome: Outcome;
	readonly cpuSeconds: number;
}

/** The same guest in a new process of this Node. */
export async function runInNode(_: unknown, guest: Guest): Promise<NodeRun> {
	const script = join(import.meta.dirname, 'node-run.ts');
	const options = { maxBuffer: 1 << 26, env: { ...process.env, NODE_OPTIONS: '' } };
	const { stdout } = await promisify(execFile)(process.execPath, [script, JSON.stringify(guest)], options);
	return JSON.parse(stdout) as NodeRun;
}

/** CPU seconds that the browser has taken so far. */
export async function browserSeconds(): Promise<number | undefined> {
	return chromiumSeconds();
}

declare module 'vitest/browser' {
	interface BrowserCommands {
		runInNode(guest: Guest): Promise<NodeRun>;
		browserSeconds(): Promise<number | undefined>;
	}
}
