// `npm start -- ARGS`: builds what the command line needs, then runs `partita ARGS` in the folder where npm was called.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { capture, root } from './run.ts';

const notice = setTimeout(() => process.stderr.write('partita: building …\n'), 1500);
const build = await capture('turbo', ['run', 'build', '--filter=partita', '--output-logs=errors-only']);
clearTimeout(notice);
if (build.status !== 0) {
	process.stderr.write(`${build.output}partita: the build failed; nothing was started.\n`);
	process.exit(1);
}

const entry = join(root, 'apps', 'partita', 'bin', 'partita.mjs');
const child = spawn(process.execPath, [entry, ...process.argv.slice(2)], {
	cwd: process.env.INIT_CWD ?? process.cwd(),
	stdio: 'inherit',
});
// A terminal sends Ctrl-C to the child as well, which restores the terminal; this process waits for it.
process.on('SIGINT', () => {});
for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
child.on('exit', (status, signal) => {
	if (signal === null) process.exit(status ?? 1);
	for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(name);
	process.kill(process.pid, signal);
});
