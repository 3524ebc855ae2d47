// The port behind a block device: submit a request, be told of its completion, then or later.

/** Bytes in a sector: the unit of every request, whatever the medium's own block size is. */
export const SECTOR_SIZE = 512;

/** What is to be done. */
export interface BlockRequest {
	/** A number that no other request under way at the same device has. */
	readonly id: number;
	/** `flush`: what was completed before must survive the host's crash from here on. */
	readonly kind: 'read' | 'write' | 'flush';
	/** First sector; 0 for a flush. */
	readonly sector: number;
	/** A read fills it, a write stores it; whole sectors. The back end owns it until completion. Empty for a flush. */
	readonly data: Uint8Array;
}

/** How a request ended. On `io-error` a read's data is not used. */
export type BlockStatus = 'ok' | 'io-error';

/**
 * Reports that a request ended; once per request, from inside `submit` or at any time later.
 * @param reason - what the host said, for a person to read; with `io-error`.
 */
export type BlockCompletion = (request: BlockRequest, status: BlockStatus, reason?: string) => void;

/** A disk: a file, memory, or a layer over another disk. */
export interface BlockBackend {
	/** Sectors of {@link SECTOR_SIZE} bytes. */
	readonly sectors: number;
	/** Writes are refused. */
	readonly readOnly: boolean;
	/** Starts a request. Requests may end in any order. Never throws. */
	submit(request: BlockRequest, complete: BlockCompletion): void;
}

/** What is wrong with a request to a disk of this size, if anything. */
export function refusal(request: BlockRequest, sectors: number, readOnly: boolean): string | undefined {
	if (request.kind === 'flush') return undefined;
	if (request.kind === 'write' && readOnly) return 'the disk is read only';
	if (request.data.length % SECTOR_SIZE !== 0) return 'a request must be whole sectors';
	const end = request.sector + request.data.length / SECTOR_SIZE;
	return Number.isSafeInteger(request.sector) && request.sector >= 0 && end <= sectors
		? undefined
		: `sectors ${request.sector} to ${end} are past the end of the disk (${sectors})`;
}
