// `pnpm release:check [PACKAGE …]`: would a release work? Builds and packs every package, checks the tarballs with publint
// and attw, publishes them to a registry of its own on the loopback address, installs each PACKAGE from there into an empty
// folder, and runs the example of its README under the Node that the user has. By default, one package without dependencies,
// whose example simulates a schedule, and the one that needs all others, whose example assembles systems.
//
// Nothing leaves the machine: the registry has no uplink, and nothing is published before npm says that the loopback
// registry is the one that it would publish to. What others have written is put into it as it is installed here.
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	realpathSync,
	rmSync,
	writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join, sep } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import ts from 'typescript';
import { readmeExample } from './readme.ts';
import { capture, must, root } from './run.ts';

const RELEASE = join(root, 'tooling', 'release');
const bin = (name: string): string => join(RELEASE, 'node_modules', '.bin', name);

interface Manifest {
	readonly name: string;
	readonly private?: boolean;
	readonly exports?: Readonly<Record<string, unknown>>;
	readonly dependencies?: Readonly<Record<string, string>>;
}

/** The registry and the checkers burden only those who check a release: they are installed here, on demand. */
async function installTools(): Promise<void> {
	const stamp = join(RELEASE, 'node_modules', '.partita-installed');
	const digest = createHash('sha256')
		.update(readFileSync(join(RELEASE, 'package-lock.json')))
		.digest('hex');
	if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
	console.log('installing the registry and the checkers …');
	await must('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: RELEASE });
	writeFileSync(stamp, digest);
}

function publishable(): { folder: string; manifest: Manifest }[] {
	return ['packages', 'apps']
		.flatMap((group) => readdirSync(join(root, group)).map((name) => join(root, group, name)))
		.filter((folder) => existsSync(join(folder, 'package.json')))
		.map((folder) => ({ folder, manifest: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest }))
		.filter(({ manifest }) => !manifest.private);
}

/** Packs one package and checks the tarball; returns its path. */
async function pack(folder: string, manifest: Manifest, destination: string): Promise<string> {
	const output = await must('pnpm', ['pack', '--json', '--pack-destination', destination], { cwd: folder });
	const { filename } = JSON.parse(output.slice(output.indexOf('{'))) as { filename: string };
	await must(bin('publint'), ['run', filename, '--strict']);
	// A program has no types to check.
	const library = Object.keys(manifest.exports ?? {}).some((entry) => entry !== './package.json');
	if (library) await must(bin('attw'), [filename, '--profile', 'esm-only', '--no-emoji']);
	console.log(`ok     ${manifest.name}: packed, clean for ${library ? 'publint and attw' : 'publint'}`);
	return filename;
}

/** Folders of the packages of others that these depend on, directly and further on, as they are installed here. */
function foreignFolders(folders: readonly string[]): Set<string> {
	const found = new Set<string>();
	const visit = (folder: string): void => {
		const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
		for (const name of Object.keys(dependencies)) {
			if (name.startsWith('@partita/')) continue;
			// pnpm puts what a package depends on beside it.
			const places = [
				join(folder, 'node_modules'),
				folder.slice(0, folder.lastIndexOf(`${sep}node_modules${sep}`) + 14),
			];
			const place = places.map((each) => join(each, name)).find((each) => existsSync(each));
			if (place === undefined) throw new Error(`${folder}: its dependency ${name} is not installed`);
			const real = realpathSync(place);
			if (found.has(real)) continue;
			found.add(real);
			visit(real);
		}
	};
	for (const folder of folders) visit(folder);
	return found;
}

function freePort(): Promise<number> {
	return new Promise((resolve, reject) => {
		const server = createServer();
		server.on('error', reject);
		server.listen(0, '127.0.0.1', () => {
			const address = server.address();
			server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
		});
	});
}

async function startRegistry(folder: string, port: number): Promise<ChildProcess> {
	// YAML is a superset of JSON.
	const config = {
		storage: join(folder, 'storage'),
		uplinks: {},
		packages: { '**': { access: '$all', publish: '$all' } },
		auth: { htpasswd: { file: join(folder, 'htpasswd'), max_users: -1 } },
		log: { type: 'stdout', format: 'pretty', level: 'warn' },
	};
	const file = join(folder, 'registry.yaml');
	writeFileSync(file, JSON.stringify(config));
	const child = spawn(process.execPath, [
		join(RELEASE, 'node_modules', 'verdaccio', 'bin', 'verdaccio'),
		...['--config', file, '--listen', `127.0.0.1:${port}`],
	]);
	let output = '';
	for (const stream of [child.stdout, child.stderr]) {
		stream.setEncoding('utf8').on('data', (text: string) => {
			output += text;
		});
	}
	for (let tries = 0; tries < 300; tries++) {
		if (child.exitCode !== null) break;
		const answer = await fetch(`http://127.0.0.1:${port}/-/ping`).catch(() => undefined);
		if (answer?.ok) return child;
		await sleep(100);
	}
	child.kill();
	throw new Error(`the registry did not start:\n${output}`);
}

/** The environment in which npm knows the loopback registry and no other. */
async function loopbackOnly(folder: string, port: number): Promise<NodeJS.ProcessEnv> {
	const registry = `http://127.0.0.1:${port}/`;
	const userconfig = join(folder, 'npmrc');
	// npm wants a token before it publishes; this registry accepts anyone.
	const lines = [`registry=${registry}`, `@partita:registry=${registry}`, `//127.0.0.1:${port}/:_authToken=loopback`];
	writeFileSync(userconfig, `${lines.join('\n')}\n`);
	writeFileSync(join(folder, 'globalrc'), '');
	const env = {
		...process.env,
		NPM_CONFIG_USERCONFIG: userconfig,
		NPM_CONFIG_GLOBALCONFIG: join(folder, 'globalrc'),
		NPM_CONFIG_CACHE: join(folder, 'cache'),
	};
	for (const key of ['registry', '@partita:registry']) {
		const { output } = await capture('npm', ['config', 'get', key, '--loglevel=error'], { cwd: folder, env });
		if (output.trim() !== registry) throw new Error(`npm would use ${key} ${output.trim()}: nothing was published`);
	}
	return env;
}

/** The user's Node: the first on PATH that is not the toolchain's. */
function usersNode(): string {
	const name = process.platform === 'win32' ? 'node.exe' : 'node';
	const found = (process.env.PATH ?? '')
		.split(delimiter)
		.filter((folder) => folder !== '' && !folder.includes(`${sep}node_modules${sep}`))
		.map((folder) => join(folder, name))
		.find((file) => existsSync(file));
	return found ?? process.execPath;
}

/** Installs a package from the loopback registry into an empty folder and runs its README's example there. */
async function tryPackage(name: string, folder: string, env: NodeJS.ProcessEnv): Promise<void> {
	mkdirSync(folder);
	writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
	await must('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', name], { cwd: folder, env });
	const installed = join(folder, 'node_modules', ...name.split('/'));
	const { source, expected } = readmeExample(readFileSync(join(installed, 'README.md'), 'utf8'));
	const options = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true };
	writeFileSync(join(folder, 'example.js'), ts.transpileModule(source, { compilerOptions: options }).outputText);
	const node = usersNode();
	const printed = (await must(node, ['example.js'], { cwd: folder })).trimEnd().split('\n');
	if (printed.join('\n') !== expected.join('\n')) {
		throw new Error(`${name}: its README says\n${expected.join('\n')}\nand its example prints\n${printed.join('\n')}`);
	}
	const version = (await must(node, ['--version'])).trim();
	console.log(`ok     ${name}: installed into an empty folder, the README's example runs under Node ${version}`);
}

