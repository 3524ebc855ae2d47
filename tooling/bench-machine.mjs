// `pnpm bench:machine`: CPU seconds of whole processes, Partita beside QEMU 7.2, on the same guests. It runs them in turns,
// and shows medians. Programs of one's own: ELF files that end through the test finisher (`--programs DIR`).
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { programs } from './bench-programs.mjs';

const here = fileURLToPath(import.meta.url);
const root = dirname(dirname(here));
const qemu = process.env.PARTITA_QEMU ?? 'qemu-system-riscv64';
const PROMPT = '~ # ';
const MEMORY_MIB = 256;

const USAGE = `usage: pnpm bench:machine [options]
  --programs DIR  also every *.s.elf there, or every *.elf if there is none: S-mode programs that start in M-mode without
                  firmware at 0x80000000, print a checksum on the UART, and end through the test finisher
  --only REGEXP   only programs whose names match
  --runs N        runs of each (default 5)
  --icount        a column of QEMU with exact instruction counting (-icount shift=0)
  --no-boot       without Debian's boot (it needs images: npm start -- images pull debian)
  --json FILE     writes every measurement
`;

/** Runs one guest in this process and prints what it prints: what the parent measures. */
async function runGuest([kernel, initrd]) {
	const { Machine } = await import(new URL('../packages/machine/dist/index.js', import.meta.url).href);
	let text = '';
	let seen = false;
	const images = initrd
		? { firmware: 'builtin', kernel: readFileSync(kernel), initrd: readFileSync(initrd), append: 'console=ttyS0' }
		: { firmware: 'none', kernel: readFileSync(kernel) };
	const machine = new Machine({
		memory: MEMORY_MIB * 2 ** 20,
		images,
		console: (byte) => {
			text += String.fromCharCode(byte);
		},
	});
	for (;;) {
		const result = machine.run(1_000_000);
		if (initrd && !seen && text.endsWith(PROMPT)) {
			seen = true;
			machine.receive(new TextEncoder().encode('poweroff -f\n'));
		} else if (result.reason === 'idle' && result.next === undefined) throw new Error('the guest sleeps for ever');
		if (result.reason !== 'ended') continue;
		writeSync(1, text);
		writeSync(3, `${machine.executed}\n`);
		process.exitCode = result.ending.code;
		return;
	}
}

/** User and system seconds of the children, from what `times` prints last: `0m1.230s 0m0.040s`. */
function childSeconds(text) {
	const found = [...text.matchAll(/^(\d+)m([\d.]+)s (\d+)m([\d.]+)s$/gm)].at(-1);
	if (!found) throw new Error(`the shell printed no times: ${text}`);
	const [, userMinutes, user, systemMinutes, system] = found.map(Number);
	return (userMinutes + systemMinutes) * 60 + user + system;
}

/** Runs a command to its end, types `poweroff` at a prompt, and returns its CPU seconds and output. */
function measure(command, args) {
	return new Promise((resolve, reject) => {
		// `times` of the shell counts the whole child process, all its threads.
		const script = '"$@"; status=$?; times >&4; exit $status';
		const stdio = ['pipe', 'pipe', 'pipe', 'pipe', 'pipe'];
		const child = spawn('sh', ['-c', script, 'sh', command, ...args], { stdio });
		const texts = ['', '', '', '', ''];
		for (const stream of [1, 2, 3, 4]) {
			child.stdio[stream].setEncoding('latin1').on('data', (data) => {
				texts[stream] += data;
				if (stream === 1 && texts[1].endsWith(PROMPT)) child.stdin.write('poweroff -f\n');
			});
		}
		child.stdin.on('error', () => {});
		child.on('error', reject);
		child.on('close', (status) => {
			if (status !== 0)
				reject(new Error(`${basename(command)} ended with ${status}\n${texts[2] || texts[1].slice(-500)}`));
			else resolve({ seconds: childSeconds(texts[4]), output: texts[1], instructions: Number(texts[3]) || undefined });
		});
	});
}

/** Lines of an output that are checksums: 16 hexadecimal digits. */
const checksums = (text) => new Set(text.match(/^[0-9a-f]{16}(?=\r?$)/gm) ?? []);
const median = (values) => {
	const sorted = values.toSorted((a, b) => a - b);
	const middle = sorted.length >> 1;
	return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};
const geometricMean = (values) => Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

/** Guests to run: name, and the files. */
async function findGuests(options, folder) {
	const { asmWith, programToElf } = await import(new URL('../packages/riscv/dist/index.js', import.meta.url).href);
	const guests = programs.map(([name, source]) => {
		const kernel = join(folder, `${name}.elf`);
		writeFileSync(kernel, programToElf(asmWith({ base: 0x8000_0000n })`${source}`));
		return { name, kernel };
	});
	if (options.programs) {
		const files = readdirSync(options.programs)
			.filter((name) => name.endsWith('.elf'))
			.sort();
		const supervisor = files.filter((name) => name.endsWith('.s.elf'));
		if (files.length === 0) throw new Error(`--programs ${options.programs}: there is no *.elf`);
		for (const name of supervisor.length > 0 ? supervisor : files) {
			guests.push({ name: name.replace(/(\.s)?\.elf$/, ''), kernel: join(options.programs, name) });
		}
	} else process.stderr.write('Only the two programs that come along. For others: --programs DIR (see --help).\n');
	if (!options['no-boot']) {
		const path = (file) => {
			const args = [join(root, 'apps/partita/bin/partita.mjs'), 'images', 'path', file];
			const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
			return status === 0 ? stdout.trim() : undefined;
		};
		const [kernel, initrd] = [path('kernel'), path('initrd')];
		if (kernel && initrd) guests.push({ name: 'Debian, boot to shell', kernel, initrd });
		else process.stderr.write("Without Debian's boot: no images. Get them with: npm start -- images pull debian\n");
	}
	return guests.filter(({ name }) => new RegExp(options.only ?? '').test(name));
}

