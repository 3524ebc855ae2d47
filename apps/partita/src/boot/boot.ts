// `partita boot`, from flags to exit status: opens what they name, runs the machine, writes what was asked for.
// Nothing has started until everything is opened and checked.
import { ExitStatus, guestStatus, signalStatus } from '../exit-status.ts';
import { ConsoleOutput } from '../host/console-output.ts';
import { checkWritable, writeAtomically } from '../host/files.ts';
import { Keyboard } from '../host/keyboard.ts';
import { Board, dumpDeviceTree } from './board.ts';
import type { Dialogue } from './dialogue.ts';
import { InstructionLog } from './instruction-log.ts';
import { type BootFlags, checkBootFlags } from './options.ts';
import { type InputSource, Session, type SessionEnd } from './session.ts';
import { findSignature, readSignature } from './signature.ts';

const SIGNALS = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;

/**
 * Boots. The exit status. Throws CommandError where something cannot be used, or the host fails.
 * @param dialogue - types in place of standard input
 */
export async function boot(flags: BootFlags, dialogue?: Dialogue): Promise<number> {
	checkBootFlags(flags);
	if (flags.dumpDtb !== undefined) {
		writeAtomically('--dump-dtb', flags.dumpDtb, [dumpDeviceTree(flags)]);
		return ExitStatus.success;
	}
	const log = flags.logInstructions && new InstructionLog(flags.logInstructions);
	for (const [flag, file] of Object.entries({
		'--signature': flags.signature,
		'--snapshot-save': flags.snapshotSave,
		'--log-instructions': flags.logInstructions?.file,
	}))
		if (file !== undefined) checkWritable(flag, file);
	const output = new ConsoleOutput(process.stdout, flags.expect, (bytes) => dialogue?.see(bytes));
	const tell = (text: string): void => {
		process.stderr.write(text);
	};
	const board = await Board.open(flags, { output, log, complain: (message) => tell(`partita: ${message}\n`) });
	try {
		const { machine } = board;
		const signature = flags.signature === undefined ? undefined : findSignature(machine.boot.symbols);
		const { end, signal } = await converse(flags, board, output, tell, dialogue);
		if (log && flags.logInstructions)
			writeAtomically('--log-instructions', flags.logInstructions.file, log.text(machine.boot.symbols));
		if (signature && flags.signature !== undefined && end.reason === 'ended') {
			const text = readSignature(machine.memory, signature);
			writeAtomically('--signature', flags.signature, [new TextEncoder().encode(text)]);
		}
		if (flags.traceHash) reportHash(board);
		if (flags.engineStats) reportEngine(board);
		if (flags.snapshotSave !== undefined && signal === undefined) board.save(flags.snapshotSave);
		return signal ? signalStatus(signal) : endStatus(flags, end);
	} finally {
		await board.close();
	}
}

/** Runs the machine with the terminal as its console. The terminal is as it was when this returns or throws. */
async function converse(
	flags: BootFlags,
	board: Board,
	output: ConsoleOutput,
	tell: (text: string) => void,
	dialogue: Dialogue | undefined,
): Promise<{ end: SessionEnd; signal: (typeof SIGNALS)[number] | undefined }> {
	const { machine, nets } = board;
	let signal: (typeof SIGNALS)[number] | undefined;
	const keyboard = new Keyboard({
		stream: process.stdin,
		receive: (bytes) => machine.receive(bytes),
		exit: () => session.end(),
		show: (text) => tell(`\n${text}`),
	});
	if (dialogue) dialogue.receive = (bytes) => machine.receive(bytes);
	const inputs: InputSource[] = [dialogue ?? keyboard, ...nets];
	const session: Session = new Session({
		machine,
		output,
		inputs,
		paced: keyboard.isTerminal || nets.length > 0,
		observed: flags.logInstructions !== undefined,
		...(flags.stopAfter === undefined ? {} : { stopAfter: flags.stopAfter }),
		...(flags.timeout === undefined ? {} : { timeout: flags.timeout }),
	});
	const restore = (): void => keyboard.stop();
	const onSignal = (name: (typeof SIGNALS)[number]): void => {
		signal ??= name;
		session.end();
	};
	process.on('exit', restore);
	for (const name of SIGNALS) process.on(name, onSignal);
	try {
		if (!dialogue) keyboard.start();
		const end = await session.run();
		await output.end();
		return { end, signal };
	} finally {
		restore();
		process.off('exit', restore);
		for (const name of SIGNALS) process.off(name, onSignal);
	}
}

function reportHash({ machine }: Board): void {
	const retired = machine.harts.map(({ id }) => `hart ${id}: ${machine.retired(id)}`).join(', ');
	process.stderr.write(`trace hash: ${machine.traceHash}\nexecuted: ${machine.executed} (retired: ${retired})\n`);
}

function endStatus(flags: BootFlags, end: SessionEnd): number {
	const missed = flags.expect === undefined ? ExitStatus.success : ExitStatus.notSeen;
	const complain = (message: string, why: string): void => {
		process.stderr.write(`partita: ${message}\n  why: ${why}\n`);
	};
	switch (end.reason) {
		case 'seen':
			return ExitStatus.success;
		case 'ended':
			if (missed) complain('the guest ended early', `it has not printed ${JSON.stringify(flags.expect)}`);
			return guestStatus(end.ending) || missed;
		case 'stop-after':
			if (missed) complain('--stop-after was reached', `the guest has not printed ${JSON.stringify(flags.expect)}`);
			return missed;
		case 'asked':
			return ExitStatus.success;
		case 'output-gone':
			return ExitStatus.brokenPipe;
		case 'timeout':
			complain('the guest was stopped', `--timeout: it has not ended in ${flags.timeout} seconds`);
			return ExitStatus.timeout;
		case 'stuck':
			complain('the guest was stopped', 'it waits for an interrupt, but no timer is armed and no input can come');
			return ExitStatus.timeout;
	}
}

function reportEngine({ machine }: Board): void {
	const stats = machine.translatorStats;
	const all = machine.executed * machine.harts.length;
	const share = stats && all > 0 ? ` (${((100 * stats.instructions) / all).toFixed(1)} % of what was executed)` : '';
	process.stderr.write(
		stats
			? `translator: ${stats.instructions} instructions${share} in ${stats.entered} entries; made ${stats.regions} regions in ${stats.modules} modules, ${stats.bytes} bytes; installed ${stats.installed}, ${stats.bytesInstalled} bytes; removed ${stats.changed} since their code changed, ${stats.evicted} for room; ${stats.samples} samples\n`
			: 'translator: none\n',
	);
}
