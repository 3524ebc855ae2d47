/**
 * What the kernel asks of whoever runs threads that are not programs in U-mode: components, and guests of their virtual
 * CPUs. A boot module brings it (component-runner.ts); a system of programs alone has none.
 */
import type { TrapExit } from '@partita/cpu';
import type { Thread } from './thread.ts';

/** See the file's head. */
export interface HostedThreads {
	/** Plain state. */
	readonly state: unknown;
	/** Takes over a copy of a saved state, after the kernel has taken over its own. */
	restore(state: never): void;
	/** A component that has the hart does what takes no time. @returns whether somebody else may be to run now */
	step(thread: Thread): boolean;
	/** Nanoseconds that a component will compute before it does something. */
	remaining(thread: Thread): number;
	/** A component has computed for so long. */
	computed(thread: Thread, nanos: number): void;
	/** The first time at which {@link expire} is to be called; undefined: never. */
	nextEvent(): number | undefined;
	/** Does what is due. */
	expire(): void;
	/** Puts a guest on the hart. */
	attach(thread: Thread): void;
	/** Takes it off. */
	detach(thread: Thread): void;
	/** A guest has left with a trap that it does not handle itself. */
	exit(thread: Thread, trap: TrapExit): void;
}
