// CPU seconds of other programs, of all their threads: of a whole run, or between the prompts of a session.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { POWER_OFF, PROMPT } from './guests.mjs';

/** The children that run now: each leads a process group, so that Ctrl-C reaches them through {@link stopChildren}. */
const children = new Set();

/** Ends what is being measured. */
export function stopChildren() {
	for (const child of children) {
		try {
			process.kill(-child.pid, 'SIGKILL');
		} catch {
			// It has just ended.
		}
	}
}

/** Starts a program, called `name` in errors; collects its output streams in `texts`. `onText` is called when its standard output has grown. */
function run(command, args, name, onText = () => {}) {
	const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe'], detached: true });
	const texts = ['', '', '', '', ''];
	children.add(child);
	for (const stream of [1, 2, 3, 4]) {
		child.stdio[stream].setEncoding('latin1').on('data', (data) => {
			texts[stream] += data;
			if (stream === 1) onText(child, texts);
		});
	}
	child.stdin.on('error', () => {});
	return new Promise((resolve, reject) => {
		child.on('error', reject);
		child.on('close', (status) => {
			children.delete(child);
			if (status === 0) resolve(texts);
			else reject(new Error(`${name} ended with ${status}\n${texts[2] || texts[1].slice(-500)}`));
		});
	});
}

/** User and system seconds of the children, from what `times` prints last: `0m1.230s 0m0.040s`. */
function childSeconds(text) {
	const found = [...text.matchAll(/^(\d+)m([\d.]+)s (\d+)m([\d.]+)s$/gm)].at(-1);
	if (!found) throw new Error(`the shell printed no times: ${text}`);
	const [, userMinutes, user, systemMinutes, system] = found.map(Number);
	return (userMinutes + systemMinutes) * 60 + user + system;
}

/** Runs a command to its end: CPU seconds, standard output, and what it wrote to descriptor 3. */
export async function measureRun(command, args) {
	// `times` of the shell counts the whole child process, all its threads.
	const script = '"$@"; status=$?; times >&4; exit $status';
	const texts = await run('sh', ['-c', script, 'sh', command, ...args], basename(command));
	return { seconds: childSeconds(texts[4]), output: texts[1], notes: texts[3] };
}

/** CPU seconds so far of a process that runs: user and system time, all threads. */
function secondsOf(pid) {
	if (existsSync(`/proc/${pid}/stat`)) {
		// proc(5): fields 14 and 15, in ticks of 10 ms; the second field may contain spaces.
		const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
			.replace(/^.*\) /s, '')
			.split(' ');
		return (Number(fields[11]) + Number(fields[12])) / 100;
	}
	const { stdout } = spawnSync('ps', ['-o', 'time=', '-p', `${pid}`], { encoding: 'utf8' });
	return stdout
		.trim()
		.split(/[:-]/)
		.reduce((sum, part) => sum * 60 + Number(part), 0);
}

/** Runs a command whose console is typed at: CPU seconds at each prompt, and what was printed last before it. */
export async function measureSession(command, args, steps) {
	const prompts = [];
	let at = 0;
	const texts = await run(command, args, basename(command), (child, { 1: output }) => {
		if (prompts.length === steps.length || !output.includes(PROMPT, at)) return;
		at = output.length;
		prompts.push(secondsOf(child.pid));
		child.stdin.write(`${steps[prompts.length]?.line ?? POWER_OFF}\n`);
	});
	return { prompts, output: texts[1] };
}

/** What each step printed last, from the console's whole output. */
export function lastLines(output, steps) {
	return output
		.split(PROMPT)
		.slice(0, steps.length)
		.map((text, step) => (step === 0 ? '' : text.trimEnd().split(/\r?\n/).at(-1)));
}
