// A user who is not there: types a line each time the guest has printed its prompt.
import type { InputSource } from './session.ts';

/** Types lines at a prompt. */
export class Dialogue implements InputSource {
	wake: () => void = () => {};
	/** Gives the guest bytes; says how many it took. Set once the machine is there. */
	receive: (bytes: Uint8Array) => number = () => 0;
	readonly #prompt: string;
	readonly #lines: string[];
	#printed = '';
	#waiting = new Uint8Array(0);

	/** @param prompt - ASCII */
	constructor(prompt: string, lines: readonly string[]) {
		this.#prompt = prompt;
		this.#lines = [...lines];
	}

	/** Is told what the guest prints. */
	see(bytes: Uint8Array): void {
		this.#printed += Buffer.from(bytes).toString('latin1');
		if (!this.#printed.includes(this.#prompt)) {
			this.#printed = this.#printed.slice(-this.#prompt.length);
			return;
		}
		this.#printed = '';
		const line = this.#lines.shift();
		if (line === undefined) return;
		this.#waiting = new TextEncoder().encode(`${line}\n`);
		this.wake();
	}

	offer(): boolean {
		if (this.#waiting.length > 0) this.#waiting = this.#waiting.subarray(this.receive(this.#waiting));
		return this.#waiting.length > 0;
	}
}
