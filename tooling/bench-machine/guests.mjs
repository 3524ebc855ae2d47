// What `pnpm bench:machine` runs: the programs of packages/machine/bench/programs, programs of the user's own, and a
// session at the shell of Debian.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = dirname(dirname(import.meta.dirname));
const OWN = join(root, 'packages/machine/bench/programs');

/** The shell's prompt in Debian's images; the shell then asks the terminal for its cursor. */
export const PROMPT = 'partita:~# ';
/** Ends a session. */
export const POWER_OFF = 'poweroff -f';
/** Where the project's programs read how many stages of translation they shall run under (programs/layout.h). */
export const STAGES_ADDRESS = 0x83ff_f008;
export const MEMORY_MIB = 256;

/**
 * What is typed at the prompt, one by one; what is printed last must be the same everywhere. Lines fit on one of the
 * terminal's, so that the shell does not print its prompt again for a longer one.
 */
const SESSION = [
	['debian-boot', ''],
	['debian-forks', 'for i in $(seq 200); do /bin/busybox true; done; echo $i'],
	['debian-loop', 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; echo $i'],
	['debian-md5', 'dd if=/dev/zero bs=1M count=200 2>/dev/null | md5sum'],
];

/** Debian's images as the command line keeps them, or undefined. */
function debian() {
	const path = (file) => {
		const args = [join(root, 'apps/partita/bin/partita.mjs'), 'images', 'path', file];
		const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
		return status === 0 ? stdout.trim() : undefined;
	};
	const images = { firmware: path('fw_jump'), kernel: path('kernel'), initrd: path('initrd') };
	return images.firmware && images.kernel && images.initrd ? images : undefined;
}

function elfFiles(folder) {
	const files = readdirSync(folder).filter((name) => name.endsWith('.elf'));
	if (files.length === 0) throw new Error(`${folder}: there is no *.elf`);
	return files.sort().map((file) => ({ name: file.slice(0, -4), kernel: join(folder, file) }));
}

/**
 * The guests that options select. A program is `{ name, kernel, stages }`, a session
 * `{ name, firmware, kernel, initrd, steps }`, where a step is a name and a line.
 */
export function findGuests({ programs, 'two-stage': twoStage, only }) {
	const wanted = (name) => new RegExp(only ?? '').test(name);
	const own = elfFiles(OWN).flatMap((program) => [
		{ ...program, stages: 1 },
		...(twoStage ? [{ ...program, name: `${program.name}, two stages`, stages: 2 }] : []),
	]);
	const guests = [...(programs ? elfFiles(programs).map((program) => ({ ...program, stages: 1 })) : own)];
	const selected = guests.filter(({ name }) => wanted(name));
	const last = SESSION.findLastIndex(([name]) => wanted(name));
	if (last >= 0 && !programs) {
		const images = debian();
		const steps = SESSION.slice(0, last + 1).map(([name, line]) => ({ name, line, reported: wanted(name) }));
		if (images) selected.push({ name: 'debian', ...images, steps });
		else process.stderr.write('Without Debian: no images. Get them with: npm start -- images pull debian\n');
	}
	if (selected.length > 0) return selected;
	const names = [...guests, ...SESSION.map(([name]) => ({ name }))].map(({ name }) => name);
	throw new Error(`--only ${only}: nothing of that name. There are: ${names.join(', ')}`);
}
