// `--pcap`: the packets of a machine's networks in a file. A disk that is full ends the capture, not the run.
import { closeSync, openSync } from 'node:fs';
import { PcapWriter } from '@partita/trace';
import { CommandError, hostReason } from '../errors.ts';
import type { Complain } from './file-drive.ts';
import { writeFully } from './files.ts';

/** A packet capture. */
export class CaptureFile {
	readonly #fd: number;
	readonly #writer: PcapWriter;
	#failed = false;

	/** @throws CommandError where the file cannot be made */
	constructor(file: string, complain: Complain) {
		try {
			this.#fd = openSync(file, 'w');
		} catch (error) {
			throw new CommandError(`--pcap: cannot write ${file}`, { why: hostReason(error), cause: error });
		}
		this.#writer = new PcapWriter((bytes) => {
			if (this.#failed) return;
			try {
				writeFully(this.#fd, bytes);
			} catch (error) {
				this.#failed = true;
				complain(`--pcap: the capture ends here: ${file}: ${hostReason(error)}`);
			}
		});
	}

	/** @param time - virtual nanoseconds */
	packet(time: number, frame: Uint8Array): void {
		this.#writer.packet(time, frame);
	}

	close(): void {
		closeSync(this.#fd);
	}
}
