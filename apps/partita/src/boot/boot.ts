// `partita boot`, from flags to exit status: opens what they name, runs the machine, writes what was asked for.
// Nothing has started until everything is opened and checked.
import type { Ending } from '@partita/machine';
import { CommandError } from '../errors.ts';
import { ExitStatus, guestStatus } from '../exit-status.ts';
import { ConsoleOutput } from '../host/console-output.ts';
import { checkWritable, writeAtomically } from '../host/files.ts';
import { type Board, buildBoard, dumpDeviceTree } from './board.ts';
import { type BootFlags, checkBootFlags } from './options.ts';
import { Session, type SessionEnd } from './session.ts';
import { findSignature, readSignature } from './signature.ts';

/** Boots. The exit status. */
export async function boot(flags: BootFlags): Promise<number> {
	checkBootFlags(flags);
	if (flags.dumpDtb !== undefined) {
		writeAtomically('--dump-dtb', flags.dumpDtb, [dumpDeviceTree(flags)]);
		return ExitStatus.success;
	}
	if (flags.signature !== undefined) checkWritable('--signature', flags.signature);
	const output = new ConsoleOutput(process.stdout, flags.expect);
	const board = buildBoard(flags, output, (message) => process.stderr.write(`partita: ${message}\n`));
	try {
		const signature = flags.signature === undefined ? undefined : findSignature(board.machine.boot.symbols);
		const session = new Session({
			machine: board.machine,
			output,
			inputs: [],
			paced: false,
			observed: false,
			...(flags.stopAfter === undefined ? {} : { stopAfter: flags.stopAfter }),
			...(flags.timeout === undefined ? {} : { timeout: flags.timeout }),
		});
		const end = await session.run();
		await output.end();
		if (signature && flags.signature !== undefined && end.reason === 'ended') {
			const text = readSignature(board.machine.memory, signature);
			writeAtomically('--signature', flags.signature, [new TextEncoder().encode(text)]);
		}
		report(flags, board);
		return status(flags, end);
	} finally {
		board.close();
	}
}

function report(flags: BootFlags, { machine }: Board): void {
	if (!flags.traceHash) return;
	process.stderr.write(`trace hash: ${machine.traceHash}\nexecuted: ${machine.executed}\n`);
	for (const [id, count] of machine.retired.entries()) process.stderr.write(`retired by hart ${id}: ${count}\n`);
}

function status(flags: BootFlags, end: SessionEnd): number {
	const missed = flags.expect === undefined ? ExitStatus.success : ExitStatus.notSeen;
	switch (end.reason) {
		case 'seen':
			return ExitStatus.success;
		case 'ended':
			return guestStatus(end.ending as Ending) || missed;
		case 'stop-after':
			return missed;
		case 'asked':
			return ExitStatus.success;
		case 'output-gone':
			return ExitStatus.brokenPipe;
		case 'timeout':
			throw new CommandError(`the guest did not end in ${flags.timeout} seconds`);
		case 'stuck':
			throw new CommandError('the guest waits for ever');
	}
}
