// Exit statuses. 0 to 255 may also be the guest's own: what is above that, POSIX cannot show.
import type { Ending } from '@partita/machine';
import type { RunRecord } from '@partita/report';

export const ExitStatus = {
	success: 0,
	/** The guest ended, or --stop-after was reached, before --expect's text came. */
	notSeen: 1,
	/** --timeout is over, or the guest waits for what cannot happen. */
	timeout: 124,
	/** Bad usage, an unusable file, or a failure of the host. */
	failure: 125,
	/** The reader of the output is gone: 128 + SIGPIPE. */
	brokenPipe: 141,
} as const;

/** What the guest's ending is to the shell: codes past 255 become 255, so that a failure never looks like success. */
export function guestStatus(ending: Ending): number {
	return Math.min(ending.code, 255);
}

/** What a signal that ends the program is to the shell. */
export function signalStatus(signal: 'SIGHUP' | 'SIGINT' | 'SIGTERM'): number {
	return 128 + { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 }[signal];
}

/** For `--help`. */
export const EXIT_STATUS_HELP = `
Exit status:
  0        the guest powered off with success, or asked for a reset; --expect's text came; --stop-after was reached;
           Ctrl-A X
  1 - 255  what the guest reported through HTIF, the test finisher or SBI (255: 255 or more); 1 also: --expect's text did not come
  124      --timeout passed, or the guest waits for what cannot happen
  125      bad usage, a file that cannot be used, or the host failed: the message says which
  129, 130, 143  ended by SIGHUP, SIGINT, SIGTERM;  141  the reader of the output is gone
`;

/** `--strict`: 1 where a deadline was missed, or a cell has failed. */
export function systemStatus(records: readonly RunRecord[]): number {
	const failed = records.some(({ cells }) =>
		cells.some(
			({ tasks, entities, ending }) =>
				ending !== undefined ||
				tasks.some(({ missed }) => missed > 0) ||
				entities.some(({ fault }) => fault !== undefined),
		),
	);
	return failed ? 1 : 0;
}

/** For `--help` of the commands that run systems. */
export const SYSTEM_EXIT_STATUS_HELP = `
Exit status:
  0        the system ran for the time, or everything in it ended
  1        with --strict: a deadline was missed, a cell has ended, or a domain has faulted
  125      bad usage, a description or file that cannot be used, or the host failed: the message says which
  130, 143 ended by SIGINT (Ctrl-C), SIGTERM: what ran until then is told
`;
