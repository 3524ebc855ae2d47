/**
 * What a hart needs of the board around it, declared here and given by whoever assembles a machine.
 */

/** Devices by physical address. `AddressMap` of `@partita/memory` fits. */
export interface DeviceBus {
	/** The window that holds all `size` bytes at `address`, if any. Offsets count from its base. */
	find(
		address: number,
		size: number,
	):
		| {
				readonly base: number;
				readonly device: {
					/** Reads at an offset that is a multiple of `size`. */
					read(offset: number, size: 1 | 2 | 4): number;
					/** Writes; `value` is unsigned. */
					write(offset: number, size: 1 | 2 | 4, value: number): void;
				};
		  }
		| undefined;
}

/** Virtual time as a hart sees it. */
export interface TimeSource {
	/** mtime in ticks, after `executed` instructions of the current run. */
	ticks(executed: number): bigint;
	/** Least number of instructions, counted from the current run's start, after which mtime is at least `ticks`. */
	executedAt(ticks: bigint): number;
}

/** Told what a hart does. Everything is optional; what is not asked for costs nothing. */
export interface HartObserver {
	/** A trap is taken or handed out: before any state changes. `cause` has bit 31 set for an interrupt. */
	trap?(hart: number, retired: bigint, pc: bigint, cause: number, value: bigint): void;
	/** An instruction is about to execute. The hart then runs one at a time. `word`: 16 bits of a compressed one. */
	instruction?(hart: number, pc: bigint, word: number): void;
}
