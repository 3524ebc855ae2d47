/// <reference types="node" />
/** The judges: QEMU 7.2's `virt` board, and dtc. Both come from Debian; where one is missing, its tests say so. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const command = process.env.PARTITA_QEMU ?? 'qemu-system-riscv64';

/** Version of the installed QEMU, if it is a 7.2. */
export const qemuVersion: string | undefined = probe(command, /version (7\.2\.\d+)/, 'QEMU 7.2', 'qemu-system-misc');
/** Version of the devicetree compiler, if it is installed. */
export const dtcVersion: string | undefined = probe('dtc', /DTC (\S+)/, 'dtc', 'device-tree-compiler');

function probe(program: string, pattern: RegExp, what: string, debianPackage: string): string | undefined {
	try {
		const version = pattern.exec(execFileSync(program, ['--version'], { encoding: 'utf8' }))?.[1];
		if (version !== undefined) return version;
	} catch {
		// It is said below.
	}
	console.warn(`skipped: the judge is ${what}, and it is not installed (Debian 12: ${debianPackage})`);
	return undefined;
}

/** Runs `use` with the path of a file that holds `bytes`. */
function withFile<T>(bytes: Uint8Array, use: (path: string, folder: string) => T): T {
	const folder = mkdtempSync(join(tmpdir(), 'partita-machine-'));
	try {
		const path = join(folder, 'input');
		writeFileSync(path, bytes);
		return use(path, folder);
	} finally {
		rmSync(folder, { recursive: true });
	}
}

/** The devicetree that QEMU makes. */
export function qemuDeviceTree(harts: number, mebibytes: number): Uint8Array {
	return withFile(new Uint8Array(), (_, folder) => {
		const path = join(folder, 'dtb');
		const options = ['-smp', `${harts}`, '-m', `${mebibytes}`, '-display', 'none'];
		execFileSync(command, ['-M', `virt,dumpdtb=${path}`, ...options], { stdio: 'ignore' });
		return readFileSync(path);
	});
}

/** How a guest ended on QEMU. */
export interface QemuRun {
	readonly status: number | null;
	readonly printed: string;
}

/** Runs a guest without firmware until it ends through the test finisher. */
export function qemuRun(kernel: Uint8Array, mebibytes: number, options: readonly string[] = []): QemuRun {
	return withFile(kernel, (path, folder) => {
		// A file takes every byte; a pipe loses those that QEMU has not written when it exits.
		const output = join(folder, 'serial');
		const args = ['-M', 'virt', '-bios', 'none', '-display', 'none', '-monitor', 'none', '-serial', `file:${output}`];
		const { status } = spawnSync(command, [...args, '-m', `${mebibytes}`, '-kernel', path, ...options], {
			timeout: 20_000,
		});
		return { status, printed: readFileSync(output, 'latin1') };
	});
}

/** What dtc has to say about a blob: warnings and errors. */
export function dtcComplaints(blob: Uint8Array): string {
	return withFile(
		blob,
		(path) => spawnSync('dtc', ['-I', 'dtb', '-O', 'dts', '-o', '-', path], { encoding: 'utf8' }).stderr,
	);
}
