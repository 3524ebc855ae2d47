import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AptSource, debianMirror, detectApt, type RunCommand } from '../../src/images/apt.ts';
import { PackageIndex, type PackageRecord } from '../../src/images/packages.ts';
import { silentProgress } from '../../src/images/progress.ts';
import { type FakeArchive, makeArchive } from './support.ts';

describe("the host's mirror", () => {
	const row = (origin: string, label: string, component: string, uri: string): string =>
		[origin, label, component, uri].join('\t');

	test.each<[string, string[], boolean, string | undefined]>([
		[
			'is the one of Debian itself, not of its security archive or of others',
			[
				row('Other', 'Other', 'main', 'https://deb.example.org/other/'),
				row('Debian', 'Debian-Security', 'main', 'http://m.example/debian-security/'),
				row('Debian', 'Debian', 'contrib', 'http://m.example/contrib/'),
				row('Debian', 'Debian', 'main', 'http://m.example/debian/'),
			],
			true,
			'http://m.example/debian/',
		],
		[
			'may be a list of mirrors',
			[row('Debian', 'Debian', 'main', 'mirror+file:/etc/apt/m.list')],
			true,
			'mirror+file:/etc/apt/m.list',
		],
		[
			'on a Debian that never fetched an index',
			[row('$(ORIGIN)', '$(LABEL)', 'main', 'http://m.example/deb/')],
			true,
			'http://m.example/deb/',
		],
		[
			'is unknown on another system',
			[row('$(ORIGIN)', '$(LABEL)', 'main', 'http://m.example/ubuntu/')],
			false,
			undefined,
		],
		['is not what Ubuntu uses', [row('Ubuntu', 'Ubuntu', 'main', 'http://m.example/ubuntu/')], false, undefined],
		[
			'is nothing that would add to a line of sources.list',
			[row('Debian', 'Debian', 'main', 'http://m x main\tfoo')],
			true,
			undefined,
		],
		['is unknown where there are no sources', [''], true, undefined],
	])('%s', (_, rows, unnamedIsDebian, expected) => {
		expect(debianMirror(rows.join('\n'), unnamedIsDebian)).toBe(expected);
	});

	test('apt that is missing or fails is not used, and why is said', async () => {
		const missing: RunCommand = () => Promise.reject(Object.assign(new Error('spawn'), { code: 'ENOENT' }));
		const failing: RunCommand = async () => ({ code: 100, stdout: '', stderr: 'E: broken\n' });
		// Without the keyring, that is the reason already.
		const keyring = expect.stringContaining('keyring');
		const here = existsSync('/usr/share/keyrings/debian-archive-keyring.gpg');
		expect(await detectApt(missing)).toEqual({ unusable: here ? 'apt is not installed' : keyring });
		expect(await detectApt(failing)).toEqual({ unusable: here ? 'apt cannot list its sources (E: broken)' : keyring });
	});
});

