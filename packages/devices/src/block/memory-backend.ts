// A disk in memory. Requests end at once.
import { StateCheck } from '../state-error.ts';
import { type BlockBackend, type BlockCompletion, type BlockRequest, refusal, SECTOR_SIZE } from './backend.ts';

/** A memory disk's content. */
export interface MemoryBlockState {
	/** Sector after sector. */
	readonly bytes: Uint8Array;
}

/** A disk whose content is an array. */
export class MemoryBlockBackend implements BlockBackend {
	/** The content, which is also the whole state. */
	readonly state: MemoryBlockState;
	readonly readOnly: boolean;

	/**
	 * @param bytes - the content; used, not copied. What is left over after the last whole sector is out of reach.
	 * @param readOnly - refuse writes.
	 */
	constructor(bytes: Uint8Array, readOnly = false) {
		this.state = { bytes };
		this.readOnly = readOnly;
	}

	get sectors(): number {
		return Math.floor(this.state.bytes.length / SECTOR_SIZE);
	}

	submit(request: BlockRequest, complete: BlockCompletion): void {
		const reason = refusal(request, this.sectors, this.readOnly);
		if (reason !== undefined) {
			complete(request, 'io-error', reason);
			return;
		}
		const { bytes } = this.state;
		const start = request.sector * SECTOR_SIZE;
		if (request.kind === 'read') request.data.set(bytes.subarray(start, start + request.data.length));
		else if (request.kind === 'write') bytes.set(request.data, start);
		complete(request, 'ok');
	}

	/**
	 * Takes over a copy of a saved content.
	 * @throws StateError where it is of another size.
	 */
	restore(state: MemoryBlockState): void {
		const check = new StateCheck('memory disk', state);
		const { length } = this.state.bytes;
		check.that(state.bytes instanceof Uint8Array && state.bytes.length === length, `bytes must hold ${length} bytes`);
		this.state.bytes.set(state.bytes);
	}
}
