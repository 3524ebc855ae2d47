// Packages by the host's own apt, which verifies the archive's signature and every file. Needs no root and leaves the
// host's configuration and state alone: apt works on a state folder of its own, for a foreign architecture, with a
// sources.list of one line: the host's Debian mirror, signed by Debian's archive keyring. What the host configures
// about transport (proxies, credentials) applies.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileError, ImagesError, InconsistentMirrorError, systemErrorCode } from './errors.ts';
import { PackageIndex, type PackageRecord } from './packages.ts';
import type { Progress } from './progress.ts';
import type { PackageSource } from './source.ts';

const KEYRINGS = ['/usr/share/keyrings/debian-archive-keyring.gpg', '/usr/share/keyrings/debian-archive-keyring.pgp'];

const ARCHITECTURE = 'riscv64';

/** What the apt source takes from the host. */
export interface AptHost {
	/** Base address of a Debian archive, as apt knows it. */
	mirror: string;
	/** Path of Debian's archive keyring. */
	keyring: string;
}

/** Runs a program to its end; the seam that tests replace. */
export type RunCommand = (
	command: string,
	args: readonly string[],
	options: { cwd?: string; onStatus?: (line: string) => void },
) => Promise<{ code: number; stdout: string; stderr: string }>;

/**
 * Finds out whether apt can be used here.
 * @returns what it needs of the host, or the reason in words why it cannot be used
 */
export async function detectApt(run: RunCommand = runCommand): Promise<AptHost | { unusable: string }> {
	const keyring = KEYRINGS.find((file) => existsSync(file));
	if (keyring === undefined) return { unusable: "Debian's archive keyring (debian-archive-keyring) is not installed" };
	let listed: Awaited<ReturnType<RunCommand>>;
	try {
		listed = await run('apt-get', ['indextargets', '--format', '$(ORIGIN)\t$(LABEL)\t$(COMPONENT)\t$(REPO_URI)'], {});
	} catch (error) {
		if (systemErrorCode(error) === 'ENOENT') return { unusable: 'apt is not installed' };
		throw error;
	}
	if (listed.code !== 0) return { unusable: `apt cannot list its sources (${lastLine(listed.stderr)})` };
	const mirror = debianMirror(listed.stdout, hostIsDebian());
	return mirror === undefined ? { unusable: 'apt is configured with no Debian mirror' } : { mirror, keyring };
}

/**
 * The host's Debian mirror, from `apt-get indextargets` with the fields origin, label, component and address.
 * @param unnamedIsDebian whether an archive whose index was never fetched (so its origin is unknown) counts
 */
export function debianMirror(targets: string, unnamedIsDebian: boolean): string | undefined {
	const candidates = targets.split('\n').flatMap((line) => {
		const [origin, label, component, uri] = line.split('\t');
		if (uri === undefined || component !== 'main' || /[\s\][]/.test(uri) || /security/i.test(uri)) return [];
		// apt leaves the field's own name where it knows no value.
		const known = origin !== undefined && origin !== '' && !origin.startsWith('$(');
		const isDebian = known ? origin === 'Debian' && (label === 'Debian' || label?.startsWith('$(')) : unnamedIsDebian;
		return isDebian ? [{ uri, known }] : [];
	});
	return (candidates.find((candidate) => candidate.known) ?? candidates[0])?.uri;
}

/** The apt source. All its files are below `scratch`, which the caller removes. */
export class AptSource implements PackageSource {
	readonly name = 'apt';
	readonly #host: AptHost;
	readonly #suite: string;
	readonly #scratch: string;
	readonly #run: RunCommand;

	constructor(host: AptHost, suite: string, scratch: string, run: RunCommand = runCommand) {
		this.#host = host;
		this.#suite = suite;
		this.#scratch = path.join(scratch, 'apt');
		this.#run = run;
	}

	async index(_needed: readonly string[] | 'all', progress: Progress): Promise<PackageIndex> {
		progress.step(`Reading the index of Debian ${this.#suite} with apt`);
		await this.#prepare();
		await this.#apt('apt-get', ['update'], `Cannot read the index of Debian ${this.#suite}`, {});
		const { stdout } = await this.#apt('apt-cache', ['dumpavail'], 'Cannot list the packages', {});
		const index = new PackageIndex(stdout);
		if (index.size === 0) {
			throw new ImagesError(`Debian ${this.#suite} has no packages for ${ARCHITECTURE}`, {
				advice: 'choose another suite with --suite',
			});
		}
		return index;
	}

