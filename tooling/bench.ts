// `pnpm bench --filter NAME [--compare BASE] [--rounds N]`: runs the benchmarks of one package as it is built.
//
// With --compare, the commit BASE is checked out, installed and built in a temporary git worktree, and the benchmarks of
// both trees run alternately, each time in a fresh process. What is compared is the median over the rounds of each
// round's median time; the spread of the ratio over the rounds stands beside it. Each tree runs its own benchmark files;
// benchmarks are matched by name.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { capture, must, root, show } from './run.ts';

const CONFIG = join('..', '..', 'tooling', 'vitest.bench.config.ts');

/** The part of vitest's JSON report that is read here. Times are in milliseconds. */
interface Report {
	readonly testResults: readonly {
		readonly assertionResults: readonly {
			readonly benchmarks?: readonly {
				readonly tasks: readonly { readonly name: string; readonly latency: { readonly p50: number } }[];
			}[];
		}[];
	}[];
}

function usage(message: string): never {
	process.stderr.write(`${message}\nusage: pnpm bench --filter NAME [--compare BASE] [--rounds N]\n`);
	process.exit(2);
}

function options(): { filter: string; compare: string | undefined; rounds: number } {
	const spec = {
		filter: { type: 'string' },
		compare: { type: 'string' },
		rounds: { type: 'string', default: '5' },
	} as const;
	let values: { filter?: string; compare?: string; rounds: string };
	try {
		values = parseArgs({ options: spec }).values;
	} catch (error) {
		usage((error as Error).message);
	}
	const rounds = Number(values.rounds);
	if (!values.filter) usage('--filter is missing: name a package, for example --filter riscv');
	if (!Number.isInteger(rounds) || rounds < 1) usage(`--rounds takes a whole number from 1, not ${values.rounds}`);
	return { filter: values.filter.replace(/^@partita\//, ''), compare: values.compare, rounds };
}

/** Runs the package's benchmarks once in a new process: name to median time in milliseconds. */
async function measure(tree: string, name: string): Promise<Map<string, number>> {
	const folder = join(tree, 'packages', name);
	const file = join(folder, '.reports', 'bench.json');
	rmSync(file, { force: true });
	const reporters = ['--reporter=json', `--outputFile=${file}`];
	await must('pnpm', ['exec', 'vitest', 'bench', '--run', '--config', CONFIG, ...reporters], { cwd: folder });
	const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
	const medians = new Map<string, number>();
	for (const { assertionResults } of report.testResults) {
		for (const { benchmarks = [] } of assertionResults) {
			for (const { tasks } of benchmarks) for (const task of tasks) medians.set(task.name, task.latency.p50);
		}
	}
	if (medians.size === 0) throw new Error(`${folder} has no benchmarks`);
	return medians;
}

function median(values: readonly number[]): number {
	const sorted = values.toSorted((a, b) => a - b);
	const middle = sorted.length >> 1;
	return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

async function compare(name: string, base: string, rounds: number): Promise<void> {
	const commit = await capture('git', ['rev-parse', '--verify', '--quiet', `${base}^{commit}`]);
	if (commit.status !== 0) usage(`--compare: ${base} is not a commit of this repository`);
	const folder = mkdtempSync(join(tmpdir(), 'partita-bench-'));
	const tree = join(folder, 'base');
	try {
		await must('git', ['worktree', 'add', '--detach', tree, commit.output.trim()]);
		console.log(`building ${base} (${commit.output.trim().slice(0, 12)}) …`);
		await must('pnpm', ['install', '--frozen-lockfile'], { cwd: tree, env: { ...process.env, CI: 'true' } });
		await must('turbo', ['run', 'build', `--filter=@partita/${name}`], { cwd: tree });
		const trees = { base: tree, here: root };
		const samples = { base: new Map<string, number[]>(), here: new Map<string, number[]>() };
		for (let round = 0; round < rounds; round++) {
			console.log(`round ${round + 1} of ${rounds} …`);
			// The one that goes first may be favoured or hindered: they take turns.
			for (const side of round % 2 === 0 ? (['base', 'here'] as const) : (['here', 'base'] as const)) {
				for (const [task, time] of await measure(trees[side], name)) {
					samples[side].set(task, [...(samples[side].get(task) ?? []), time]);
				}
			}
		}
		const rows = Array.from(samples.here, ([task, here]) => {
			const before = samples.base.get(task);
			const ratios = before?.map((time, i) => here[i]! / time) ?? [];
			return {
				benchmark: task,
				'base (ms)': before ? median(before).toPrecision(4) : 'none',
				'here (ms)': median(here).toPrecision(4),
				'here / base': before ? (median(here) / median(before)).toFixed(3) : '',
				range: before ? `${Math.min(...ratios).toFixed(3)} to ${Math.max(...ratios).toFixed(3)}` : '',
			};
		});
		console.table(rows);
		const gone = [...samples.base.keys()].filter((task) => !samples.here.has(task));
		if (gone.length > 0) console.log(`only in ${base}: ${gone.join(', ')}`);
	} finally {
		await capture('git', ['worktree', 'remove', '--force', tree]);
		rmSync(folder, { recursive: true, force: true });
	}
}

const { filter, compare: base, rounds } = options();
const folder = join(root, 'packages', filter);
if (!existsSync(join(folder, 'package.json'))) usage(`--filter: there is no package ${filter}`);
try {
	await must('turbo', ['run', 'build', `--filter=@partita/${filter}`, '--output-logs=errors-only']);
	if (base !== undefined) await compare(filter, base, rounds);
	else {
		const { status } = await show('pnpm', ['exec', 'vitest', 'bench', '--run', '--config', CONFIG], { cwd: folder });
		process.exitCode = status;
	}
} catch (error) {
	process.stderr.write(`${(error as Error).message}\n`);
	process.exitCode = 1;
}
