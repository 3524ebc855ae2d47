/**
 * Who is told what the kernel does, as it happens: for time lines and histograms. It may change nothing. Times are virtual
 * nanoseconds; entities go by name. Counters are in statistics.ts.
 */

/** A kernel's trace port; what is not wanted is left out. Its shape is that of the microkernel's, too. */
export interface KernelTrace {
	/** From `time` on, an entity has the hart; undefined: nobody. */
	running?(hart: number, entity: string | undefined, time: number): void;
	/**
	 * The kernel was entered at `time`, and worked for `nanos`.
	 * @param reason - what for: `sbi`, `mmioLoad`, `timer`, …
	 * @param entity - who had the hart then; undefined: nobody
	 */
	entered?(hart: number, reason: string, entity: string | undefined, time: number, nanos: number): void;
	/** The entity's budget has run out: it waits for the next replenishment. */
	exhausted?(hart: number, entity: string, time: number): void;
}
