// `pnpm bench:machine`: CPU seconds of whole processes, Partita beside QEMU 7.2, on the same guests, by turns; results
// are compared bit for bit. The guests are in bench-machine/guests.mjs.
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { findGuests, MEMORY_MIB, STAGES_ADDRESS } from './bench-machine/guests.mjs';
import { lastLines, measureRun, measureSession, stopChildren } from './bench-machine/measure.mjs';
import { stagesTable, table } from './bench-machine/report.mjs';

const here = import.meta.dirname;
const root = dirname(here);
const qemu = process.env.PARTITA_QEMU ?? 'qemu-system-riscv64';
const MINE = 'Partita';
const ENGINES = ['interpreter', 'translator', 'default'];

const USAGE = `usage: pnpm bench:machine [options]
  --only REGEXP   only guests whose names match: programs, debian-boot, debian-forks, debian-loop, debian-md5
  --rounds N      runs of each (default 5)
  --two-stage     the programs also as guests of a hypervisor: two stages of address translation
  --engine NAME   interpreter, translator (everything, at once) or default
  --node FILE     the Node that Partita runs in (default: the one of the toolchain)
  --icount        a column of QEMU with exact instruction counting (-icount shift=0)
  --programs DIR  instead of all these, every *.elf there: it starts in M-mode without firmware, prints a checksum of 16
                  hexadecimal digits on the UART, and ends through the test finisher
  --json FILE     every measurement, written as they come in
Debian's images come from: npm start -- images pull debian. Ctrl-C ends a run and keeps what was measured.
`;

/** Runs a guest in Partita, in a process of its own. */
async function runPartita({ node, engine }, guest) {
	const script = join(here, 'bench-machine', 'partita-guest.mjs');
	const { seconds, output, notes } = await measureRun(node, [script, JSON.stringify({ ...guest, engine })]);
	return { seconds, output, ...JSON.parse(notes) };
}

/** Runs a guest in QEMU. */
async function runQemu(extra, { firmware, kernel, initrd, stages, steps }) {
	const args = ['-M', 'virt', '-m', `${MEMORY_MIB}`, '-nographic', ...extra, '-bios', firmware ?? 'none'];
	args.push('-kernel', kernel);
	if (initrd) args.push('-initrd', initrd, '-append', 'console=ttyS0');
	if (stages === 2) args.push('-device', `loader,addr=0x${STAGES_ADDRESS.toString(16)},data=2,data-len=8`);
	if (!steps) return await measureRun(qemu, args);
	const { prompts, output } = await measureSession(qemu, args, steps);
	return { output, prompts: prompts.map((seconds) => ({ seconds })) };
}

/** What a run came to, and its measurements by the name of the row that they go to. */
function rowsOf(guest, { seconds, instructions, prompts, output, translator }) {
	if (!guest.steps) {
		const result = /^[0-9a-f]{16}(?=\r?$)/m.exec(output)?.[0];
		return [{ name: guest.name, seconds, instructions, result, translator }];
	}
	const results = lastLines(output, guest.steps);
	return guest.steps.flatMap(({ name, reported }, step) => {
		const before = prompts[step - 1] ?? { seconds: 0, instructions: 0 };
		const { seconds: after, instructions: executed } = prompts[step];
		if (!reported) return [];
		return [
			{
				name,
				seconds: after - before.seconds,
				instructions: executed - before.instructions,
				result: results[step],
				translator,
			},
		];
	});
}

