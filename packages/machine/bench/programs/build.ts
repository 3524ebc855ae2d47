/// <reference types="node" />
// Builds the programs: `node build.ts [--out DIR] [NAME…]`. Needs Debian's gcc-riscv64-unknown-elf. The ELF files are
// committed, so that only those who change a program need a compiler; a test builds them again and compares.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const here = import.meta.dirname;
const GCC = process.env.PARTITA_RISCV_GCC ?? 'riscv64-unknown-elf-gcc';
const FLAGS = [
	...['-O2', '-std=gnu11', '-ffreestanding', '-march=rv64gc', '-mabi=lp64d', '-mcmodel=medany', '-msmall-data-limit=0'],
	// An operation of the source is one of the machine's, memcpy is not made into a call of itself, and no path of the
	// machine that built it gets into the file.
	...['-ffp-contract=off', '-fno-math-errno', '-fno-tree-loop-distribute-patterns', '-fno-builtin', '-fno-ident'],
	...['-Wall', '-Wextra', '-Werror', '-Wno-unused-but-set-variable', `-ffile-prefix-map=${here}=.`],
];
/** Symbols and notes of the build machine are left out, so that equal sources give equal files. */
const LINK = ['-nostdlib', '-static', '-Wl,--build-id=none,-s,--no-relax,-z,max-page-size=4096', '-T', 'program.ld'];
/** Part of every program; of those with user code; programs that fuse multiplications and additions. */
const SHARED = ['entry.S', 'start.c'];
const PROCESS = 'process.c';
const FUSED = new Set(['float-fused']);

/** Names of all programs. */
export function programNames(): string[] {
	return readdirSync(here)
		.filter((file) => /^[\w-]+\.c$/.test(file) && ![...SHARED, PROCESS].includes(file))
		.map((file) => file.slice(0, -2))
		.sort();
}

/** The compiler's version, or undefined where there is none. */
export function compilerVersion(): string | undefined {
	const { status, stdout } = spawnSync(GCC, ['-dumpfullversion'], { encoding: 'utf8' });
	return status === 0 ? stdout.trim() : undefined;
}

function gcc(args: readonly string[]): void {
	const { error, status, stderr } = spawnSync(GCC, args, { cwd: here, encoding: 'utf8' });
	if (error) throw new Error(`${GCC} could not be started (Debian: gcc-riscv64-unknown-elf)`);
	if (status !== 0) throw new Error(`${GCC} ${args.join(' ')}\n${stderr}`);
	if (stderr) process.stderr.write(stderr);
}

/** Builds programs into a folder. Throws what the compiler said. */
export function build(names: readonly string[], folder: string): void {
	mkdirSync(folder, { recursive: true });
	const objects = mkdtempSync(join(tmpdir(), 'partita-programs-'));
	try {
		const compile = (source: string, flags: readonly string[] = []): string => {
			const object = join(objects, source.replace(/\.[cS]$/, '.o'));
			gcc([...FLAGS, ...flags, '-c', source, '-o', object]);
			return object;
		};
		const shared = SHARED.map((source) => compile(source));
		for (const name of names) {
			const user = `${name}.user.c`;
			const own = [compile(`${name}.c`, FUSED.has(name) ? ['-ffp-contract=fast'] : [])];
			if (existsSync(join(here, user))) own.push(compile(user), compile(PROCESS));
			gcc([...FLAGS, ...LINK, ...shared, ...own, '-lgcc', '-o', join(folder, `${name}.elf`)]);
		}
	} finally {
		rmSync(objects, { recursive: true });
	}
}

if (process.argv[1] === import.meta.filename) {
	const { values, positionals } = parseArgs({ options: { out: { type: 'string' } }, allowPositionals: true });
	try {
		build(positionals.length > 0 ? positionals : programNames(), values.out ?? here);
	} catch (error) {
		process.stderr.write(`${(error as Error).message}\n`);
		process.exitCode = 1;
	}
}
