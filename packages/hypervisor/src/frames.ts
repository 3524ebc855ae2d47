/**
 * Physical memory that is free, in runs: first fit, neighbours joined. What is free is zero: what was a guest's has been
 * cleared by its monitor, tables too.
 */
/** A run of physical memory. */
export interface FreeRun {
	readonly address: number;
	readonly bytes: number;
}

/** Hands out physical memory. */
export class PhysicalFrames {
	/** By address. */
	#free: FreeRun[];

	/** @param run - zeroed */
	constructor(run: FreeRun) {
		this.#free = [run];
	}

	/** What is free: plain state. */
	get state(): readonly FreeRun[] {
		return [...this.#free];
	}

	/** Takes a saved state. */
	restore(state: readonly FreeRun[]): void {
		this.#free = [...state];
	}

	/** Bytes that are free. */
	get available(): number {
		return this.#free.reduce((sum, { bytes }) => sum + bytes, 0);
	}

	/** A zeroed run, aligned to a power of two; undefined where there is none. */
	allocate(bytes: number, alignment: number): number | undefined {
		for (const [index, run] of this.#free.entries()) {
			const address = Math.ceil(run.address / alignment) * alignment;
			const end = run.address + run.bytes;
			if (address + bytes > end) continue;
			const rest = [
				{ address: run.address, bytes: address - run.address },
				{ address: address + bytes, bytes: end - address - bytes },
			];
			this.#free.splice(index, 1, ...rest.filter((part) => part.bytes > 0));
			return address;
		}
		return undefined;
	}

	/** Takes a run back, which has been cleared. */
	free(address: number, bytes: number): void {
		const index = this.#free.findIndex((run) => run.address > address);
		this.#free.splice(index < 0 ? this.#free.length : index, 0, { address, bytes });
		const joined: FreeRun[] = [];
		for (const run of this.#free) {
			const last = joined.at(-1);
			if (last && last.address + last.bytes === run.address)
				joined[joined.length - 1] = { address: last.address, bytes: last.bytes + run.bytes };
			else joined.push(run);
		}
		this.#free = joined;
	}
}
