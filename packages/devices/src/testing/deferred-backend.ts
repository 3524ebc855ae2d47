// A disk for tests whose requests wait until the test lets them end: in any order, with any outcome.
import type { BlockBackend, BlockCompletion, BlockRequest } from '../block/backend.ts';

/** A request that has not ended. */
export interface WaitingRequest {
	/** What was submitted. */
	readonly request: BlockRequest;
	/** How its end is reported. */
	readonly complete: BlockCompletion;
}

/** A layer that holds requests back. */
export class DeferredBlockBackend implements BlockBackend {
	/** Requests that wait, the oldest first. */
	readonly waiting: WaitingRequest[] = [];
	/** The kinds of all requests so far, in order. */
	readonly log: string[] = [];
	readonly #base: BlockBackend;

	/** @param base - the disk that does the work in the end. */
	constructor(base: BlockBackend) {
		this.#base = base;
	}

	get sectors(): number {
		return this.#base.sectors;
	}

	get readOnly(): boolean {
		return this.#base.readOnly;
	}

	submit(request: BlockRequest, complete: BlockCompletion): void {
		this.log.push(request.kind);
		this.waiting.push({ request, complete });
	}

	/** Lets a waiting request go on to the base disk. */
	finish(index = 0): void {
		const [{ request, complete }] = this.waiting.splice(index, 1);
		this.#base.submit(request, complete);
	}

	/** Lets a waiting request fail. */
	fail(reason: string, index = 0): void {
		const [{ request, complete }] = this.waiting.splice(index, 1);
		complete(request, 'io-error', reason);
	}
}
