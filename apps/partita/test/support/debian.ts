// Debian's images for the tests that boot them, and a guest that is talked to as a user does.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { ImagesError, pullDebian, type ResolvedImages } from '../../src/images/index.ts';

/** Below node_modules, so that only the first run downloads. */
export const IMAGE_FOLDER: string = path.join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'images');

/** The images, fetched if need be; or why they cannot be had here. */
export async function debianImages(): Promise<ResolvedImages | { unavailable: string }> {
	try {
		return (await pullDebian({ dir: IMAGE_FOLDER })).images;
	} catch (error) {
		if (error instanceof ImagesError && error.why.includes('no network')) return { unavailable: error.why };
		throw error;
	}
}

/** Whether a program can be started. */
export function installed(program: string, ...args: string[]): boolean {
	return spawnSync(program, args).error === undefined;
}

const PROMPT = 'partita:~# ';

/** A guest at whose shell one types. */
export class ShellGuest {
	readonly #child: ChildProcess;
	readonly #ended: Promise<number | null>;
	#all = '';
	#since = '';
	#changed: () => void = () => {};

	constructor(command: string, args: readonly string[]) {
		this.#child = spawn(command, args, { stdio: 'pipe' });
		onTestFinished(() => {
			this.#child.kill('SIGKILL');
		});
		for (const stream of [this.#child.stdout, this.#child.stderr]) {
			stream?.setEncoding('latin1').on('data', (text: string) => {
				this.#all += text;
				this.#since += text;
				this.#changed();
			});
		}
		this.#child.stdin?.on('error', () => {});
		this.#ended = new Promise((resolve, reject) => {
			this.#child.on('error', reject);
			this.#child.on('close', resolve);
		});
		this.#ended.then(
			() => this.#changed(),
			() => this.#changed(),
		);
	}

	/** All that it has printed, messages included. */
	get console(): string {
		return this.#all;
	}

	/** Waits for the prompt; what was printed before it. */
	async prompt(): Promise<string> {
		return await this.until(PROMPT);
	}

	/** Waits for a text; what was printed before it. */
	async until(wanted: string): Promise<string> {
		while (!this.#since.includes(wanted)) {
			if (this.#child.exitCode !== null) throw new Error(`the guest ended early:\n${this.#all.slice(-3000)}`);
			await new Promise<void>((resolve) => {
				this.#changed = resolve;
			});
		}
		const end = this.#since.indexOf(wanted);
		const text = this.#since.slice(0, end);
		this.#since = this.#since.slice(end + wanted.length);
		return text;
	}

	/** Types a line, and waits for the prompt after it; what was printed in between. */
	async say(line: string): Promise<string> {
		this.#child.stdin?.write(`${line}\n`);
		return await this.prompt();
	}

	/** Powers it off; its exit status. */
	async powerOff(): Promise<number | null> {
		this.#child.stdin?.write('poweroff -f\n');
		return await this.#ended;
	}
}
