// Which Chromium the tests run in, and how much CPU time it has taken.
import { accessSync, constants, readdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** Path of the installed Chromium, or undefined. */
export function findChromium(): string | undefined {
	const named = process.env.PARTITA_CHROMIUM;
	const folders = (process.env.PATH ?? '').split(delimiter);
	const candidates = named ? [named] : NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
	return candidates.find((path) => {
		try {
			accessSync(path, constants.X_OK);
			return true;
		} catch {
			return false;
		}
	});
}

/**
 * CPU seconds, all threads, of the Chromium processes that descend from this one and still run; undefined where the system
 * has no /proc. proc(5): fields 2 (name), 4 (parent), 14 and 15 (user and system time in ticks of 10 ms).
 */
export function chromiumSeconds(): number | undefined {
	const processes = new Map<number, { name: string; parent: number; seconds: number }>();
	try {
		for (const entry of readdirSync('/proc')) {
			if (!/^\d+$/.test(entry)) continue;
			try {
				const [, name, rest] = /\((.*)\) (.*)/s.exec(readFileSync(`/proc/${entry}/stat`, 'latin1'))!;
				const fields = rest!.split(' ');
				const seconds = (Number(fields[11]) + Number(fields[12])) / 100;
				processes.set(Number(entry), { name: name!, parent: Number(fields[1]), seconds });
			} catch {
				// It has ended meanwhile.
			}
		}
	} catch {
		return undefined;
	}
	const mine = (pid: number): boolean => {
		for (let at: number | undefined = pid; at; at = processes.get(at)?.parent) if (at === process.pid) return true;
		return false;
	};
	let sum = 0;
	for (const [pid, { name, seconds }] of processes) if (/chrom/i.test(name) && mine(pid)) sum += seconds;
	return sum;
}
