// The machine in a page's worker, held against the machine in Node: same hash, same count, same console.
import { describe, expect, inject, test } from 'vitest';
import { SHORT_ROUNDS } from '../../../packages/machine/bench/programs/parameters.ts';
import type { Guest, Outcome } from '../src/run-guest.ts';

async function runInWorker(guest: Guest): Promise<Outcome> {
	const worker = new Worker(new URL('../src/web-worker.ts', import.meta.url), { type: 'module' });
	try {
		return await new Promise<Outcome>((resolve, reject) => {
			worker.onmessage = ({ data }: MessageEvent<{ outcome?: Outcome; error?: string }>) => {
				if (data.outcome) resolve(data.outcome);
				else reject(new Error(data.error));
			};
			worker.onerror = ({ message }) => reject(new Error(`the worker failed: ${message}`));
			worker.postMessage(guest);
		});
	} finally {
		worker.terminate();
	}
}

/** Without what no two runs have in common. */
function exact({ milliseconds: _, ...outcome }: Outcome): Omit<Outcome, 'milliseconds'> {
	return outcome;
}

describe.skipIf(!inject('chromium'))('in Chromium as in Node', () => {
	// With two stages of address translation, so that every privilege mode and both kinds of page tables are used.
	test.for(Object.entries(SHORT_ROUNDS))('%s', async ([name, rounds]) => {
		const { commands } = await import('vitest/browser');
		const parameters = { rounds, stages: 2 } as const;
		const guest = { kernel: `${inject('programs')}/${name}.elf`, memoryMiB: 128, parameters };
		const here = await runInWorker(guest);
		expect(here.reason).toBe('ended');
		expect(here.console).toMatch(/^[0-9a-f]{16}\n$/);
		expect(exact(here)).toEqual(exact((await commands.runInNode(guest)).outcome));
	});

	test('Debian, from reset to the shell', async ({ skip }) => {
		const images = inject('images');
		if ('unavailable' in images) return skip(images.unavailable);
		const { commands } = await import('vitest/browser');
		const guest = { ...images, memoryMiB: 256, until: 'partita:~# ' };
		const before = await commands.browserSeconds();
		const here = await runInWorker(guest);
		const after = await commands.browserSeconds();
		const node = await commands.runInNode(guest);
		expect(here.console).toContain('Linux version 6.12');
		expect(here.console).toContain(guest.until);
		expect(exact(here)).toEqual(exact(node.outcome));
		const cpu = before === undefined ? '' : ` (CPU ${(after! - before).toFixed(1)} s)`;
		console.info(
			`Debian to the shell, trace hash ${here.traceHash}, ${here.executed} instructions\n` +
				`Chromium ${(here.milliseconds / 1000).toFixed(1)} s${cpu}, ` +
				`Node ${(node.outcome.milliseconds / 1000).toFixed(1)} s (CPU ${node.cpuSeconds.toFixed(1)} s)\n` +
				navigator.userAgent,
		);
	});
});
