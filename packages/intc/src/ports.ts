// The ports that the interrupt controllers are given. Consumer-side: whatever drives or reads a line has this shape.

/** A wire that a controller or device drives. Setting the level that the line already has must be harmless. */
export interface InterruptLine {
	/**
	 * Drives the line.
	 * @param level - true: asserted.
	 */
	set(level: boolean): void;
}

/** Bytes in one register access; the bus splits 8-byte accesses into two of 4 bytes, low half first. */
export type AccessSize = 1 | 2 | 4;
