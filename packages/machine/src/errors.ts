/** Errors that a person who starts a machine can do something about. */

/** Something that was given to the machine cannot be used: what, where, why. */
export class MachineError extends Error {
	/** What to do about it, if that is known. */
	readonly advice: string | undefined;

	constructor(message: string, advice?: string) {
		super(message);
		this.name = 'MachineError';
		this.advice = advice;
	}
}
