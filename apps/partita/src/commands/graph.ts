// `partita graph`: who may communicate with whom, as text that draws. Wiring only; the work is in `@partita/system`.
import { type CompositionName, systemGraph } from '@partita/system';
import { type Command, Option } from 'commander';
import { COMPOSITIONS } from '../compose/composition.ts';
import { findSystem } from '../compose/description.ts';
import { CommandError } from '../errors.ts';
import { SYSTEM_HELP } from './run.ts';

interface GraphFlags {
	as?: CompositionName;
	format: 'mermaid' | 'dot';
}

/** Adds the `graph` command. */
export function registerGraph(program: Command): void {
	program
		.command('graph')
		.description('draw a system: its cells, and what they communicate through')
		.argument('<system>', SYSTEM_HELP)
		.addOption(new Option('--as <composition>', 'which composition (default: the first)').choices(COMPOSITIONS))
		.addOption(
			new Option('--format <format>', 'language of the drawing').choices(['mermaid', 'dot']).default('mermaid'),
		)
		.action(async (source: string, { as, format }: GraphFlags) => {
			const { system } = await findSystem(source);
			const composition = as ?? system.compositions[0]!;
			if (!system.compositions.includes(composition))
				throw new CommandError(`${source} does not exist as ${composition}`, {
					advice: `--as ${system.compositions.join(' or ')}`,
				});
			process.stdout.write(systemGraph(system, composition, format));
		});
}
