import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Command, CommanderError } from 'commander';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { registerImages } from '../../src/commands/images.ts';
import { PackageIndex } from '../../src/images/packages.ts';
import { DEBIAN_PINS } from '../../src/images/pins.ts';
import { type Mirror, startMirror } from './support.ts';

let dir = '';
let mirror: Mirror;
beforeEach(async () => {
	dir = mkdtempSync(path.join(tmpdir(), 'partita-command-'));
	mirror = await startMirror(new Map());
});
afterEach(async () => {
	await mirror.close();
	rmSync(dir, { recursive: true, force: true });
});

async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
	let stdout = '';
	let stderr = '';
	const out = (text: string): void => {
		stdout += text;
	};
	const err = (text: string): void => {
		stderr += text;
	};
	const program = new Command('partita').exitOverride().configureOutput({ writeOut: out, writeErr: err });
	registerImages(program, { stdout: { write: out }, stderr: { write: err } });
	try {
		await program.parseAsync(['images', ...args], { from: 'user' });
		return { code: 0, stdout, stderr };
	} catch (error) {
		if (!(error instanceof CommanderError)) throw error;
		return { code: error.exitCode, stdout, stderr };
	}
}

test('pull asks the mirror for the pinned packages; an error says what, where, why and what to do, with status 1', async () => {
	const { code, stdout, stderr } = await run('pull', 'debian', '--dir', dir, '--mirror', mirror.url);
	const kernel = new PackageIndex(DEBIAN_PINS.packages).kernel('linux-image-riscv64');
	expect(mirror.requests).toEqual([kernel.filename]);
	expect(code).toBe(1);
	expect(stdout).toBe('');
	expect(stderr).toMatch(
		/^Fetching linux-image-\S+ \S+ \(112\.0 MB\)\nCannot download http:\S+\n {2}why: .*404.*\n {2}try: /,
	);
});

test('path and list where nothing was pulled', async () => {
	expect(await run('path', '--dir', dir)).toEqual({
		code: 1,
		stdout: '',
		stderr: `There are no images in ${dir}\n  try: partita images pull debian --dir ${dir}\n`,
	});
	expect(await run('list', '--dir', dir)).toEqual({ code: 0, stdout: '', stderr: '' });
});

test.each([
	[['pull', 'debian', '--source', 'ftp'], /Allowed choices are apt, snapshot/],
	[['pull', 'debian', '--compress', 'xz'], /Allowed choices are none, gzip/],
	[['pull', 'debian', '--suite'], /argument missing/],
	[['pull', 'fedora'], /unknown command 'fedora'/],
	[['pull', 'debian', '--nonsense'], /unknown option/],
])('%j is refused', async (args, message) => {
	const { code, stderr } = await run(...args);
	expect(code).toBe(1);
	expect(stderr).toMatch(message);
});

test('every option is described', async () => {
	const { code, stdout } = await run('pull', 'debian', '--help');
	expect(code).toBe(0);
	for (const flag of [
		'suite',
		'package',
		'with-dependencies',
		'module',
		'compress',
		'dir',
		'source',
		'mirror',
		'refresh',
	]) {
		expect(stdout).toMatch(new RegExp(`--${flag}\\b.* {2,}\\S`));
	}
});
