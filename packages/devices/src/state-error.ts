// The one error that devices throw after construction: a state (from a snapshot, say) that does not fit, and the checks
// that lead to it.

/** A saved state that does not fit the device it was given to. Nothing was restored. */
export class StateError extends Error {
	/** `StateError`. */
	override readonly name = 'StateError';

	/**
	 * @param device - which device refused the state.
	 * @param reason - the field and what it should have been.
	 */
	constructor(device: string, reason: string) {
		super(`${device}: the saved state does not fit: ${reason}`);
	}
}

/** Checks one saved state, field by field; throws {@link StateError} at the first that does not fit. */
export class StateCheck {
	readonly #device: string;

	constructor(device: string, state: unknown) {
		this.#device = device;
		if (typeof state !== 'object' || state === null) throw new StateError(device, 'it must be an object');
	}

	/** An integer of at least 0 and at most `max`. */
	integer(name: string, value: unknown, max: number = Number.MAX_SAFE_INTEGER): void {
		if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) > max)
			this.refuse(`${name} must be an integer in 0..${max}`);
	}

	/** An unsigned 64-bit value. */
	unsigned64(name: string, value: unknown): void {
		if (typeof value !== 'bigint' || value < 0n || value >= 1n << 64n)
			this.refuse(`${name} must be an unsigned 64-bit value`);
	}

	/** A truth value. */
	boolean(name: string, value: unknown): void {
		if (typeof value !== 'boolean') this.refuse(`${name} must be true or false`);
	}

	/** A list of at most `max` entries. */
	list(name: string, value: unknown, max: number): void {
		if (!Array.isArray(value) || value.length > max) this.refuse(`${name} must be a list of at most ${max}`);
	}

	/** A condition that no single field shows. */
	that(holds: boolean, reason: string): void {
		if (!holds) this.refuse(reason);
	}

	/** Gives up. */
	refuse(reason: string): never {
		throw new StateError(this.#device, reason);
	}
}
