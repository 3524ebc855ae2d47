// The one error that this package throws: a state (from a snapshot, say) that does not fit the controller.

/** A saved state that does not fit the controller it was given to. Nothing was restored. */
export class StateError extends Error {
	/** `StateError`. */
	override readonly name = 'StateError';

	/**
	 * @param part - which controller refused the state.
	 * @param reason - the field and what it should have been.
	 */
	constructor(part: string, reason: string) {
		super(`${part}: the saved state does not fit: ${reason}`);
	}
}
