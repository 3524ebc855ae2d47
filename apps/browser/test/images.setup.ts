// Fetches Debian's images before the tests, into the cache that the tests of the command line use.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';

const PARTITA = join(import.meta.dirname, '..', '..', 'partita');
/** Below node_modules, so that only the first run downloads. */
export const IMAGE_FOLDER: string = join(PARTITA, 'node_modules', '.cache', 'images');

declare module 'vitest' {
	interface ProvidedContext {
		images: { readonly kernel: string; readonly initrd: string } | { readonly unavailable: string };
	}
}

async function partita(...args: string[]): Promise<string> {
	const command = [join(PARTITA, 'bin', 'partita.mjs'), 'images', ...args, '--dir', IMAGE_FOLDER];
	return (await promisify(execFile)(process.execPath, command)).stdout.trim();
}

export default async function setup({ provide }: TestProject): Promise<void> {
	try {
		await partita('pull', 'debian');
		provide('images', { kernel: await partita('path', 'kernel'), initrd: await partita('path', 'initrd') });
	} catch (error) {
		const { stderr = '' } = error as { stderr?: string };
		if (!stderr.includes('no network')) throw error;
		provide('images', { unavailable: stderr });
	}
}
