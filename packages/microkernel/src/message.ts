/**
 * Message info words and where the words of a message are. seL4 shared_types.bf: seL4_MessageInfo; manual, "IPC Buffer".
 *
 * IPC buffer (1 KiB): 0 tag; 8 msg[120]; 968 userData; 976 capsOrBadges[3]; 1000 receiveCNode; 1008 receiveIndex;
 * 1016 receiveDepth. Message registers 0 to 3 are a2 to a5.
 */

/** seL4_MsgMaxLength. */
export const MESSAGE_WORDS = 120;
/** Message registers that are processor registers: a2 to a5. */
export const REGISTER_WORDS = 4;
/** Bytes of an IPC buffer. */
export const IPC_BUFFER_BYTES = 1024;
/** Offset of msg[0] in an IPC buffer. */
export const IPC_BUFFER_MESSAGE = 8;

/** A decoded message info word. */
export interface MessageInfo {
	/** What the message asks for, or the error; 52 bits. */
	readonly label: number;
	/** Capabilities that came unwrapped; 3 bits. */
	readonly unwrapped: number;
	/** Capabilities that go along; 2 bits. */
	readonly extraCaps: number;
	/** Words; 7 bits, at most {@link MESSAGE_WORDS}: more is cut off. */
	readonly length: number;
}

/** Decodes a word from a guest: every word is a message info. */
export function decodeMessageInfo(word: bigint): MessageInfo {
	const low = Number(word & 0xfffn);
	return {
		label: Number(BigInt.asUintN(64, word) >> 12n),
		unwrapped: (low >> 9) & 7,
		extraCaps: (low >> 7) & 3,
		length: Math.min(low & 0x7f, MESSAGE_WORDS),
	};
}

/** Encodes a message info. */
export function encodeMessageInfo({ label, unwrapped, extraCaps, length }: MessageInfo): bigint {
	return (BigInt(label) << 12n) | BigInt((unwrapped << 9) | (extraCaps << 7) | length);
}
