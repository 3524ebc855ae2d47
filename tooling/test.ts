// `npm test [-- --filter NAME]`: every check of the repository, then the counts of all tests.
//
// A check that fails counts as one failed test, and so does a package whose tests could not be run or counted. With
// CI=true a skipped test is a failure as well: there the programs that judge (assemblers, QEMU, …) have to be present.
// The tests themselves are never taken from turbo's cache, since it cannot know about those programs.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { capture, root, show } from './run.ts';

/** The part of vitest's JSON report that is read here. */
interface Report {
	readonly success: boolean;
	readonly testResults: readonly {
		readonly name: string;
		readonly status: string;
		readonly message: string;
		readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
	}[];
}

const REPORT = join('.reports', 'vitest.json');
const ci = process.env.CI === 'true';
const filters = process.argv.slice(2);
const total = { passed: 0, failed: 0, skipped: 0 };
const problems: string[] = [];

async function check(name: string, command: string, args: readonly string[]): Promise<void> {
	const began = performance.now();
	const { status, output } = await capture(command, args);
	const seconds = ((performance.now() - began) / 1000).toFixed(1);
	console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`);
	if (status === 0) return;
	console.log(output);
	total.failed++;
	problems.push(name);
}

/** The folders of the workspace's packages that the filters select. */
async function packages(): Promise<string[]> {
	const { status, output } = await capture('turbo', ['run', 'test', '--dry=json', ...filters]);
	if (status !== 0) throw new Error(output);
	const { tasks } = JSON.parse(output.slice(output.indexOf('{'))) as {
		tasks: { task: string; directory: string; command: string }[];
	};
	return tasks.filter(({ task, command }) => task === 'test' && command !== '<NONEXISTENT>').map((t) => t.directory);
}

/** Adds up one package's report. */
function count(folder: string): void {
	const file = join(root, folder, REPORT);
	if (!existsSync(file)) {
		total.failed++;
		problems.push(`${folder}: no report; its tests did not run to their end`);
		return;
	}
	const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
	const found = { passed: 0, failed: 0, skipped: 0 };
	for (const { name, status, message, assertionResults } of report.testResults) {
		for (const test of assertionResults) {
			if (test.status === 'passed') found.passed++;
			else if (test.status === 'failed') {
				found.failed++;
				problems.push(`${folder}: ${test.fullName}`);
			} else {
				found.skipped++;
				if (ci) problems.push(`${folder}: skipped: ${test.fullName}`);
			}
		}
		if (status === 'failed' && !assertionResults.some((test) => test.status === 'failed')) {
			found.failed++;
			problems.push(`${folder}: ${name}: ${message}`);
		}
	}
	if (!report.success && found.failed === 0) {
		found.failed++;
		problems.push(`${folder}: has no tests, or an error outside of any test`);
	}
	const skipped = found.skipped > 0 ? `, ${found.skipped} skipped` : '';
	console.log(`${folder}: ${found.passed} passed, ${found.failed} failed${skipped}`);
	for (const key of ['passed', 'failed', 'skipped'] as const) total[key] += found[key];
}

mkdirSync(join(root, '.reports'), { recursive: true });
rmSync(join(root, '.reports', 'total.txt'), { force: true });

const turbo = ['--continue=always', '--output-logs=errors-only', ...(ci ? ['--force'] : []), ...filters];
if (filters.length === 0) {
	await check('format and lint', 'biome', ['check', '--error-on-warnings', '.']);
	await check('manifests', 'sherif', []);
	await check('types of the tooling', 'tsc', ['--noEmit', '-p', 'tooling']);
}
await check('types and build', 'turbo', ['run', 'typecheck', 'build', '--concurrency=2', ...turbo]);
if (filters.length === 0) {
	await check('documentation', 'typedoc', ['--emit', 'none']);
	// It compares with the branch main: there is nothing to compare where a clone holds only one other branch.
	const main = await capture('git', ['rev-parse', '--verify', '--quiet', 'main']);
	if (main.status === 0) await check('changesets', 'changeset', ['status']);
}

const folders = await packages();
for (const folder of folders) rmSync(join(root, folder, REPORT), { force: true });
const report = ['--reporter=default', '--reporter=json', `--outputFile.json=${REPORT}`];
const options = ['--continue=always', '--only', '--concurrency=2', '--output-logs=errors-only', ...filters];
console.log('       tests …');
const tests = await show('turbo', ['run', 'test', ...options, '--', ...report]);
console.log();
for (const folder of folders) count(folder);
if (tests.status !== 0 && total.failed === 0) {
	total.failed++;
	problems.push(`turbo run test ended with status ${tests.status}`);
}
// A package without the script would be passed over in silence.
if (filters.length === 0) {
	for (const group of ['packages', 'apps']) {
		for (const name of readdirSync(join(root, group))) {
			const folder = join(group, name);
			if (!existsSync(join(root, folder, 'package.json')) || folders.includes(folder)) continue;
			total.failed++;
			problems.push(`${folder}: has no test script`);
		}
	}
}

const failed = total.failed > 0 || (ci && total.skipped > 0);
if (problems.length > 0) console.log(`\n${failed ? 'Failed' : 'Noted'}:\n${problems.map((p) => `- ${p}`).join('\n')}`);
if (!failed && total.skipped > 0) console.log('\nTests are skipped where a program that judges them is missing.');
const line = `${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}`;
writeFileSync(join(root, '.reports', 'total.txt'), `${line}\n`);
// In CI .ci/run prints the counts, as its last line.
if (!ci) console.log(`\n${line}`);
process.exitCode = failed ? 1 : 0;