	async fetch(record: PackageRecord, file: string, progress: Progress): Promise<void> {
		const label = `Fetching ${record.name} ${record.version}`;
		progress.bytes(label, 0, record.size);
		const folder = path.join(this.#scratch, 'download', record.sha256);
		await mkdir(folder, { recursive: true });
		await this.#apt('apt-get', ['download', `${record.name}=${record.version}`], `Cannot fetch ${record.name}`, {
			cwd: folder,
			onStatus: (line) => {
				const percent = /^dlstatus:\d+:([\d.]+):/.exec(line)?.[1];
				if (percent !== undefined) progress.bytes(label, (Number(percent) / 100) * record.size, record.size);
			},
		});
		const [fetched, ...more] = await readdir(folder);
		if (fetched === undefined || more.length > 0) {
			throw new ImagesError(`Cannot fetch ${record.name}`, { why: 'apt-get download left no package' });
		}
		const from = path.join(folder, fetched);
		const sha256 = await hashFile(from);
		if (sha256 !== record.sha256) {
			throw new ImagesError(`Refused ${record.name} ${record.version}`, {
				why: `its SHA-256 is ${sha256}, not ${record.sha256} as the index says`,
				advice: 'the mirror may be changing just now: try again',
			});
		}
		await rename(from, file);
	}

	async #prepare(): Promise<void> {
		try {
			await mkdir(path.join(this.#scratch, 'state', 'lists', 'partial'), { recursive: true });
			await mkdir(path.join(this.#scratch, 'cache', 'archives', 'partial'), { recursive: true });
			await writeFile(path.join(this.#scratch, 'state', 'status'), '');
			await writeFile(
				path.join(this.#scratch, 'sources.list'),
				`deb [arch=${ARCHITECTURE} signed-by=${this.#host.keyring}] ${this.#host.mirror} ${this.#suite} main\n`,
			);
		} catch (error) {
			throw fileError('write', this.#scratch, error);
		}
	}

	async #apt(
		command: string,
		args: readonly string[],
		failure: string,
		options: { cwd?: string; onStatus?: (line: string) => void },
	): Promise<{ stdout: string }> {
		const at = (name: string): string => path.join(this.#scratch, name);
		const settings = [
			`Dir::State=${at('state')}`,
			`Dir::State::status=${at('state/status')}`,
			`Dir::Cache=${at('cache')}`,
			`Dir::Etc::sourcelist=${at('sources.list')}`,
			'Dir::Etc::sourceparts=-',
			`APT::Architecture=${ARCHITECTURE}`,
			`APT::Architectures=${ARCHITECTURE}`,
			// A list that cannot be fetched is an error, not a warning.
			'APT::Update::Error-Mode=any',
			// Root's apt would fetch as _apt, who may not write here.
			'APT::Sandbox::User=root',
			'Acquire::Languages=none',
		];
		const { code, stdout, stderr } = await this.#run(
			command,
			[
				...settings.flatMap((setting) => ['-o', setting]),
				...(options.onStatus ? ['-o', 'APT::Status-Fd=3'] : []),
				...args,
			],
			options,
		);
		if (code !== 0) throw aptError(failure, `${stdout}\n${stderr}`);
		return { stdout };
	}
}

function aptError(failure: string, output: string): ImagesError {
	const lines = output.split('\n').filter((line) => /^(E|Err|W):/.test(line));
	const why = (lines.find((line) => line.startsWith('E:')) ?? lines[0] ?? lastLine(output)).replace(/^(E|W):\s*/, '');
	if (/Temporary failure resolving|Could not resolve|Network is unreachable|Could not connect/i.test(output)) {
		return new ImagesError(failure, {
			why: `there is no network connection to the mirror (apt: ${why})`,
			advice: 'connect to the network and try again',
		});
	}
	if (/No space left/i.test(output)) {
		return new ImagesError(failure, { why: 'the disk is full', advice: 'free some space, or use --dir' });
	}
	if (/NO_PUBKEY|not signed|EXPKEYSIG|BADSIG/i.test(output)) {
		return new ImagesError(failure, {
			why: `its signature is not one of Debian's archive keyring (apt: ${why})`,
			advice: 'upgrade debian-archive-keyring, or use --source snapshot',
		});
	}
	if (/Mirror sync in progress|Hash Sum mismatch/i.test(output)) {
		return new InconsistentMirrorError(failure, {
			why: `the mirror's files do not agree with each other (apt: ${why})`,
			advice: 'it may be changing just now: try again later, or use --source snapshot',
		});
	}
	return new ImagesError(failure, { why: `apt: ${why}`, advice: 'check --suite, or use --source snapshot' });
}

function lastLine(text: string): string {
	return text.trim().split('\n').at(-1) ?? '';
}

function hostIsDebian(): boolean {
	try {
		return /^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8'));
	} catch {
		return false;
	}
}

async function hashFile(file: string): Promise<string> {
	const hash = createHash('sha256');
	for await (const chunk of createReadStream(file)) hash.update(chunk as Uint8Array);
	return hash.digest('hex');
}

const runCommand: RunCommand = (command, args, options) =>
	new Promise((resolve, reject) => {
		const child = spawn(command, args, {
			cwd: options.cwd,
			stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
			env: { ...process.env, LC_ALL: 'C' },
		});
		const stdout: Buffer[] = [];
		const stderr: Buffer[] = [];
		let status = '';
		child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
		child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
		child.stdio[3]?.on('data', (chunk: Buffer) => {
			const lines = (status + chunk.toString()).split('\n');
			status = lines.pop() ?? '';
			for (const line of lines) options.onStatus?.(line);
		});
		child.on('error', reject);
		child.on('close', (code) =>
			resolve({
				code: code ?? 1,
				stdout: Buffer.concat(stdout).toString(),
				stderr: Buffer.concat(stderr).toString(),
			}),
		);
	});
