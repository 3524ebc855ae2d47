// `partita root-task`: one program that is given the whole machine by the microkernel, as seL4's are. Wiring only; the work
// is in @partita/microkernel and ../kernel/.
import path from 'node:path';
import { writeFdt } from '@partita/fdt';
import { u54 } from '@partita/kernel-costs';
import { virtDeviceTree } from '@partita/machine';
import { MicrokernelError, microkernel, rootTask } from '@partita/microkernel';
import { FixedPriority, SEL4_MINIMUM_BUDGET } from '@partita/sched';
import { type Command, Option } from 'commander';
import { parseMemory } from '../boot/values.ts';
import { CommandError } from '../errors.ts';
import { readWholeFile } from '../host/files.ts';
import { DEFAULT_PROFILE, PROFILES } from '../kernel/profiles.ts';
import { KERNEL_EXIT_STATUS_HELP, runKernel } from '../kernel/run-kernel.ts';
import { durationArgument } from './duration.ts';

interface RootTaskFlags {
	profile: string;
	memory: number;
	for?: number;
	expect?: string;
	extraImage?: string;
	trace?: string;
}

const DEFAULT_MEMORY = 2 ** 31;

/** Adds the `root-task` command. `setStatus` is given the exit status. */
export function registerRootTask(program: Command, setStatus: (status: number) => void): void {
	program
		.command('root-task')
		.description('run a program as the root task of the microkernel: it is given all memory, devices and interrupts')
		.argument('<image>', 'ELF executable, as it is linked for seL4')
		.addOption(
			new Option('--profile <name>', 'version of the interface')
				.choices(Object.keys(PROFILES))
				.default(DEFAULT_PROFILE),
		)
		.option('--memory <size>', 'RAM, such as 3G', parseMemory, DEFAULT_MEMORY)
		.option(
			'--for <duration>',
			'virtual time, such as 2s or 250ms (default: until nothing more can happen)',
			durationArgument,
		)
		.option('--expect <text>', 'end with success when this has been printed')
		.option('--extra-image <file>', 'file that the root task finds in memory, as a device untyped: see the README')
		.option('--trace <file>', 'write a time line that ui.perfetto.dev opens')
		.addHelpText('after', KERNEL_EXIT_STATUS_HELP)
		.action(async (image: string, flags: RootTaskFlags) => setStatus(await run(image, flags)));
}

async function run(image: string, flags: RootTaskFlags): Promise<number> {
	const { memory } = flags;
	const bytes = readWholeFile('root task', image);
	const extraImage = flags.extraImage === undefined ? undefined : readWholeFile('--extra-image', flags.extraImage);
	const boot = rootTask({
		image: bytes,
		deviceTree: writeFdt(virtDeviceTree({ harts: 1, memory, supervisorOnly: true })),
		...(extraImage ? { extraImage } : {}),
	});
	try {
		return await runKernel({
			name: path.basename(image),
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
		if (error instanceof MicrokernelError) throw new CommandError(error.message, { cause: error });
		throw error;
	}
}
