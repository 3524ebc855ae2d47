// `--trace`: a Chrome trace for ui.perfetto.dev, written as the system runs. A disk that is full ends the trace, not the run.
import { closeSync, openSync } from 'node:fs';
import { ChromeTraceWriter } from '@partita/trace';
import { CommandError, hostReason } from '../errors.ts';
import { writeFully } from '../host/files.ts';

/** Characters that are written at once. */
const PIECE = 1 << 16;

/** A trace in a file. */
export class TraceFile {
	/** Takes the events. */
	readonly writer: ChromeTraceWriter;
	readonly #fd: number;
	readonly #file: string;
	#text = '';
	#failure: unknown;

	/** @throws CommandError where the file cannot be made */
	constructor(file: string) {
		this.#file = file;
		try {
			this.#fd = openSync(file, 'w');
		} catch (error) {
			throw new CommandError(`--trace: cannot write ${file}`, { why: hostReason(error), cause: error });
		}
		this.writer = new ChromeTraceWriter((text) => {
			this.#text += text;
			if (this.#text.length >= PIECE) this.#flush();
		});
	}

	/** Ends the file. @throws CommandError where not all of it could be written */
	close(): void {
		this.writer.close();
		this.#flush();
		closeSync(this.#fd);
		if (this.#failure !== undefined)
			throw new CommandError(`--trace: ${this.#file} is incomplete`, { why: hostReason(this.#failure) });
	}

	#flush(): void {
		const text = this.#text;
		this.#text = '';
		if (this.#failure !== undefined) return;
		try {
			writeFully(this.#fd, new TextEncoder().encode(text));
		} catch (error) {
			this.#failure = error;
		}
	}
}
