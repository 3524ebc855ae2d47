// The host's own apt against an archive made here: it judges the archive's signature, its index and its packages, and the
// host's configuration and state are as before.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AptSource } from '../../src/images/apt.ts';
import { InconsistentMirrorError } from '../../src/images/errors.ts';
import { silentProgress } from '../../src/images/progress.ts';
import { type FakeArchive, type Mirror, makeArchive, sha256, startMirror } from './support.ts';

const INDEX = 'dists/trixie/main/binary-riscv64/Packages.xz';
const HELLO = 'pool/main/t/test/hello_1+b1_riscv64.deb';
const present = (program: string): boolean => spawnSync(program, ['--version']).error === undefined;
const missing = ['apt-get', 'gpg'].find((program) => !present(program));

let folder = '';
let archive: FakeArchive;
let mirror: Mirror;

beforeAll(async () => {
	if (missing !== undefined) return;
	folder = mkdtempSync(path.join(tmpdir(), 'partita-host-apt-'));
	archive = await makeArchive();
	const release = [
		'Origin: Test',
		'Suite: trixie',
		'Codename: trixie',
		'Date: Thu, 01 Jan 2026 00:00:00 UTC',
		'Architectures: riscv64',
		'Components: main',
		'SHA256:',
		listed('main/binary-riscv64/Packages', Buffer.from(archive.packages)),
		listed('main/binary-riscv64/Packages.xz', archive.files.get(INDEX)!),
		'',
	].join('\n');
	archive.files.set('dists/trixie/InRelease', signed(release, 'archive'));
	signed('', 'other');
	mirror = await startMirror(archive.files);
});
afterAll(async () => {
	await mirror?.close();
	if (folder !== '') rmSync(folder, { recursive: true, force: true });
});

/** A line of a Release file. */
function listed(file: string, bytes: Uint8Array): string {
	return ` ${sha256(bytes)} ${bytes.length} ${file}`;
}

/** A text, signed by a new key whose public half is left in a keyring. */
function signed(text: string, signer: string): Uint8Array {
	const home = path.join(folder, signer);
	mkdirSync(home, { mode: 0o700 });
	const gpg = (args: readonly string[], input = ''): Buffer => {
		const { status, stdout, stderr } = spawnSync('gpg', ['--homedir', home, '--batch', ...args], { input });
		if (status !== 0) throw new Error(stderr.toString());
		return stdout;
	};
	try {
		gpg(['--passphrase', '', '--quick-generate-key', `${signer}@example.org`, 'ed25519', 'sign', 'never']);
		writeFileSync(`${home}.gpg`, gpg(['--export']));
		return gpg(['--clearsign'], text);
	} finally {
		spawnSync('gpgconf', ['--homedir', home, '--kill', 'all']);
	}
}

/** Apt on a state of its own, in a new folder. */
function source(signer = 'archive', suite = 'trixie'): AptSource {
	const scratch = mkdtempSync(path.join(folder, 'scratch-'));
	return new AptSource({ mirror: `${mirror.url}/`, keyring: path.join(folder, `${signer}.gpg`) }, suite, scratch);
}

/** Runs with a file of the archive changed. */
async function spoilt(
	file: string,
	change: (bytes: Uint8Array) => Uint8Array,
	run: () => Promise<void>,
): Promise<void> {
	const original = archive.files.get(file)!;
	archive.files.set(file, change(original));
	try {
		await run();
	} finally {
		archive.files.set(file, original);
	}
}

const flipped = (bytes: Uint8Array): Uint8Array => bytes.map((byte, index) => (index === 100 ? byte ^ 1 : byte));

test("index and package, verified, and the host's state as it was", async ({ skip }) => {
	if (missing !== undefined) return skip(`${missing} is not installed`);
	const lists = (): string[] => (existsSync('/var/lib/apt/lists') ? readdirSync('/var/lib/apt/lists').sort() : []);
	const before = lists();
	const apt = source();
	const index = await apt.index([], silentProgress);
	expect(index.size).toBe(7);
	expect(index.kernel('linux-image-riscv64').name).toBe('linux-image-6.12.0-test-riscv64');
	const out = path.join(folder, 'hello.deb');
	await apt.fetch(index.get('hello'), out, silentProgress);
	expect(readFileSync(out).equals(archive.files.get(HELLO)!)).toBe(true);
	expect(lists()).toEqual(before);
});

test('a package that was altered is refused', async ({ skip }) => {
	if (missing !== undefined) return skip(`${missing} is not installed`);
	const apt = source();
	const hello = (await apt.index([], silentProgress)).get('hello');
	const out = path.join(folder, 'altered.deb');
	await spoilt(HELLO, flipped, async () => {
		await expect(apt.fetch(hello, out, silentProgress)).rejects.toThrow('Cannot fetch hello');
	});
	expect(existsSync(out)).toBe(false);
});

test('an index that is not the signed one is refused, as one of an inconsistent mirror', async ({ skip }) => {
	if (missing !== undefined) return skip(`${missing} is not installed`);
	for (const change of [flipped, (bytes: Uint8Array): Uint8Array => bytes.subarray(4)])
		await spoilt(INDEX, change, async () => {
			await expect(source().index([], silentProgress)).rejects.toThrow(InconsistentMirrorError);
		});
});

test('a signature of somebody else, and a suite that is not there, are refused', async ({ skip }) => {
	if (missing !== undefined) return skip(`${missing} is not installed`);
	await expect(source('other').index([], silentProgress)).rejects.toThrow(
		expect.objectContaining({ why: expect.stringContaining('signature') }),
	);
	await expect(source('archive', 'no-such-suite').index([], silentProgress)).rejects.toThrow(
		'Cannot read the index of Debian no-such-suite',
	);
});
