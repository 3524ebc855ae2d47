// Progress of a pull: one line that is redrawn on a terminal, plain lines elsewhere.

/** Told what a pull is doing. */
export interface Progress {
	/** A step that has begun or a fact worth a line. */
	step(text: string): void;
	/** So many of `total` bytes of the thing named `label` are done; called often. */
	bytes(label: string, done: number, total: number): void;
	/** Ends a line that is being redrawn, before something else is printed. */
	end(): void;
}

/** What progress is written to; `process.stderr` is one. */
export interface ProgressOutput {
	write(text: string): unknown;
	isTTY?: boolean | undefined;
	columns?: number | undefined;
}

/** Shows nothing. */
export const silentProgress: Progress = { step() {}, bytes() {}, end() {} };

/** Progress for this output: redrawn where it is a terminal, else a line per step and per thing. */
export function createProgress(output: ProgressOutput): Progress {
	return output.isTTY ? new TerminalProgress(output) : new PlainProgress(output);
}

/** `112.0 MB`. */
export function megabytes(bytes: number): string {
	return `${(bytes / 1e6).toFixed(1)} MB`;
}

class PlainProgress implements Progress {
	readonly #output: ProgressOutput;
	#label = '';

	constructor(output: ProgressOutput) {
		this.#output = output;
	}

	step(text: string): void {
		this.#output.write(`${text}\n`);
	}

	bytes(label: string, _done: number, total: number): void {
		if (label === this.#label) return;
		this.#label = label;
		this.#output.write(`${label} (${megabytes(total)})\n`);
	}

	end(): void {}
}

const ERASE_LINE = '\r\x1b[K';

class TerminalProgress implements Progress {
	readonly #output: ProgressOutput;
	#drawn = '';

	constructor(output: ProgressOutput) {
		this.#output = output;
	}

	step(text: string): void {
		this.end();
		this.#draw(text);
	}

	bytes(label: string, done: number, total: number): void {
		const percent = total > 0 ? Math.min(100, Math.floor((done / total) * 100)) : 100;
		this.#draw(`${label}  ${String(percent).padStart(3)}% of ${megabytes(total)}`);
	}

	end(): void {
		if (this.#drawn !== '') this.#output.write(ERASE_LINE);
		this.#drawn = '';
	}

	#draw(text: string): void {
		// A line that wraps could not be erased.
		const line = text.slice(0, Math.max(20, (this.#output.columns || 80) - 1));
		if (line === this.#drawn) return;
		this.#drawn = line;
		this.#output.write(ERASE_LINE + line);
	}
}