/** The machines that are compared: what each runs for a guest. */
function contenders(options) {
	const version = /version (\S+)/.exec(spawnSync(qemu, ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[1];
	if (!version) process.stderr.write(`Without QEMU: ${qemu} is not installed (Debian: qemu-system-misc)\n`);
	const board = ['-M', 'virt', '-m', `${MEMORY_MIB}`, '-nographic'];
	const files = ({ kernel, initrd }) =>
		initrd ? ['-kernel', kernel, '-initrd', initrd, '-append', 'console=ttyS0'] : ['-bios', 'none', '-kernel', kernel];
	const partita = {
		name: 'Partita',
		command: process.execPath,
		args: (g) => [here, '--guest', g.kernel, g.initrd ?? ''],
	};
	const judge = (name, extra) => ({ name, command: qemu, args: (guest) => [...board, ...extra, ...files(guest)] });
	return {
		version,
		list: [
			partita,
			...(version ? [judge('QEMU', [])] : []),
			...(version && options.icount ? [judge('QEMU -icount', ['-icount', 'shift=0'])] : []),
		],
	};
}

async function main() {
	const { values: options } = parseArgs({
		options: {
			programs: { type: 'string' },
			only: { type: 'string' },
			runs: { type: 'string', default: '5' },
			icount: { type: 'boolean', default: false },
			'no-boot': { type: 'boolean', default: false },
			json: { type: 'string' },
			help: { type: 'boolean', default: false },
		},
	});
	if (options.help) return void process.stdout.write(USAGE);
	const runs = Number(options.runs);
	if (!Number.isInteger(runs) || runs < 1) throw new Error(`--runs ${options.runs}: a number from 1 on`);
	const build = ['run', 'build', '--filter', 'partita', '--filter', '@partita/machine', '--output-logs', 'errors-only'];
	const built = spawnSync('turbo', build, {
		cwd: root,
		stdio: ['ignore', 'ignore', 'inherit'],
		shell: process.platform === 'win32',
	});
	if (built.status !== 0 && !existsSync(join(root, 'packages/machine/dist/index.js')))
		throw new Error('the packages are not built: pnpm build');
	const folder = mkdtempSync(join(tmpdir(), 'partita-bench-'));
	try {
		const { version, list } = contenders(options);
		const results = [];
		for (const guest of await findGuests(options, folder)) {
			const row = {
				name: guest.name,
				instructions: undefined,
				seconds: Object.fromEntries(list.map(({ name }) => [name, []])),
			};
			for (let run = 0; run < runs; run++) {
				let sums;
				for (const { name, command, args } of list) {
					const { seconds, output, instructions } = await measure(command, args(guest));
					row.instructions ??= instructions;
					row.seconds[name].push(seconds);
					const mine = checksums(output);
					if (sums && !guest.initrd && sums.isDisjointFrom(mine))
						throw new Error(`${guest.name}: ${name} came to another result`);
					sums ??= mine;
				}
			}
			results.push(row);
			process.stderr.write(`${guest.name}\n`);
		}
		report(results, list, version, runs);
		if (options.json) {
			const host = {
				node: process.version,
				v8: process.versions.v8,
				qemu: version,
				cpu: cpus()[0]?.model,
				platform: `${process.platform}-${process.arch}`,
			};
			writeFileSync(options.json, `${JSON.stringify({ host, runs, results }, undefined, '\t')}\n`);
		}
	} finally {
		rmSync(folder, { recursive: true });
	}
}

function report(results, list, version, runs) {
	const rivals = list.slice(1).map(({ name }) => name);
	const lines = [
		['program', 'M instructions', 'MIPS', 'Partita s', ...rivals.flatMap((name) => [`${name} s`, `${name}/Partita`])],
	];
	const ratios = rivals.map(() => []);
	for (const { name, instructions, seconds } of results) {
		const mine = median(seconds.Partita);
		const others = rivals.flatMap((rival, index) => {
			const theirs = median(seconds[rival]);
			ratios[index].push(theirs / mine);
			return [theirs.toFixed(2), (theirs / mine).toFixed(2)];
		});
		lines.push([
			name,
			(instructions / 1e6).toFixed(0),
			(instructions / mine / 1e6).toFixed(0),
			mine.toFixed(2),
			...others,
		]);
	}
	if (results.length > 0) {
		lines.push(['geometric mean', '', '', '', ...ratios.flatMap((values) => ['', geometricMean(values).toFixed(2)])]);
	}
	process.stdout.write(
		`Node ${process.version}, QEMU ${version ?? '-'}; CPU seconds of whole processes, medians of ${runs}; a ratio above 1: Partita is faster\n\n`,
	);
	const row = (cells) => `| ${cells.join(' | ')} |\n`;
	const [head, ...rest] = lines;
	process.stdout.write(
		row(head) + row(head.map((_, index) => (index === 0 ? '---' : '---:'))) + rest.map(row).join(''),
	);
}

try {
	if (process.argv[2] === '--guest') await runGuest(process.argv.slice(3).filter((arg) => arg !== ''));
	else await main();
} catch (error) {
	process.stderr.write(`bench:machine: ${error.message}\n`);
	process.exitCode = 1;
}
