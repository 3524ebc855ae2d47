// `partita microkit`: a Microkit system, from its description and program images. Wiring only; the work is in
// @partita/microkit and ../kernel/.
import path from 'node:path';
import { writeFdt } from '@partita/fdt';
import { u54 } from '@partita/kernel-costs';
import { virtDeviceTree } from '@partita/machine';
import { microkernel } from '@partita/microkernel';
import { MicrokitError, microkitSystem, readSystem } from '@partita/microkit';
import { FixedPriority, SEL4_MINIMUM_BUDGET } from '@partita/sched';
import { type Command, Option } from 'commander';
import { parseMemory } from '../boot/values.ts';
import { CommandError } from '../errors.ts';
import { readWholeFile } from '../host/files.ts';
import { MICROKIT_PROFILES, PROFILES } from '../kernel/profiles.ts';
import { KERNEL_EXIT_STATUS_HELP, runKernel } from '../kernel/run-kernel.ts';
import { searchPath } from '../kernel/search-path.ts';
import { durationArgument } from './duration.ts';

interface MicrokitFlags {
	searchPath: readonly string[];
	profile: string;
	for?: number;
	memory: number;
	expect?: string;
	trace?: string;
}

/** Memory of Microkit's board `qemu_virt_riscv64`. */
const DEFAULT_MEMORY = 2 ** 31;

/** Adds the `microkit` command. `setStatus` is given the exit status. */
export function registerMicrokit(program: Command, setStatus: (status: number) => void): void {
	program
		.command('microkit')
		.description('run a Microkit system on the microkernel: the unmodified programs of a .system description')
		.argument('<file>', 'system description')
		.option('--search-path <dir...>', "folders of program images (default: the description's)", [])
		.option(
			'--for <duration>',
			'virtual time, such as 2s or 250ms (default: until nothing more can happen)',
			durationArgument,
		)
		.addOption(
			new Option('--profile <name>', 'version that the programs are linked for')
				.choices(MICROKIT_PROFILES)
				.default(MICROKIT_PROFILES[0]),
		)
		.option('--memory <size>', 'RAM, such as 2G', parseMemory, DEFAULT_MEMORY)
		.option('--expect <text>', 'end with success when this has been printed')
		.option('--trace <file>', 'write a time line that ui.perfetto.dev opens')
		.addHelpText('after', KERNEL_EXIT_STATUS_HELP)
		.action(async (file: string, flags: MicrokitFlags) => setStatus(await microkit(file, flags)));
}

async function microkit(file: string, flags: MicrokitFlags): Promise<number> {
	const { memory, searchPath: folders } = flags;
	const source = new TextDecoder().decode(readWholeFile('system description', file));
	const files = searchPath(folders.length > 0 ? folders : [path.dirname(file)]);
	try {
		const description = readSystem(file, source, files);
		for (const warning of description.warnings) process.stderr.write(`partita: ${warning}\n`);
		const boot = microkitSystem(description, {
			files,
			deviceTree: writeFdt(virtDeviceTree({ harts: 1, memory, supervisorOnly: true })),
		});
		return await runKernel({
			name: path.basename(file),
			memory,
			until: flags.for,
			expect: flags.expect,
			trace: flags.trace,
			kernel: (trace) =>
				microkernel({
					boot,
					profile: PROFILES[flags.profile]!,
					policy: new FixedPriority({ minimumBudget: SEL4_MINIMUM_BUDGET }),
					costs: u54,
					...(trace ? { trace } : {}),
				}),
		});
	} catch (error) {
		if (error instanceof MicrokitError) throw new CommandError(error.message, { cause: error });
		throw error;
	}
}
