// The flags of `partita boot`: what each is, and what they are together. Nothing is opened here.
import { type Command, Option } from 'commander';
import { CommandError } from '../errors.ts';
import {
	collectDrive,
	collectNet,
	type DriveFlag,
	type LogFlag,
	type NetFlag,
	parseLog,
	parseMemory,
	parseSeconds,
	parseText,
	parseWallClock,
	parseWhole,
} from './values.ts';

/** What was asked for. What is left out has its default where it is used. */
export interface BootFlags {
	kernel?: string;
	initrd?: string;
	append?: string;
	bios?: string;
	memory?: number;
	harts?: number;
	drive?: readonly DriveFlag[];
	net?: readonly NetFlag[];
	pcap?: string;
	dtb?: string;
	dumpDtb?: string;
	snapshotSave?: string;
	snapshotLoad?: string;
	stopAfter?: number;
	expect?: string;
	traceHash?: true;
	engine: 'interpreter' | 'translator' | 'default';
	engineStats?: true;
	logInstructions?: LogFlag;
	signature?: string;
	seed?: number;
	wallClock?: bigint;
	timeout?: number;
}

/** Bytes of RAM where neither --memory nor a snapshot says it. */
export const DEFAULT_MEMORY: number = 2 ** 30;
/** The real-time clock at power-on where --wall-clock does not say it: 2026-01-01T00:00:00Z, in nanoseconds. */
export const DEFAULT_WALL_CLOCK: bigint = 1_767_225_600_000_000_000n;

/** Adds the flags to a command. */
export function addBootFlags(command: Command): Command {
	const most = Number.MAX_SAFE_INTEGER;
	return command
		.optionsGroup('What to boot (without --kernel and --bios: Debian, see `partita images`):')
		.option('--kernel <file>', 'kernel: ELF, Linux Image or flat binary')
		.option('--initrd <file>', 'initial RAM disk')
		.option('--append <text>', 'kernel command line')
		.option(
			'--bios <what>',
			'builtin: the built-in SBI; none: the kernel starts in M-mode; else a firmware file (default: builtin)',
			parseText,
		)
		.option('--dtb <file>', "devicetree blob in place of the machine's own")
		.optionsGroup('The machine:')
		.option('--memory <size>', 'RAM: 128M, 1G (default: 1G)', parseMemory)
		.option('--harts <n>', '1 to 8 (default: 1)', parseWhole(1, 8))
		.option(
			'--drive <file>',
			'raw disk image; with ,readonly, or ,overlay: writes are forgotten at the end, or ,overlay=FILE: that file takes them (may be repeated)',
			collectDrive,
		)
		.option(
			'--net <mode>',
			"none, stream:HOST:PORT, stream-listen:[HOST:]PORT, unix:PATH, unix-listen:PATH: Ethernet over a socket, as QEMU's -netdev stream; with ,mac=ADDRESS (may be repeated)",
			collectNet,
		)
		.option('--seed <n>', "seed of the guest's randomness (default: 1)", parseWhole(0, 2 ** 32 - 1))
		.option(
			'--wall-clock <time>',
			'the real-time clock at power-on: now, or ISO 8601 (default: 2026-01-01T00:00:00Z)',
			parseWallClock,
		)
		.addOption(
			new Option(
				'--engine <name>',
				'what executes instructions; interpreter, translator: everything is translated at once, or default: what is hot',
			)
				.choices(['interpreter', 'translator', 'default'])
				.default('default'),
		)
		.optionsGroup('When to stop:')
		.option(
			'--stop-after <n>',
			'stop after so many instructions of each hart (several harts: at the end of their turn)',
			parseWhole(0, most),
		)
		.option('--expect <text>', 'stop, with status 0, when the console has printed this', parseText)
		.option('--timeout <seconds>', "stop after so many seconds of the host's time", parseSeconds)
		.optionsGroup('What to write:')
		.option('--snapshot-save <file>', 'the machine as it is when the run stops', parseText)
		.option('--snapshot-load <file>', "go on from a snapshot; it also says the machine's size", parseText)
		.option('--engine-stats', 'print what the translator did to standard error')
		.option('--trace-hash', 'print the hash of the run and its instruction counts to standard error')
		.option(
			'--log-instructions <file>',
			'hart, count, pc, word, disassembly, symbol of the last 1,000,000 instructions; with ,N or ,last=N or ,first=N',
			parseLog,
		)
		.option('--pcap <file>', 'packets of all networks, for Wireshark', parseText)
		.option(
			'--signature <file>',
			'words from begin_signature to end_signature when the guest ends, for architecture tests',
			parseText,
		)
		.option('--dump-dtb <file>', 'write the devicetree blob and exit', parseText);
}

/** Refuses flags that contradict each other. Throws CommandError. */
export function checkBootFlags(flags: BootFlags): void {
	const refuse = (message: string, advice: string): never => {
		throw new CommandError(message, { advice });
	};
	const { kernel, bios, snapshotLoad } = flags;
	if (bios === 'none' && kernel === undefined && snapshotLoad === undefined && flags.dumpDtb === undefined)
		refuse('--bios none: there is no kernel to start', '--kernel FILE');
	if (flags.pcap !== undefined && !flags.net?.length)
		refuse('--pcap: the machine has no network', '--net stream:HOST:PORT');
	const devices = (flags.drive?.length ?? 0) + (flags.net?.length ?? 0);
	if (devices > 8) refuse(`${devices} drives and networks: the machine has eight virtio slots`, 'use fewer');
	if (snapshotLoad !== undefined) {
		for (const [flag, value] of Object.entries({
			'--initrd': flags.initrd,
			'--append': flags.append,
			'--dtb': flags.dtb,
			'--dump-dtb': flags.dumpDtb,
		}))
			if (value !== undefined)
				refuse(`${flag} does not go with --snapshot-load: the snapshot holds the memory`, 'leave one out');
	}
}
