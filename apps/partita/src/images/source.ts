// The port between a pull and the place that packages come from. Two parts provide it: apt.ts and snapshot.ts.

import type { PackageIndex, PackageRecord } from './packages.ts';
import type { Progress } from './progress.ts';

/** A Debian archive for riscv64 whose contents are verified by the time they are handed out. */
export interface PackageSource {
	readonly name: 'apt' | 'snapshot';
	/**
	 * The index of packages.
	 * @param needed names that will be looked up; a source may leave others out. `all` stands for every one
	 */
	index(needed: readonly string[] | 'all', progress: Progress): Promise<PackageIndex>;
	/** Fetches one package into a file whose size and SHA-256 are those of the record; on failure no file is left. */
	fetch(record: PackageRecord, file: string, progress: Progress): Promise<void>;
}