function readOptions() {
	const { values } = parseArgs({
		options: {
			only: { type: 'string' },
			rounds: { type: 'string', default: '5' },
			'two-stage': { type: 'boolean', default: false },
			engine: { type: 'string' },
			node: { type: 'string', default: process.execPath },
			icount: { type: 'boolean', default: false },
			programs: { type: 'string' },
			json: { type: 'string' },
			help: { type: 'boolean', default: false },
		},
	});
	if (values.engine !== undefined && !ENGINES.includes(values.engine))
		throw new Error(`--engine ${values.engine}: ${ENGINES.join(', ')} are possible`);
	const rounds = Number(values.rounds);
	if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds ${values.rounds}: a number from 1 on`);
	return { ...values, rounds };
}

function build() {
	const args = ['run', 'build', '--filter', 'partita', '--filter', '@partita/machine', '--output-logs', 'errors-only'];
	const stdio = ['ignore', 'ignore', 'inherit'];
	const { status } = spawnSync('turbo', args, { cwd: root, stdio, shell: process.platform === 'win32' });
	if (status !== 0 && !existsSync(join(root, 'packages/machine/dist/index.js')))
		throw new Error('the packages are not built: pnpm build');
}

async function main() {
	const options = readOptions();
	if (options.help) return void process.stdout.write(USAGE);
	build();
	const guests = findGuests(options);
	const print = "console.log(process.version + ', V8 ' + process.versions.v8)";
	const node = spawnSync(options.node, ['-e', print], { encoding: 'utf8' });
	if (node.status !== 0) throw new Error(`--node ${options.node}: it could not be started`);
	const version = /version (\S+)/.exec(spawnSync(qemu, ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[1];
	if (!version) process.stderr.write(`Without QEMU: ${qemu} is not installed (Debian: qemu-system-misc)\n`);
	const contenders = new Map([[MINE, (guest) => runPartita(options, guest)]]);
	if (version) contenders.set('QEMU', (guest) => runQemu([], guest));
	if (version && options.icount) contenders.set('QEMU -icount', (guest) => runQemu(['-icount', 'shift=0'], guest));

	const names = [...contenders.keys()];
	const rows = new Map();
	const host = { node: node.stdout.trim(), qemu: version, cpu: cpus()[0]?.model, cores: cpus().length };
	const about = { host, engine: options.engine, rounds: options.rounds, complete: false };
	const write = () => {
		const text = JSON.stringify({ ...about, results: [...rows.values()] }, rounded, '\t');
		if (options.json) writeFileSync(options.json, `${text}\n`);
	};
	let interrupted = false;
	for (const signal of ['SIGINT', 'SIGTERM']) {
		process.on(signal, () => {
			interrupted = true;
			stopChildren();
		});
	}
	let failure;
	try {
		for (const guest of guests) {
			for (let round = 0; round < options.rounds; round++) {
				// Who goes first may be favoured or hindered: they take turns. A round counts when all have run.
				const order = round % 2 === 0 ? names : names.toReversed();
				const measured = new Map();
				for (const name of order) measured.set(name, rowsOf(guest, await contenders.get(name)(guest)));
				addRound(rows, names, measured);
				write();
				const seconds = (name) =>
					measured
						.get(name)
						.reduce((sum, row) => sum + row.seconds, 0)
						.toFixed(2);
				const line = names.map((name) => `${name} ${seconds(name)} s`).join(', ');
				process.stderr.write(`${guest.name}, round ${round + 1} of ${options.rounds}: ${line}\n`);
			}
		}
		about.complete = true;
		write();
	} catch (error) {
		if (!interrupted) failure = error;
	}
	const results = [...rows.values()];
	if (results.length > 0) {
		const engine = options.engine ? `, engine ${options.engine}` : '';
		process.stdout.write(
			`\nNode ${host.node}${engine}; QEMU ${version ?? '-'}; CPU seconds of whole processes, medians; a ratio above 1: Partita is faster\n\n`,
		);
		process.stdout.write(table(results, names) + stagesTable(results, MINE));
	}
	if (interrupted) {
		process.stderr.write('\nInterrupted: this is what was measured until then.\n');
		process.exitCode = 130;
	}
	if (failure) throw failure;
}

/** Seconds are sums of hundredths. */
const rounded = (_, value) => (typeof value === 'number' ? Math.round(value * 1e6) / 1e6 : value);

/** Adds what all contenders measured in a round, after their results have been compared. */
function addRound(rows, names, measured) {
	measured.get(MINE).forEach(({ name, instructions, result, translator }, index) => {
		const row = rows.get(name) ?? {
			name,
			instructions,
			result,
			translator,
			seconds: Object.fromEntries(names.map((n) => [n, []])),
		};
		for (const contender of names) {
			const other = measured.get(contender)[index];
			if (other.result === undefined) throw new Error(`${name}: ${contender} printed no checksum`);
			if (other.result !== row.result)
				throw new Error(`${name}: ${contender} came to ${other.result}, not ${row.result}`);
			row.seconds[contender].push(other.seconds);
		}
		rows.set(name, row);
	});
}

try {
	await main();
} catch (error) {
	process.stderr.write(`bench:machine: ${error.message}\n`);
	process.exitCode = 1;
}
