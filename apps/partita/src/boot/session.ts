// One run of a machine: it runs a piece at a time, and between the pieces the host's world is let in and out. With a
// terminal or a network, virtual time keeps pace with real time; without, an idle guest's time passes at once, and the
// run depends on nothing but its input.
import { type PacingState, pace } from '@partita/clock';
import type { Ending, Machine, RunResult } from '@partita/machine';
import type { ConsoleOutput } from '../host/console-output.ts';

/** Instructions between two looks at the host. */
const PIECE = 1_000_000;
/** With an instruction log, which makes them slow. */
const OBSERVED_PIECE = 20_000;
/** Pieces shorter than this, in milliseconds, are not worth a look at a clock that ticks coarsely. */
const LONGEST_SLEEP = 1000;
const NANOS_PER_MILLI = 1e6;
/** Real nanoseconds that an idle guest's time makes up for: a sleep, and a host that was late to wake from it. */
const LONGEST_IDLE = 2 * LONGEST_SLEEP * NANOS_PER_MILLI;

/** Something that gives the machine input between two pieces of its run. */
export interface InputSource {
	/** Gives what has come; false where none may come any more. */
	offer(): boolean;
	/** Set by the session: to be called when something has come. */
	wake: () => void;
}

/** Why a session is over. */
export type SessionEnd =
	| { readonly reason: 'ended'; readonly ending: Ending }
	| { readonly reason: 'seen' | 'stop-after' | 'timeout' | 'stuck' | 'output-gone' }
	/** {@link Session.end} was called. */
	| { readonly reason: 'asked' };

/** What a session is made of. */
export interface SessionOptions {
	readonly machine: Machine;
	readonly output: ConsoleOutput;
	readonly inputs: readonly InputSource[];
	/** Keep pace with real time. */
	readonly paced: boolean;
	/** Each instruction is observed, so that a piece is short. */
	readonly observed: boolean;
	readonly stopAfter?: number;
	/** Seconds of the host's time. */
	readonly timeout?: number;
}

/** A run, from where the machine is to its end. */
export class Session {
	readonly #options: SessionOptions;
	#asked = false;
	#timedOut = false;
	#pacing: PacingState | undefined;
	/** The guest had nothing to do when it last ran. */
	#idle = false;
	#wake: () => void = () => {};

	constructor(options: SessionOptions) {
		this.#options = options;
		for (const input of options.inputs) input.wake = () => this.#wake();
	}

	/** Ends the run soon. */
	end(): void {
		this.#asked = true;
		this.#wake();
	}

	/** Runs. */
	async run(): Promise<SessionEnd> {
		const { timeout } = this.#options;
		const timer = setTimeout(
			() => {
				this.#timedOut = true;
				this.#wake();
			},
			Math.ceil((timeout ?? 0) * 1000),
		);
		if (timeout === undefined) clearTimeout(timer);
		try {
			for (;;) {
				const end = await this.#piece();
				if (end) return end;
			}
		} finally {
			clearTimeout(timer);
			await this.#options.output.flush();
		}
	}

	async #piece(): Promise<SessionEnd | undefined> {
		const { machine, output, inputs, stopAfter } = this.#options;
		const open = inputs.map((input) => input.offer()).includes(true);
		const limit = this.#options.observed ? OBSERVED_PIECE : PIECE;
		const left = stopAfter === undefined ? limit : Math.min(limit, stopAfter - machine.executed);
		const result = left > 0 ? this.#runMachine(left) : undefined;
		this.#idle = result?.reason === 'idle';
		await output.flush();
		if (output.seen) return { reason: 'seen' };
		if (result?.reason === 'ended') return result;
		if (output.error) return { reason: 'output-gone' };
		if (stopAfter !== undefined && machine.executed >= stopAfter) return { reason: 'stop-after' };
		if (this.#asked) return { reason: 'asked' };
		if (this.#timedOut) return { reason: 'timeout' };
		if (result?.reason !== 'idle') {
			await this.#keepPace();
			return undefined;
		}
		if (!open && result.next === undefined) return { reason: 'stuck' };
		const sleep = result.next === undefined ? LONGEST_SLEEP : (result.next - machine.now()) / NANOS_PER_MILLI;
		await this.#sleep(Math.min(sleep, LONGEST_SLEEP));
		return undefined;
	}

	#runMachine(instructions: number): RunResult {
		const { machine, paced } = this.#options;
		if (!paced) return machine.run(instructions);
		const anchor = this.#anchor();
		const due = Math.floor(anchor.virtual + performance.now() * NANOS_PER_MILLI - anchor.host);
		return machine.run(instructions, { idleUntil: Math.max(due, machine.now()) });
	}

	/** The time for which the host slept on behalf of an idle guest is no lag: the guest's time is to pass as well. */
	#anchor(): PacingState {
		const lag = this.#idle ? { maxLag: LONGEST_IDLE } : {};
		const decision = pace(this.#pacing, performance.now() * NANOS_PER_MILLI, this.#options.machine.now(), lag);
		this.#pacing = decision.state;
		return decision.state;
	}

	/** Lets the host's events happen; where virtual time is ahead, until real time has caught up. */
	async #keepPace(): Promise<void> {
		if (this.#options.paced) {
			const { machine } = this.#options;
			const decision = pace(this.#pacing, performance.now() * NANOS_PER_MILLI, machine.now());
			this.#pacing = decision.state;
			if (decision.sleep > 0) {
				await this.#sleep(decision.sleep / NANOS_PER_MILLI);
				return;
			}
		}
		await new Promise<void>((resolve) => setImmediate(resolve));
	}

	/** Waits, at most so many milliseconds, for something to come. */
	async #sleep(millis: number): Promise<void> {
		let timer: NodeJS.Timeout | undefined;
		await new Promise<void>((resolve) => {
			this.#wake = resolve;
			timer = setTimeout(resolve, Math.max(0, millis));
		});
		clearTimeout(timer);
		this.#wake = () => {};
		// Whatever came along with it.
		await new Promise<void>((resolve) => setImmediate(resolve));
	}
}
