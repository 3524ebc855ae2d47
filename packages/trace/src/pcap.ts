// Writes Ethernet frames as a pcap file with nanosecond time stamps, which Wireshark and tcpdump read
// (draft-ietf-opsawg-pcap: file header and packet record). It writes; it does not read, and it knows no pcapng.

const MAGIC_NANOSECONDS = 0xa1b23c4d;
const VERSION_MAJOR = 2;
const VERSION_MINOR = 4;
const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
const NANOS_PER_SECOND = 1_000_000_000;

/** Link type of Ethernet frames without preamble and frame check sequence (draft-ietf-opsawg-pcaplinktype). */
export const LINKTYPE_ETHERNET = 1;

/** What a {@link PcapWriter} may be told. */
export interface PcapOptions {
	/** Bytes kept of each packet; longer ones are cut, and say so. By default 262,144. */
	readonly snapLength?: number;
	/** What the packets are; by default {@link LINKTYPE_ETHERNET}. */
	readonly linkType?: number;
}

/** Writes the file header at once, then each packet as it comes, little-endian. */
export class PcapWriter {
	readonly #write: (bytes: Uint8Array) => void;
	readonly #snapLength: number;

	/** @param write - takes the bytes, in order; each array is the receiver's to keep */
	constructor(write: (bytes: Uint8Array) => void, options: PcapOptions = {}) {
		const { snapLength = 262_144, linkType = LINKTYPE_ETHERNET } = options;
		if (!Number.isInteger(snapLength) || snapLength < 1 || snapLength >= 2 ** 31) {
			throw new RangeError(`snapLength must be an integer from 1 to 2^31 - 1, got ${snapLength}`);
		}
		this.#write = write;
		this.#snapLength = snapLength;
		const header = new DataView(new ArrayBuffer(FILE_HEADER_BYTES));
		header.setUint32(0, MAGIC_NANOSECONDS, true);
		header.setUint16(4, VERSION_MAJOR, true);
		header.setUint16(6, VERSION_MINOR, true);
		header.setUint32(16, snapLength, true);
		header.setUint32(20, linkType, true);
		write(new Uint8Array(header.buffer));
	}

	/**
	 * Writes one packet.
	 * @param time - when it passed, in nanoseconds of virtual time: an integer from 0 to 2^53 - 1
	 */
	packet(time: number, bytes: Uint8Array): void {
		const kept = Math.min(bytes.length, this.#snapLength);
		const record = new Uint8Array(RECORD_HEADER_BYTES + kept);
		const header = new DataView(record.buffer);
		const nanos = time % NANOS_PER_SECOND;
		header.setUint32(0, (time - nanos) / NANOS_PER_SECOND, true);
		header.setUint32(4, nanos, true);
		header.setUint32(8, kept, true);
		header.setUint32(12, bytes.length, true);
		record.set(bytes.subarray(0, kept), RECORD_HEADER_BYTES);
		this.#write(record);
	}
}
