// The ports that device models are given. Consumer-side: boards and VM monitors provide objects of these shapes.

/** The wire that a device raises to ask for service. Setting the level that it already has must be harmless. */
export interface InterruptLine {
	/**
	 * Drives the line.
	 * @param level - true: asserted.
	 */
	set(level: boolean): void;
}

/** Bytes in one register access; the bus splits 8-byte accesses into two of 4 bytes, low half first. */
export type AccessSize = 1 | 2 | 4;

/** What every device here looks like to a bus: registers at offsets from the start of its window. */
export interface MmioDevice {
	/** @returns an unsigned value of `size` bytes; 0 where there is no such register. */
	read(offset: number, size: AccessSize): number;
	/** Ignored where there is no such register. */
	write(offset: number, size: AccessSize, value: number): void;
}

/** The guest's RAM by physical address, for devices that read and write it themselves. */
export interface GuestMemory {
	/** Fills `into` from `address`; false, and nothing was transferred, where some byte is outside RAM. */
	read(address: number, into: Uint8Array): boolean;
	/** Stores `from` at `address`; false, and nothing was transferred, where some byte is outside RAM. */
	write(address: number, from: Uint8Array): boolean;
}

/** Where a console device puts the bytes that the guest prints. */
export interface ConsoleSink {
	/**
	 * Takes one byte that the guest printed.
	 * @param byte - 0 to 255.
	 */
	write(byte: number): void;
}

/** An event queue's slot for one timer of one device. */
export interface TimerPort {
	/**
	 * Sets the instant (virtual nanoseconds, an integer) at which the device's `expire()` must be called; it replaces
	 * the one before. `undefined`: no call.
	 */
	setDeadline(nanos: number | undefined): void;
}

/** A line that leads nowhere: the default. */
export const NO_LINE: InterruptLine = { set: () => {} };
/** A console that shows nothing: the default. */
export const NO_CONSOLE: ConsoleSink = { write: () => {} };
