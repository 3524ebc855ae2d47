// `partita check`: whether a description can be, images included. Wiring only; the work is in ../compose/.
import type { Command } from 'commander';
import { findSystem, planOf } from '../compose/description.ts';
import { SYSTEM_HELP } from './run.ts';

/** Adds the `check` command. Problems end the program with status 125. */
export function registerCheck(program: Command): void {
	program
		.command('check')
		.description('say whether a system can be, or everything that speaks against it; nothing is started')
		.argument('<system>', SYSTEM_HELP)
		.action(async (source: string) => {
			const found = await findSystem(source);
			for (const composition of found.system.compositions) {
				const { vms, domains, channels } = planOf(found, composition);
				const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
				process.stdout.write(
					`${found.system.name} as ${composition}: ${count(vms.length, 'virtual machine')}, ${count(domains.length, 'domain')}, ${count(channels.length, 'channel')}\n`,
				);
			}
		});
}
