/**
 * Who is told what the kernel does, as it happens: for time lines and histograms. It may change nothing. Times are virtual
 * nanoseconds; threads go by name. Counters are in statistics.ts.
 */

/** A kernel's trace port; what is not wanted is left out. */
export interface KernelTrace {
	/** From `time` on, a thread has the hart; undefined: nobody. */
	running?(hart: number, thread: string | undefined, time: number): void;
	/**
	 * The kernel was entered at `time`, and worked for `nanos`.
	 * @param reason - what for: a system call's name, `timer`, `interrupt`, `fault`, `exit`, `component`
	 * @param thread - who had the hart then; undefined: nobody
	 */
	entered?(hart: number, reason: string, thread: string | undefined, time: number, nanos: number): void;
	/** The thread's budget has run out: it waits for the next replenishment. */
	exhausted?(hart: number, thread: string, time: number): void;
	/** A message has arrived: by `kind`, of `words` words. */
	message?(from: string, to: string, kind: 'call' | 'send' | 'reply' | 'fault', words: number, time: number): void;
	/** A thread has faulted: name of the fault in the binary interface. */
	fault?(thread: string, fault: string, pc: bigint, time: number): void;
}