const wanted = process.argv.length > 2 ? process.argv.slice(2) : ['@partita/sched', '@partita/system'];
const scratch = mkdtempSync(join(tmpdir(), 'partita-release-'));
let registry: ChildProcess | undefined;
try {
	const packages = publishable();
	for (const name of wanted) {
		if (!packages.some(({ manifest }) => manifest.name === name)) throw new Error(`there is no package ${name}`);
	}
	await installTools();
	console.log('building …');
	await must('turbo', ['run', 'build', '--output-logs=errors-only']);
	const problems: string[] = [];
	const tarballs: string[] = [];
	for (const { folder, manifest } of packages) {
		try {
			tarballs.push(await pack(folder, manifest, scratch));
		} catch (error) {
			problems.push((error as Error).message);
			console.log(`FAILED ${manifest.name}`);
		}
	}
	if (problems.length > 0) throw new Error(problems.join('\n'));
	const port = await freePort();
	registry = await startRegistry(scratch, port);
	const env = await loopbackOnly(scratch, port);
	for (const folder of foreignFolders(packages.map(({ folder }) => folder))) {
		const output = await must('npm', ['pack', folder, '--json', '--ignore-scripts', '--loglevel=error'], {
			cwd: scratch,
			env,
		});
		const [{ filename }] = JSON.parse(output.slice(output.indexOf('['))) as [{ filename: string }];
		tarballs.push(join(scratch, filename));
	}
	for (const tarball of tarballs) {
		await must('npm', ['publish', tarball, '--ignore-scripts', '--loglevel=error', '--provenance=false'], {
			cwd: scratch,
			env,
		});
	}
	console.log(`ok     ${tarballs.length} packages published to a registry on the loopback address`);
	for (const [i, name] of wanted.entries()) await tryPackage(name, join(scratch, `empty-${i}`), env);
} catch (error) {
	process.stderr.write(`${(error as Error).message}\n`);
	process.exitCode = 1;
} finally {
	registry?.kill();
	rmSync(scratch, { recursive: true, force: true });
}
