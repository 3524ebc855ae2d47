// Makes a fresh clone ready, then runs a command with its tools on PATH: `node tooling/bootstrap.mjs COMMAND ARGS`.
// Needs only Node 20.19 and npm: installs pnpm, a newer Node where this one is too old for the tools, and the workspace's
// dependencies. Each install is skipped while the files that decide its result stay as they are.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const toolchain = join(root, 'tooling', 'toolchain');
const [major, minor] = process.versions.node.split('.').map(Number);
const recentEnough = major > 22 || (major === 22 && minor >= 18);

function fail(message) {
	process.stderr.write(`partita: ${message}\n`);
	process.exit(1);
}

if (major < 20 || (major === 20 && minor < 19))
	fail(`Node 20.19 or later is needed; this is ${process.versions.node}.`);

/** Runs an install, unless the files named and the extra words are those of the last one that succeeded. */
function install(what, folder, files, words, command, args, env) {
	const hash = createHash('sha256').update(JSON.stringify(words));
	for (const file of files) hash.update(`\0${relative(root, file)}\0`).update(readFileSync(file));
	const digest = hash.digest('hex');
	const stamp = join(folder, 'node_modules', '.partita-installed');
	if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
	process.stderr.write(`partita: installing ${what} …\n`);
	// Windows starts npm and pnpm through a shell; no argument here needs quoting.
	const shell = process.platform === 'win32';
	const result = spawnSync(command, args, { cwd: folder, env, encoding: 'utf8', shell, maxBuffer: 1 << 26 });
	if (result.error || result.status !== 0) {
		const output = result.error ? result.error.message : `${result.stdout}${result.stderr}`.trimEnd();
		const offline = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|ETIMEDOUT|ECONNRESET|ERR_PNPM_META_FETCH_FAIL/.test(
			output,
		);
		process.stderr.write(`${output}\n`);
		const cause = offline ? ' The npm registry could not be reached: the first run needs a network connection.' : '';
		fail(`could not install ${what} (${[command, ...args].join(' ')}).${cause}`);
	}
	writeFileSync(stamp, digest);
}

// npm's own variables (its configuration, the outer script) would reach pnpm and turbo as settings.
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
env.TURBO_TELEMETRY_DISABLED = '1';

const toolchainFiles = ['package.json', 'package-lock.json'].map((file) => join(toolchain, file));
const ownNode = join(toolchain, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
// Once installed it stays: this script may be run by that very Node, from `pnpm` with the toolchain on PATH.
const withNode = !recentEnough || existsSync(ownNode);
const omit = withNode ? [] : ['--omit=optional'];
const npmArgs = ['ci', '--no-audit', '--no-fund', '--loglevel=error', ...omit];
const platform = [process.platform, process.arch];
install('the toolchain', toolchain, toolchainFiles, [npmArgs, platform], 'npm', npmArgs, process.env);
if (withNode && !existsSync(ownNode)) {
	// npm passes over an optional dependency that it cannot install.
	rmSync(join(toolchain, 'node_modules'), { recursive: true, force: true });
	fail('npm left out the package `node`: is there a build of it for this platform, and a network connection?');
}

const pathName = Object.keys(env).find((name) => name.toUpperCase() === 'PATH') ?? 'PATH';
const bins = [toolchain, root].map((folder) => join(folder, 'node_modules', '.bin'));
env[pathName] = [...bins, env[pathName]].join(delimiter);

const manifests = ['packages', 'apps']
	.flatMap((folder) => readdirSync(join(root, folder)).map((name) => join(root, folder, name, 'package.json')))
	.filter((file) => existsSync(file));
const workspaceFiles = ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml'].map((file) => join(root, file));
const pnpmArgs = ['install', '--frozen-lockfile', '--reporter=append-only'];
install('dependencies', root, [...workspaceFiles, ...manifests], [platform], 'pnpm', pnpmArgs, { ...env, CI: 'true' });

const [command, ...args] = process.argv.slice(2);
const isNode = command === 'node';
const program = isNode ? (withNode ? ownNode : process.execPath) : command;
const child = spawn(program, args, { env, stdio: 'inherit', shell: !isNode && process.platform === 'win32' });
// A terminal sends Ctrl-C to the child as well: it decides; this process only waits for it.
process.on('SIGINT', () => {});
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => fail(`could not start ${program}: ${error.message}`));
child.on('exit', (status, signal) => {
	if (signal === null) process.exit(status);
	for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(name);
	process.kill(process.pid, signal);
});
