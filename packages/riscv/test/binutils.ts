/// <reference types="node" />
/**
 * The judge: GNU as and objdump for riscv64, when this machine has them. Each call is one batch, since
 * starting a process costs more than thousands of instructions.
 */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const prefix = 'riscv64-unknown-elf-';

/** Every extension of the table that binutils 2.40 knows. */
const march = 'rv64imafdch_zicsr_zifencei_zihintpause_zicbom_zicboz_zba_zbb_zbc_zbs_svinval';

/** Whether the tools are here; says so when they are not. */
export const hasBinutils: boolean = probe();

function probe(): boolean {
	try {
		execFileSync(`${prefix}as`, ['--version'], { stdio: 'pipe' });
		execFileSync(`${prefix}objdump`, ['--version'], { stdio: 'pipe' });
		return true;
	} catch {
		console.warn(`skipped: ${prefix}as and ${prefix}objdump are not installed, so nothing judges these tests`);
		return false;
	}
}

function inFolder<T>(use: (folder: string) => T): T {
	const folder = mkdtempSync(join(tmpdir(), 'partita-riscv-'));
	try {
		return use(folder);
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}

function run(tool: string, ...args: string[]): string {
	return execFileSync(prefix + tool, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
}

/** Bytes of `.text` as GNU as makes them; `base` links the source there, so that relocations are resolved. */
export function gnuAssemble(source: string, base = 0n): Uint8Array {
	return inFolder((folder) => {
		const file = (name: string) => join(folder, name);
		writeFileSync(file('in.s'), source);
		run('as', `-march=${march}`, '-mpriv-spec=1.12', '-mno-relax', '-o', file('out.o'), file('in.s'));
		run('ld', '--no-relax', '-e', '0', `-Ttext=0x${base.toString(16)}`, '-o', file('out.elf'), file('out.o'));
		run('objcopy', '-O', 'binary', '-j', '.text', file('out.elf'), file('out.bin'));
		return new Uint8Array(readFileSync(file('out.bin')));
	});
}

/** One line of objdump: address, encoding, and the text with its comment removed. */
export interface Dumped {
	readonly address: bigint;
	readonly word: number;
	readonly text: string;
}

/** What objdump prints for a source that GNU as assembled, at address 0. */
export function gnuDisassemble(source: string, noAliases: boolean): Dumped[] {
	return inFolder((folder) => {
		const file = (name: string) => join(folder, name);
		writeFileSync(file('in.s'), source);
		run('as', `-march=${march}`, '-mpriv-spec=1.12', '-mno-relax', '-o', file('out.o'), file('in.s'));
		return dump(noAliases, '-d', file('out.o'));
	});
}

/** What objdump prints for bytes at address 0, as RV64GC: without a file's attributes it knows nothing else. */
export function gnuDisassembleBytes(bytes: Uint8Array, noAliases: boolean): Dumped[] {
	return inFolder((folder) => {
		writeFileSync(join(folder, 'in.bin'), bytes);
		return dump(noAliases, '-D', '-b', 'binary', '-m', 'riscv:rv64', join(folder, 'in.bin'));
	});
}

function dump(noAliases: boolean, ...args: string[]): Dumped[] {
	const flags = noAliases ? 'no-aliases,priv-spec=1.12' : 'priv-spec=1.12';
	return run('objdump', '-z', '-M', flags, ...args)
		.split('\n')
		.flatMap((line) => {
			const match = /^\s*([0-9a-f]+):\t([0-9a-f]+)\s+\t(.*)$/.exec(line);
			if (!match) return [];
			const text = match[3]!.replace(/\s+#.*$/, '').trim();
			return [{ address: BigInt(`0x${match[1]}`), word: Number.parseInt(match[2]!, 16), text }];
		});
}

/** A seeded generator (xorshift32), so that a failure can be repeated. */
export function seededRandom(seed: number): () => number {
	let state = seed | 0 || 1;
	return () => {
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		return state >>> 0;
	};
}

/** A linked ELF file of a source, `.text` at `base`. */
export function gnuLink(source: string, base: bigint): Uint8Array {
	return inFolder((folder) => {
		const file = (name: string) => join(folder, name);
		writeFileSync(file('in.s'), source);
		run('as', `-march=${march}`, '-mno-relax', '-o', file('out.o'), file('in.s'));
		run('ld', '--no-relax', '-e', '_start', `-Ttext=0x${base.toString(16)}`, '-o', file('out.elf'), file('out.o'));
		return new Uint8Array(readFileSync(file('out.elf')));
	});
}

/** What a binutils tool prints about a file. */
export function gnuInspect(tool: 'readelf' | 'nm' | 'objdump', bytes: Uint8Array, ...args: string[]): string {
	return inFolder((folder) => {
		writeFileSync(join(folder, 'file.elf'), bytes);
		return run(tool, ...args, join(folder, 'file.elf'));
	});
}
