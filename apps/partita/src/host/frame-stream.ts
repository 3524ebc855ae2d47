// Ethernet frames in a byte stream as QEMU's `-netdev stream` and passt write them: the length as a 32-bit big-endian
// number, then the frame.

/** Bytes in a frame, at most: what QEMU takes (NET_BUFSIZE), room for 64 KiB and headers. */
export const MOST_FRAME_BYTES: number = 4096 + 65_536;
const HEADER = 4;

/** A frame as it goes over the stream. */
export function encodeFrame(frame: Uint8Array): Uint8Array {
	const bytes = new Uint8Array(HEADER + frame.length);
	new DataView(bytes.buffer).setUint32(0, frame.length);
	bytes.set(frame, HEADER);
	return bytes;
}

/** Takes a stream apart into frames. Holds one frame and its header at most. */
export class FrameDecoder {
	readonly #buffer = new Uint8Array(HEADER + MOST_FRAME_BYTES);
	#count = 0;

	/**
	 * Takes a piece of the stream.
	 * @returns the frames that it completes, or what is wrong with the stream: nothing after that makes sense
	 */
	push(piece: Uint8Array): { frames: Uint8Array[]; error?: string } {
		const frames: Uint8Array[] = [];
		for (let at = 0; at < piece.length; ) {
			const wanted = this.#wanted();
			const part = piece.subarray(at, at + wanted - this.#count);
			this.#buffer.set(part, this.#count);
			this.#count += part.length;
			at += part.length;
			if (this.#count < HEADER) break;
			const length = this.#length();
			if (length > MOST_FRAME_BYTES || length === 0) return { frames, error: `a frame of ${length} bytes` };
			if (this.#count < HEADER + length) continue;
			frames.push(this.#buffer.slice(HEADER, this.#count));
			this.#count = 0;
		}
		return { frames };
	}

	#length(): number {
		return new DataView(this.#buffer.buffer).getUint32(0);
	}

	#wanted(): number {
		return this.#count < HEADER ? HEADER : HEADER + this.#length();
	}
}
