// .xz decompression: wraps the streaming decoder (xz-embedded as WebAssembly). It is not an encoder.

import xz from 'xz-decompress';
import { ImagesError } from './errors.ts';

/**
 * Decompresses a whole .xz stream; the stream's own checks are verified.
 * @param what names the input in errors
 * @throws {@link ImagesError} when the input is not .xz, damaged, or cut short
 */
export function xzStream(compressed: Uint8Array, what: string): ReadableStream<Uint8Array> {
	const reader = new xz.XzReadableStream(chunked(compressed)).getReader();
	return new ReadableStream<Uint8Array>({
		async pull(controller) {
			try {
				const { done, value } = await reader.read();
				if (done) controller.close();
				else controller.enqueue(value);
			} catch (error) {
				controller.error(
					new ImagesError(`Cannot decompress ${what}`, { why: 'its .xz stream is damaged', cause: error }),
				);
			}
		},
		cancel(reason) {
			return reader.cancel(reason);
		},
	});
}

/** Like {@link xzStream}, all at once; refuses to grow past `maxBytes`. */
export async function unxz(compressed: Uint8Array, what: string, maxBytes: number): Promise<Uint8Array> {
	const chunks: Uint8Array[] = [];
	let length = 0;
	for await (const chunk of streamChunks(xzStream(compressed, what))) {
		length += chunk.length;
		if (length > maxBytes) {
			throw new ImagesError(`Cannot decompress ${what}`, { why: `it is larger than ${maxBytes} bytes` });
		}
		chunks.push(chunk);
	}
	return Buffer.concat(chunks, length);
}

/** The chunks of a web stream; cancels the stream when the loop is left early. */
export async function* streamChunks(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
	const reader = stream.getReader();
	try {
		for (;;) {
			const { done, value } = await reader.read();
			if (done) return;
			yield value;
		}
	} finally {
		await reader.cancel().catch(() => {});
	}
}

/** A stream over bytes in memory, in pieces that the decoder's buffer takes. */
export function chunked(bytes: Uint8Array): ReadableStream<Uint8Array> {
	const CHUNK = 1 << 16;
	let offset = 0;
	return new ReadableStream<Uint8Array>({
		pull(controller) {
			if (offset >= bytes.length) controller.close();
			else controller.enqueue(bytes.subarray(offset, offset + CHUNK));
			offset += CHUNK;
		},
	});
}