describe('an apt that is made up', () => {
	let archive: FakeArchive;
	let scratch = '';
	beforeAll(async () => {
		archive = await makeArchive();
		scratch = mkdtempSync(path.join(tmpdir(), 'partita-apt-'));
	});
	afterAll(() => rmSync(scratch, { recursive: true, force: true }));

	const HOST = { mirror: 'http://m.example/debian/', keyring: '/keyring.gpg' };
	const record = (name: string): PackageRecord => new PackageIndex(archive.packages).get(name);

	/** Answers as apt does, from the made-up archive; `spoil` changes what is downloaded. */
	function fakeApt(calls: string[][], spoil = (deb: Uint8Array): Uint8Array => deb): RunCommand {
		return async (command, args, options) => {
			calls.push([command, ...args]);
			if (args.includes('dumpavail')) return { code: 0, stdout: archive.packages, stderr: '' };
			if (args.includes('download')) {
				const deb = archive.files.get(record(args.at(-1)?.split('=')[0] ?? '').filename)!;
				options.onStatus?.('dlstatus:1:50.0000:Retrieving file 1 of 1');
				await writeFile(path.join(options.cwd ?? '', 'x.deb'), spoil(deb));
			}
			return { code: 0, stdout: '', stderr: '' };
		};
	}

	test('works on a state of its own, and touches neither configuration nor state of the host', async () => {
		const calls: string[][] = [];
		const source = new AptSource(HOST, 'trixie', scratch, fakeApt(calls));
		expect((await source.index([], silentProgress)).size).toBe(7);
		expect(await readFile(path.join(scratch, 'apt', 'sources.list'), 'utf8')).toBe(
			'deb [arch=riscv64 signed-by=/keyring.gpg] http://m.example/debian/ trixie main\n',
		);
		expect(calls.map((call) => [call[0], call.at(-1)])).toEqual([
			['apt-get', 'update'],
			['apt-cache', 'dumpavail'],
		]);
		for (const call of calls) {
			for (const setting of ['Dir::State', 'Dir::State::status', 'Dir::Cache', 'Dir::Etc::sourcelist']) {
				expect(call).toContainEqual(expect.stringMatching(new RegExp(`^${setting}=${scratch}/`)));
			}
			expect(call).toContain('Dir::Etc::sourceparts=-');
			expect(call).toContain('APT::Architectures=riscv64');
		}
	});

	test('fetches the version that the index names, and tells progress', async () => {
		const calls: string[][] = [];
		const source = new AptSource(HOST, 'trixie', scratch, fakeApt(calls));
		const told: number[] = [];
		const wanted = record('opensbi');
		await source.fetch(wanted, path.join(scratch, 'out'), { ...silentProgress, bytes: (_, done) => told.push(done) });
		expect((await readFile(path.join(scratch, 'out'))).equals(archive.files.get(wanted.filename)!)).toBe(true);
		expect(calls[0]?.slice(-2)).toEqual(['download', 'opensbi=1:6.12-1']);
		expect(told).toEqual([0, wanted.size / 2]);
	});

	test('a package that changed since the index was read is refused, and nothing is left', async () => {
		const spoil = (deb: Uint8Array): Uint8Array => deb.map((byte, index) => (index === 100 ? byte ^ 1 : byte));
		const source = new AptSource(HOST, 'trixie', scratch, fakeApt([], spoil));
		await expect(source.fetch(record('hello'), path.join(scratch, 'refused'), silentProgress)).rejects.toThrow(
			'Refused hello',
		);
		expect(existsSync(path.join(scratch, 'refused'))).toBe(false);
	});

	test.each([
		["Err:1 http://m\n  Temporary failure resolving 'm'\nE: Failed to fetch http://m", /no network connection/],
		['E: Could not connect to m:80', /no network connection/],
		['W: GPG error: The following signatures: NO_PUBKEY 0123\nE: The repository is not signed.', /signature/],
		["E: The repository 'http://m nosuch Release' does not have a Release file.", /does not have a Release file/],
		['E: Write error - write (28: No space left on device)', /the disk is full/],
		['E: Failed to fetch http://m  File has unexpected size (1 != 2). Mirror sync in progress?', /do not agree/],
		['', /^apt: /],
	])('apt says %j', async (stderr, why) => {
		const source = new AptSource(HOST, 'trixie', scratch, async () => ({ code: 100, stdout: '', stderr }));
		await expect(source.index([], silentProgress)).rejects.toThrow(
			expect.objectContaining({ message: 'Cannot read the index of Debian trixie', why: expect.stringMatching(why) }),
		);
	});

	test('a suite without packages for this architecture', async () => {
		const source = new AptSource(HOST, 'buster', scratch, async () => ({ code: 0, stdout: '', stderr: '' }));
		await expect(source.index([], silentProgress)).rejects.toThrow('Debian buster has no packages for riscv64');
	});
});
