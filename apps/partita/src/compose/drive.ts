// Runs an assembled system to its end, a little at a time, so that Ctrl-C and progress get their turn.
import { formatNanos } from '@partita/report';
import type { RunningSystem } from '@partita/system';

/** Virtual nanoseconds between two looks at the host. */
const PIECE = 2_000_000;
/** Milliseconds between two updates of the progress line. */
const UPDATE = 100;
const ERASE_LINE = '\r\x1b[K';

/** Where progress goes; `process.stderr` is one. */
export interface ProgressStream {
	write(text: string): unknown;
	readonly isTTY?: boolean | undefined;
}

/** How a run ended. */
export type DriveEnd = 'time' | 'ended' | 'interrupted';

/**
 * Runs up to a virtual time.
 * @param stopped - whether the user wants it to end
 */
export async function drive(
	running: RunningSystem,
	until: number,
	stream: ProgressStream,
	stopped: () => boolean,
): Promise<DriveEnd> {
	const { machine, plan } = running;
	let shown = Number.NEGATIVE_INFINITY;
	try {
		for (;;) {
			if (stopped()) return 'interrupted';
			const end = running.runUntil(Math.min(until, machine.now() + PIECE));
			if (end === 'ended') return 'ended';
			if (machine.now() >= until) return 'time';
			if (stream.isTTY && performance.now() - shown >= UPDATE) {
				shown = performance.now();
				const share = Math.floor((machine.now() / until) * 100);
				stream.write(
					`${ERASE_LINE}${plan.composition}: ${formatNanos(machine.now())} of ${formatNanos(until)} (${share} %)`,
				);
			}
			await new Promise<void>((resolve) => setImmediate(resolve));
		}
	} finally {
		if (stream.isTTY) stream.write(ERASE_LINE);
	}
}

/** Notes signals while something runs: the first asks it to end, the second ends the program. */
export class Interruption {
	#signal: 'SIGINT' | 'SIGTERM' | undefined;
	readonly #note = (signal: NodeJS.Signals): void => {
		if (this.#signal) process.exit(130);
		this.#signal = signal as 'SIGINT' | 'SIGTERM';
	};

	constructor() {
		process.on('SIGINT', this.#note);
		process.on('SIGTERM', this.#note);
	}

	/** The signal that came, if one has. */
	get signal(): 'SIGINT' | 'SIGTERM' | undefined {
		return this.#signal;
	}

	/** From now on signals do what they do by default. */
	end(): void {
		process.off('SIGINT', this.#note);
		process.off('SIGTERM', this.#note);
	}
}
