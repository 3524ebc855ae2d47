/// <reference types="node" />
/**
 * The judge: QEMU's `virt` board. RAM is a file that both sides of the process boundary map, so a program comes in and
 * its results go out without any transport; starting QEMU is what costs.
 */

import { execFileSync, spawn } from 'node:child_process';
import { closeSync, ftruncateSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RAM_BYTES } from './board.ts';

const command = process.env.PARTITA_QEMU ?? 'qemu-system-riscv64';

/** The processor: everything that 7.2 has and Partita has. */
const CPU = 'rv64,h=true,svinval=true,svnapot=true,svpbmt=true,marchid=0,mimpid=0';

/** Version of the installed QEMU, such as `7.2.22`; undefined, with a word to the reader, where there is none. */
export const qemuVersion: string | undefined = probe();

function probe(): string | undefined {
	try {
		const version = /version (\d+\.\d+\.\d+)/.exec(execFileSync(command, ['--version'], { encoding: 'utf8' }))?.[1];
		if (version?.startsWith('7.2.')) return version;
		console.warn(`skipped: the judge is QEMU 7.2, and ${command} is version ${version}`);
	} catch {
		console.warn(`skipped: ${command} is not installed, so nothing judges these tests (Debian 12: qemu-system-misc)`);
	}
	return undefined;
}

/** How a program ended, and RAM from its start on. */
export interface QemuRun {
	readonly outcome: 'finished' | 'timeout' | 'failed';
	readonly ram: Uint8Array;
	/** What QEMU said on standard error. */
	readonly messages: string;
}

/** Runs a RAM image from its first byte on, and returns its `image.length` first bytes afterwards. */
export async function runInQemu(image: Uint8Array, timeoutMs: number): Promise<QemuRun> {
	const folder = mkdtempSync(join(tmpdir(), 'partita-cpu-'));
	const path = join(folder, 'ram');
	const file = openSync(path, 'w+');
	try {
		ftruncateSync(file, RAM_BYTES);
		writeSync(file, image, 0, image.length, 0);
		const { status, messages } = await run(path, timeoutMs);
		const ram = new Uint8Array(image.length);
		readSync(file, ram, 0, ram.length, 0);
		const outcome = status === 0 ? 'finished' : status === undefined ? 'timeout' : 'failed';
		return { outcome, ram, messages };
	} finally {
		closeSync(file);
		rmSync(folder, { recursive: true, force: true });
	}
}

function run(path: string, timeoutMs: number): Promise<{ status: number | undefined; messages: string }> {
	return new Promise((resolve, reject) => {
		const ram = `memory-backend-file,id=ram,size=${RAM_BYTES},mem-path=${path},share=on`;
		const machine = ['-M', 'virt,memory-backend=ram', '-object', ram, '-m', `${RAM_BYTES >> 20}M`, '-cpu', CPU];
		// Where there can be no second processor, QEMU makes loads and stores of AMOs, which then fault as loads.
		const parallel = ['-smp', '1,maxcpus=2'];
		const quiet = ['-bios', 'none', '-display', 'none', '-serial', 'none', '-monitor', 'none', '-nodefaults'];
		const extra = process.env.PARTITA_QEMU_ARGS?.split(' ') ?? [];
		const child = spawn(command, [...machine, ...parallel, ...quiet, ...extra], {
			stdio: ['ignore', 'ignore', 'pipe'],
		});
		let messages = '';
		let timedOut = false;
		child.stderr.setEncoding('utf8').on('data', (text: string) => {
			messages += text;
		});
		const timer = setTimeout(() => {
			timedOut = true;
			child.kill('SIGKILL');
		}, timeoutMs);
		child.on('error', (error) => {
			clearTimeout(timer);
			reject(error);
		});
		child.on('close', (status) => {
			clearTimeout(timer);
			resolve({ status: timedOut ? undefined : (status ?? -1), messages });
		});
	});
}
