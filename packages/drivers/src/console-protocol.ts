/**
 * What clients say to a console server. Bytes travel in words, eight in each, the first in the low byte; word 0 is their
 * number.
 *
 * | label | words | answer |
 * |---|---|---|
 * | `write` | number, bytes | `done`; number of bytes that were taken, from the front |
 * | `read` | most bytes wanted | `done`; number, bytes |
 * | any other, or a malformed one | | `refused` |
 */
import type { Message } from './environment.ts';

/** Labels of requests. */
export const ConsoleRequest = { write: 1, read: 2 } as const;
/** Labels of answers. */
export const ConsoleAnswer = { done: 0, refused: 1 } as const;
/** Most bytes of a message: 120 words, the first of which is their number. */
export const CONSOLE_BYTES = 119 * 8;

/** A message with bytes. */
export function bytesMessage(label: number, bytes: Uint8Array): Message {
	const words = [BigInt(bytes.length)];
	for (let at = 0; at < bytes.length; at += 8) {
		let word = 0n;
		for (let i = Math.min(at + 7, bytes.length - 1); i >= at; i--) word = (word << 8n) | BigInt(bytes[i]!);
		words.push(word);
	}
	return { label, words };
}

/** The bytes of a message; undefined where it is malformed. */
export function messageBytes({ words }: Message): Uint8Array | undefined {
	const count = words[0];
	if (count === undefined || count < 0n || count > BigInt((words.length - 1) * 8)) return undefined;
	const bytes = new Uint8Array(Number(count));
	for (let at = 0; at < bytes.length; at += 8) {
		let word = words[1 + at / 8]!;
		for (let i = at; i < Math.min(at + 8, bytes.length); i++, word >>= 8n) bytes[i] = Number(word & 0xffn);
	}
	return bytes;
}
