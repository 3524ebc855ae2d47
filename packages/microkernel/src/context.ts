/** A scheduling context as the kernel knows it: plain data. Its budget and refills are the policy's. */
import type { ContextParameters } from '@partita/sched';

/** See the file's head. */
export interface ContextRecord {
	/** Number of its object, and of its context in the policy. */
	readonly id: number;
	/** log2 of its bytes: they bound how many refills it may have. */
	readonly bits: number;
	/** Whether it grants anything: then the policy knows it. */
	configured: boolean;
	/** Its budget is its period: a slice, in turn with its equals. */
	roundRobin: boolean;
	/** Who has it; 0: nobody. */
	thread: number;
	/** Tells timeout handlers which it is. */
	badge: bigint;
	/** Nanoseconds of its consumption that somebody was told of. */
	reported: number;
}

/** What a context grants: in nanoseconds. */
export interface ContextSettings extends ContextParameters {
	readonly badge: bigint;
}

/** A context that grants nothing yet. */
export function newContext(id: number, bits: number): ContextRecord {
	return { id, bits, configured: false, roundRobin: false, thread: 0, badge: 0n, reported: 0 };
}
